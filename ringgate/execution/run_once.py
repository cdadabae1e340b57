"""run_once(): the only place that runs a scenario. It catches, undoes and reports, and never decides."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ringgate.domain.errors import (
    BrowserError,
    ErpError,
    ErpProtocolError,
    ErpUnavailable,
    Refused,
    RinggateError,
    StopRequested,
)
from ringgate.domain.events import Event, RunFinished, RunStarted, Sink, StepFinished, StepStarted
from ringgate.domain.model import Attachment, Failure, Residue, RunResult, Scenario, Step, Tenant
from ringgate.domain.reversal import POSTING
from ringgate.domain.terms import Capability, Channel, Outcome, Source, StepKind
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.protocol import Call, Connection, Driver, TimeLimit
from ringgate.execution.applicability import not_applicable, others
from ringgate.execution.arrivals import followed_back, step_of
from ringgate.execution.evidence import Keep, erp_log, keep_evidence
from ringgate.execution.undo import Patience, left_behind, message_of, undo_timed
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal, RunJournal
from ringgate.integrations import FollowedDocument, Following
from ringgate.scenario.erp import Erp
from ringgate.scenario.expectations import ExpectationFailed
from ringgate.scenario.test_data import Make

if TYPE_CHECKING:
    from ringgate.execution.twins import Twins

FIRST_PHASE = 1000
"""More markers than the first phase of a process may use; the second goes on after them."""

SIGNALLED = 0.5
"""A signal for a group of processes ends the browser as well as us: so many seconds after the browser has died, at the
latest, we know why."""

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no letters or digits that are misread


def new_run_id() -> str:
    """12 characters of a 30-letter alphabet: 58 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


class Run:
    """One execution, as its scenario sees it: it names its steps."""

    def __init__(self, run_id: str, emit: Callable[[Event], None], today: date) -> None:
        self.id, self.today = run_id, today
        self.steps: list[Step] = []
        self.current = ""
        self._emit, self._began = emit, time.monotonic()
        self.waited = self._waited = 0.0  # seconds that other runs of ours were waited for
        self._written: Callable[[], Sequence[str]] = tuple
        self._kind: tuple[StepKind | None, int] = (None, 0)

    def arrived(self, seen: FollowedDocument) -> None:
        """Keep what came to an integration as a step beside the others; waiting for it is no time of the ERP's."""
        self.waited += seen.waited
        self.steps.append(step_of(seen, time.monotonic() - self._began))

    def watch(self, written: Callable[[], Sequence[str]]) -> None:
        """Say what was written so far, by its verbs: a step that writes to the ledger is a posting step."""
        self._written = written

    @contextmanager
    def step(self, name: str, kind: StepKind | None = None) -> Iterator[None]:
        """A named, timed part of the process. Steps do not nest.

        `kind` is to be given for a step that only checks what was written: what it writes itself is known."""
        if self.current:
            raise RuntimeError(f"step {name!r} inside step {self.current!r}: steps do not nest")
        self.current, began = name, time.monotonic()
        self._kind, self._waited = (kind, len(self._written())), self.waited
        self._emit(StepStarted(self.id, name))
        try:
            yield
        except BaseException as error:
            self._finish(name, began, _outcome(error), message_of(error))
            raise
        self.current = ""
        self._finish(name, began, Outcome.PASSED, "")

    def _finish(self, name: str, began: float, outcome: Outcome, message: str) -> None:
        kind, before = self._kind
        if not POSTING.isdisjoint(self._written()[before:]):
            kind = StepKind.POSTING
        seconds = time.monotonic() - began - (self.waited - self._waited)
        step = Step(name, began - self._began, seconds, outcome, kind)
        self.steps.append(step)
        self._emit(StepFinished(self.id, step, message))


@dataclass
class Engine:
    """What runs have in common in one process: drivers, journal, locks, consumers.

    `drivers` maps (erp, channel) to the process's driver. `evidence` is where attachments are written, `redact` takes
    secrets out of any text, `session`, `release` and `source` label the results. `neighbours` are all tenants of
    the inventory, also those that are not selected: whose sessions are tried on others. `patience` is what undoing has
    with an ERP that is slow. `stopping` says whether we were asked to stop (to be set by a signal's handler),
    `time_limits` the seconds for each answer, None for what a driver waits anyway. `twins` says of which runs all that
    they made is compared with runs before; None: of no run."""

    drivers: Mapping[tuple[str, Channel], Driver]
    journal: Journal
    run_locks: RunLocks
    evidence: Path
    sinks: Sequence[Sink] = ()
    redact: Callable[[str], str] = str
    session: str = ""
    release: str = ""
    source: Source = Source.SUITE
    neighbours: Sequence[Tenant] = ()
    patience: Patience = field(default_factory=Patience)
    stopping: Callable[[], bool] = field(default=lambda: False)
    time_limits: Callable[[Tenant, Channel], float | None] = field(default=lambda _tenant, _channel: None)
    twins: Twins | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Part:
    """Which part of a scenario is run. `waiting` is the journal of begun work that is gone on with, `keep` what is
    done with the journal and what `function` returned instead of undoing it all; `outsiders` says whether it tries
    others' sessions. `alone`: it is the whole of a process."""

    function: Callable[..., object]
    outsiders: bool = False
    alone: bool = False
    waiting: RunJournal | None = None
    keep: Callable[[RunJournal, object], None] | None = None


def run_once(scenario: Scenario, tenant: Tenant, channel: Channel, engine: Engine, *, run_id: str = "") -> RunResult:
    """Run a scenario on a tenant over a channel, take back what it wrote, tell the sinks, and return what happened.

    Never raises for what the scenario or the ERP did: that is in the result, with the exception in `error`. An
    interruption from the keyboard is undone and reported first, then raised again."""
    part = _Part(scenario.function, outsiders=Capability.OUTSIDERS in scenario.needs, alone=True)
    return _run(scenario, tenant, channel, engine, run_id or new_run_id(), part)


def begin_once(process: TwoPhaseScenario, tenant: Tenant, channel: Channel, engine: Engine, label: str) -> RunResult:
    """Run the first phase. If it passes, nothing is undone: its journal waits, with what is carried, under `label`."""

    def keep(journal: RunJournal, carried: object) -> None:
        journal.wait(label, process.as_json(carried))

    return _run(process, tenant, channel, engine, new_run_id(), _Part(process.begin, keep=keep))


def finish_once(process: TwoPhaseScenario, waiting: RunJournal, tenant: Tenant, engine: Engine) -> RunResult:
    """Run the second phase of begun work, then take back what both phases wrote. Lets go of `waiting`.

    It goes on waiting if it could not be gone on with at all (the tenant is paused, there is no room for it)."""

    def finish(erp: Erp, make: Make, run: Run) -> None:
        assert waiting.begun is not None
        process.finish(erp, make, run, process.from_json(waiting.begun["carried"]))

    try:
        part = _Part(finish, waiting=waiting)
        return _run(process, tenant, Channel(waiting.channel), engine, new_run_id(), part)
    finally:
        waiting.release() if waiting.waits else waiting.close()


def _run(scenario: Scenario, tenant: Tenant, channel: Channel, engine: Engine, run_id: str, part: _Part) -> RunResult:
    trace_id, started_at = secrets.token_hex(16), engine.clock()
    today = started_at.astimezone(ZoneInfo(tenant.timezone)).date()

    def emit(event: Event) -> None:
        for sink in engine.sinks:
            sink.on(event)

    def result(outcome: Outcome, **more: object) -> RunResult:
        finished = RunResult(
            run_id=run_id, trace_id=trace_id, scenario=scenario.id, tenant=tenant.id, ring=tenant.ring, channel=channel,
            outcome=outcome, started_at=started_at, session=engine.session, release=engine.release,
            source=engine.source, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        emit(RunFinished(finished))
        return finished

    driver = engine.drivers.get((tenant.erp, channel))
    if reason := not_applicable(
        scenario, tenant, channel, driver.capabilities if driver else None, today, engine.neighbours
    ):
        return result(Outcome.SKIPPED, seconds=0.0, reason=reason)
    assert driver is not None
    run = Run(run_id, emit, today)
    began, done = time.monotonic(), _Done()
    try:
        with engine.run_locks.room(tenant, scenario.id):
            labels = (engine.session, engine.release, engine.source)
            emit(RunStarted(run_id, trace_id, scenario, tenant, channel, started_at, *labels))
            journal = part.waiting or engine.journal.begin(run_id, tenant.id, scenario.id, channel.value)
            if part.waiting:
                journal.go_on()
            run._began = began = time.monotonic()
            call = Call(journal.run_id, trace_id, TimeLimit(engine.time_limits(tenant, channel)))
            done = _act(part, tenant, driver, engine, run, call, journal, channel)
    except (Exception, KeyboardInterrupt) as error:  # no room for it, or the journal could not be begun
        done.error = error
    seconds = time.monotonic() - began if done.seconds is None else done.seconds
    if done.error is None and done.residue:
        done.error = left_behind(done.residue)
    elif done.error is not None and _cut_short(done.error, channel, engine):
        done.error = _stopped(done.error, run, whole=not done.residue)
        run.steps[-1:] = [replace(each, outcome=Outcome.STOPPED) for each in run.steps[-1:] if run.current]
    finished = result(
        _outcome(done.error), seconds=round(seconds, 6), undo_seconds=round(done.undo_seconds, 6),
        steps=tuple(run.steps),
        failure=_failure(done.error, run, engine.redact) if done.error else None,
        reason=str(done.error) if isinstance(done.error, StopRequested) else "", residue=tuple(done.residue),
        server=done.server, attachments=done.attachments, calls=done.calls, touched=done.touched, error=done.error,
    )  # fmt: skip
    if done.error is not None and isinstance(done.error.__cause__, KeyboardInterrupt):
        raise done.error.__cause__
    return finished


@dataclass
class _Done:
    """What `_act` leaves for the result."""

    error: BaseException | None = None
    seconds: float | None = None
    undo_seconds: float = 0.0
    residue: list[Residue] = field(default_factory=list)
    attachments: tuple[Attachment, ...] = ()
    calls: int = 0
    touched: frozenset[str] = frozenset()
    server: str = ""


def _act(
    part: _Part,
    tenant: Tenant,
    driver: Driver,
    engine: Engine,
    run: Run,
    call: Call,
    journal: RunJournal,
    channel: Channel,
) -> _Done:
    done, began = _Done(), time.monotonic()

    @contextmanager
    def turn() -> Iterator[None]:
        """Waiting for our own other runs is no time that the ERP takes."""
        asked = time.monotonic()
        with engine.run_locks.posting(tenant.id):
            run.waited += time.monotonic() - asked
            yield

    connection: Connection | None = None
    following = Following(tenant, engine.neighbours, note=journal.follow, tell=run.arrived, stopping=engine.stopping)
    try:
        connection = driver.connect(tenant, call)
        make = Make(tenant, journal.run_id, run.today, after=FIRST_PHASE if part.waiting else 0)
        neighbours = others(tenant, engine.neighbours, run.today) if part.outsiders else ()
        run.watch(lambda: journal.verbs)
        erp = Erp(tenant, connection, channel, journal, make, run.today, neighbours, turn, following)
        returned = part.function(erp, make, run)
        if part.keep:
            part.keep(journal, returned)
    except (Exception, KeyboardInterrupt) as error:
        done.error = error
    done.seconds = time.monotonic() - began - run.waited
    try:
        if connection is not None:
            done.server = _version_of(connection, done.error)
            twins = engine.twins if part.alone and journal.verbs and engine.source is not Source.SELF_TEST else None
            found: BaseException | None = None
            if twins is not None and (done.error is None or isinstance(done.error, Refused | ExpectationFailed)):
                labels = twins.labels(journal.scenario, engine.release, done.server, engine.clock())
                if done.error is None:
                    found = done.error = twins.follow(tenant, driver, connection, make, run, labels)
                else:
                    found = twins.beside(tenant, driver, connection, make, run, labels)
            done.calls = connection.calls
            if done.error is not None:
                done.attachments = _evidence(
                    connection, engine, run.id, found, erp_log(
                        tenant, call, journal.scenario, channel,
                        engine.clock() - timedelta(seconds=done.seconds + run.waited), engine.redact,
                    ),
                )  # fmt: skip
                _find_basis(done.error, connection)
            if not journal.waits:
                patience = replace(engine.patience, stopping=engine.stopping)
                timed = undo_timed(journal, connection, engine.redact, call.limit, patience, turn)
                done.residue, done.undo_seconds = timed
                done.error = done.error or (None if done.residue else followed_back(following))
            done.touched = connection.touched
    finally:
        if journal.waits:
            journal.release()
        elif not part.waiting:
            journal.close()
        if connection is not None:
            _close(connection, done)
    return done


def _close(connection: Connection, done: _Done) -> None:
    """What goes wrong now is told only where nothing else did: it changes nothing of what came before."""
    try:
        connection.close()
    except Exception as error:
        done.error = done.error or error


def _cut_short(error: BaseException, channel: Channel, engine: Engine) -> bool:
    """Whether a run ended because we were asked to stop. What the ERP stated before that is told all the same."""
    if isinstance(error, KeyboardInterrupt | StopRequested):
        return True
    if isinstance(error, ErpError) and not isinstance(error, ErpUnavailable | ErpProtocolError):
        return False
    died = channel is Channel.BROWSER and (isinstance(error, BrowserError) or not isinstance(error, RinggateError))
    if died and not engine.stopping():
        time.sleep(SIGNALLED)
    return engine.stopping()


def _stopped(error: BaseException, run: Run, *, whole: bool) -> StopRequested:
    """`whole`: all that it had written was taken back."""
    where = f' in the step "{run.current}"' if run.current else ""
    what = "what it had written was taken back" if whole else "the next recovery takes back what is left of it"
    stopped = StopRequested(f"We were asked to stop while it ran{where}: {what}.")
    stopped.__cause__ = error
    return stopped


def _version_of(connection: Connection, error: BaseException | None) -> str:
    """What the server says it is. Whoever could not be reached is not asked, and who does not say is taken as known."""
    if error is not None and not isinstance(error, Refused | ExpectationFailed):
        return ""
    with suppress(Exception):
        return connection.version()
    return ""


def _find_basis(error: BaseException, connection: Connection) -> None:
    """Has the driver say what a refusal rests on, while it can still ask."""
    if isinstance(error, Refused) and error.basis is None:
        with suppress(Exception):  # it is a help; the refusal itself is what is reported
            error.basis = connection.basis_of(error)


def _evidence(
    connection: Connection, engine: Engine, run_id: str, twin: BaseException | None, log: Keep
) -> tuple[Attachment, ...]:
    sources: list[Keep] = [connection.evidence, log]
    if engine.twins:
        sources.insert(1, partial(engine.twins.evidence, twin, redact=engine.redact))
    return keep_evidence(engine.evidence / run_id, engine.redact, *sources)


def _outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return Outcome.PASSED
    if isinstance(error, KeyboardInterrupt | StopRequested):
        return Outcome.STOPPED
    return Outcome.FAILED if isinstance(error, ErpError) else Outcome.BROKEN


def _failure(error: BaseException, run: Run, redact: Callable[[str], str]) -> Failure | None:
    if isinstance(error, StopRequested):
        return None
    kind = getattr(error, "kind", "bug")
    message = redact(message_of(error))
    if isinstance(error, ExpectationFailed):
        return Failure(
            kind=kind, message=message, step=run.current, expected=redact(error.expected), actual=redact(error.actual),
            because=redact(error.because), basis=error.basis, invariant=error.invariant,
        )  # fmt: skip
    text = "".join(traceback.format_exception(error)) if error.__traceback__ else ""
    basis, invariant = getattr(error, "basis", None), getattr(error, "invariant", None)
    return Failure(kind, message, run.current, traceback=redact(text), basis=basis, invariant=invariant)
