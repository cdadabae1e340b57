"""The checks after the upgrade: the platform first; on it, beside each other, the work that was begun before the
upgrade, the browser (which signs in, too), the processes, isolation, and what the ERP offers to programs; and last,
where all of these are fine, what of a tenant's documents arrives at its integrations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Layer, Outcome
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import Objection
from ringgate.rollout.results import VerificationResult
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.stages import in_flight
from ringgate.rollout.stages.artefacts import installed
from ringgate.rollout.stages.beside import Job, run_beside
from ringgate.rollout.stages.blame import OF_LAYER
from ringgate.rollout.stages.checks import Checked, job_of, judge, paces_of, settle
from ringgate.rollout.stages.context import StageContext, StageFinding, connected
from ringgate.rollout.stages.required import judge_untested
from ringgate.rollout.surface import Offered


def verification(context: StageContext, tenant: Tenant, plan: Plan, browser: bool) -> StageFinding:
    """`browser`: also the walk through the screens. Where an earlier start was killed on it, begun work goes ahead of
    the rest, for the fewer kills it meets, the better."""
    since, paces = context.since(tenant, "verification"), paces_of(context, tenant)
    artefacts, rebuilt = installed(context, tenant)
    chosen = context.chosen(plan)
    platform = [(each, Channel.API) for each in chosen if each.layer is Layer.PLATFORM]
    checked = settle(
        context, tenant, run_beside(tenant, [job_of(context, tenant, x, paces) for x in platform], context.limits)
    )
    done, offered, reasons = 0, list[Offered](), list[Objection]()
    if checked.fine:
        offered = _rest(context, tenant, plan, _others(chosen, browser), checked, since)
        if checked.fine:
            _integrations(context, tenant, chosen, checked)
        done, reasons = in_flight.judge_finished(context, tenant, since)
        reasons += judge_untested(context, tenant, plan, [each.counts for each in checked.looked])
    layers = {each.id: each.layer for each in context.scenarios}
    reasons += rebuilt
    reasons += [
        context.objection(Condition.SURFACE_BROKEN, each.tenant, each.objection) for each in offered if each.objection
    ]
    reasons += judge(context, tenant, checked, "after the upgrade", lambda name: OF_LAYER[layers[name]])
    result = VerificationResult(
        layers={layer.value: counts for layer in Layer if (counts := checked.counts(_of(layer, chosen)))},
        finished=done,
        surface={each.tenant: each.result for each in offered},
        again=checked.again,
        left=[each.sentence for each in checked.left],
        beside=context.limits.allowed(tenant),
        artefacts=artefacts,
    )
    return StageFinding(_note(result, used=any(each.objection for each in offered)), result, reasons)


def _others(chosen: Sequence[Scenario], browser: bool) -> list[tuple[Scenario, Channel]]:
    """All but the platform's, the longest first."""
    others = [each for each in chosen if each.layer not in (Layer.PLATFORM, Layer.INTEGRATION)]
    walks = [(each, Channel.BROWSER) for each in others if each.smoke and browser]
    return [*walks, *((each, Channel.API) for each in others)]


def _rest(
    context: StageContext,
    tenant: Tenant,
    plan: Plan,
    checks: Sequence[tuple[Scenario, Channel]],
    checked: Checked,
    since: datetime,
) -> list[Offered]:
    """All that needs a platform that works; adds to `checked`, and returns what the ERP offers."""
    offered, paces, finished = list[Offered](), paces_of(context, tenant), list[RunResult]()

    def finish() -> Sequence[RunResult]:
        finished.extend(in_flight.finish(context, tenant, since))
        return finished

    def compare_surface() -> Sequence[RunResult]:
        with context.engine() as engine, connected(engine, tenant) as connection:
            offered.extend(context.surfaces.after(tenant, connection, context.ledger.clock().date()))
        return ()

    begun = [Job(finish)] if plan.in_flight else []
    if begun and since < context.started:
        run_beside(tenant, begun, context.limits)
        begun = []
    jobs = [*begun, *([Job(compare_surface)] if plan.surface else [])]
    jobs += [job_of(context, tenant, each, paces) for each in checks]
    ran = run_beside(tenant, jobs, context.limits)
    more = settle(context, tenant, [each for each in ran if each not in finished])
    if plan.in_flight:
        finished += in_flight.finish_spares(context, tenant, since)
        if any(each.residue for each in finished):
            more.left = list(context.take_back(tenant))
    checked.looked += more.looked
    checked.left = more.left
    return offered


def _integrations(context: StageContext, tenant: Tenant, chosen: Sequence[Scenario], checked: Checked) -> None:
    """The third layer, one after the other: of who receives nothing, nothing is asked. Adds to `checked`."""
    received = {what for each in tenant.integrations.values() for what in each.receives}
    paces = paces_of(context, tenant)
    wanted = [each for each in chosen if each.layer is Layer.INTEGRATION and each.receives in received]
    jobs = [job_of(context, tenant, (each, Channel.API), paces) for each in wanted]
    more = settle(context, tenant, run_beside(tenant, jobs, context.limits))
    checked.looked += more.looked
    checked.left = [*checked.left, *more.left]


def _of(layer: Layer, chosen: Sequence[Scenario]) -> frozenset[str]:
    return frozenset(each.id for each in chosen if each.layer is layer)


def _note(result: VerificationResult, *, used: bool) -> str:
    total = sum(sum(each.values()) for each in result.layers.values())
    passed = sum(each.get(Outcome.PASSED, 0) for each in result.layers.values())
    late = f", {len(result.again)} at the second look" if result.again else ""
    more = ", a break is used" if used else ""
    return f"{passed} of {total} checks passed{late}, {result.finished} begun before finished{more}"
