"""Work in flight: begun before the upgrade, finished after it.

Each process is begun twice. A second phase that was killed, or proved nothing, cannot be done again: then the other
start is finished.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome
from ringgate.execution.two_phase import CutOff, begin_in_flight, finish_in_flight
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import Objection
from ringgate.rollout.results import BaselineResult
from ringgate.rollout.stages.blame import is_plain, needs_second_look, passed
from ringgate.rollout.stages.context import SPARE, StageContext


def begin(context: StageContext, tenant: Tenant) -> list[RunResult]:
    """Begins what is not begun yet, and keeps copies of the journals."""
    begun = list[RunResult]()
    with context.engine() as engine:
        labels = (context.label, context.label + SPARE)
        for label in labels:
            begun += begin_in_flight(tenant, engine, label, processes=context.processes)
        context.kept_journals(tenant).mkdir(exist_ok=True)
        for journal in engine.journal.free(frozenset({tenant.id})):
            if journal.waits and journal.label in labels:
                shutil.copy2(journal.path, context.kept_journals(tenant))
            journal.release()
    return begun


def judge_begun(context: StageContext, tenant: Tenant, results: Sequence[RunResult]) -> list[Objection]:
    """A process that could not be begun: the tenant was unwell before the change, or nobody can tell."""
    return [
        context.objection(Condition.NOT_READY if is_plain(each) else Condition.INCONCLUSIVE, tenant, words)
        for each in results
        if (words := _words(each, "could not be begun"))
    ]


def finish(context: StageContext, tenant: Tenant, since: datetime) -> list[RunResult]:
    """Finishes what waits, and the spare of what was killed on its way. Returns the results of this start."""
    with context.engine() as engine:
        done = finish_in_flight(tenant, engine, context.label, processes=context.processes)
        known = {each.scenario for each in _finished(context, tenant, since)}
        cut = [each for each in context.processes if each.id not in known]
        return done + finish_in_flight(tenant, engine, context.label + SPARE, processes=cut)


def finish_spares(context: StageContext, tenant: Tenant, since: datetime) -> list[RunResult]:
    """The second look at what proved nothing: its spare is finished, alone on the tenant. Returns the results."""
    doubtful = {each.scenario for each in _finished(context, tenant, since) if needs_second_look(each)}
    again = [each for each in context.processes if each.id in doubtful]
    if not again:
        return []
    context.pause()
    with context.engine() as engine:
        return finish_in_flight(tenant, engine, context.label + SPARE, processes=again)


def judge_finished(context: StageContext, tenant: Tenant, since: datetime) -> tuple[int, list[Objection]]:
    """How many processes were finished since, by this start or an earlier one that was killed, and what is wrong."""
    baseline = context.ledger.record.tenants[tenant.id].result(BaselineResult)
    expected, results = baseline.begun if baseline else 0, _finished(context, tenant, since)
    found = [
        context.objection(Condition.IN_FLIGHT_FAILED if is_plain(each) else Condition.INCONCLUSIVE, tenant, words)
        for each in results
        if (words := _words(each, "could not be finished"))
    ]
    done = sum(map(passed, results))
    if done < expected and not found:
        words = f"Of {expected} processes begun before the upgrade only {done} were finished after it."
        found.append(context.objection(Condition.INCONCLUSIVE, tenant, words))
    return done, found


def _finished(context: StageContext, tenant: Tenant, since: datetime) -> list[RunResult]:
    """The last result of each process whose second phase came to an end since. What was cut off proves nothing."""
    names = {each.id for each in context.processes}
    return list(
        {
            each.scenario: each
            for each in context.history()
            if each.tenant == tenant.id
            and each.scenario in names
            and each.started_at >= since
            and not (each.failure and each.failure.kind == CutOff.kind)
        }.values()
    )


def _words(result: RunResult, what: str) -> str:
    """What went wrong with a process, in a sentence; "" if nothing did."""
    if passed(result) or result.outcome is Outcome.SKIPPED:
        return ""
    told = result.failure.message if result.failure else result.reason or result.outcome.value
    return f"{result.scenario} {what}: {told}"
