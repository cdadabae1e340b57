"""What a rollout may never do, and what must be true at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringgate.domain.model import Tenant
from ringgate.rollout.record import RehearsalRecord, TenantRecord
from ringgate.rollout.release_tables import RolloutAction
from tests.evaluation.simulation.world import NIGHTS, RINGS, World
from tests.support.hosts import AFTER, BEFORE

if TYPE_CHECKING:
    from tests.evaluation.simulation.controllers import WatchedKeeper

ENDS = ("verification", "rollback")


def upgrade_allowed(world: World, keeper: WatchedKeeper, tenant: Tenant, runs: str) -> Iterator[str]:
    """What speaks against this upgrade, at the moment at which the host begins it."""
    now, record, kept = world.clock(), keeper.record, keeper.record.tenants[tenant.id]
    if runs == AFTER:
        yield f"{tenant.id} is upgraded twice"
    if blocked := NIGHTS.blocked(tenant, now, timedelta(minutes=1)):
        yield f"{tenant.id} is upgraded at {now}: {blocked.sentence}"
    for earlier in RINGS[: RINGS.index(tenant.ring)]:
        if keeper.on_disk.get(earlier) is not RolloutAction.PROMOTE:
            yield f"{tenant.id} is upgraded before {earlier} was promoted"
    if _closed(kept, "rollback"):
        yield f"{tenant.id} is upgraded after it was rolled back"
    if world.paused:
        yield f"{tenant.id} is upgraded while the rollout is paused"
    yield from _budget(world, record, tenant, kept)


def _budget(world: World, record: RehearsalRecord, tenant: Tenant, kept: TenantRecord) -> Iterator[str]:
    began = kept.stages["upgrade"].began
    failed = [name for name, at in world.failed.items() if record.tenants[name].ring == tenant.ring and at < began]
    if len(failed) > world.budget:
        yield f"{tenant.id} is upgraded after {len(failed)} of {tenant.ring} failed"
    under_way = [each for each in world.all if _under_way(record.tenants[each.id])]
    first = min(record.tenants[each.id].stages["upgrade"].began for each in under_way)
    before = sum(1 for name in failed if world.failed[name] < first)
    most = max(1, world.at_once >> before)
    if len(under_way) > most:
        yield f"{len(under_way)} tenants are under way at once, {most} may be"
    for what, counts, most in (
        ("region", Counter(each.region for each in under_way), world.pace.at_once_region),
        ("host", Counter(urlsplit(each.api).netloc for each in under_way), world.pace.at_once_host),
    ):
        for name, number in counts.items():
            if number > most:
                yield f"{number} tenants of the {what} {name} are under way at once, {most} may be"


def _closed(kept: TenantRecord, stage: str) -> bool:
    return stage in kept.stages and kept.stages[stage].outcome != "running"


def _under_way(kept: TenantRecord) -> bool:
    upgrade = kept.stages.get("upgrade")
    return upgrade is not None and not upgrade.reasons and not any(_closed(kept, each) for each in ENDS)


def at_the_end(world: World, record: RehearsalRecord, runs: dict[str, str]) -> Iterator[str]:
    """What is not as it must be once the rollout has ended. `runs` are the series that tenants run in truth."""
    if record.ended is None:
        yield "the rollout did not end"
    stopped = False
    for name, ring in record.rings.items():
        tenants = {each: kept for each, kept in record.tenants.items() if kept.ring == name}
        if ring.decision is None and not stopped:
            yield f"nothing was decided of {name}"
        if stopped and (ring.decision or any(kept.stages for kept in tenants.values())):
            yield f"{name} was begun after a ring had stopped the rollout"
        against = {each for each, kept in tenants.items() if any(stage.reasons for stage in kept.stages.values())}
        upgraded = {each for each in tenants if runs.get(each, BEFORE) == AFTER}
        if ring.decision is RolloutAction.PROMOTE:
            if len(against) > world.budget:
                yield f"{name} was promoted, and {len(against)} tenants failed"
            if lacking := set(tenants) - upgraded - against:
                yield f"{name} was promoted, and {sorted(lacking)} are not upgraded"
        if ring.decision is RolloutAction.ROLL_BACK:
            left = {each for each in upgraded if not tenants[each].stages["rollback"].reasons}
            if left:
                yield f"{name} was rolled back, and {sorted(left)} run {AFTER}"
        stopped = stopped or ring.decision is not RolloutAction.PROMOTE
