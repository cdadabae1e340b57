"""Hosts that behave badly, and note what must never happen at the moment at which it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ringgate.rollout.platforms.answers import HostAnswer
from ringgate.rollout.platforms.hosted import ActionRefused, HostAction
from tests.evaluation.simulation.rules import upgrade_allowed
from tests.evaluation.simulation.world import Life, World
from tests.support.hosts import AFTER, BEFORE, StubHosts

if TYPE_CHECKING:
    from tests.evaluation.simulation.controllers import WatchedKeeper

READS = ("status", "backups")
BEHAVIOUR = {
    "upgrade": ("refuse", "unreachable", "lost", "half", "lie", "slow"),
    "roll_back": ("refuse", "unreachable", "lost", "lie", "slow"),
    "status": ("unreachable", "busy", "old", "other", "slow"),
}
USUAL = ("refuse", "unreachable", "lost", "slow")
GONE = 0.004
"""Of all tenants, those whose host is never reached again after some action."""


class WatchedHosts(StubHosts):
    def __init__(self, world: World) -> None:
        super().__init__(lambda _: "", world.clock)
        self.world, self.guard, self.life, self.keeper = world, threading.RLock(), Life(), None
        self.numbers: dict[str, int] = {}
        self.left: dict[str, int] = {
            each.id: 3 + int(20 * world.fixed("gone", each.id)) for each in world.all
            if world.trouble and world.fixed("lost", each.id) < GONE
        }  # fmt: skip

    def behaves(self, action: HostAction) -> str:
        world, tenant = self.world, action.tenant.id
        if tenant in self.left:
            self.left[tenant] -= 1
            if self.left[tenant] < 0:
                return "unreachable"
        chance = world.chance("host", tenant, action.name)
        if chance.random() >= world.trouble / (5 if action.name in READS else 1):
            return ""
        return chance.choice(BEHAVIOUR.get(action.name, USUAL))

    def call_by(
        self, life: Life, keeper: WatchedKeeper, between: Callable[[Life], None], action: HostAction
    ) -> HostAnswer:
        """One action of one controller. A host that keeps the highest number of a lease refuses lower ones."""
        between(life)
        with self.guard:
            self.say = lambda _: how
            self.life, self.keeper, how = life, keeper, self.behaves(action)
            if how in ("slow", "busy"):
                self.busy[action.tenant.id] = 2 if how == "busy" else 0
                self.world.tick(60 * (2 + 10 * self.world.chance("slow", action.tenant.id).random()))
                how = ""
            if action.name not in READS and how != "unreachable":
                self._numbered(action)
            if how in ("old", "other"):
                return HostAnswer(self._misleading(action, how), f"{action.tenant.id}: status")
            try:
                return super().call(action)
            finally:
                self.called.clear()

    def _misleading(self, action: HostAction, how: str) -> dict[str, object]:
        now = self.world.clock() - timedelta(hours=1 if how == "old" else 0)
        lie = BEFORE if self.runs.get(action.tenant.id) == AFTER else AFTER
        return {"series": lie, "tenant": "another" if how == "other" else "", "observed_at": now.isoformat()}

    def _numbered(self, action: HostAction) -> None:
        number, tenant = int(getattr(action, "lease", "") or 0), action.tenant.id
        if number < self.numbers.get(tenant, 0):
            self.world.counts["refused as outdated"] += 1
            raise ActionRefused(f"{tenant}: the lease {number} is outdated")
        self.numbers[tenant] = number
        if self.life.number < self.numbers.get(f"{tenant} led", 0):
            self.world.accuse(f"{tenant}: {action.name} by a controller whose lease was taken")
        self.numbers[f"{tenant} led"] = self.life.number

    def _upgrade(self, tenant: str, action: HostAction) -> dict[str, object]:
        assert self.keeper is not None
        self.world.counts["upgrades"] += 1
        for sentence in upgrade_allowed(self.world, self.keeper, action.tenant, self.runs.get(tenant, BEFORE)):
            self.world.accuse(sentence)
        return super()._upgrade(tenant, action)
