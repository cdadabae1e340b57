"""Round an upgrade that somebody else makes: what is looked at before it, and what after it.

before   baseline, work in flight, fingerprint, surface; with a platform also the backup's age and a restore drill
after    fingerprint, surface, verification, and the work that was begun before is finished
"""

from __future__ import annotations

from collections.abc import Collection

from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.platforms.somebody_elses import SomebodyElses
from ringgate.rollout.record import Objection

AFTER = ("fingerprint", "verification")


def before(controller: Rehearsal, chosen: Collection[str]) -> list[Objection]:
    """What speaks against beginning the upgrade of these tenants. What an earlier call was told is forgotten, but what
    it was cut off in is gone on with."""
    ledger, hosts = controller.ledger, not isinstance(controller.platform, SomebodyElses)
    controller.take_back(False, chosen)
    for tenant in chosen:
        kept = ledger.record.tenants[tenant].stages
        if any(each.outcome != "running" for each in kept.values()):
            ledger.renew(tenant)
    return controller.only(("baseline", "drill") if hosts else ("baseline",), chosen)


def after(controller: Rehearsal, chosen: Collection[str]) -> list[Objection]:
    """What speaks against the upgrade of these tenants. Begun work that was not needed is taken back at the end."""
    ledger = controller.ledger
    for tenant in chosen:
        kept = ledger.record.tenants[tenant].stages
        if all(kept[name].outcome != "running" for name in AFTER if name in kept):
            ledger.renew(tenant, AFTER)
    found = controller.only(AFTER, chosen)
    for left in controller.take_back(True, chosen):
        found.append(controller.objection(Condition.INCONCLUSIVE, left.tenant, left.sentence))
    return found


def unprepared(controller: Rehearsal, chosen: Collection[str]) -> list[str]:
    """Tenants for which `before` was not called, or not to its end."""
    kept = controller.ledger.record.tenants
    return sorted(
        each for each in chosen
        if "baseline" not in kept[each].stages or kept[each].stages["baseline"].outcome == "running"
    )  # fmt: skip
