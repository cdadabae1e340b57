"""Whether a tenant's ERP is as the inventory says: what is not, and nobody explained, speaks against going on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ringgate.domain.model import Tenant
from ringgate.fingerprint.model import Fingerprint
from ringgate.rollout.conditions import Condition
from ringgate.rollout.drift import TenantState, against_inventory, judged
from ringgate.rollout.record import Objection
from ringgate.rollout.stages.context import StageContext

MOST = 10
"""Differences that are told one by one."""


def drifted(context: StageContext, tenant: Tenant, books: Fingerprint, when: str, series: str) -> list[Objection]:
    """One objection for each unexplained difference; `series` is the one that the tenant must run now."""
    now = context.ledger.clock()
    today = now.astimezone(ZoneInfo(tenant.timezone)).date()
    found = against_inventory(tenant, TenantState(books), today, series)
    still = judged(found, context.release.drift, now.date(), context.release.id).open
    words = [f"Not as the inventory says {when}: {each.signature}: {each.here}, {each.there}." for each in still]
    if len(words) > MOST:
        words = [*words[:MOST], f"Not as the inventory says {when}: {len(words) - MOST} more differences."]
    return [context.objection(Condition.DRIFT, tenant, each) for each in words]
