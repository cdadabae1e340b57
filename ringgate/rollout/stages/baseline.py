"""The tenant before the change: its backups, its processes as they run now, work that must outlive the change, its
books and what it offers to programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Layer, Outcome
from ringgate.execution.recovery import waiting
from ringgate.rollout.conditions import Condition
from ringgate.rollout.platforms.somebody_elses import SomebodyElses
from ringgate.rollout.record import Objection
from ringgate.rollout.results import BackupAge, BaselineResult
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.stages import in_flight
from ringgate.rollout.stages.beside import Job, run_beside
from ringgate.rollout.stages.blame import needs_second_look
from ringgate.rollout.stages.checks import job_of, judge, settle
from ringgate.rollout.stages.context import StageContext, StageFinding, connected, no_fingerprint, size_of
from ringgate.rollout.stages.drifted import drifted
from ringgate.rollout.stages.fingerprint import LEFT

FRESH = timedelta(minutes=10)
"""How long a result may serve as baseline: for the time that migrating one ring takes."""


def baseline(context: StageContext, tenant: Tenant, plan: Plan) -> StageFinding:
    """What ran well on the tenant a moment ago, while another ring was migrated, is not run again."""
    backup = None if isinstance(context.platform, SomebodyElses) else backup_age(context, tenant)
    chosen = [each for each in context.chosen(plan) if each.layer is not Layer.ISOLATION]  # its rules are absolute
    results = _just_passed(context, tenant, chosen, plan)
    known, begun = {result.scenario for result in results}, list[RunResult]()

    def begin() -> Sequence[RunResult]:
        begun.extend(in_flight.begin(context, tenant))
        return begun

    def read_ahead() -> Sequence[RunResult]:
        with context.engine() as engine, connected(engine, tenant) as connection:
            context.surfaces.ahead(tenant, connection)
        return ()

    jobs = [Job(begin)] if plan.in_flight else []
    jobs += [Job(read_ahead)] if plan.surface else []
    jobs += [job_of(context, tenant, (each, Channel.API), {}) for each in chosen if each.id not in known]
    ran = run_beside(tenant, jobs, context.limits)
    checked = settle(context, tenant, [*results, *(each for each in ran if each not in begun)])
    if any(map(needs_second_look, begun)):
        context.pause()
        begun = in_flight.begin(context, tenant)  # only what is not begun yet
    reasons = _judge_backup(context, tenant, backup) if backup else []
    reasons += judge(
        context, tenant, checked, "before the upgrade", lambda _: Condition.NOT_READY, refused=Condition.NOT_READY
    )
    reasons += in_flight.judge_begun(context, tenant, begun)
    with context.engine() as engine:
        with connected(engine, tenant) as connection:
            before = None if no_fingerprint(tenant) else connection.books().fingerprint()
            if before:
                context.keep(tenant, "before", before)
                context.forget(tenant, LEFT)
                reasons += drifted(context, tenant, before, "before the upgrade", context.release.table.before)
            if plan.surface:
                context.surfaces.before(tenant, connection, before.extensions if before else ())
        wait = [each for each in waiting(engine.journal, only=frozenset({tenant.id})) if each.label == context.label]
    counts = checked.counts()
    result = BaselineResult(counts, len(wait), size_of(before) if before else {}, backup, checked.again)
    note = f"{counts.get(Outcome.PASSED, 0)} checks passed, {len(wait)} begun for after"
    return StageFinding(note, result, reasons)


def backup_age(context: StageContext, tenant: Tenant) -> BackupAge:
    """The tenant's own newest backup: none that this rollout took, also in an earlier start that was killed."""
    since = context.since(tenant, "baseline")
    own = [each for each in context.platform.backups(tenant.id) if each.taken_at <= since]
    promised = tenant.recovery.point.total_seconds() if tenant.recovery else None
    if not own:
        return BackupAge("", None, promised)
    return BackupAge(own[-1].name, (since - own[-1].taken_at).total_seconds(), promised)


def _judge_backup(context: StageContext, tenant: Tenant, backup: BackupAge) -> list[Objection]:
    if backup.promised is None:
        words = "The inventory promises no recovery point to measure the age of its backups against."
        return [context.objection(Condition.INCONCLUSIVE, tenant, words)]
    if backup.kept:
        return []
    promised = f"the inventory promises one of at most {spelled(backup.promised)}"
    if backup.seconds is None:
        words = f"There is no backup of it, and {promised}: back it up before it is upgraded."
    else:
        words = f"Its newest backup is {spelled(backup.seconds)} old, and {promised}."
    return [context.objection(Condition.BACKUP_TOO_OLD, tenant, words)]


def _just_passed(context: StageContext, tenant: Tenant, chosen: Sequence[Scenario], plan: Plan) -> list[RunResult]:
    """The last result of each scenario on this tenant, where it is a pass and fresh, and what it used is known."""
    names, since = {each.id for each in chosen}, context.ledger.clock() - FRESH
    last = {x.scenario: x for x in context.history() if x.tenant == tenant.id and x.scenario in names}
    fine = [x for x in last.values() if x.outcome is Outcome.PASSED and x.started_at >= since and not x.residue]
    known = context.surfaces.known() if plan.surface else names
    return [each for each in fine if each.scenario in known]


def spelled(seconds: float) -> str:
    """`15 min`, `3.5 h`"""
    for unit, words in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {words}"
    return f"{seconds:.0f} s"


__all__ = ["backup_age", "baseline"]
