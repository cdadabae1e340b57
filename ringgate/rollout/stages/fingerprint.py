"""The books as they are now against the books as they were, before anybody writes into them."""

from __future__ import annotations

from ringgate.domain.model import Tenant
from ringgate.fingerprint import Difference, compare, judge
from ringgate.rollout.conditions import Condition
from ringgate.rollout.results import BooksDifference, FingerprintResult
from ringgate.rollout.stages.context import StageContext, StageFinding, no_fingerprint, size_of
from ringgate.rollout.stages.drifted import drifted


def fingerprint(context: StageContext, tenant: Tenant) -> StageFinding:
    if left_out := no_fingerprint(tenant):
        words = f"Its books could not be compared: {left_out}."
        reasons = [context.objection(Condition.INCONCLUSIVE, tenant, words)]
        return StageFinding(f"not applicable: {left_out}", FingerprintResult({}, [], []), reasons)
    after, release = context.books(tenant), context.release
    context.keep(tenant, "after", after)
    differences = compare(context.kept(tenant, "before"), after, release.policy.tolerances)
    judged = judge(tenant.id, differences, release.policy, context.ledger.clock().date(), release.id)
    reasons = [
        context.objection(Condition.FINGERPRINT_DRIFT, tenant, words)
        for words in (*(each.cause for each in judged.left), *judged.expired)
    ]
    words = "books equal" if not reasons else f"{len(reasons)} differences"
    if drift := drifted(context, tenant, after, "after the upgrade", release.table.after):
        words, reasons = f"{words}, not as the inventory says", [*reasons, *drift]
    result = FingerprintResult(
        size_of(after),
        [_shown(each) for each in judged.left],
        [_shown(each, str(waiver)) for each, waiver in judged.waived],
    )
    return StageFinding(words, result, reasons)


def _shown(each: Difference, waiver: str = "") -> BooksDifference:
    return BooksDifference(each.signature, each.cause, " → ".join(each.path), str(each.before), str(each.after), waiver)
