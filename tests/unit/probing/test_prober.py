"""A whole prober on real threads, journal, locks, spool and store; what it drives is a notebook instead of an ERP."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ringgate.api import PROJECT_MANAGER, PROJECTS, REVERSIBLE, scenario
from ringgate.domain.errors import ErpUnavailable
from ringgate.domain.model import Deployment
from ringgate.domain.retention import Retention
from ringgate.domain.reversal import Reversal
from ringgate.domain.schedules import ProbeSchedule
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.execution.run_once import Engine, run_once
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from ringgate.inventory import InventoryError, Problem
from ringgate.judging.forgetting import Forgetting
from ringgate.probing import prober as probing
from ringgate.probing.plan import Probe
from ringgate.probing.prober import Prober, Replanned, Terms
from ringgate.probing.spool import Spool
from ringgate.probing.timetable import Tick
from ringgate.store import ProberState as Sign
from ringgate.store import Store
from tests.support.samples import tenant
from tests.unit.execution.support import Notebook
from tests.unit.probing.test_spool import begun

SELF_TEST = Source.SELF_TEST
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Heard:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.results, self.remarks = [], []

    def began(self, tick) -> None: ...
    def left(self, tick) -> None: ...

    def ended(self, tick, result) -> None:
        self.results.append(result)

    def remark(self, sentence, style="") -> None:
        self.remarks.append(sentence)


class World:
    """Everything a prober stands on, and what scenarios in it do: make a project, then `act`."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.store = Store(f"sqlite:///{folder}/results.sqlite")
        self.drivers: list[Notebook] = []
        self.act = lambda erp, manager, make: None
        self.heard = Heard()
        self.engine = self.another()

    def another(self) -> Engine:
        """What another process has: the same folders, locks of its own."""
        return Engine(
            drivers={},
            journal=Journal(self.folder / "journal"),
            run_locks=RunLocks(self.folder / "locks", patience=0),
            evidence=self.folder / "evidence",
            session="s1",
            source=Source.PROBE,
        )

    def make(self, tenants):
        driver = Notebook()
        self.drivers.append(driver)
        return SimpleDrivers({("sample", channel): driver for channel in Channel})

    def scenario(self, name: str):
        def process(erp, make, run) -> None:
            with run.step("create"):
                manager = erp.sign_in(PROJECT_MANAGER)
                manager.create_project(make.project())
            self.act(erp, manager, make)

        return scenario(id=name, effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER})(process)

    def probe(self, name: str = "one", of=None, every: timedelta = MINUTE, **changes) -> Probe:
        return Probe(of or tenant(), self.scenario(name), Channel.API, ProbeSchedule(api=every, **changes))

    def prober(self, probes, *, workers: int = 4, **terms) -> Prober:
        ours = {"once", "lasting", "grace", "forgetting"} & {*terms}
        given = {"once": True, "grace": 5.0, **{key: terms.pop(key) for key in ours}}
        return Prober(
            probes, self.engine, self.store, Terms({Channel.API: workers}, **given), self.heard,
            spool=self.folder / "spool", make=self.make, **terms,
        )  # fmt: skip

    @property
    def undone(self) -> list[str]:
        return [marker for driver in self.drivers for marker in driver.undone]

    @property
    def left_over(self) -> list:
        return [*(self.folder / "journal").iterdir(), *(self.folder / "spool").iterdir()]


class SimpleDrivers(dict):
    def close(self) -> None: ...


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.store.close()


@contextmanager
def beside(prober: Prober):
    """The prober runs in another thread until it ends by itself or is told to stop."""
    done = []
    thread = threading.Thread(target=lambda: done.append(prober.run()))
    thread.start()
    yield done
    thread.join(30)
    assert not thread.is_alive()


def until(condition) -> None:
    """Waits for it."""
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to be")


def test_once_runs_everything_that_is_due_and_stores_it(world):
    probes = [world.probe(str(n), of=tenant(name)) for name in ("a", "b") for n in range(3)]
    never = replace(world.probe("never"), never="no")
    course = world.prober([*probes, never]).run()
    assert (course.whole, course.outcomes, course.residue) == (True, {Outcome.PASSED: 6}, 0)
    kept = world.store.results()
    assert {(each.tenant, each.scenario) for each in kept} == {(n, str(k)) for n in "ab" for k in range(3)}
    assert {(each.source, each.session) for each in kept} == {(Source.PROBE, "s1")}
    assert len(world.undone) == 6
    assert world.left_over == []


def test_what_is_too_old_is_forgotten_meanwhile(world):
    (old := world.folder / "evidence" / "old").mkdir(parents=True)
    world.prober([], forgetting=Forgetting(Retention(evidence=timedelta()), old.parent)).run()
    assert not old.exists()


def test_a_failing_run_fails_and_is_undone(world):
    def breaks(erp, manager, make):
        raise ErpUnavailable("nobody answers")

    world.act = breaks
    assert world.prober([world.probe()]).run().outcomes == {Outcome.FAILED: 1}
    assert len(world.undone) == 1


def test_who_is_left_alone_now_is_told_and_counted(world):
    paused = tenant("paused", paused_until=dt.date(2999, 1, 1), paused_reason="audit")
    course = world.prober([world.probe(of=paused)]).run()
    assert (course.outcomes, course.counters) == ({}, {"skipped:paused": 1})
    assert world.heard.remarks == ["one on paused over api: paused until 2999-01-01: audit"]
    assert world.store.counters() == {("skipped:paused", "paused", "one", "api"): 1}


def test_what_another_process_runs_is_left_out_and_no_result(world):
    with world.another().run_locks.room(tenant(), "one"):
        course = world.prober([world.probe("one"), world.probe("two")]).run()
    assert (course.whole, course.counters["overlapping"]) == (False, 1)
    assert [each.scenario for each in world.store.results()] == ["two"]


def test_results_carry_the_release_that_reached_the_ring(world):
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    world.store.deployed(Deployment("d1", an_hour_ago, "canary", "8.0"))
    world.prober([world.probe(), world.probe(of=tenant("later", ring="broad"))]).run()
    assert {each.tenant: each.release for each in world.store.results()} == {"aldgate": "8.0", "later": ""}


def test_a_run_past_its_deadline_fails_and_is_undone(world):
    clock = iter([0.0, 0.0, 1.0, *[100.0] * 50])

    def goes_on(erp, manager, make):
        for _ in range(50):
            manager.create_project(make.project())

    world.act = goes_on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringgate.probing.deadlines.time", SimpleNamespace(monotonic=lambda: next(clock)))
        world.prober([world.probe(api_deadline=5 * SECOND)]).run()
    (kept,) = world.store.results()
    assert (kept.outcome, kept.failure.kind) == (Outcome.FAILED, "deadline")
    assert kept.residue == ()
    assert sum(len(driver.projects) for driver in world.drivers) == 1


def test_what_cannot_be_written_to_the_disk_stops_the_prober(world):
    """A result that is neither stored nor spooled would be lost: nothing more is run."""
    prober = world.prober([world.probe()], once=False)

    def full(*_):
        raise OSError("no space left on device")

    prober._spool._write = full
    prober._tick = lambda: prober._run_queue.add([Tick(prober._probes[0], datetime.now(UTC))])
    course = prober.run()
    assert not course.whole
    assert "OSError: no space left on device" in world.heard.remarks


# --- stopping -------------------------------------------------------------------------------------------------------


class Held:
    """A scenario that stands still in the middle, until it is let go."""

    def __init__(self, world) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        world.act = self

    def __call__(self, erp, manager, make) -> None:
        self.reached.set()
        assert self.go.wait(30)
        manager.create_project(make.project())


def test_told_to_stop_it_finishes_what_runs_and_begins_nothing(world):
    held = Held(world)
    one = tenant(sessions=1)
    prober = world.prober([world.probe("one", of=one), world.probe("two", of=one)])
    with beside(prober) as done:
        assert held.reached.wait(30)
        prober.stop()
        until(lambda: prober._run_queue.waits == 0)
        held.go.set()
    assert done[0].outcomes == {Outcome.PASSED: 1}
    assert (done[0].whole, done[0].counters["missed"]) == (False, 1)
    assert world.left_over == []


def test_told_twice_it_undoes_what_runs(world):
    held = Held(world)
    prober = world.prober([world.probe()], grace=60.0)
    with beside(prober) as done:
        assert held.reached.wait(30)
        prober.stop(), prober.stop()
        assert prober._worker_pool.halt.wait(30)
        held.go.set()
    (kept,) = world.store.results()
    assert (kept.outcome, kept.failure) == (Outcome.STOPPED, None)
    assert kept.reason.startswith("We were asked to stop while it ran")
    assert (kept.residue, world.left_over) == ((), [])
    assert done[0].outcomes == {Outcome.STOPPED: 1}


def test_what_does_not_end_in_time_is_said_and_left_to_the_next(world):
    held = Held(world)
    prober = world.prober([world.probe()], grace=0.0)
    probing_ended = world.heard.remarks
    with beside(prober) as done:
        assert held.reached.wait(30)
        prober.stop()
    assert not done[0].whole
    assert probing_ended == ["one on aldgate over api could not be ended: the next prober takes it back"]
    held.go.set()


# --- taking over ----------------------------------------------------------------------------------------------------


def test_what_a_killed_prober_left_is_taken_back_before_its_tenant_is_probed(world):
    crashed = world.engine.journal.begin("dead", "aldgate", "one", "api")
    crashed.register(Reversal("create_project", "project_manager", "RG-dead-1"))
    crashed.release()
    spool = Spool(world.folder / "spool", "dead", lambda result: None)
    spool.on(begun("dead"))
    spool.close()
    order = []
    world.act = lambda erp, manager, make: order.append(world.undone[:1])
    world.prober([world.probe()]).run()
    assert order == [["RG-dead-1"]]
    outcomes = {each.run_id: (each.outcome, each.failure and each.failure.kind) for each in world.store.results()}
    assert outcomes.pop("dead") == (Outcome.BROKEN, "killed")
    assert [outcome for outcome, _ in outcomes.values()] == [Outcome.PASSED]
    assert "1 runs of a prober that was killed: their results are broken" in world.heard.remarks
    assert world.left_over == []
    assert world.store.left_behind() == []


def test_what_was_missed_while_no_prober_was_there_is_counted(world):
    an_hour_ago, probe = datetime.now(UTC) - timedelta(hours=1), world.probe()
    world.store.seen(Sign("before", an_hour_ago, an_hour_ago, detail={"covers": "", "host": "x", "pid": 0}))
    course = world.prober([probe]).run()
    assert 59 <= course.counters["missed"] <= probe.number_at(datetime.now(UTC)) - probe.number_at(an_hour_ago)


def test_a_prober_says_that_it_lives_and_that_it_stopped(world):
    world.prober([world.probe()]).run()
    (sign,) = world.store.probers()
    assert sign.id == "s1"
    assert sign.stopped_at is not None
    assert sign.detail["outcomes"] == {"passed": 1}


# --- on and on ------------------------------------------------------------------------------------------------------


def test_it_probes_again_and_again_for_as_long_as_it_is_told(world):
    course = world.prober([world.probe(every=SECOND)], once=False, lasting=timedelta(seconds=3.5)).run()
    assert 2 <= course.outcomes[Outcome.PASSED] <= 4
    assert course.whole


def test_the_ticks_go_on_when_the_wall_clock_is_set_back(world, monkeypatch):
    """As it is when summer time ends: `schedule` knows local times without a zone."""
    prober = world.prober([world.probe(every=SECOND)], once=False)
    local, ticks = [datetime(2026, 10, 25, 2, 59, 58)], []  # noqa: DTZ001

    class Local(datetime):
        @classmethod
        def now(cls, tz=None):
            return local[0]

    def passes(_seconds: float) -> None:
        local[0] += timedelta(seconds=0.5)
        if local[0].hour == 3:
            local[0] -= timedelta(hours=1)
        if len(ticks) == 10:
            prober.stop()

    monkeypatch.setattr(probing.schedule, "datetime", SimpleNamespace(datetime=Local, timedelta=timedelta))
    monkeypatch.setattr(probing, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=passes))
    monkeypatch.setattr(prober, "_tick", lambda: ticks.append(local[0]))
    prober._on_and_on()
    assert len(ticks) == 10
    assert ticks[-1] < datetime(2026, 10, 25, 2, 0, 20)  # noqa: DTZ001 - not an hour later


def test_a_changed_inventory_is_followed_and_a_wrong_one_is_not(world):
    answers = [Replanned([], []), InventoryError([Problem("tenants/acme.toml", "ring", "is required")]), None]

    def replan():
        answer = answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer

    prober = world.prober([world.probe(every=SECOND)], once=False, replan=replan)
    prober._feed.plan(prober._probes, datetime.now(UTC))
    later = datetime.now(UTC) + MINUTE
    for _ in range(2):
        prober._look_for_changes()
        assert prober._feed.due(later)[0] != []
        later += MINUTE
    assert world.heard.remarks == [
        "the inventory has changed, and is wrong, so the plan stays: tenants/acme.toml: ring: is required"
    ]
    prober._look_for_changes()
    assert prober._feed.due(later) == ([], {})


# --- self-tests -----------------------------------------------------------------------------------------------------


def test_a_ring_that_bakes_gets_a_self_test_an_hour(world):
    def planted(scenario, tenant, channel, engine):
        def falsified(erp, make, run):
            raise ErpUnavailable("planted")

        return run_once(replace(scenario, function=falsified), tenant, channel, replace(engine, source=SELF_TEST))

    world.store.deployed(Deployment("d1", datetime.now(UTC) - MINUTE, "canary", "8.0"))
    probes = [world.probe(name, every=timedelta(hours=9)) for name in ("one", "two")]
    terms = {"once": False, "lasting": timedelta(seconds=1.3), "self_test": planted}
    course = world.prober(probes, **terms).run()
    (kept,) = world.store.results(sources=[SELF_TEST])
    assert (kept.outcome, kept.release, kept.ring) == (Outcome.FAILED, "8.0", "canary")
    assert course.outcomes[Outcome.FAILED] == 0
    world.prober(probes, **terms).run()
    assert len(world.store.results(sources=[SELF_TEST])) == 1


def test_two_probers_at_once_run_each_scenario_once_at_a_time(world):
    """They share journal, locks and store; what one runs the other leaves out."""
    inside, most = [0], [0]
    alone = threading.Lock()

    def counted(erp, manager, make):
        with alone:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        manager.create_project(make.project())
        with alone:
            inside[0] -= 1

    world.act = counted
    first = world.prober([world.probe(every=SECOND)], once=False, lasting=timedelta(seconds=2.5))
    world.engine = replace(world.another(), session="s2")
    second = world.prober([world.probe(every=SECOND)], once=False, lasting=timedelta(seconds=2.5))
    with beside(first) as one, beside(second) as two:
        pass
    assert most[0] == 1
    ran = one[0].outcomes[Outcome.PASSED] + two[0].outcomes[Outcome.PASSED]
    assert len(world.store.results()) == ran
    assert len(world.undone) == 2 * ran
    assert world.left_over == []
