"""Controllers that are killed, stopped and started again over the same files, as by a scheduler."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.rollout.beginning import AlreadyThere, begin
from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.lease import LeaseTaken, RolloutLease
from ringgate.rollout.orders import RolloutOrders
from ringgate.rollout.pace import NoApprovals, RolloutPace
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import HostAction, HostedPlatform
from ringgate.rollout.record import Objection, RecordKeeper, RehearsalRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.stages.context import StageFinding
from ringgate.rollout.stages.roll_back import to_take_back
from ringgate.rollout.stages.upgrade import upgrade
from tests.evaluation.simulation.hosts import WatchedHosts
from tests.evaluation.simulation.world import NIGHTS, Killed, Life, World
from tests.support.hosts import AFTER, BEFORE
from tests.support.rehearsal import Silent

STARTS = 4_000
"""A rollout that takes more starts than this never ends."""


class WatchedKeeper(RecordKeeper):
    """A record whose process may be killed before and after each writing. `on_disk` is what was decided there."""

    def __init__(self, world: World, life: Life, simulation: Simulation) -> None:
        super().__init__(world.record_folder, world.clock)
        self.world, self.life, self.simulation = world, life, simulation
        self.on_disk: dict[str, RolloutAction | None] = {}

    def find(self) -> RehearsalRecord | None:
        found = super().find()
        self.on_disk = {name: ring.decision for name, ring in found.rings.items()} if found else {}
        return found

    def write(self, *args: str) -> None:
        self.simulation.transition(self.life)
        super().write(*args)
        self.on_disk = {name: ring.decision for name, ring in self.record.rings.items()}
        self.simulation.transition(self.life)

    def close(self, tenant, stage, *args) -> None:
        super().close(tenant, stage, *args)
        if stage.reasons:
            for each in stage.reasons:
                self.world.failed.setdefault(each.tenant, self.world.clock())


class WatchedBook(AttemptBook):
    def __init__(self, world: World, life: Life, simulation: Simulation) -> None:
        super().__init__(world.folder / "attempts", world.clock)
        self.life, self.simulation = life, simulation

    def _write(self, tenant, kept) -> None:
        self.simulation.transition(self.life)
        super()._write(tenant, kept)
        self.simulation.transition(self.life)


class WatchedChannel:
    """What one controller says to the hosts."""

    takes_steps, actions = True, WatchedHosts.actions

    def __init__(self, hosts: WatchedHosts, life: Life, keeper: WatchedKeeper, simulation: Simulation) -> None:
        self.hosts, self.life, self.keeper, self.simulation = hosts, life, keeper, simulation

    def settle(self, tenant: Tenant) -> None: ...

    def call(self, action: HostAction):
        return self.hosts.call_by(self.life, self.keeper, self.simulation.transition, action)


class SimulatedStages:
    """The real upgrade and the real way back; the rest says that all is well, and of some tenants that it is not."""

    def __init__(self, world: World, hosts: WatchedHosts, platform: HostedPlatform, ledger: RecordKeeper) -> None:
        self.world, self.hosts, self.platform = world, hosts, platform
        self.context = SimpleNamespace(
            release=world.release, platform=platform, pause=lambda: None, ledger=ledger,
            since=lambda tenant, stage: ledger.stage(tenant.id, stage).began,
            objection=self.objection,
        )  # fmt: skip

    def objection(self, condition: Condition, tenant: Tenant, sentence: str) -> Objection:
        action = self.world.release.table.conditions.action(condition)
        return Objection(condition=condition, action=action, tenant=tenant.id, sentence=sentence)

    def baseline(self, tenant, plan) -> StageFinding:
        if (series := self.platform.series(tenant.id)) != BEFORE:
            return StageFinding("no", None, [self.objection(Condition.NOT_READY, tenant, f"it runs {series}")])
        return StageFinding("well")

    def drill(self, tenant) -> StageFinding:
        return StageFinding("restored")

    def upgrade(self, tenant, begins) -> StageFinding:
        return upgrade(self.context, tenant, begins)

    def fingerprint(self, tenant) -> StageFinding:
        return StageFinding("equal")

    def verification(self, tenant, plan, browser) -> StageFinding:
        runs = self.hosts.runs.get(tenant.id, BEFORE)
        bad = self.world.fixed("bad", tenant.id) < self.world.bad
        if runs == AFTER and not bad:
            return StageFinding("verified")
        words = "it is not as it was" if bad else f"it runs {runs}"
        return StageFinding("not well", None, [self.objection(Condition.PROCESS_FAILED, tenant, words)])

    def roll_back(self, tenant) -> StageFinding:
        backup = to_take_back(self.context, tenant)
        if backup is not None:
            self.platform.roll_back(tenant.id, backup.name)
        return StageFinding("as it was")


class NoLoad:
    """No neighbours are tried while a ring is upgraded."""

    neighbours: Sequence[str] = ()
    results = failures = broken = ()
    error = ""

    def __enter__(self):
        return self

    def __exit__(self, *_): ...


class UnwatchedRehearsal(Rehearsal):
    def _background_load(self, ring: str) -> NoLoad:  # type: ignore[override]
        return NoLoad()


class Simulation:
    """One rollout over one world, to its end."""

    def __init__(self, world: World, kills: float = 0.0, rivals: float = 0.0, pauses: float = 0.0) -> None:
        """`kills`: how likely a start is killed; `rivals`: how likely one is stopped and another takes its lease;
        `pauses`: how likely a person pauses the rollout between two starts."""
        self.world, self.hosts = world, WatchedHosts(world)
        self.kills, self.rivals, self.pauses = kills, rivals, pauses
        self.orders = RolloutOrders(world.record_folder)
        self.chance = random.Random(f"{world.seed}/starts")

    def transition(self, life: Life) -> None:
        """Between two things that are done: time goes on, the process may be killed, or stand still for long."""
        if life.dead:
            raise Killed
        life.seen += 1
        self.world.tick(1)
        if life.seen == life.stopped:
            self._rival()
        if life.seen == life.last:
            life.dead = True
            raise Killed

    def _rival(self) -> None:
        """Its lock is lost, as where a shared disk forgets it: another controller begins, and works for a while."""
        self.world.counts["rivals"] += 1
        (self.world.folder / "record.lease.lock").unlink(missing_ok=True)
        try:
            self.once(Life(last=1 + self.chance.randrange(400)))
        except (Killed, RinggateError):
            self.world.counts["killed"] += 1

    def once(self, life: Life) -> RehearsalRecord:
        """One process, to its end or its death."""
        world = self.world
        with world.leading(), RolloutLease(world.record_folder) as lease:
            life.number = lease.number
            ledger = WatchedKeeper(world, life, self)
            ledger.fence = lease.check
            channel = WatchedChannel(self.hosts, life, ledger, self)
            book = WatchedBook(world, life, self)
            platform = HostedPlatform(channel, world.all, book, clock=world.clock, sleep=world.tick)
            platform.led_by(lease.number, lease.check)
            begin(ledger, world.release, platform, "s1") if ledger.find() is None else None
            pace = RolloutPace(
                world.pace, NIGHTS, NoApprovals(), self.orders.paused, lease.check, clock=world.clock
            )  # fmt: skip
            return UnwatchedRehearsal(
                world.release, world.inventory, platform, [], NoLoad, ledger,
                SimulatedStages(world, self.hosts, platform, ledger), Silent(), lambda *_: (), pause=lambda: None,
                pace=pace,
            ).run()  # fmt: skip

    def run(self) -> RehearsalRecord:
        """Started again and again until it is decided. Raises AssertionError for one that never is."""
        world = self.world
        for _ in range(STARTS):
            world.counts["starts"] += 1
            self._order()
            try:
                record = self.once(self._life())
            except Killed:
                world.counts["killed"] += 1
                world.later(self._away())
                continue
            except (LeaseTaken, AlreadyThere):
                world.counts["turned away"] += 1
                world.later(timedelta(minutes=1))
                continue
            if record.ended is not None:
                return record
            assert record.waits
            world.later(timedelta(hours=2))
        raise AssertionError(f"it never ends: {record.waits}")

    def _life(self) -> Life:
        life, far = Life(), 4 * self.world.size
        if self.chance.random() < self.kills:
            life.last = 1 + self.chance.randrange(self.chance.choice((30, 300, far)))
        if self.chance.random() < self.rivals:
            life.stopped = 1 + self.chance.randrange(self.chance.choice((30, 300, far)))
        return life

    def _away(self) -> timedelta:
        """How long nobody starts it again: mostly seconds, sometimes past the end of a window, or of a freeze."""
        return self.chance.choice(
            (*(timedelta(seconds=5),) * 6, timedelta(minutes=40), timedelta(hours=7), timedelta(hours=50))
        )

    def _order(self) -> None:
        if self.world.paused:
            if self.chance.random() < 0.5:
                self.world.paused = not self.orders.resume()
        elif self.chance.random() < self.pauses:
            self.orders.pause("qa", "the payroll run is late")
            self.world.paused = True
            self.world.counts["pauses"] += 1
