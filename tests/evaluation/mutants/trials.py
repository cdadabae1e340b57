"""One tenant's trials: what its runs write, what they usually make, and each mutant planted, met and taken back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringgate.domain.events import Event, RunFinished, StepStarted
from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.drivers.registry import Drivers
from ringgate.estate import Estate
from ringgate.execution.run_once import Engine, run_once
from ringgate.execution.twins import Twins
from ringgate.execution.undo import Patience
from ringgate.gate.attribution import attribute, grouped
from ringgate.host.run_locks import RunLocks
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal
from ringgate.twins.files import TwinFolder
from ringgate.twins.learning import ENOUGH
from ringgate.twins.model import LearnedTwin, TwinKey
from tests.evaluation.mutants.row_journal import SCHEMA, RowChange, RowJournal
from tests.evaluation.mutants.rules import Column, Mutant, Written, written_by
from tests.evaluation.mutants.verdicts import Known, Met, judged

PROCESSES = (
    "time-entry", "project-creation", "procurement-approval", "financial-posting", "invoicing-from-time",
    "project-to-cash", "credit-and-payment",
)  # fmt: skip
"""The processes that write documents, the quickest first."""
MOST_RUNS = 3
"""Runs of one mutant at most; a mutant of some rows may miss the first."""
READING = "read all that was made"


class Steps:
    """Notes how far the tenant's rows had been written when the steps of the last run had ended."""

    def __init__(self, rows: RowJournal) -> None:
        self._rows, self.ended = rows, 0

    def on(self, event: Event) -> None:
        match event:
            case StepStarted(name=name) if name == READING:
                self.ended = self._rows.now()
            case RunFinished(result=result) if all(step.name != READING for step in result.steps):
                self.ended = self._rows.now()


@dataclass(slots=True)
class Trial:
    """What came of one mutant. `met` has its runs; `verdict` one of caught, survived, equivalent, not active."""

    mutant: Mutant
    tenant: str
    met: list[Met] = field(default_factory=list)
    verdict: str = ""
    why: str = ""
    seconds: float = 0.0

    @property
    def caught(self) -> Met | None:
        return next((each for each in self.met if each.caught), None)


class TenantTrials:
    """To be used in a `with` block. `folder` is for state that is thrown away; `keep`: what an earlier start learned
    on this tenant is used, and each process run only once to see what it writes."""

    def __init__(
        self,
        estate: Estate,
        tenant: Tenant,
        neighbours: Sequence[Tenant],
        folder: Path,
        names: Sequence[str],
        scenarios: Mapping[str, Scenario],
        keep: bool = False,
    ) -> None:
        self.estate, self.tenant, self.neighbours = estate, tenant, neighbours
        self.names, self.scenarios = names, scenarios
        self.folder = folder / "tenants" / tenant.id
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.folder / "journals", ignore_errors=True)
        self.turns = 1 if keep and (self.folder / "twins").is_dir() else ENOUGH + 1
        folder = self.folder
        self.twins = TwinFolder(folder / "twins")
        self.written: dict[str, tuple[Written, ...]] = {}
        self.false: list[str] = []  # runs that failed though nothing was planted, or it was not active
        self._number = 0

    def __enter__(self) -> TenantTrials:
        self.rows = RowJournal(self.estate, self.tenant.id).__enter__()
        self.columns = {(t, c): Column(t, c, kind, empty, to) for t, c, kind, empty, to in self.rows.columns()}
        self.fields = self.rows.fields()
        self.steps = Steps(self.rows)
        self.drivers = Drivers([self.tenant.erp])
        return self

    def __exit__(self, *_: object) -> None:
        self.drivers.close()
        self.rows.__exit__(None, None, None)

    def learn(self) -> Iterator[RunResult]:
        """Runs each process as often as twins are learned from, and once more; notes what it writes. Nothing is put
        back in between but by undo: numbers go on as they do for everybody."""
        for name in self.names:
            for turn in range(self.turns):
                mark = self.rows.now()
                result = self._run(name)
                if result.outcome is Outcome.FAILED:
                    self.false.append(f"{name}: {result.failure and result.failure.message}")
                if turn == 0:
                    rows = [(c.table, c.op, c.written) for c in self.rows.changes(mark, self.steps.ended)]
                    self.written[name] = written_by(rows, self.columns)
                yield result

    def everything(self) -> list[Written]:
        """What any process writes to tables of the ERP's models, without those of the ERP itself."""
        seen: dict[tuple[Column, str], Written] = {}
        for those in self.written.values():
            for one in those:
                if not one.column.table.startswith(("ir_", "res_")) or one.column.table == "ir_attachment":
                    seen.setdefault((one.column, one.op), one)
        return list(seen.values())

    def writers(self, mutant: Mutant) -> list[str]:
        """The processes that write what it changes, the quickest first."""
        return [
            name
            for name in self.names
            if any(
                (w.column.table, w.op, w.column.name) == (mutant.table, mutant.op, mutant.columns[0])
                for w in self.written.get(name, ())
            )
        ]

    def clean(self) -> RunResult:
        """One run of the next process with nothing planted."""
        self._number += 1
        mark = self.rows.now()
        result = self._run(self.names[self._number % len(self.names)])
        if result.outcome is Outcome.FAILED:
            self.false.append(f"clean {result.scenario}: {result.failure and result.failure.message}")
        self.rows.put_back(mark)
        return result

    def try_out(self, mutant: Mutant) -> Trial:
        """Plants it, runs what writes there until a run fails, takes it back with all that was written."""
        trial, began = Trial(mutant, self.tenant.id), time.monotonic()
        names = self.writers(mutant)
        mark = self.rows.now()
        with self._planted(mutant):
            for turn in range(max(min(len(names), MOST_RUNS), 2 if mutant.some else 1)):
                met = self._meet(names[turn % len(names)], mutant)
                trial.met.append(met)
                if met.caught:
                    break
        self.rows.put_back(mark)
        trial.verdict, trial.why = judged(mutant, trial.met, Known(self.fields, self._learned(names)))
        self.false += [f"{mutant.name}: {m.message}" for m in trial.met if m.failed and not m.active]
        trial.seconds = time.monotonic() - began
        return trial

    def _meet(self, name: str, mutant: Mutant) -> Met:
        mark, fired = self.rows.now(), self._fired()
        first = self._last_active()
        result = self._run(name)
        noted = self._active(first)
        changes = self.rows.changes(mark, self.steps.ended)
        there = {(table, number) for table, number, _ in noted}
        last: dict[tuple[str, int], RowChange] = {(c.table, c.id): c for c in changes if (c.table, c.id) in there}
        stands = any(
            (row := last.get((table, number))) is not None
            and row.new is not None
            and any(row.new.get(column) == made.get(column) for column in mutant.columns)
            for table, number, made in noted
        )
        cause = ""
        if result.failure is not None:
            (group, *_) = grouped([result], [], [], lambda _: 0)
            cause = attribute(group).cause.value
        return Met.of(
            result, mutant, rows=len(noted), fired=self._fired() - fired, stands=stands, cause=cause,
            evidence=_findings(result, self.folder / "evidence"),
        )  # fmt: skip

    def _run(self, name: str) -> RunResult:
        self._number += 1
        engine = Engine(
            drivers=self.drivers,
            # A journal of its own: what a mutant kept from being undone is put back by the database.
            journal=Journal(self.folder / "journals" / str(self._number)),
            run_locks=RunLocks(self.folder / "locks"),
            evidence=self.folder / "evidence",
            sinks=(self.steps,),
            redact=redact,
            release="mutants",
            neighbours=self.neighbours,
            patience=Patience(seconds=0),
            twins=Twins(self.twins),
        )
        return run_once(self.scenarios[name], self.tenant, Channel.API, engine)

    @contextmanager
    def _planted(self, mutant: Mutant) -> Iterator[None]:
        database = self.rows.database
        with database.transaction():
            for statement in mutant.statements(SCHEMA):
                database.execute(statement)
        try:
            yield
        finally:
            database.execute(f"DROP FUNCTION IF EXISTS {SCHEMA}.planted() CASCADE")

    def _learned(self, names: Sequence[str]) -> list[LearnedTwin]:
        keys = [TwinKey(self.tenant.id, name, Channel.API) for name in names]
        found = [self.twins.earlier(key, "") for key in keys]
        return [each for each in found if each is not None]

    def _fired(self) -> int:
        row = self.rows.database.execute(f"SELECT last_value, is_called FROM {SCHEMA}.fired").fetchone()
        assert row is not None
        return int(row[0]) if row[1] else 0

    def _last_active(self) -> int:
        row = self.rows.database.execute(f"SELECT COALESCE(max(seq), 0) FROM {SCHEMA}.active").fetchone()
        assert row is not None
        return int(row[0])

    def _active(self, after: int) -> list[tuple[str, int, dict[str, Any]]]:
        rows = self.rows.database.execute(f"SELECT tbl, id, made FROM {SCHEMA}.active WHERE seq > %s", [after])
        return [(str(table), int(number), dict(made)) for table, number, made in rows.fetchall()]


def _findings(result: RunResult, evidence: Path) -> str:
    told = [each for each in result.attachments if each.name == "twin-findings.txt"]
    return "".join((evidence / each.path).read_text() for each in told)


def without_state(folder: Path) -> None:
    """Everything of these trials lies in their own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["RINGGATE_STATE"] = str(folder / "state")
