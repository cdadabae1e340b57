"""The books as they are now against the books as they were, before anybody writes into them."""

from __future__ import annotations

from contextlib import suppress

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.fingerprint import Difference, compare, judge
from ringgate.fingerprint.model import Fingerprint
from ringgate.fingerprint.policy import BooksJudgement
from ringgate.rollout.conditions import Condition
from ringgate.rollout.results import BooksDifference, FingerprintResult
from ringgate.rollout.stages.context import StageContext, StageFinding, no_fingerprint, size_of
from ringgate.rollout.stages.drifted import drifted

LEFT = "left"
"""Under which the books are kept that an earlier look after the upgrade left."""


def fingerprint(context: StageContext, tenant: Tenant) -> StageFinding:
    if left_out := no_fingerprint(tenant):
        words = f"Its books could not be compared: {left_out}."
        reasons = [context.objection(Condition.INCONCLUSIVE, tenant, words)]
        return StageFinding(f"not applicable: {left_out}", FingerprintResult({}, [], []), reasons)
    after, release = context.books(tenant), context.release
    context.keep(tenant, "after", after)
    judged = _judged(context, tenant, after, "before")
    if context.has_kept(tenant, LEFT):
        judged = min(judged, _judged(context, tenant, after, LEFT), key=lambda each: len(each.left))
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


def _judged(context: StageContext, tenant: Tenant, after: Fingerprint, when: str) -> BooksJudgement:
    policy = context.release.policy
    differences = compare(context.kept(tenant, when), after, policy.tolerances)
    return judge(tenant.id, differences, policy, context.ledger.clock().date(), context.release.id)


def keep_left(context: StageContext, tenant: Tenant) -> None:
    """The books as a look left them that found them to be right: its processes have written and reversed documents,
    which the next look must not take for the upgrade's doing."""
    context.forget(tenant, LEFT)
    if not no_fingerprint(tenant):
        with suppress(RinggateError):  # without it the next look compares with the books before, and may say too much
            context.keep(tenant, LEFT, context.books(tenant))


def _shown(each: Difference, waiver: str = "") -> BooksDifference:
    return BooksDifference(each.signature, each.cause, " → ".join(each.path), str(each.before), str(each.after), waiver)
