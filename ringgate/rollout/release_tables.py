"""What may stand in a release definition: each key with one sentence, its default and an example."""

from __future__ import annotations

import re
import shlex
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from ringgate.domain.terms import Channel, Role
from ringgate.inventory.kinds import Digest, Duration, Language, Name, Slug, StrictTable
from ringgate.inventory.waivers import AnsweredFor
from ringgate.rollout.activation_tables import ActivationTable
from ringgate.rollout.approval_tables import ApprovalsTable
from ringgate.rollout.conditions import Condition
from ringgate.rollout.control_tables import ControlTable
from ringgate.rollout.elevation_tables import ElevationTable
from ringgate.rollout.message_tables import NotifyTable
from ringgate.rollout.risk_classes import Risk
from ringgate.rollout.rollout_tables import RolloutTable
from ringgate.rollout.runbook_tables import RunbookTable


class RolloutAction(StrEnum):
    """What happens to the rollout when a condition is met."""

    PROMOTE = "promote"
    PAUSE = "pause"
    ROLL_BACK = "roll back"


class ComponentTable(StrictTable):
    """One part of the product. In TOML `from` and `to`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    before: str = Field("", alias="from", description="Version before.", examples=["7.0"])
    after: str = Field("", alias="to", description="Version after.", examples=["8.0"])
    note: str = Field("", description="What changes, in a sentence.", examples=["the RPC path moves"])
    artefacts: dict[Slug, Digest] = Field(
        {},
        description="What is installed of it, each with its digest: every ring must get the same.",
        examples=[{"erp-image": "sha256:" + "0123456789abcdef" * 4}],
    )

    @property
    def stated(self) -> bool:
        """Whether anything is said of it."""
        return bool(self.before or self.after or self.note or self.artefacts)


class ComponentsTable(StrictTable):
    application: ComponentTable = Field(description="The ERP itself.")
    database: ComponentTable = Field(ComponentTable(), description="What happens to the data.")
    configuration: ComponentTable = Field(ComponentTable(), description="Settings that change.")
    integrations: ComponentTable = Field(ComponentTable(), description="Who talks to the ERP and must change.")
    infrastructure: ComponentTable = Field(
        ComponentTable(), description="What the ERP runs on: machines, database server, network, identity provider."
    )

    @property
    def artefacts(self) -> dict[str, str]:
        """The digest of each artefact of all components."""
        return {name: digest for _, part in self for name, digest in part.artefacts.items()}

    @model_validator(mode="after")
    def _named_once(self) -> ComponentsTable:
        names = [name for _, part in self for name in part.artefacts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"an artefact belongs to one component: {', '.join(twice)}")
        return self


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


class ReleaseIntegrationTable(StrictTable):
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

    tenant: Slug | Literal["*"] = Field(description="Whom it is about; *: everybody.", examples=["kyoto"])
    scenario: Name = Field(description="The process that is not tested there.", examples=["procurement-approval"])
    channel: Channel | None = Field(
        None, description="Over which channel it is not; left out: over none.", examples=["browser"]
    )


class ConditionsTable(StrictTable):
    """What happens to the rollout when a condition is met: `pause` or `roll back`. Each key's default is its safest."""

    not_ready: RolloutAction = Field(RolloutAction.PAUSE, description="A tenant was unwell before anything was done.")
    drift: RolloutAction = Field(
        RolloutAction.PAUSE,
        description="A tenant is not as the inventory says, before or after, and nobody explained it.",
    )
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
    artefact_differs: RolloutAction = Field(
        RolloutAction.PAUSE, description="A tenant got another build than the release names, or than an earlier ring."
    )
    process_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="A business process fails after the upgrade."
    )
    integration_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="What leaves the ERP does not arrive at an integration as it should."
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
    bake_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="The gate said no while a ring baked (`rollout.bake`)."
    )
    activation_failed: RolloutAction = Field(
        RolloutAction.ROLL_BACK,
        description="A feature could not be switched on, or its scenarios fail with it: it is switched off again.",
    )
    stopped_by_person: RolloutAction = Field(
        RolloutAction.ROLL_BACK, description="Somebody had the rollout rolled back."
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


class TwinsTable(StrictTable):
    """Whether all that runs make is compared with what runs before the release made."""

    every: int = Field(0, ge=0, description="One run of so many of each process; 0: none.", examples=[1])
    reviewed: str = Field(
        "",
        description="Fields that became others, and accepted differences, beside this file.",
        examples=["tryton-8.0-twins.toml"],
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
    approvals: ApprovalsTable | None = Field(
        None, description="Which rings are opened only with approvals by people's own keys."
    )
    notify: tuple[NotifyTable, ...] = Field(
        (), description="Who is told when the rollout pauses, is rolled back, waits or is done."
    )
    notes: str = Field(
        "", description="What people should know; required where the risk is medium or high.",
        examples=["Plan a window of 5 min a tenant."],
    )  # fmt: skip
    support_impact: str = Field(
        "", description="What users and the help desk will notice; required where the risk is high.",
        examples=["Users reload the page once. The menu Timesheet moves."],
    )  # fmt: skip
    support_impact_in: dict[Language, str] = Field(
        {}, description="The same in other languages, for users who work in them.",
        examples=[{"de": "Die Seite muss einmal neu geladen werden."}],
    )  # fmt: skip
    runbook: RunbookTable = Field(RunbookTable(), description="What `ringgate runbook` cannot know by itself.")
    policy: str = Field(
        "", description="Tolerances and waivers for fingerprints, beside this file.", examples=["waivers.toml"]
    )
    drift: str = Field(
        "", description="Differences between inventory and ERP that are accepted, beside this file.",
        examples=["drift.toml"],
    )  # fmt: skip
    accepted: str = Field(
        "",
        description="Breaking changes of the surface that are accepted, beside this file.",
        examples=["accepted.toml"],
    )
    components: ComponentsTable = Field(description="What changes.")
    integrations: tuple[ReleaseIntegrationTable, ...] = Field((), description="Programs that talk to the ERP.")
    controls: tuple[ControlTable, ...] = Field(
        (), description="Files of scanners and policy checks that must be there and clean before a ring is opened."
    )
    elevations: tuple[ElevationTable, ...] = Field(
        (), description="Rights that it is given while it is worked on, and that are taken back."
    )
    manual_steps: tuple[ManualStepTable, ...] = Field((), description="What is done by hand, in this order.")
    exceptions: tuple[ExceptionTable, ...] = Field((), description="Tenants for which something else holds.")
    must: tuple[Name, ...] = Field(
        (),
        description="Processes that must have passed on every tenant [default: by the risk class].",
        examples=[["sign-in", "time-entry"]],
    )
    untested: tuple[UntestedTable, ...] = Field((), description="Processes that a tenant may go without.")
    twins: TwinsTable = Field(TwinsTable(), description="Whole documents, compared with those before the release.")
    conditions: ConditionsTable = Field(ConditionsTable(), description="When the rollout pauses or rolls back.")
    background_load: BackgroundLoadTable = Field(
        BackgroundLoadTable(), description="The load on the neighbours while a ring is migrated."
    )
    rollout: RolloutTable = Field(RolloutTable(), description="How a rollout goes through the rings.")
    activation: ActivationTable | None = Field(
        None, description="Features that are deployed dark, and switched on when every ring was promoted."
    )
