"""The change itself: the platform upgrades the tenant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ringgate.domain.model import Tenant
from ringgate.host.machine_load import measured
from ringgate.rollout.conditions import Condition
from ringgate.rollout.platforms.hosted import SKEW
from ringgate.rollout.platforms.protocol import Backup, Platform, UpgradeRefused
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.results import UpgradeResult
from ringgate.rollout.stages.context import StageContext, StageFinding


def own_upgrade(platform: Platform, ledger: RecordKeeper, tenant: Tenant) -> Backup | None:
    """What this rollout's own upgrade of the tenant would be taken back to, not what an earlier release's would. None
    if there was none, or it was taken back."""
    kept = ledger.stage(tenant.id, "upgrade")
    done = platform.upgraded_from(tenant.id) if kept else None
    return done if kept and done and done.taken_at >= kept.began - SKEW else None


def upgrade(context: StageContext, tenant: Tenant, begins: Callable[[], None] = lambda: None) -> StageFinding:
    """An upgrade that had come to its end before we were killed is not done again. `begins` is asked when all is ready
    for it, and raises what stands against beginning it now: a backup may have taken long.

    One that failed at a part which only waits (closing, serving) is tried once more, after a pause: the tenant is as it
    was before."""
    parts, table = dict[str, float](), context.release.table

    @contextmanager
    def timed(part: str) -> Iterator[None]:
        if part == "upgrade":
            begins()
        began = time.monotonic()
        try:
            yield
        finally:
            parts[part] = time.monotonic() - began

    def attempt() -> Backup:
        done = own_upgrade(context.platform, context.ledger, tenant)
        if done is None or context.platform.series(tenant.id) != table.after:
            done = context.platform.upgrade(tenant.id, table.after, table.manual_steps, timed)
        return done

    try:
        try:
            done = attempt()
        except UpgradeRefused as first:
            if not first.doubtful:
                raise
            context.pause()
            with measured() as load:
                done = attempt()
    except UpgradeRefused as refused:
        busy = f" {str(load).capitalize()}, which may be why." if refused.doubtful and load.busy else ""
        condition = Condition.INCONCLUSIVE if busy else Condition.MIGRATION_FAILED
        words = (
            f"Upgrade stopped at {refused.at}: {refused.reason} The tenant runs {table.before} from its backup.{busy}"
        )
        reason = context.objection(condition, tenant, words)
        return StageFinding(f"stopped at {refused.at}", UpgradeResult(parts, stopped_at=refused.at), [reason])
    return StageFinding(f"{table.before} to {table.after}", UpgradeResult(parts, done.name))
