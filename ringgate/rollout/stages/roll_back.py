"""The way back: states what the new series holds that the backup does not, restores the backup, compares the books."""

from __future__ import annotations

from ringgate.domain.model import Tenant
from ringgate.execution.recovery import recover
from ringgate.execution.undo import Patience
from ringgate.fingerprint import compare
from ringgate.host.undo_journal import Journal
from ringgate.rollout.conditions import Condition
from ringgate.rollout.losses import losses, note_losses
from ringgate.rollout.platforms.protocol import Backup
from ringgate.rollout.stages.context import StageContext, StageFinding, connected, no_fingerprint
from ringgate.rollout.stages.upgrade import own_upgrade


def to_take_back(context: StageContext, tenant: Tenant) -> Backup | None:
    """What the tenant is taken back to, None where it is as it was. How far an upgrade came that got no answer is found
    out first. Raises PlatformError where nobody can tell."""
    context.platform.repair(tenant.id)
    backup = own_upgrade(context.platform, context.ledger, tenant)
    return backup if backup and context.platform.series(tenant.id) == context.release.table.after else None


def roll_back(context: StageContext, tenant: Tenant) -> StageFinding:
    """Begun work that the backup brings back is taken back, from the copies of its journals."""
    platform, reasons = context.platform, []
    before = None if no_fingerprint(tenant) else context.kept(tenant, "before")
    backup = to_take_back(context, tenant)
    if backup is not None:
        if before:
            note_losses(context.folder, tenant.id, before, lambda: context.books(tenant))
        platform.roll_back(tenant.id, backup.name)
    with context.engine() as engine, connected(engine, tenant) as connection:
        tolerances = context.release.policy.tolerances
        differences = compare(before, connection.books().fingerprint(), tolerances) if before else []
        journal = Journal(context.kept_journals(tenant))
        for done in recover(
            journal, {tenant.id: tenant}, engine.drivers, settle=0, in_flight=True, patience=Patience()
        ):
            for left in done.left:
                words = f"Work begun before the upgrade was left behind: {left.sentence}"
                reasons.append(context.objection(Condition.INCONCLUSIVE, tenant, words))
    for each in differences:
        reasons.append(context.objection(Condition.FINGERPRINT_DRIFT, tenant, f"After the rollback: {each.cause}"))
    result = losses(context.folder, tenant.id)
    again = sum(1 for each in result.lost if each.again)
    note = f"runs {platform.series(tenant.id)}, {len(result.lost)} documents lost, {again} to enter again"
    return StageFinding(note, result, reasons)
