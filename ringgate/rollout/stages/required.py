"""Whether enough was tested after the upgrade: the gate's rule (`gate.required`), of one tenant's checks."""

from __future__ import annotations

from collections.abc import Sequence

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome
from ringgate.gate.required import not_tested
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import Objection
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.stages.context import StageContext


def judge_untested(context: StageContext, tenant: Tenant, plan: Plan, results: Sequence[RunResult]) -> list[Objection]:
    """An objection for each process that must have passed and was not carried out, and for each that was skipped.

    What was carried out and did not pass is judged as what it was."""
    ran = {(each.tenant, each.scenario) for each in results if each.outcome is not Outcome.SKIPPED}
    may_go = context.release.may_go_untested
    skips = [
        each for each in results
        if each.outcome is Outcome.SKIPPED and not may_go(each.tenant, each.scenario, each.channel)
    ]  # fmt: skip
    found = not_tested(
        context.release.must(plan),
        [tenant.id],
        ran,
        skipped=[(each.tenant, each.scenario) for each in skips],
        never={(each.tenant, each.scenario): each.reason for each in skips},
        waived=may_go,
    )
    return [
        context.objection(
            Condition.INCONCLUSIVE,
            tenant,
            f"{each.scenario} was not tested after the upgrade{f': {each.why}' if each.why else ''}. Only an entry of "
            "[[untested]] in the release lets it go without.",
        )
        for each in found
    ]
