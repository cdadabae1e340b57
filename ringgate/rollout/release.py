"""The definition of a release, `release.toml`: what changes, what is done by hand, and when the rollout stops.

Read like the inventory: unknown keys are refused, and every mistake is told at once with file, key and rule.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Role, Tenant
from ringgate.domain.waivers import Waiver, holds
from ringgate.fingerprint import ComparisonPolicy
from ringgate.fingerprint.policy import ComparisonPolicyError
from ringgate.fingerprint.policy import load as load_policy
from ringgate.gate.required import PROCESSES
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem, dotted, faults, nearest, read_layer
from ringgate.inventory.kinds import Duration, Name, Slug, StrictTable
from ringgate.inventory.waivers import AnsweredFor
from ringgate.rollout.conditions import Condition
from ringgate.surface.accepted import AcceptedMistake, read_accepted


class ReleaseError(RinggateError):
    """The release definition is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Risk(StrEnum):
    """How much a release may break. It chooses what is verified, see `PLANS`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class RolloutAction(StrEnum):
    """What happens to the rollout when a condition is met."""

    PROMOTE = "promote"
    PAUSE = "pause"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is verified on each tenant of a ring. `browser`: `all` tenants, the ring's `first`, or `none`. `must` are
    the processes that must have passed on each."""

    everything: bool
    browser: str
    isolation: bool
    in_flight: bool
    surface: bool
    drill: str
    why: str
    must: tuple[str, ...] = PROCESSES


PLANS: Mapping[Risk, Plan] = {
    Risk.LOW: Plan(False, "none", False, False, False, "first", "smoke over the API; one restore drill for each ring",
                   ("sign-in", "project-to-cash")),
    Risk.MEDIUM: Plan(
        True, "first", True, True, True, "first",
        "every process over the API, the browser walk on each ring's first tenant, isolation, work in flight, what "
        "the ERP offers to programs",
    ),
    Risk.HIGH: Plan(
        True, "all", True, True, True, "all",
        "every process over the API, the browser walk, isolation, work in flight and a restore drill on each tenant, "
        "what the ERP offers to programs",
    ),
}  # fmt: skip


class ComponentTable(StrictTable):
    """One part of the product. In TOML `from` and `to`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    before: str = Field("", alias="from", description="Version before.", examples=["7.0"])
    after: str = Field("", alias="to", description="Version after.", examples=["8.0"])
    note: str = Field("", description="What changes, in a sentence.", examples=["the RPC path moves"])


class ComponentsTable(StrictTable):
    application: ComponentTable = Field(description="The ERP itself.")
    database: ComponentTable = Field(ComponentTable(), description="What happens to the data.")
    configuration: ComponentTable = Field(ComponentTable(), description="Settings that change.")
    integrations: ComponentTable = Field(ComponentTable(), description="Who talks to the ERP and must change.")


WAYS = ("sql", "command", "tool")
"""How a manual step can be done."""


class ManualStepTable(StrictTable):
    """What is done by hand on each tenant: exactly one of SQL, a command, a call of the ERP's own tool."""

    name: Name = Field(description="What operators know the step as.", examples=["7.6: columns of ir_model"])
    sql: str = Field(
        "",
        min_length=1,
        description="What is done, as SQL on the tenant's database; one transaction.",
        examples=["ALTER TABLE ir_model RENAME COLUMN name TO string;"],
    )
    command: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (),
        min_length=1,
        description="A program and its arguments, run in the folder where Ringgate was started. It is told "
        "RINGGATE_TENANT, RINGGATE_DATABASE (a libpq URL), RINGGATE_FROM and RINGGATE_TO as variables; exit code 0 is "
        "success.",
        examples=[["./move-attachments.sh", "--quiet"]],
    )
    tool: str = Field(
        "",
        min_length=1,
        description="A call of the ERP's own command line tool, of the series after; configuration and database are "
        "added to it.",
        examples=["trytond-admin -u ir"],
    )

    @property
    def text(self) -> str:
        """What is done, as people read it."""
        return self.sql.strip() or shlex.join(self.command) or self.tool


def _use(value: str) -> str:
    if not re.fullmatch(r"call (model|wizard|report)\.\S+\.\w+|(read|write) \S+ \S+", value):
        raise ValueError(
            'must be as "call model.party.party.create", "read <model> <field>" or "write <model> <field>"'
        )
    return value


class IntegrationTable(StrictTable):
    """A program that talks to the ERP. What it uses is weighed like what the scenarios use, for it is not run here."""

    name: Slug = Field(description="What it is called.", examples=["payroll-export"])
    owner: Name = Field(description="Who would have to change it.", examples=["hr-systems"])
    role: Role = Field(Role.INTEGRATION, description="Whose session it has.", examples=["auditor"])
    uses: Annotated[tuple[Annotated[str, AfterValidator(_use)], ...], Field(min_length=1)] = Field(
        description="What it calls, reads and writes, by the names of the series before.",
        examples=[["call model.timesheet.line.search_read", "read timesheet.line duration"]],
    )


class ExceptionTable(AnsweredFor):
    tenant: Slug = Field(description="Whom it is about.", examples=["kyoto"])
    skip: bool = Field(False, strict=True, description="It is left out of this release.", examples=[True])
    ring: Slug | None = Field(None, description="It goes with another ring than the inventory's.", examples=["broad"])
    risk: Risk | None = Field(None, description="It is verified by another risk class.", examples=["high"])


class UntestedTable(AnsweredFor):
    """A process that a tenant may go without in this release."""

    tenant: Slug = Field(description="Whom it is about.", examples=["kyoto"])
    scenario: Name = Field(description="The process that is not tested there.", examples=["procurement-approval"])


class ConditionsTable(StrictTable):
    """What happens to the rollout when a condition is met: `pause` or `roll back`. Each key's default is its safest."""

    not_ready: RolloutAction = Field(RolloutAction.PAUSE, description="A tenant was unwell before anything was done.")
    backup_too_old: RolloutAction = Field(
        RolloutAction.PAUSE, description="A tenant's newest backup is older than its recovery point, or there is none."
    )
    drill_failed: RolloutAction = Field(
        RolloutAction.PAUSE, description="A backup does not restore, or not within the recovery time."
    )
    migration_failed: RolloutAction = Field(RolloutAction.ROLL_BACK, description="A tenant could not be migrated.")
    fingerprint_drift: RolloutAction = Field(RolloutAction.ROLL_BACK, description="The books are not as they were.")
    platform_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="Sign-in and the like fail after the upgrade."
    )
    process_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="A business process fails after the upgrade."
    )
    isolation_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="Another tenant's data, or a right too many."
    )
    in_flight_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="Work begun before cannot be finished after."
    )
    surface_broken: RolloutAction = Field(
        RolloutAction.PAUSE, description="A change breaks what scenarios or integrations use, and nobody accepted it."
    )
    background_load_failed: RolloutAction = Field(
        RolloutAction.PAUSE, description="A neighbour suffered while a ring was migrated."
    )
    inconclusive: RolloutAction = Field(
        RolloutAction.PAUSE, description="Our own side broke, something was too slow to tell, or was not tested."
    )

    def action(self, condition: Condition) -> RolloutAction:
        """What happens when it is met."""
        found: RolloutAction = getattr(self, condition.value)
        return found


class BackgroundLoadTable(StrictTable):
    every: Duration = Field(
        "3 s", validate_default=True, description="How often a scenario starts on a neighbour.", examples=["3 s"]
    )


class ReleaseTable(StrictTable):
    """A whole release definition. In TOML `from` and `to` are the ERP's series."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Slug = Field(description="Labels results, metrics and reports.", examples=["tryton-8-0"])
    title: Name = Field(description="What people call it.", examples=["Tryton 7.0 LTS to 8.0 LTS"])
    erp: Slug | None = Field(
        None, description="The ERP that it is for; required where the inventory holds tenants of several.",
        examples=["tryton"],
    )  # fmt: skip
    before: str = Field(alias="from", min_length=1, description="The series before.", examples=["7.0"])
    after: str = Field(alias="to", min_length=1, description="The series after.", examples=["8.0"])
    risk: Risk = Field(description="low, medium or high: chooses suites and strictness.", examples=["high"])
    approvers: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        description="Who may let the rollout go on.", examples=[["release-manager"]]
    )
    notes: str = Field("", description="What people should know.", examples=["Plan a window of 5 min a tenant."])
    policy: str = Field(
        "", description="Tolerances and waivers for fingerprints, beside this file.", examples=["waivers.toml"]
    )
    accepted: str = Field(
        "",
        description="Breaking changes of the surface that are accepted, beside this file.",
        examples=["accepted.toml"],
    )
    components: ComponentsTable = Field(description="What changes.")
    integrations: tuple[IntegrationTable, ...] = Field((), description="Programs that talk to the ERP.")
    manual_steps: tuple[ManualStepTable, ...] = Field((), description="What is done by hand, in this order.")
    exceptions: tuple[ExceptionTable, ...] = Field((), description="Tenants for which something else holds.")
    must: tuple[Name, ...] = Field(
        (),
        description="Processes that must have passed on every tenant [default: by the risk class].",
        examples=[["sign-in", "time-entry"]],
    )
    untested: tuple[UntestedTable, ...] = Field((), description="Processes that a tenant may go without.")
    conditions: ConditionsTable = Field(ConditionsTable(), description="When the rollout pauses or rolls back.")
    background_load: BackgroundLoadTable = Field(
        BackgroundLoadTable(), description="The load on the neighbours while a ring is migrated."
    )


@dataclass(frozen=True, slots=True)
class Release:
    """A release definition that is right. `policy` and `accepted` are what the files beside it say.

    `digest` is that of all these files: another text is another release.
    """

    table: ReleaseTable
    path: Path
    digest: str
    rings: tuple[tuple[str, tuple[Tenant, ...]], ...]
    skipped: Mapping[str, ExceptionTable]
    policy: ComparisonPolicy = field(default_factory=ComparisonPolicy)
    accepted: tuple[Waiver, ...] = ()

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

    def may_go_untested(self, tenant: str, scenario: str) -> bool:
        return any(each.tenant == tenant and each.scenario == scenario for each in self.table.untested)

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
    problems += _cross_checks(file, layer.data, inventory, today or datetime.now(UTC).date())
    problems += _check_series(file, layer.data, list(known_series))
    policy, accepted, wrong = _beside(path, layer.data)
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
    files = [path, *(path.parent / name for name in (table.policy, table.accepted) if name)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    led = tuple((ring, tenants) for ring, tenants in rings if tenants)
    return Release(table, path, digest, led, skipped, policy, accepted)


def _beside(path: Path, data: Mapping[str, object]) -> tuple[ComparisonPolicy, tuple[Waiver, ...], list[Problem]]:
    """What the files beside a definition say, and what is wrong with them."""
    policy, accepted, found = ComparisonPolicy(), tuple[Waiver, ...](), list[Problem]()
    for key in ("policy", "accepted"):
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
                accepted = read_accepted(file)
        except (ComparisonPolicyError, AcceptedMistake) as wrong:
            found += wrong.problems
    return policy, accepted, found


def _cross_checks(file: str, data: Mapping[str, object], inventory: Inventory, today: date) -> list[Problem]:
    """What a key's own rule cannot see. Works on the raw values, so that other mistakes do not hide these."""
    found = _check_erp(file, data.get("erp"), inventory)
    known = [tenant.id for tenant in inventory.tenants if data.get("erp") in (None, tenant.erp)]
    listed = data.get("exceptions")
    seen: set[object] = set()
    for index, each in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(each, dict):
            continue
        at = f"exceptions[{index}]"
        tenant, ring, until = each.get("tenant"), each.get("ring"), each.get("expires")
        if isinstance(tenant, str) and tenant not in known:
            found.append(Problem(file, f"{at}.tenant", f"is not in the inventory{nearest(tenant, known)}", tenant))
        if tenant in seen:
            found.append(Problem(file, f"{at}.tenant", "has an exception already", str(tenant)))
        seen.add(tenant)
        if isinstance(ring, str) and ring not in inventory.rings:
            found.append(Problem(file, f"{at}.ring", f"is not a ring{nearest(ring, inventory.rings)}", ring))
        if isinstance(until, date) and not holds(until, today):
            found.append(Problem(file, f"{at}.expires", "has passed: renew the exception or remove it", str(until)))
        if not any(key in each for key in ("skip", "ring", "risk")):
            found.append(Problem(file, at, "says nothing: give skip, ring or risk"))
    found += _check_untested(file, _tables(data.get("untested")), known, today)
    conditions = data.get("conditions")
    for key, action in conditions.items() if isinstance(conditions, dict) else ():
        if action == RolloutAction.PROMOTE:
            found.append(Problem(file, f"conditions.{key}", "must be pause or roll back", f'"{action}"'))
    found += _check_steps(file, _tables(data.get("manual_steps")))
    names = [each.get("name") for each in _tables(data.get("integrations"))]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        found.append(Problem(file, "integrations", "two integrations must not have the same name", f'"{name}"'))
    return found


def _check_erp(file: str, erp: object, inventory: Inventory) -> list[Problem]:
    """A release is for one ERP, whichever others the inventory holds tenants of."""
    there = sorted({tenant.erp for tenant in inventory.tenants})
    if erp is None and len(there) > 1:
        rule = f"is required: the inventory holds tenants of {' and '.join(there)}"
        return [Problem(file, "erp", rule)]
    if isinstance(erp, str) and erp not in there:
        return [Problem(file, "erp", f"no tenant of the inventory runs it{nearest(erp, there)}", f'"{erp}"')]
    return []


def _check_untested(file: str, given: Sequence[Mapping[str, object]], known: list[str], today: date) -> list[Problem]:
    found = []
    for index, each in enumerate(given):
        tenant, until = each.get("tenant"), each.get("expires")
        if isinstance(tenant, str) and tenant not in known:
            rule = f"is not in the inventory{nearest(tenant, known)}"
            found.append(Problem(file, f"untested[{index}].tenant", rule, tenant))
        if isinstance(until, date) and not holds(until, today):
            rule = "has passed: test it, or renew the entry"
            found.append(Problem(file, f"untested[{index}].expires", rule, str(until)))
    return found


def _check_steps(file: str, steps: Sequence[Mapping[str, object]]) -> list[Problem]:
    names = [step.get("name") for step in steps]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    found = [Problem(file, "manual_steps", "two steps must not have the same name", f'"{name}"') for name in twice]
    for index, step in enumerate(steps):
        given = [way for way in WAYS if way in step]
        if len(given) != 1:
            rule = f"needs exactly one of {', '.join(WAYS)}"
            found.append(Problem(file, f"manual_steps[{index}]", rule, ", ".join(given)))
    return found


def _check_series(file: str, data: Mapping[str, object], known: list[str]) -> list[Problem]:
    given = [(key, data[key]) for key in ("from", "to") if isinstance(data.get(key), str)]
    found = [
        Problem(file, key, f"is not a series that can be run here{nearest(str(name), known)}", f'"{name}"')
        for key, name in given
        if known and name not in known
    ]
    if not found and known and len(given) == 2 and known.index(str(given[1][1])) < known.index(str(given[0][1])):
        found.append(Problem(file, "to", "is an earlier series than from: nobody is upgraded backwards"))
    return found


def _tables(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
