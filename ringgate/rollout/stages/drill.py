"""The restore drill: a backup is taken, restored beside its tenant, and the books of both are compared."""

from __future__ import annotations

import time

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.fingerprint import compare
from ringgate.host.machine_load import measured
from ringgate.rollout.conditions import Condition
from ringgate.rollout.results import DrillResult
from ringgate.rollout.stages.context import StageContext, StageFinding, connected, no_fingerprint


def drill(context: StageContext, tenant: Tenant) -> StageFinding:
    """The recovery time is measured until somebody has signed in to what was restored."""
    backup = context.platform.backup(tenant.id)
    began = time.monotonic()
    # The sessions on the copy end before the copy does.
    with (
        measured() as load,
        context.platform.beside(tenant.id, backup.name) as copy,
        context.engine() as engine,
        connected(engine, copy) as connection,
    ):
        connection.sign_in(Role.AUDITOR).who_am_i()
        recovery_time = time.monotonic() - began
        left_out = no_fingerprint(tenant)
        restored = None if left_out else connection.books().fingerprint()
    differences = [] if restored is None else [
        each.cause for each in compare(context.kept(tenant, "before"), restored, context.release.policy.tolerances)
    ]  # fmt: skip
    promised = tenant.recovery.time.total_seconds() if tenant.recovery else None
    result = DrillResult(backup.name, backup.size, backup.seconds, recovery_time, promised, differences)
    reasons = [
        context.objection(Condition.DRILL_FAILED, tenant, f"The restored books differ: {each}") for each in differences
    ]
    if promised is None:
        words = "The inventory promises no recovery time to measure against."
        reasons.append(context.objection(Condition.INCONCLUSIVE, tenant, words))
    elif not result.kept:
        words = f"Restoring took {recovery_time:.0f} s, promised {promised:.0f} s"
        busy = f"; {load}, which may be why" if load.busy else ""
        condition = Condition.INCONCLUSIVE if busy else Condition.DRILL_FAILED
        reasons.append(context.objection(condition, tenant, f"{words}{busy}."))
    equal = f"books not compared: {left_out}" if left_out else "books equal"
    note = f"restored in {recovery_time:.1f} s, {equal}" if not differences else "restored books differ"
    return StageFinding(note, result, reasons)
