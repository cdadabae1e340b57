"""Which release a tenant runs, and whose bake is under way, by the deployments that were noted. Pure.

release_of(tenant, deployments, now)     # "8.0"; "" where none was noted
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ringgate.domain.model import Deployment, Tenant

BAKE = timedelta(hours=24)
"""For so long after a deployment its ring is tested for whether a fault would be caught."""

SELF_TEST_EVERY = timedelta(hours=1)


def release_of(tenant: Tenant, deployments: Iterable[Deployment], now: datetime) -> str:
    """The release of the last deployment to the tenant: to its ring, or by its name."""
    last = max((each for each in deployments if _reached(each, tenant) and each.at <= now), key=_at, default=None)
    return last.release if last else ""


def _reached(deployment: Deployment, tenant: Tenant) -> bool:
    return tenant.id in deployment.tenants if deployment.tenants else deployment.ring == tenant.ring


def _at(deployment: Deployment) -> datetime:
    return deployment.at


def rings_to_test(
    deployments: Iterable[Deployment], tested: Mapping[str, datetime], now: datetime, bake: timedelta = BAKE
) -> set[str]:
    """The rings that bake and had no self-test within the last hour; `tested` says when each had its last one."""
    baking = {each.ring: each.at for each in sorted(deployments, key=_at) if now - bake <= each.at <= now}
    return {
        ring
        for ring, since in baking.items()
        if ring not in tested or tested[ring] < since or now - tested[ring] >= SELF_TEST_EVERY
    }
