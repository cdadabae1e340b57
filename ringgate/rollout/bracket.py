"""Round an upgrade that somebody else makes: what is looked at before it, and what after it.

before   baseline, work in flight, fingerprint, surface; with a platform also the backup's age and a restore drill
after    fingerprint, surface, verification, and the work that was begun before is finished
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

from ringgate.domain.model import Tenant
from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.platforms.protocol import Backup, Stages
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.record import Objection
from ringgate.rollout.release_tables import ManualStepTable

AFTER = ("fingerprint", "verification")


class SomebodyElses:
    """The platform of which nobody told us anything: only the upgrade's own hosts know it."""

    def __init__(self, before: str) -> None:
        self._before = before

    def series(self, tenant: str) -> str:
        return self._before

    def backups(self, tenant: str) -> Sequence[Backup]:
        return ()

    def upgraded_from(self, tenant: str) -> Backup | None:
        return None

    def repair(self, tenant: str) -> bool:
        return False

    def backup(self, tenant: str) -> Backup:
        _cannot()

    def beside(self, tenant: str, backup: str) -> AbstractContextManager[Tenant]:
        _cannot()

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> Backup:
        _cannot()

    def roll_back(self, tenant: str, backup: str) -> None:
        _cannot()


def _cannot() -> NoReturn:
    raise PlatformError("somebody else upgrades these tenants: give --platform for what only their hosts can do")


def before(controller: Rehearsal, chosen: Collection[str]) -> list[Objection]:
    """What speaks against beginning the upgrade of these tenants. What an earlier call was told is forgotten, but what
    it was cut off in is gone on with."""
    ledger, hosts = controller.ledger, not isinstance(controller.platform, SomebodyElses)
    controller.take_back(False, chosen)
    for tenant in chosen:
        kept = ledger.record.tenants[tenant].stages
        if any(each.outcome != "running" for each in kept.values()):
            ledger.renew(tenant)
    found = controller.only(("baseline", "drill") if hosts else ("baseline",), chosen)
    return found if hosts else [each for each in found if each.condition is not Condition.BACKUP_TOO_OLD]


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
