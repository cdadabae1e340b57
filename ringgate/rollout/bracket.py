"""Round an upgrade that somebody else makes: what is looked at before it, and what after it.

before   baseline, work in flight, fingerprint, surface; with a platform also the backup's age and a restore drill
after    fingerprint, surface, verification, and the work that was begun before is finished
"""

from __future__ import annotations

from collections.abc import Collection

from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.platforms.somebody_elses import SomebodyElses
from ringgate.rollout.record import Objection, RehearsalRecord, worst

AFTER = ("fingerprint", "verification")


def before(controller: Rehearsal, chosen: Collection[str]) -> list[Objection]:
    """What speaks against beginning the upgrade of these tenants. What an earlier call was told is forgotten, but what
    it was cut off in is gone on with."""
    ledger, hosts = controller.ledger, not isinstance(controller.platform, SomebodyElses)
    _begin(controller, chosen)
    controller.take_back(False, chosen)
    for tenant in chosen:
        kept = ledger.record.tenants[tenant].stages
        if any(each.outcome != "running" for each in kept.values()):
            ledger.renew(tenant)
    return controller.only(("baseline", "drill") if hosts else ("baseline",), chosen)


def after(controller: Rehearsal, chosen: Collection[str]) -> list[Objection]:
    """What speaks against the upgrade of these tenants. Begun work that was not needed is taken back at the end."""
    ledger = controller.ledger
    _begin(controller, chosen)
    for tenant in chosen:
        kept = ledger.record.tenants[tenant].stages
        if all(kept[name].outcome != "running" for name in AFTER if name in kept):
            ledger.renew(tenant, AFTER)
    found = controller.only(AFTER, chosen)
    for left in controller.take_back(True, chosen):
        found.append(controller.objection(Condition.INCONCLUSIVE, left.tenant, left.sentence))
    for tenant in chosen:
        if ledger.record.tenants[tenant].stages["fingerprint"].outcome == "passed":
            controller.stages.keep_left(controller.inventory.tenant(tenant))
    _decide(controller, found)
    return found


def _begin(controller: Rehearsal, chosen: Collection[str]) -> None:
    """This call stands in the record, and so in the evidence; what was decided of these rings is open again."""
    record = controller.ledger.record
    record.starts += 1
    record.ended = None
    for ring in {record.tenants[each].ring for each in chosen}:
        record.rings[ring].decision, record.rings[ring].ended = None, None
        record.rings[ring].began = record.rings[ring].began or controller.ledger.clock()
    controller.ledger.write()


def _decide(controller: Rehearsal, found: Collection[Objection]) -> None:
    """A ring of which every tenant was looked at has its verdict; the last one ends the whole."""
    record = controller.ledger.record
    for name, ring in record.rings.items():
        if ring.decision is None and _verified(record, name):
            whose = [each for each, kept in record.tenants.items() if kept.ring == name]
            reasons = [each for each in found if each.tenant in whose]
            reasons += [
                reason for each in whose for stage in AFTER for reason in record.tenants[each].stages[stage].reasons
                if reason not in reasons
            ]  # fmt: skip
            controller.ledger.decide(name, worst(reasons), reasons)
    if all(ring.decision is not None for ring in record.rings.values()):
        record.ended = controller.ledger.clock()
        controller.ledger.write()


def _verified(record: RehearsalRecord, ring: str) -> bool:
    stages = [kept.stages for kept in record.tenants.values() if kept.ring == ring]
    return all(name in kept and kept[name].outcome != "running" for kept in stages for name in AFTER)


def unprepared(controller: Rehearsal, chosen: Collection[str]) -> list[str]:
    """Tenants for which `before` was not called, or not to its end."""
    kept = controller.ledger.record.tenants
    return sorted(
        each for each in chosen
        if "baseline" not in kept[each].stages or kept[each].stages["baseline"].outcome == "running"
    )  # fmt: skip
