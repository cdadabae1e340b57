"""Whose business a group of failures is: product, configuration, data, identity, environment, or our side.

The first rule that says anything decides, and says why in words. What an expectation rests on (`basis=` in scenarios)
goes before the kind of the failure, and that before how far it spreads: a tenant's own settings can break one tenant,
and so can a defect that only its settings meet.

    attribute(group)  ->  Attribution(Cause.CONFIGURATION, "what was expected rests on the tenant's own settings ...")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome
from ringgate.gate.baseline import Signature, signature_of
from ringgate.gate.observations import Probe, failed, probe_of


class Cause(StrEnum):
    """Who has to do something."""

    PRODUCT = "product"  # the ERP's own logic
    CONFIGURATION = "configuration"  # a tenant's settings
    DATA = "data"  # what a tenant's books hold
    IDENTITY = "identity"  # users, roles, rights, sessions
    ENVIRONMENT = "environment"  # servers, network, certificates, what lies in front of the ERP
    OUR_SIDE = "our side"
    BEFORE = "as before the release"  # nobody because of the release: it was so, and as often


@dataclass(frozen=True, slots=True)
class FailureSpread:
    """How far failures reach. `tested_*` are all that ran with the release and could have failed so; `whole` are
    tenants on which nothing passed at all; `before` counts failures of the same kind in the baseline. `passes_beside`
    says that the same scenario passes over another channel on every tenant on which it fails. `usual` says why it is
    nothing new, "" if it is."""

    tenants: frozenset[str]
    tested_tenants: frozenset[str]
    scenarios: frozenset[str]
    tested_scenarios: frozenset[str]
    whole: frozenset[str] = frozenset()
    before: int = 0
    passes_beside: bool = False
    usual: str = ""

    @property
    def down(self) -> bool:
        """Whether nothing at all passes on the tenants that fail, in more than one scenario."""
        return self.tenants <= self.whole and len(self.scenarios) > 1

    @property
    def everywhere(self) -> bool:
        """Whether it is on every tenant that was tested; of one alone nobody knows."""
        return self.tenants == self.tested_tenants and len(self.tenants) > 1

    @property
    def one_scenario_of_many(self) -> bool:
        return len(self.scenarios) == 1 and len(self.tested_scenarios) > 1


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that failed in the same way: same scenario, step, kind and basis. `example` is the last of them."""

    signature: Signature
    runs: int
    example: RunResult
    tenants: tuple[str, ...]
    channels: tuple[Channel, ...]
    spread: FailureSpread

    @property
    def as_if_new(self) -> Group:
        """The same, as if nothing had failed so before."""
        return replace(self, spread=replace(self.spread, usual=""))

    @property
    def failure(self) -> Failure:
        assert self.example.failure is not None
        return self.example.failure


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose business a group is, and why, as sentences."""

    group: Group
    cause: Cause
    because: str
    remark: str = ""


Rule = Callable[[Group], tuple[Cause, str] | None]

_BASES = {
    Basis.POLICY: (Cause.CONFIGURATION, "what was expected rests on the tenant's own settings"),
    Basis.RIGHTS: (Cause.IDENTITY, "what was expected rests on who may do what"),
    Basis.RECORDS: (Cause.DATA, "what was expected rests on what the books already hold"),
    Basis.PROCESS: (Cause.PRODUCT, "what was expected rests on the process itself, not on a tenant's settings"),
}
_INVARIANTS = {
    Invariant.BOOKS: (Cause.DATA, "the books are not as they were before the change"),
}
_UNREACHABLE = {
    "unavailable": "gave no answer",
    "timed-out": "gave no answer in time",
    "protocol": "gave an answer that cannot be understood",
}
NO_MATTER_OF_THE_SCREEN = frozenset({"unavailable", "timed-out", "protocol", "sign-in"})


def ours(group: Group) -> tuple[Cause, str] | None:
    if group.example.outcome is Outcome.BROKEN:
        return Cause.OUR_SIDE, f"the run could not be carried out ({group.failure.kind})"
    return None


def invariant(group: Group) -> tuple[Cause, str] | None:
    return _INVARIANTS.get(group.failure.invariant) if group.failure.invariant else None


def as_before(group: Group) -> tuple[Cause, str] | None:
    """What failed as often before is not the release's doing, whatever it looks like. An invariant is never usual."""
    if not group.spread.usual or group.failure.invariant is not None:
        return None
    return Cause.BEFORE, group.spread.usual


def on_the_screen(group: Group) -> tuple[Cause, str] | None:
    """What the books hold is right, as programs see it, and the screen is not: that is the client itself."""
    if group.channels != (Channel.BROWSER,) or not group.spread.passes_beside:
        return None
    if group.failure.kind in NO_MATTER_OF_THE_SCREEN:
        return None
    return Cause.PRODUCT, "it comes out wrong on the screen alone"


def basis(group: Group) -> tuple[Cause, str] | None:
    return _BASES[group.failure.basis] if group.failure.basis else None


def signed_in(group: Group) -> tuple[Cause, str] | None:
    """A sign-in that fails alone is about users; where nothing works, it is one more sign of that."""
    if group.failure.kind != "sign-in":
        return None
    return Cause.IDENTITY, "the ERP did not accept the users of the inventory"


def unreachable(group: Group) -> tuple[Cause, str] | None:
    """Nobody answered, or not in words: of everything it is the way there, of one step alone it is that step."""
    what = _UNREACHABLE.get(group.failure.kind)
    if what is None:
        return None
    if group.spread.down:
        return Cause.ENVIRONMENT, f"the ERP {what}, and nothing passed on these tenants"
    if group.spread.one_scenario_of_many and group.spread.everywhere:
        return Cause.PRODUCT, f'the ERP {what} in one step alone ("{group.failure.step}"), and on every tenant'
    return Cause.ENVIRONMENT, f"the ERP {what}"


def refused(group: Group) -> tuple[Cause, str] | None:
    """The ERP said no to who must be able to: on every tenant it is the product, on some it is their rights."""
    if group.failure.kind != "refused":
        return None
    if group.spread.everywhere:
        return Cause.PRODUCT, "the ERP refused what this role must be able to do, on every tenant"
    return Cause.IDENTITY, "the ERP refused what this role must be able to do, and not on every tenant"


def otherwise(group: Group) -> tuple[Cause, str] | None:
    return Cause.PRODUCT, "the ERP did something else than it says it does"


RULES: Sequence[Rule] = (ours, invariant, as_before, on_the_screen, basis, signed_in, unreachable, refused, otherwise)


def attribute(group: Group) -> Attribution:
    cause, because = next(said for rule in RULES if (said := rule(group)) is not None)
    before = group.spread.before
    remark = f"It failed so {before:,} times before the release, too." if before else ""
    return Attribution(group, cause, because, remark)


def _never(signature: Signature, runs: int) -> str:
    return ""


def grouped(
    bad: Iterable[RunResult],
    tested: Iterable[Probe],
    passed: Iterable[Probe],
    before: Callable[[Signature], int],
    usual: Callable[[Signature, int], str] = _never,
) -> tuple[Group, ...]:
    """Failed and broken runs by what they have in common, the most frequent first.

    `tested` are the probes that ran with the release, `passed` those of which at least one run passed lately;
    `before` says how often the baseline failed so, `usual` why so many runs that failed so are nothing new."""
    by_signature: dict[Signature, list[RunResult]] = {}
    for result in sorted(bad, key=lambda r: (r.started_at, r.run_id)):
        if result.failure is not None:
            by_signature.setdefault(signature_of(result), []).append(result)
    tested, passed = frozenset(tested), frozenset(passed)
    well = frozenset(tenant for tenant, _, _ in passed)
    kinds = {kind for _, _, kind, _ in by_signature}
    reach = {
        kind: {probe_of(r) for runs in by_signature.values() for r in runs if r.failure and r.failure.kind == kind}
        for kind in kinds
    }
    groups = []
    for signature, runs in by_signature.items():
        tenants, channels_of = frozenset(r.tenant for r in runs), {r.channel for r in runs}
        beside = {tenant for tenant, scenario, over in passed if scenario == signature[0] and over not in channels_of}
        spread = FailureSpread(
            tenants=tenants,
            tested_tenants=frozenset(t for t, scenario, _ in tested if scenario == signature[0]) | tenants,
            scenarios=frozenset(s for t, s, _ in reach[signature[2]] if t in tenants),
            tested_scenarios=frozenset(s for t, s, _ in tested if t in tenants) | {signature[0]},
            whole=tenants - well,
            before=before(signature) if failed(runs[-1]) else 0,
            passes_beside=tenants <= beside,
            usual=usual(signature, len(runs)) if failed(runs[-1]) else "",
        )
        channels = tuple(channel for channel in Channel if any(r.channel is channel for r in runs))
        groups.append(Group(signature, len(runs), runs[-1], tuple(sorted(tenants)), channels, spread))
    return tuple(sorted(groups, key=lambda g: (-g.runs, g.signature)))
