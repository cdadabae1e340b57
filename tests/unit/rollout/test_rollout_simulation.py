"""Rollouts over hosts that are failing, lying, unreachable and half done, by a controller that is killed again and
again: whatever happens, no tenant is upgraded twice or outside its window, none before its ring's turn, budgets are
kept, and every rollout ends decided. What happens when, a seed says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from ringgate.domain.schedules import window
from ringgate.inventory import Inventory
from ringgate.rollout.beginning import begin
from ringgate.rollout.calendars import CalendarRule, RolloutCalendar
from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.pace import NoApprovals, RolloutPace
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import HostAction, HostedPlatform
from ringgate.rollout.record import Objection, RecordKeeper, RehearsalRecord
from ringgate.rollout.release import load_release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.rollout_tables import RolloutTable
from ringgate.rollout.stages.context import StageFinding
from ringgate.rollout.stages.upgrade import upgrade
from tests.support.hosts import AFTER, BEFORE, StubHosts
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]
ZONES = ("Europe/London", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Australia/Sydney", "America/Sao_Paulo")
NIGHTS = RolloutCalendar(
    (CalendarRule("nights", stretches=(window("Mon-Sun 22:00-04:00"),)),),
    (CalendarRule("month end", stretches=(window("2026-11-30 00:00 to 2026-12-02 00:00"),)),),
)
PACE = RolloutTable(at_once=4, at_once_region=2, budget=2)
RINGS = ("canary", "early", "broad")
ENDS = ("verification", "rollback")


class Killed(BaseException):
    """What a SIGKILL is to a process."""


@dataclass
class World:
    """Everything that outlives a controller: hosts, files, the clock; and what went wrong."""

    folder: Path
    seed: int
    tenants: int
    deadly: float
    wrong: list[str] = field(default_factory=list)
    upgrades: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now = datetime(2026, 11, 28, tzinfo=UTC)
        usual = Inventory.load(ROOT / "tenants")
        one = usual.tenants[0]
        self.all = tuple(
            replace(one, id=f"t{n}", ring=RINGS[0 if n < 3 else 1 if n < self.tenants // 2 else 2], name=f"T{n}",
                    region=f"r{n % 6}", timezone=ZONES[n % 6], api=f"http://host-{n % 9}.invalid/t{n}")
            for n in range(self.tenants)
        )  # fmt: skip
        self.inventory = replace(usual, tenants=self.all)
        definition = self.folder / "definition"
        definition.mkdir(parents=True)
        self.release = load_release(release_file(definition, "low"), self.inventory)
        self.rate = self.random.choice((0.02, 0.1, 0.3))
        self.hosts = WatchedHosts(self)

    def transition(self) -> None:
        """Between two things that are done, a process may be killed, and time goes on."""
        self.now += timedelta(seconds=1)
        if self.random.random() < self.deadly:
            raise Killed

    def behaves(self, action: HostAction) -> str:
        self.transition()
        if action.name == "status":
            return "unreachable" if self.random.random() < self.rate / 10 else ""
        if self.random.random() > self.rate:
            return ""
        words = (
            ("refuse", "unreachable", "lost", "half", "lie") if action.name == "upgrade" else ("unreachable", "lost")
        )
        return self.random.choice(words)


class WatchedHosts(StubHosts):
    """Notes what must never happen, at the moment at which it happens."""

    def __init__(self, world: World) -> None:
        super().__init__(world.behaves)
        self.world = world

    def _upgrade(self, tenant: str, action: HostAction) -> dict[str, object]:
        world, ring = self.world, action.tenant.ring
        world.upgrades += 1
        if self.runs.get(tenant, BEFORE) == AFTER:
            world.wrong.append(f"{tenant} is upgraded twice")
        pace = RolloutPace(PACE, NIGHTS, NoApprovals())
        if blocked := NIGHTS.blocked(action.tenant, world.now, pace.runway - timedelta(minutes=10)):
            world.wrong.append(f"{tenant} is upgraded at {world.now}: {blocked.sentence}")
        record = RehearsalRecord.model_validate_json((world.folder / "record" / "record.json").read_bytes())
        for earlier in RINGS[: RINGS.index(ring)]:
            if record.rings[earlier].decision is not RolloutAction.PROMOTE:
                world.wrong.append(f"{tenant} is upgraded before {earlier} was promoted")
        under_way = [
            name for name, each in record.tenants.items()
            if "upgrade" in each.stages and not any(
                stage in each.stages and each.stages[stage].outcome != "running" for stage in ENDS)
        ]  # fmt: skip
        if len(under_way) > PACE.at_once:
            world.wrong.append(f"{len(under_way)} tenants are under way at once")
        return super()._upgrade(tenant, action)


class KilledKeeper(RecordKeeper):
    """A record whose process may be killed before and after each writing."""

    world: World

    def write(self) -> None:
        self.world.transition()
        super().write()
        self.world.transition()


class SimulatedStages:
    """The real upgrade; the rest says that all is well, and for some tenants that it is not."""

    def __init__(self, world: World, platform: HostedPlatform, ledger: RecordKeeper) -> None:
        self.world, self.platform = world, platform
        self.bad = {
            each.id
            for each in world.all
            if random.Random(f"{world.seed} {each.id}").random() < world.rate / 2 * (world.seed % 3)
        }
        self.context = SimpleNamespace(
            release=world.release, platform=platform, pause=lambda: None,
            since=lambda tenant, stage: ledger.stage(tenant.id, stage).began,
            objection=lambda condition, tenant, sentence: Objection(
                condition=condition, action=world.release.table.conditions.action(condition), tenant=tenant.id,
                sentence=sentence),
        )  # fmt: skip

    def baseline(self, tenant, plan) -> StageFinding:
        return StageFinding("well")

    def drill(self, tenant) -> StageFinding:
        return StageFinding("restored")

    def upgrade(self, tenant) -> StageFinding:
        return upgrade(self.context, tenant)

    def fingerprint(self, tenant) -> StageFinding:
        return StageFinding("equal")

    def verification(self, tenant, plan, browser) -> StageFinding:
        if tenant.id not in self.bad:
            return StageFinding("verified")
        return StageFinding(
            "not well", None, [self.context.objection(Condition.PROCESS_FAILED, tenant, "it is not as it was")]
        )

    def roll_back(self, tenant) -> StageFinding:
        backup = self.platform.upgraded_from(tenant.id)
        if backup is not None and self.platform.series(tenant.id) == AFTER:
            self.platform.roll_back(tenant.id, backup.name)
        return StageFinding("as it was")


class Silent:
    def began(self, *_): ...
    def ended(self, *_): ...
    def decided(self, *_): ...
    def remark(self, *_): ...


class NoLoad:
    neighbours: Sequence[str] = ()
    results = failures = broken = ()
    error = ""

    def __enter__(self):
        return self

    def __exit__(self, *_): ...


def one_start(world: World) -> RehearsalRecord:
    """One process of the controller, to its end or its death."""
    ledger = KilledKeeper(world.folder / "record")
    ledger.world = world
    platform = HostedPlatform(world.hosts, world.all, AttemptBook(world.folder / "attempts"), sleep=lambda _: None)
    kept = ledger.find()
    if kept is None:
        begin(ledger, world.release, platform, "s1")
    stages = SimulatedStages(world, platform, ledger)
    rehearsal = Rehearsal(
        world.release, world.inventory, platform, [], NoLoad, ledger, stages, Silent(),
        lambda *_: (), pause=lambda: None, pace=RolloutPace(PACE, NIGHTS, NoApprovals(), clock=lambda: world.now),
    )  # fmt: skip
    return rehearsal.run()


def simulated(world: World) -> RehearsalRecord:
    """Started again and again, as by a scheduler, until it is decided."""
    for _ in range(3_000):
        try:
            record = one_start(world)
        except Killed:
            continue
        except Exception as problem:
            if type(problem).__name__ not in ("PlatformError", "ActionRefused"):
                raise
            world.now += timedelta(minutes=5)  # a tenant that cannot be looked up: the next start tries again
            continue
        if record.ended is not None:
            return record
        assert record.waits
        world.now += timedelta(minutes=30)
    raise AssertionError("it never ends")


def judged(world: World, record: RehearsalRecord) -> None:
    assert world.wrong == []
    decisions = [ring.decision for ring in record.rings.values()]
    assert decisions[0] is not None
    for name, ring in record.rings.items():
        tenants = {each: kept for each, kept in record.tenants.items() if kept.ring == name}
        against = {each for each, kept in tenants.items() if any(stage.reasons for stage in kept.stages.values())}
        runs = {each: world.hosts.runs.get(each, BEFORE) for each in tenants}
        if ring.decision is RolloutAction.PROMOTE:
            assert len(against) <= PACE.budget
            assert {each for each in tenants if runs[each] != AFTER} <= against
        if ring.decision is RolloutAction.ROLL_BACK:
            known = {each for each, kept in tenants.items() if not _unknown(kept)}
            assert {runs[each] for each in known} <= {BEFORE}
        if ring.decision is None:
            assert not any("upgrade" in kept.stages for kept in tenants.values())


def _unknown(kept) -> bool:
    """Whether its own record says that nobody can tell how it is."""
    return any(stage.outcome == "broken" for stage in kept.stages.values())


@pytest.fixture(autouse=True)
def no_load(monkeypatch):
    monkeypatch.setattr("ringgate.rollout.controller.Rehearsal._background_load", lambda self, ring: NoLoad())


@pytest.mark.parametrize("seed", range(3))
def test_whatever_hosts_do_and_whoever_is_killed_the_rules_hold(tmp_path, seed):
    world = World(tmp_path, seed, tenants=10, deadly=0.02)
    judged(world, simulated(world))


def test_where_nothing_goes_wrong_all_are_upgraded_once(tmp_path):
    world = World(tmp_path, 1, tenants=10, deadly=0.0)
    world.rate = 0.0
    record = simulated(world)
    judged(world, record)
    assert (record.succeeded, world.upgrades) == (True, 10)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(100, 130))
def test_the_rules_hold_in_larger_rollouts(tmp_path, seed):
    world = World(tmp_path, seed, tenants=24, deadly=0.02)
    judged(world, simulated(world))
