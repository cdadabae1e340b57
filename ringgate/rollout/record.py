"""What a rehearsal remembers, on disk after every step: so it can be killed at any point and go on where it was.

rehearsals/demo-tryton-8-0/record.json
rehearsals/demo-tryton-8-0/aldgate-before.json      fingerprints and surfaces, named in the record
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ringgate.domain.errors import RinggateError
from ringgate.host.atomic_files import write_atomically
from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import NeighboursResult, StageResult

STAGES = ("baseline", "drill", "upgrade", "fingerprint", "verification")
"""What is done to each tenant of a ring, in this order; `rollback` is done if it comes to that."""

ACTIVATION_STAGES = ("activation", "deactivation")
"""What is done to it once every ring was promoted, and the way back from that."""

FORM: Literal[2] = 2
"""The form that records are written in. Earlier ones are refused."""

StageOutcome = Literal["running", "passed", "failed", "broken"]
R = TypeVar("R")


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Objection(_Kept):
    """One thing that speaks against going on: a condition of the release, on whom, in a sentence."""

    condition: Condition
    action: RolloutAction
    tenant: str
    sentence: str


class StageRecord(_Kept):
    """One stage of one tenant. `result` is what it came to, None while it runs and where it could not be done. `tried`
    has an error for each time that it failed and was tried once more."""

    outcome: StageOutcome = "running"
    began: AwareDatetime
    seconds: float = 0.0
    note: str = ""
    result: StageResult | None = None
    reasons: list[Objection] = []
    tried: list[str] = []


class TenantRecord(_Kept):
    ring: str
    stages: dict[str, StageRecord] = {}

    def result(self, kind: type[R]) -> R | None:
        """The result of the stage that has such results, if there is one."""
        return next((each.result for each in self.stages.values() if isinstance(each.result, kind)), None)


class RingRecord(_Kept):
    """`decision` is None while the ring is under way."""

    decision: RolloutAction | None = None
    reasons: list[Objection] = []
    background_load: NeighboursResult | None = None
    began: AwareDatetime | None = None
    ended: AwareDatetime | None = None


class RehearsalRecord(_Kept):
    """The whole rehearsal. `digest` is that of the release's file, `session` labels its results in the store.

    `activation` has the rings in which features are switched on once all were promoted, none if there is nothing to
    switch. `starts` counts how often it was begun or gone on with; `spent` are the seconds of all of them together.
    `left` says what could not be taken back by its end, in sentences. `waits` says what it waits for, "" while it does
    not. `form` is the one that it is written in.
    """

    form: Literal[2]
    release: str
    title: str
    before: str
    after: str
    risk: str
    digest: str
    session: str
    began: AwareDatetime
    ended: AwareDatetime | None = None
    starts: int = 0
    spent: float = 0.0
    tenants: dict[str, TenantRecord]
    rings: dict[str, RingRecord]
    activation: dict[str, RingRecord] = {}
    skipped: dict[str, str] = {}
    left: list[str] = Field(default_factory=list)
    waits: str = ""

    @property
    def stopped(self) -> RingRecord | None:
        """The ring at which the rollout stopped, if it did."""
        both = (*self.rings.values(), *self.activation.values())
        return next((ring for ring in both if ring.decision not in (None, RolloutAction.PROMOTE)), None)

    @property
    def succeeded(self) -> bool:
        both = (*self.rings.values(), *self.activation.values())
        return all(ring.decision is RolloutAction.PROMOTE for ring in both)


class RecordUnreadable(RinggateError):
    """A file is no record of a rollout, or one of an earlier version; the sentence says what to do."""


class RecordKeeper:
    """Keeps a rehearsal's record on disk, and has it noted as evidence. Safe for threads."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`clock` is what the whole rollout goes by: each moment in the record, each date that a stage judges by.
        `noted` is called with the record after every writing, by one thread at a time; `fence` before it, and raises
        where another controller leads the rollout now."""
        self.folder, self.clock = folder, clock
        self.fence: Callable[[], None] = lambda: None
        self.noted: Callable[[RehearsalRecord], None] = lambda record: None
        self._guard = threading.RLock()
        self._parts: dict[str, str] = {}
        self.record: RehearsalRecord

    @property
    def _file(self) -> Path:
        return self.folder / "record.json"

    def find(self) -> RehearsalRecord | None:
        """What was remembered of an earlier start, or None. Raises RecordUnreadable."""
        try:
            self.record = RehearsalRecord.model_validate_json(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValidationError as problem:
            if any(each["loc"] == ("form",) for each in problem.errors()):
                words = "was written by another version of Ringgate: give --anew to begin again"
                raise RecordUnreadable(f"{self._file} {words}") from None
            raise RecordUnreadable(
                f"{self._file} is not the record of a rehearsal: move it away to begin anew"
            ) from problem
        except OSError as problem:
            raise RecordUnreadable(f"{self._file} cannot be read: {problem.strerror}") from problem
        return self.record

    def unfinished(self, digest: str) -> bool:
        """Whether an earlier start of the release with this digest can be gone on with."""
        try:
            kept = self.find()
        except RecordUnreadable:
            return False
        return kept is not None and kept.ended is None and kept.digest == digest

    def forget(self) -> None:
        """Removes what is remembered, unless another controller leads the rollout now."""
        self.fence()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, record: RehearsalRecord) -> None:
        self.forget()
        self.folder.mkdir(parents=True)
        self.record = record
        self.write()

    def write(self, changed: str = "") -> None:
        """`changed` is the tenant of which alone something changed, "" where that is not known: of hundreds of tenants
        only one is put into words anew."""
        with self._guard:
            self.fence()
            write_atomically(self._file, self._text(changed))
            self.noted(self.record)

    def _text(self, changed: str) -> str:
        tenants = self.record.tenants
        if not changed or len(self._parts) != len(tenants):
            self._parts = {name: f"{json.dumps(name)}: {kept.model_dump_json()}" for name, kept in tenants.items()}
        else:
            self._parts[changed] = f"{json.dumps(changed)}: {tenants[changed].model_dump_json()}"
        head = self.record.model_dump_json(exclude={"tenants"}, indent=1).rstrip("}").rstrip()
        return f'{head},\n "tenants": {{\n  ' + ",\n  ".join(self._parts.values()) + "\n }\n}\n"

    def stage(self, tenant: str, name: str) -> StageRecord | None:
        return self.record.tenants[tenant].stages.get(name)

    def renew(self, tenant: str, stages: Sequence[str] = STAGES) -> None:
        """Forgets that these stages of a tenant were done, so that they are done again."""
        with self._guard:
            for name in stages:
                self.record.tenants[tenant].stages.pop(name, None)
            self.write(tenant)

    def open(self, tenant: str, name: str) -> StageRecord:
        """Notes that a stage begins; one that was cut off keeps the moment at which it first began."""
        with self._guard:
            old = self.stage(tenant, name)
            cut_off = old if old and old.outcome == "running" else None
            began = cut_off.began if cut_off else self.clock()
            tried = [*cut_off.tried, "it was cut off"] if cut_off else []
            found = self.record.tenants[tenant].stages[name] = StageRecord(began=began, tried=tried)
            self.write(tenant)
            return found

    def failed(self, tenant: str, name: str, problem: str) -> None:
        """Notes that a stage failed and is tried once more."""
        with self._guard:
            self.record.tenants[tenant].stages[name].tried.append(problem)
            self.write(tenant)

    def close(
        self,
        tenant: str,
        stage: StageRecord,
        outcome: StageOutcome,
        seconds: float,
        note: str,
        result: StageResult | None,
    ) -> None:
        with self._guard:
            stage.outcome, stage.seconds, stage.note, stage.result = outcome, seconds, note, result
            self.write(tenant)

    def decide(self, ring: str, action: RolloutAction, reasons: list[Objection], *, activation: bool = False) -> None:
        """What a ring comes to, or its activation."""
        with self._guard:
            found = (self.record.activation if activation else self.record.rings)[ring]
            found.decision, found.reasons, found.ended = action, reasons, self.clock()
            self.write()


def worst(reasons: Sequence[Objection]) -> RolloutAction:
    """The gravest that any of them asks for."""
    actions = [each.action for each in reasons]
    return next(
        (each for each in (RolloutAction.ROLL_BACK, RolloutAction.PAUSE) if each in actions), RolloutAction.PROMOTE
    )
