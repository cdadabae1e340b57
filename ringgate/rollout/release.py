"""The definition of a release, `release.toml`: what changes, what is done by hand, and when the rollout stops.

Read like the inventory: unknown keys are refused, and every mistake is told at once with file, key and rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.domain.waivers import Waiver
from ringgate.fingerprint import ComparisonPolicy
from ringgate.fingerprint.policy import ComparisonPolicyError
from ringgate.fingerprint.policy import load as load_policy
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, dotted, faults, nearest, read_layer
from ringgate.rollout.activation_checks import check_activation, must_of
from ringgate.rollout.calendars import RolloutCalendar
from ringgate.rollout.control_tables import check_controls, control_files
from ringgate.rollout.release_checks import check_series, cross_checks
from ringgate.rollout.release_tables import ExceptionTable, ReleaseTable
from ringgate.rollout.risk_classes import PLANS, Plan
from ringgate.rollout.rollout_checks import check_rollout, files_of
from ringgate.surface.accepted import AcceptedMistake, read_accepted
from ringgate.twins.accepted import NOTHING_REVIEWED, Reviewed, TwinsFileMistake, read_reviewed


class ReleaseError(RinggateError):
    """The release definition is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Release:
    """A release definition that is right. `policy`, `accepted` and `calendar` are what the files beside it say.

    `digest` is that of all these files: another text is another release.
    """

    table: ReleaseTable
    path: Path
    digest: str
    rings: tuple[tuple[str, tuple[Tenant, ...]], ...]
    skipped: Mapping[str, ExceptionTable]
    policy: ComparisonPolicy = field(default_factory=ComparisonPolicy)
    accepted: tuple[Waiver, ...] = ()
    calendar: RolloutCalendar = field(default_factory=RolloutCalendar)
    drift: tuple[Waiver, ...] = ()
    reviewed: Reviewed = NOTHING_REVIEWED

    @property
    def id(self) -> str:
        return self.table.id

    def plan_of(self, tenant: str) -> Plan:
        for each in self.table.exceptions:
            if each.tenant == tenant and each.risk:
                return PLANS[each.risk]
        return PLANS[self.table.risk]

    def must(self, plan: Plan) -> tuple[str, ...]:
        """The processes that must have passed on a tenant with this plan."""
        return self.table.must or plan.must

    def may_go_untested(self, tenant: str, scenario: str, channel: Channel | None = None) -> bool:
        """Over that channel, or at all."""
        return any(
            each.tenant in (tenant, "*") and each.scenario == scenario and each.channel in (None, channel)
            for each in self.table.untested
        )

    def without_step(self, name: str) -> Release:
        """The release as it is when somebody forgets the manual steps whose names begin so. Raises ReleaseError."""
        left = tuple(step for step in self.table.manual_steps if not step.name.startswith(name))
        if len(left) == len(self.table.manual_steps):
            there = nearest(name, [step.name for step in left])
            raise ReleaseError([Problem(str(self.path), "manual_steps", f'no name begins with "{name}"{there}')])
        table = self.table.model_copy(update={"manual_steps": left})
        return replace(self, table=table, digest=f"{self.digest} without {name}")

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return tuple(tenant for _, ring in self.rings for tenant in ring)


def named_series(path: Path) -> tuple[str, ...]:
    """The series that a definition names, right or wrong, so that they can be installed before it is checked."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise ReleaseError([layer])
    return tuple(str(layer.data[key]) for key in ("from", "to") if key in layer.data)


def named_erp(path: Path) -> str:
    """The ERP that a definition names, "" for none."""
    layer = read_layer(path)
    return "" if isinstance(layer, Problem) else str(layer.data.get("erp", ""))


def load_release(
    path: Path, inventory: Inventory, known_series: Sequence[str] = (), today: date | None = None
) -> Release:
    """Reads and checks a release definition against the inventory. Raises ReleaseError with all problems.

    `known_series`, in their order, are those that the platform can run; none means that this is not checked.
    """
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise ReleaseError([layer])
    file = layer.file
    problems = [Problem(file, dotted(where), rule, got) for where, rule, got, _ in faults(ReleaseTable, layer.data)]
    now = today or datetime.now(UTC).date()
    problems += cross_checks(file, layer.data, inventory, now)
    problems += check_activation(path, layer.data.get("activation"), inventory.rings, now, must_of(layer.data))
    problems += check_series(file, layer.data, list(known_series))
    policy, accepted, drift, wrong = _beside(path, layer.data)
    problems += wrong
    reviewed, wrong = _reviewed(path, layer.data)
    problems += wrong
    led_by = [each for each in inventory.tenants if layer.data.get("erp") in (None, each.erp)]
    problems += check_controls(path, layer.data.get("controls"))
    calendar, wrong = check_rollout(path, layer.data, inventory, led_by)
    problems += wrong
    if problems:
        raise ReleaseError(list(dict.fromkeys(problems)))
    table = ReleaseTable.model_validate(layer.data)
    moved = {each.tenant: each.ring for each in table.exceptions if each.ring}
    skipped = {each.tenant: each for each in table.exceptions if each.skip}
    chosen = [each for each in inventory.tenants if table.erp in (None, each.erp) and each.id not in skipped]
    if not chosen:
        raise ReleaseError([Problem(file, "exceptions", "leave out every tenant: nothing would be rehearsed")])
    rings = [
        (ring, tuple(each for each in chosen if moved.get(each.id, each.ring) == ring)) for ring in inventory.rings
    ]
    digest = _digest(path, table)
    led = tuple((ring, tenants) for ring, tenants in rings if tenants)
    return Release(table, path, digest, led, skipped, policy, accepted, calendar, drift, reviewed)


def read_release(path: Path) -> tuple[ReleaseTable, str]:
    """A definition and its digest for whoever only approves it: checked key by key, and against no inventory. Raises
    ReleaseError."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise ReleaseError([layer])
    if wrong := [Problem(layer.file, dotted(at), rule, got) for at, rule, got, _ in faults(ReleaseTable, layer.data)]:
        raise ReleaseError(wrong)
    table = ReleaseTable.model_validate(layer.data)
    return table, _digest(path, table)


def _digest(path: Path, table: ReleaseTable) -> str:
    """Of the definition and the files beside it, which are read now."""
    named = (table.policy, table.accepted, table.drift, table.twins.reviewed)
    beside = (*named, *files_of(table.rollout), *control_files(table.controls))
    files = [path, *(path.parent / name for name in beside if name)]
    try:
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    except OSError as error:
        raise ReleaseError([Problem(str(path), "", f"a file beside it cannot be read: {error.strerror}")]) from None


def _reviewed(path: Path, data: Mapping[str, object]) -> tuple[Reviewed, list[Problem]]:
    """What people reviewed of whole documents, and what is wrong with their file."""
    twins = data.get("twins")
    name = twins.get("reviewed") if isinstance(twins, dict) else None
    if not isinstance(name, str) or not name:
        return NOTHING_REVIEWED, []
    if not (path.parent / name).is_file():
        rule = "there is no such file beside this one"
        return NOTHING_REVIEWED, [Problem(str(path), "twins.reviewed", rule, f'"{name}"')]
    try:
        return read_reviewed(path.parent / name), []
    except TwinsFileMistake as wrong:
        return NOTHING_REVIEWED, list(wrong.problems)


def _beside(
    path: Path, data: Mapping[str, object]
) -> tuple[ComparisonPolicy, tuple[Waiver, ...], tuple[Waiver, ...], list[Problem]]:
    """What the files beside a definition say (policy, accepted, drift), and what is wrong with them."""
    policy, accepted, found = ComparisonPolicy(), dict[str, tuple[Waiver, ...]](), list[Problem]()
    for key in ("policy", "accepted", "drift"):
        name = data.get(key)
        if not isinstance(name, str) or not name:
            continue
        file = path.parent / name
        if not file.is_file():
            found.append(Problem(str(path), key, "there is no such file beside this one", f'"{name}"'))
            continue
        try:
            if key == "policy":
                policy = load_policy(file)
            else:
                accepted[key] = read_accepted(file)
        except (ComparisonPolicyError, AcceptedMistake) as wrong:
            found += wrong.problems
    return policy, accepted.get("accepted", ()), accepted.get("drift", ()), found
