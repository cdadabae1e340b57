"""A gate's policy as a file, such as `deploy/gate.toml`. Every mistake is told at once with file, key and rule.

[bake]
soak = "4 h"

[signals]
slowness = false

[[waivers]]
tenant = "kyoto"
release = "8.0.3"
signature = "slowness"
owner = "ops"
reason = "moves to a larger server next week"
expires = 2027-01-31
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field, create_model, field_validator

from ringgate.domain.errors import RinggateError
from ringgate.domain.terms import Invariant
from ringgate.domain.waivers import ANY, Waiver
from ringgate.gate import GatePolicy, Signal
from ringgate.gate.waivers import UNTESTED
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, dotted, faults, nearest, read_layer
from ringgate.inventory.kinds import Duration, Name, StrictTable
from ringgate.inventory.waivers import WaiverTable

_USUAL = GatePolicy()
_KINDS = (
    "expectation", "refused", "unavailable", "timed-out", "integration", "integration-late", "protocol", "sign-in",
    "misbehaved", "undo-refused", "erp",
)  # fmt: skip
_SIGNATURES = (*(signal.value for signal in Signal), *(each.value for each in Invariant), UNTESTED, *_KINDS)


class GatePolicyError(RinggateError):
    """The policy is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def _signature(value: str) -> str:
    if value not in _SIGNATURES and not any(fnmatchcase(kind, value) for kind in _KINDS):
        raise ValueError(
            f"must be a signal, a failure's kind, an invariant, or untested{nearest(value, _SIGNATURES) or ''}"
        )
    return value


def _one_release(value: str) -> str:
    if not value.strip("*?"):
        raise ValueError("must name the release: what is accepted of one is not accepted of the next")
    return value


def _lasting(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


Lasting = Annotated[Duration, AfterValidator(_lasting)]
Share = Annotated[float, Field(gt=0, lt=1)]


class BakeTable(StrictTable):
    tick: Lasting = Field("1 min", validate_default=True, description="What one bet is made on.", examples=["1 min"])
    soak: Duration = Field("1 h", validate_default=True, description="No promotion before.", examples=["4 h"])
    deadline: Lasting = Field(
        "24 h", validate_default=True, description="If nothing is decided by then, the rollout holds.", examples=["8 h"]
    )
    freshness: Lasting = Field(
        "30 min", validate_default=True, description="No tenant's newest result may be older.", examples=["15 min"]
    )
    self_test: Lasting = Field(
        "2 h", validate_default=True, description="A self-test must have been caught within this.", examples=["2 h"]
    )


class BaselineTable(StrictTable):
    window: Lasting = Field(
        "7 d", validate_default=True, description="How far back the baseline reaches.", examples=["14 d"]
    )
    runs: int = Field(
        _USUAL.baseline_runs, ge=1, strict=True, description="Fewer runs are no baseline.", examples=[300]
    )


class EvidenceTable(StrictTable):
    broken: float = Field(
        _USUAL.broken, ge=0, le=1, description="The largest share of runs that may be our own fault.", examples=[0.05]
    )
    failures: int = Field(
        _USUAL.least_failures, ge=1, strict=True, description="With fewer nothing is held or paused.", examples=[3]
    )
    must: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        _USUAL.must,
        description="Scenarios that must have passed on every tenant.",
        examples=[["sign-in", "time-entry"]],
    )


class PromoteTable(StrictTable):
    times: float = Field(
        _USUAL.times, gt=1, description="A failure rate of so many times the baseline's must be excluded.", examples=[3]
    )
    least_rate: float = Field(
        _USUAL.least_rate, ge=0, lt=1, description="No rate below this one need be excluded.", examples=[0.01]
    )


OPTIONAL = tuple(signal for signal in Signal if not signal.definition.always)


class _SignalsTable(StrictTable):
    """`true` insists (unknown is inconclusive), `false` switches off; left out, it is judged once it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


if TYPE_CHECKING:
    GateSignalsTable = _SignalsTable
else:  # a key for each signal of the registry
    GateSignalsTable = create_model(
        "GateSignalsTable",
        __base__=_SignalsTable,
        __doc__=_SignalsTable.__doc__,
        **{
            each.name.lower(): (
                bool | None,
                Field(None, alias=each.value, strict=True, description=each.definition.about, examples=[True]),
            )
            for each in OPTIONAL
        },
    )


class SlownessTable(StrictTable):
    quantiles: tuple[Share, ...] = Field(
        _USUAL.quantiles, min_length=1, description="Of the baseline's durations.", examples=[[0.5, 0.9, 0.95]]
    )
    slower: float = Field(
        _USUAL.slower, ge=1, description="A run is slow from so many times a quantile.", examples=[1.2]
    )

    @field_validator("quantiles")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("must rise, each only once")
        return value


class SilenceTable(StrictTable):
    rate: Share = Field(
        _USUAL.silence_rate, description="The share of due results that may be missing.", examples=[0.02]
    )


class GateWaiverTable(WaiverTable):
    """What a gate accepts of one release. `*` stands for any characters, `?` for one."""

    signature: Annotated[Name, AfterValidator(_signature)] = Field(
        description="A signal, a failure's kind, an invariant, or untested.", examples=["slowness"]
    )
    release: Annotated[Name, AfterValidator(_one_release)] = Field(
        description="The release that it is for, as its results are labelled.", examples=["8.0.3"]
    )
    scenario: Name = Field(ANY, description="The scenario that it is for.", examples=["time-entry"])

    @property
    def waiver(self) -> Waiver:
        return replace(super().waiver, scenario=self.scenario)


class GatePolicyTable(StrictTable):
    """A whole policy file."""

    alpha: Annotated[float, Field(ge=1e-6, le=0.2)] = Field(
        _USUAL.alpha, description="How often a healthy release may be paused, over the whole bake.", examples=[0.01]
    )
    bake: BakeTable = BakeTable()
    baseline: BaselineTable = BaselineTable()
    evidence: EvidenceTable = EvidenceTable()
    promote: PromoteTable = PromoteTable()
    signals: GateSignalsTable = GateSignalsTable()
    slowness: SlownessTable = SlownessTable()
    silence: SilenceTable = SilenceTable()
    waivers: tuple[GateWaiverTable, ...] = ()


def load_policy(path: Path | None, inventory: Inventory | None = None, scenarios: Collection[str] = ()) -> GatePolicy:
    """The policy of a file, or the built-in one. Raises GatePolicyError with all problems.

    With an inventory, waivers must be of tenants that there are; with the ids of scenarios, what must have passed is to
    be among them."""
    if path is None:
        return GatePolicy()
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise GatePolicyError([layer])
    found = [
        Problem(layer.file, dotted(where), rule, got) for where, rule, got, _ in faults(GatePolicyTable, layer.data)
    ]
    found += _of_bake(layer.file, layer.data) + _of_waivers(layer.file, layer.data, inventory)
    found += _of_must(layer.file, layer.data, sorted(scenarios))
    if found:
        raise GatePolicyError(list(dict.fromkeys(found)))
    return _policy(GatePolicyTable.model_validate(layer.data))


def _of_bake(file: str, data: Mapping[str, object]) -> list[Problem]:
    """What one key cannot see of another."""
    given = data.get("bake")
    if not isinstance(given, dict) or faults(BakeTable, given):
        return []
    bake = BakeTable.model_validate(given)
    found = []
    if bake.soak > bake.deadline:
        found.append(Problem(file, "bake.soak", "must not be longer than the deadline, or nothing is ever promoted"))
    if bake.tick * 10 > bake.deadline:
        found.append(Problem(file, "bake.tick", "must fit into the deadline at least ten times"))
    return found


def _of_must(file: str, data: Mapping[str, object], known: Sequence[str]) -> list[Problem]:
    evidence = data.get("evidence")
    given = evidence.get("must") if isinstance(evidence, dict) else None
    return [
        Problem(file, f"evidence.must[{index}]", f"no scenario is called so{nearest(name, known)}", f'"{name}"')
        for index, name in enumerate(given if isinstance(given, list) else [])
        if known and isinstance(name, str) and name and name not in known
    ]


def _of_waivers(file: str, data: Mapping[str, object], inventory: Inventory | None) -> list[Problem]:
    given = data.get("waivers")
    known = [tenant.id for tenant in inventory.tenants] if inventory else []
    found = []
    for index, each in enumerate(given if isinstance(given, list) else []):
        tenant = each.get("tenant") if isinstance(each, dict) else None
        if known and isinstance(tenant, str) and tenant and not any(fnmatchcase(name, tenant) for name in known):
            rule = f"fits no tenant of the inventory{nearest(tenant, known)}"
            found.append(Problem(file, f"waivers[{index}].tenant", rule, f'"{tenant}"'))
    return found


def _policy(table: GatePolicyTable) -> GatePolicy:
    wanted = {signal: getattr(table.signals, signal.name.lower()) for signal in OPTIONAL}
    return GatePolicy(
        alpha=table.alpha,
        tick=table.bake.tick,
        soak=table.bake.soak,
        deadline=table.bake.deadline,
        freshness=table.bake.freshness,
        self_test=table.bake.self_test,
        window=table.baseline.window,
        baseline_runs=table.baseline.runs,
        broken=table.evidence.broken,
        least_failures=table.evidence.failures,
        must=table.evidence.must,
        times=table.promote.times,
        least_rate=table.promote.least_rate,
        signals={signal: value for signal, value in wanted.items() if value is not None},
        quantiles=table.slowness.quantiles,
        slower=table.slowness.slower,
        silence_rate=table.silence.rate,
        waivers=tuple(each.waiver for each in table.waivers),
    )
