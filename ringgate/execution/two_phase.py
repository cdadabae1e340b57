"""In-flight work: begun before an upgrade, finished after it, on whatever series the tenant then runs.

    begin_in_flight(tenant, engine, "tryton-8.0")      # the journals wait on disk, with what is carried over
    ...the tenant is upgraded, by this process or others...
    finish_in_flight(tenant, engine, "tryton-8.0")     # second phases; then both are taken back

Both may be killed and called again: what is begun is not begun twice, what is finished not finished twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ringgate.domain.errors import OurSideError
from ringgate.domain.events import RunFinished
from ringgate.domain.model import Failure, RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.protocol import Call
from ringgate.execution.recovery import recover
from ringgate.execution.run_once import Engine, begin_once, finish_once, new_run_id
from ringgate.execution.undo import undo
from ringgate.host.undo_journal import RunJournal
from ringgate.scenario.discovery import known_scenarios


class CutOff(OurSideError):
    """The second phase of a process was killed on the way. It was taken back, and proves nothing."""

    kind = "cut-off"


def load_in_flight(project: Path = Path()) -> dict[str, TwoPhaseScenario]:
    """The processes in two phases, by id."""
    return {name: each for name, each in known_scenarios(project).items() if isinstance(each, TwoPhaseScenario)}


def begin_in_flight(
    tenant: Tenant,
    engine: Engine,
    label: str,
    *,
    processes: Iterable[TwoPhaseScenario] | None = None,
    channel: Channel = Channel.API,
) -> list[RunResult]:
    """Begin each process that is not begun yet under `label`. Returns the results of those begun now.

    What a killed run left on the tenant is taken back first, half-begun work included."""
    recover(
        engine.journal, {tenant.id: tenant}, engine.drivers, only=frozenset({tenant.id}), redact=engine.redact,
        patience=engine.patience, sinks=engine.sinks,
    )  # fmt: skip
    begun = set()
    for journal in engine.journal.free(frozenset({tenant.id})):
        if journal.waits and journal.label == label:
            begun.add(journal.scenario)
        journal.release()
    return [begin_once(each, tenant, channel, engine, label) for each in _known(processes) if each.id not in begun]


def finish_in_flight(
    tenant: Tenant, engine: Engine, label: str, *, processes: Iterable[TwoPhaseScenario] | None = None
) -> list[RunResult]:
    """Finish what waits on the tenant under `label`, oldest first. Returns the results of those finished now.

    A second phase that was killed on its way is not tried again, because part of it may be done: all of it is taken
    back, and its result is `broken`, kind `cut-off`. Begun work whose process is not known goes on waiting."""
    known = {each.id: each for each in _known(processes)}
    results: list[RunResult] = []
    for journal in engine.journal.free(frozenset({tenant.id})):
        process = known.get(journal.scenario)
        if process is None or journal.label != label:
            journal.release()
        elif journal.waits:
            results.append(finish_once(process, journal, tenant, engine))
        else:
            results.append(_cut_off(process, journal, tenant, engine))
    return results


def _known(processes: Iterable[TwoPhaseScenario] | None) -> list[TwoPhaseScenario]:
    return list(load_in_flight().values() if processes is None else processes)


def _cut_off(process: TwoPhaseScenario, journal: RunJournal, tenant: Tenant, engine: Engine) -> RunResult:
    connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call(journal.run_id, "0" * 32))
    try:
        residue = tuple(undo(journal, connection, engine.redact))
        error = CutOff(f"{process.id} was killed while it was being finished: it was taken back, and proves nothing.")
        result = RunResult(
            run_id=new_run_id(), trace_id="0" * 32, scenario=process.id, tenant=tenant.id, ring=tenant.ring,
            channel=Channel(journal.channel), outcome=Outcome.BROKEN, started_at=engine.clock(), seconds=0.0,
            session=engine.session, release=engine.release, source=engine.source,
            failure=Failure(error.kind, str(error)), error=error,
        )  # fmt: skip
        result = replace(result, residue=residue, calls=connection.calls)
        for sink in engine.sinks:
            sink.on(RunFinished(result))
        return result
    finally:
        journal.close()
        connection.close()
