"""What a rollout would do: who, when, in which order, what is checked, who must approve, and what stands against it.

Pure but for the two questions that it asks the platform for each tenant: what it runs, and its newest backup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.rollout.pace import RolloutPace
from ringgate.rollout.platforms.protocol import Platform
from ringgate.rollout.release import Release
from ringgate.rollout.stages.baseline import spelled


@dataclass(frozen=True, slots=True)
class PlannedTenant:
    """`opens` is the first moment at which it may be upgraded (UTC), None for never within a year; `now` says whether
    that is this one. `against` are sentences, none if nothing stands against it."""

    tenant: str
    series: str
    opens: datetime | None
    now: bool
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedRing:
    """A ring in its turn. `checks` says what is verified on its tenants, `approval` what is missing, "" for nothing."""

    ring: str
    tenants: tuple[PlannedTenant, ...]
    at_once: int
    budget: int
    checks: str
    approval: str


def planned(release: Release, platform: Platform, pace: RolloutPace, now: datetime) -> list[PlannedRing]:
    """All rings in their order."""
    found = []
    for ring, tenants in release.rings:
        whom = tuple(_tenant(release, platform, pace, each, ring, now) for each in tenants)
        checks = sorted({release.plan_of(each.id).why for each in tenants})
        approval = pace.approvals.missing(ring, "ring")
        found.append(PlannedRing(ring, whom, pace.at_once(ring), pace.budget(ring), "; ".join(checks), approval))
    return found


def _tenant(
    release: Release, platform: Platform, pace: RolloutPace, tenant: Tenant, ring: str, now: datetime
) -> PlannedTenant:
    against, series = list[str](), "unknown"
    try:
        series = platform.series(tenant.id)
        if series != release.table.before:
            against.append(f"it runs {series}, not {release.table.before}")
        against += _backup(platform, tenant, now)
    except RinggateError as problem:
        against.append(str(problem))

    def allowed(freeze: str) -> bool:
        return not pace.approvals.missing(ring, f"freeze {freeze}")

    opens = release.calendar.opening(tenant, now, pace.runway, allowed)
    blocked = release.calendar.blocked(tenant, now, pace.runway, allowed)
    if blocked:
        against.append(blocked.sentence)
    return PlannedTenant(tenant.id, series, opens, blocked is None, tuple(against))


def _backup(platform: Platform, tenant: Tenant, now: datetime) -> Sequence[str]:
    if tenant.recovery is None:
        return ["the inventory promises no recovery point to measure the age of its backups against"]
    kept = platform.backups(tenant.id)
    if not kept:
        return ["there is no backup of it"]
    age = (now - kept[-1].taken_at.astimezone(UTC)).total_seconds()
    promised = tenant.recovery.point.total_seconds()
    return [] if age <= promised else [f"its newest backup is {spelled(age)} old, promised is {spelled(promised)}"]
