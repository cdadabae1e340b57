"""What the stages of a rollout share: the release, the platform, the engine, and the files that they keep.

A stage may be killed and done again: what it leaves half done is taken back by the next start (`Platform.repair`, the
undo journal), and what is begun before the upgrade is begun once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ringgate.domain.model import Residue, RunResult, Scenario, Tenant
from ringgate.domain.terms import Capability, Channel, Layer
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.protocol import Call, Connection, TimeLimit
from ringgate.drivers.registry import why_not
from ringgate.execution.concurrency import ConcurrencyLimits
from ringgate.execution.run_once import Engine, new_run_id, run_once
from ringgate.fingerprint import files
from ringgate.fingerprint.model import Fingerprint
from ringgate.rollout.conditions import Condition
from ringgate.rollout.flags.protocol import FlagSwitch
from ringgate.rollout.platforms.protocol import Platform
from ringgate.rollout.record import Objection, RecordKeeper
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import StageResult
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.surface import Surfaces

SPARE = "-spare"
"""What the label of the second set of begun work ends with."""

SECOND_LOOK = 15.0
"""Seconds to wait before what proved nothing is looked at again: a burst of work may be over by then."""

PATIENT = 4.0
"""So many times as long as usual a call may take that reads books or a surface."""


@dataclass
class StageFinding:
    """What a stage came to: a note of a few words, its result, and what speaks against going on."""

    note: str = ""
    result: StageResult | None = None
    reasons: list[Objection] = field(default_factory=list)


@dataclass(frozen=True)
class StageContext:
    """What the stages share.

    `engine` makes one for the calling thread, `folder` keeps their files, `label` is that of the results and of begun
    work, `processes` are begun before the upgrade and finished after it, `history` reads the results so far, `surfaces`
    compares what the ERP offers, `take_back` tries patiently to take back what runs left on a tenant and returns what
    is left, `pause` waits before a second look. `limits` says how much may run beside each other on a tenant.
    `started` is when this start of the rollout was made, `flags` are the features that are switched on afterwards.
    """

    release: Release
    platform: Platform
    scenarios: Sequence[Scenario]
    processes: Sequence[TwoPhaseScenario]
    engine: Callable[[], AbstractContextManager[Engine]]
    folder: Path
    label: str
    ledger: RecordKeeper
    history: Callable[[], Sequence[RunResult]]
    surfaces: Surfaces
    take_back: Callable[[Tenant], Sequence[Residue]]
    started: datetime
    pause: Callable[[], None] = lambda: time.sleep(SECOND_LOOK)
    flags: Sequence[FlagSwitch] = ()
    limits: ConcurrencyLimits = field(default_factory=ConcurrencyLimits)

    # --- what speaks against going on -------------------------------------------------------------------------------

    def action(self, condition: Condition) -> RolloutAction:
        return self.release.table.conditions.action(condition)

    def objection(self, condition: Condition, tenant: Tenant | str, sentence: str) -> Objection:
        whom = tenant if isinstance(tenant, str) else tenant.id
        return Objection(condition=condition, action=self.action(condition), tenant=whom, sentence=sentence)

    def since(self, tenant: Tenant, stage: str) -> datetime:
        """When a stage of the tenant was first begun, by this start or an earlier one that was killed."""
        kept = self.ledger.stage(tenant.id, stage)
        return kept.began if kept else self.started

    # --- runs -------------------------------------------------------------------------------------------------------

    def chosen(self, plan: Plan) -> list[Scenario]:
        """The scenarios that this plan verifies, in the order of their layers; not those of features still dark."""
        order, table = list(Layer), self.release.table.activation
        dark = {name for flag in (table.flags if table else ()) for name in flag.scenarios}
        chosen = [
            each
            for each in self.scenarios
            if (plan.everything or each.smoke or each.layer is Layer.PLATFORM)
            and each.id not in dark
            and (plan.isolation or each.layer is not Layer.ISOLATION)
            and not each.extended
        ]
        return sorted(chosen, key=lambda each: order.index(each.layer))

    def run(self, tenant: Tenant, scenario: Scenario, channel: Channel) -> RunResult:
        """One run, with an engine of its own."""
        with self.engine() as engine:
            return run_once(scenario, tenant, channel, engine)

    # --- books ------------------------------------------------------------------------------------------------------

    def books(self, tenant: Tenant) -> Fingerprint:
        with self.engine() as engine, connected(engine, tenant) as connection:
            return connection.books().fingerprint()

    def keep(self, tenant: Tenant, when: str, fingerprint: Fingerprint) -> None:
        files.write(fingerprint, self.folder / f"{tenant.id}-{when}.json.gz")

    def kept(self, tenant: Tenant, when: str) -> Fingerprint:
        return files.read(self.folder / f"{tenant.id}-{when}.json.gz")

    def has_kept(self, tenant: Tenant, when: str) -> bool:
        return (self.folder / f"{tenant.id}-{when}.json.gz").is_file()

    def forget(self, tenant: Tenant, when: str) -> None:
        (self.folder / f"{tenant.id}-{when}.json.gz").unlink(missing_ok=True)

    def kept_journals(self, tenant: Tenant) -> Path:
        """Copies of the journals of begun work. Finishing uses the journals up, and a rollback brings the work back."""
        return self.folder / f"{tenant.id}-journals"


@contextmanager
def connected(engine: Engine, tenant: Tenant) -> Iterator[Connection]:
    """A connection over the API for what is no run: it measures nothing, so its calls may take their time."""
    call = Call(new_run_id(), "0" * 32, TimeLimit(times=PATIENT))
    connection: Connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, call)
    try:
        yield connection
    finally:
        connection.close()


def no_fingerprint(tenant: Tenant) -> str:
    """Why a tenant's books cannot be compared, in words; "" if they can."""
    return why_not(tenant, Channel.API, Capability.BOOKS, Capability.FINGERPRINT)


def applicable(tenant: Tenant, plan: Plan) -> Plan:
    """The plan without what the tenant's driver cannot do at all: it would only fail in the middle."""
    return replace(plan, surface=plan.surface and not why_not(tenant, Channel.API, Capability.SURFACE))


def size_of(books: Fingerprint) -> dict[str, int]:
    """How much there is in them, for people."""
    return {
        "postings": len(books.entries),
        "documents": len(books.documents),
        "accounts": len(books.accounts),
        "time entries": len(books.hours),
        "users": len(books.users),
    }
