"""A prober: one process that runs what is due, for as long as it is let.

The `schedule` package gives the ticks: every second, what is due joins the run queue. Everything that waits for
the store is done by the recorder's thread, so that nothing here can be held up by it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import schedule

from ringgate.domain.errors import RinggateError
from ringgate.domain.events import RunRecovered
from ringgate.domain.model import Deployment, RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.drivers.registry import Drivers
from ringgate.execution.recovery import Recovered
from ringgate.execution.run_once import Engine
from ringgate.execution.self_test import self_test
from ringgate.judging.forgetting import Forgetting
from ringgate.probing.counters import OVERLAPPING, SKIPPED, counter
from ringgate.probing.crash_recovery import CrashRecovery
from ringgate.probing.driver_pool import ApiDriverPool, BrowserDriverLease
from ringgate.probing.feeds import Feed, OwnTimetable
from ringgate.probing.plan import Probe
from ringgate.probing.recorder import Chore, Recorder
from ringgate.probing.releases import SELF_TEST_EVERY, release_of, rings_to_test
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.spool import Spool, drain
from ringgate.probing.timetable import Tick, missed_between
from ringgate.probing.worker_pool import SIGN_OUT, RunObserver, SelfTest, WorkerPool
from ringgate.store import CounterKey, Store, StoreError
from ringgate.store import ProberState as Sign

ALIVE = timedelta(seconds=30)
"""A prober that was not seen for so long is dead."""

PAUSE = 0.1
"""Seconds between looks at the schedule."""

SET_BACK = 2.0
"""Seconds to the next tick from which on the wall clock must have been set back: there is one each second."""

UNDOING = 0.7
"""The part of the time of grace that is left for undoing."""

STORING = 10.0
"""Seconds for what is still to be stored when everything else has ended."""

FORGOTTEN_AT_ONCE = 5000
"""Rows of each kind that are forgotten in a minute at most."""

LOOK_BACK = timedelta(days=1)
"""How far back it is counted what was missed while no prober was there."""


def drivers_for(tenants: Sequence[Tenant]) -> Drivers:
    """Those that are installed."""
    return Drivers([each.erp for each in tenants])


@dataclass(frozen=True, slots=True)
class Terms:
    """What a prober is started with.

    `once`: everything that is due is run once. `lasting`: for how long it probes, None for as long as it is let.
    `grace`: seconds in which what runs is finished or undone when it is to stop. `covers` says in words what is probed:
    probers of the same words take over from each other. `forgetting`: what is forgotten meanwhile, None for nothing.
    """

    workers: Mapping[Channel, int]
    once: bool = False
    lasting: timedelta | None = None
    grace: float = 25.0
    covers: str = ""
    forgetting: Forgetting | None = None


@dataclass(frozen=True, slots=True)
class Replanned:
    """What is probed from now on, and the tenants whose sessions may be tried on others."""

    probes: Sequence[Probe]
    neighbours: Sequence[Tenant]


@dataclass
class ProbeTotals:
    """What came of it so far. `whole` is False if something that was to run did not, or was not ended or not stored."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)
    residue: int = 0
    whole: bool = True


class Prober:
    """Probes `probes` with copies of `engine`. `make` makes the drivers of some tenants."""

    def __init__(
        self,
        probes: Sequence[Probe],
        engine: Engine,
        store: Store,
        terms: Terms,
        watcher: RunObserver,
        *,
        spool: Path,
        make: Callable[[Sequence[Tenant]], Drivers] = drivers_for,
        self_test: SelfTest = self_test,
        replan: Callable[[], Replanned | None] = lambda: None,
        feed: Feed | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.course = ProbeTotals()
        self._replan, self._feed = replan, feed or OwnTimetable()
        self._probes, self._store, self._terms, self._watcher, self._clock = probes, store, terms, watcher, clock
        self._tenants = {probe.tenant.id: probe.tenant for probe in probes if not probe.never}
        self._asked, self._alone = 0, threading.Lock()
        self._deployments: list[Deployment] = []
        self._tested: dict[str, datetime] = {}
        self._folder = spool
        self._spool = Spool(spool, engine.session, self._ended)
        self._held = engine.journal.tenants_hit(frozenset(self._tenants))
        self._run_queue = RunQueue(terms.workers, self._count, clock, held=self._held)
        self._crash_recovery = CrashRecovery(
            engine.journal, self._tenants, lambda tenant: make([tenant]),
            redact=engine.redact, told=self._recovered, freed=self._run_queue.free, failed=self._stumbled,
        )  # fmt: skip
        self._worker_pool = WorkerPool(
            self._run_queue,
            replace(engine, sinks=(self._spool, *engine.sinks), stopping=lambda: self._asked > 0),
            ApiDriverPool(lambda tenant: make([tenant])),
            lambda: BrowserDriverLease(lambda: make(tuple(self._tenants.values()))),
            watcher=watcher, failed=self._failed, self_test=self_test,
            release_of=lambda tenant: release_of(tenant, self._deployments, self._clock()),
        )  # fmt: skip
        self._sign = Sign(engine.session, clock(), clock())
        chores: dict[Chore, float] = {
            self._forget: 60.0, self._forget_evidence: 600.0,
            self._be_seen: 5.0, self._look_for_releases: 5.0, self._look_for_self_tests: 60.0,
        }  # fmt: skip
        self._recorder = Recorder(store, self._stored, self._store_error, chores)

    # --- from outside -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop soon: begin nothing, and end what runs. Told again, what runs is undone at once. Safe in a signal."""
        self._asked += 1

    def run(self) -> ProbeTotals:
        """Probe. Returns when it is told to stop, when its time is over, or when everything was run once."""
        self._take_over()
        self._recorder.start()
        self._crash_recovery.take_back(self._held)
        self._worker_pool.start(self._terms.workers)
        try:
            self._once() if self._terms.once else self._on_and_on()
        finally:
            self._end()
        return self.course

    # --- what it does all the time ------------------------------------------------------------------------------------

    def _once(self) -> None:
        now = self._clock()
        wanted = [probe for probe in self._probes if not probe.never]
        for probe in wanted:
            if closed := probe.closed(now):
                self._count(SKIPPED + closed.kind, probe)
                self._watcher.remark(f"{probe}: {closed.reason}")
            else:
                self._run_queue.add([Tick(probe, now)])
        while not self._asked and not self._run_queue.settled(0.2, empty=True):
            self._look_for_stuck()
        if self._asked or self.course.counters[OVERLAPPING]:
            self.course.whole = False

    def _on_and_on(self) -> None:
        self._feed.start(self._run_queue, self._probes, self._tell, self._clock())
        until = time.monotonic() + self._terms.lasting.total_seconds() if self._terms.lasting else None
        ticker = schedule.Scheduler()
        while not self._asked and (until is None or time.monotonic() < until):
            if not ticker.jobs or (ticker.idle_seconds or 0.0) > SET_BACK:
                # The wall clock was set back, as it is when summer time ends: the jobs would wait for it to catch up.
                ticker.clear()
                ticker.every(1).seconds.do(self._tick)
                ticker.every(10).seconds.do(self._look_for_changes)
                ticker.every(self._feed.take_back_every).seconds.do(self._take_back)
            ticker.run_pending()
            time.sleep(PAUSE)

    def _tick(self) -> None:
        ticks, passed = self._feed.due(self._clock())
        self._run_queue.add([*ticks, *self._self_tests_due()])
        self._tell(passed)
        self._look_for_stuck()

    def _look_for_changes(self) -> None:
        """Probe as the inventory says now. One that is wrong changes nothing, and is told."""
        try:
            changed = self._replan()
        except RinggateError as problem:
            self._watcher.remark(f"the inventory has changed, and is wrong, so the plan stays: {problem}", "bold red")
            return
        if changed is None:
            return
        self._probes = changed.probes
        self._tenants.update({probe.tenant.id: probe.tenant for probe in changed.probes if not probe.never})
        self._worker_pool.surround(changed.neighbours)
        self._feed.plan(self._probes, self._clock())
        self._watcher.remark("the inventory has changed: probing goes on as it says now")

    def _look_for_stuck(self) -> None:
        for tick in self._run_queue.stuck():
            self._watcher.remark(f"{tick.probe} does not end: its thread is given up", "bold yellow")
            self._worker_pool.spawn(tick.probe.channel)

    def _take_back(self) -> None:
        try:
            self._crash_recovery.take_back()
        except ValueError as problem:  # a file that is no journal: somebody put it there while we ran
            self._stumbled(problem)

    def _self_tests_due(self) -> list[Tick]:
        now, due = self._clock(), list[Tick]()
        if not self._feed.leads:
            return due
        for ring in rings_to_test(self._deployments, self._tested, now):
            fitting = [p for p in self._probes if p.tenant.ring == ring and not p.never and not p.closed(now)]
            fitting = [p for p in fitting if p.channel is Channel.API] or fitting
            if fitting:
                self._tested[ring] = now
                due.append(Tick(fitting[int(now.timestamp()) // 3600 % len(fitting)], now, self_test=True))
        return due

    # --- what it is told by its threads -------------------------------------------------------------------------------

    def _ended(self, result: RunResult) -> None:
        with self._alone:
            if result.source is not Source.SELF_TEST:
                self.course.outcomes[result.outcome] += 1
            self.course.residue += len(result.residue)
        self._feed.ended(result)
        self._recorder.keep(result)

    def _stored(self, results: Sequence[RunResult]) -> None:
        self._spool.stored(results)
        self._feed.stored(results)

    def _count(self, what: str, probe: Probe) -> None:
        self._tell({counter(what, probe): 1})

    def _tell(self, passed: Mapping[CounterKey, int]) -> None:
        if passed:
            with self._alone:
                for (what, *_), number in passed.items():
                    self.course.counters[what] += number
            self._recorder.count(passed)

    def _recovered(self, each: Recovered) -> None:
        self._recorder.recovered(RunRecovered(each.run_id, each.tenant, self._clock(), each.undone, each.left))
        if each.undone:
            self._watcher.remark(f"{each.tenant}: {each.scenario}, run {each.run_id}: {each.undone} taken back")
        for left in each.left:
            self._watcher.remark(f"{each.tenant}: left behind: {left.verb} {left.marker}: {left.reason}", "red")

    def _failed(self, problem: Exception) -> None:
        """Nothing can be run like this."""
        self._stumbled(problem)
        self._asked += 1

    def _stumbled(self, problem: Exception) -> None:
        self.course.whole = False
        words = str(problem) if isinstance(problem, RinggateError) else f"{type(problem).__name__}: {problem}"
        self._watcher.remark(words, "bold red")

    def _store_error(self, sentence: str) -> None:
        told = f"{sentence}; results wait on disk" if sentence else "the result store can be written again"
        self._watcher.remark(told, "bold yellow" if sentence else "")

    # --- what is done with the store, by the recorder's thread --------------------------------------------------------

    def _be_seen(self, store: Store, *, stopped: bool = False) -> None:
        now = self._clock()
        detail = {
            "host": socket.gethostname(), "pid": os.getpid(), "covers": self._terms.covers,
            "probes": sum(not probe.never for probe in self._probes), "waiting": self._run_queue.waits,
            "running": len(self._run_queue.running()), "outcomes": dict(self.course.outcomes),
            "workers": {channel.value: number for channel, number in self._terms.workers.items()},
        }  # fmt: skip
        store.seen(replace(self._sign, seen_at=now, stopped_at=now if stopped else None, detail=detail))

    def _forget(self, store: Store) -> None:
        """A little of what is older than it is kept: the rest waits a minute."""
        if self._terms.forgetting:
            self._terms.forgetting.prune(store, self._clock(), FORGOTTEN_AT_ONCE)

    def _forget_evidence(self, store: Store) -> None:
        if self._terms.forgetting:
            self._terms.forgetting.prune_evidence(store, self._clock())

    def _look_for_releases(self, store: Store) -> None:
        self._deployments = store.deployments()

    def _look_for_self_tests(self, store: Store) -> None:
        since = self._clock() - SELF_TEST_EVERY
        for result in store.results(since=since, sources=[Source.SELF_TEST]):
            self._tested[result.ring] = max(result.started_at, self._tested.get(result.ring, result.started_at))

    # --- before and after ---------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Store what dead probers ran, and count what was missed while there was none."""
        killed = drain(self._folder, lambda results: self._store.add(*results, known=True))
        if killed:
            self._watcher.remark(f"{len(killed)} runs of a prober that was killed: their results are broken", "yellow")
        self._look_for_releases(self._store)
        now = self._clock()
        if since := last_seen(self._store.probers(), self._terms.covers, now):
            self._tell(missed_between(self._probes, max(since, now - LOOK_BACK), now))

    def _end(self) -> None:
        """Finish what runs; undo what cannot be finished; store everything."""
        self._feed.hold()
        self._run_queue.close()
        until = time.monotonic() + self._terms.grace
        while not self._run_queue.settled(0.2) and time.monotonic() < until:
            if self._asked > 1 or until - time.monotonic() < self._terms.grace * UNDOING:
                self._worker_pool.halt.set()
        for running in self._run_queue.running():
            self.course.whole = False
            self._watcher.remark(f"{running.tick.probe} could not be ended: the next prober takes it back", "bold red")
        self._worker_pool.leave(SIGN_OUT)
        if not self._recorder.close(STORING):
            self.course.whole = False
            self._watcher.remark("not every result could be stored: the next prober does it", "bold red")
        try:
            self._be_seen(self._store, stopped=True)
        except StoreError as problem:
            self._store_error(str(problem))
        self._feed.close()
        self._spool.close()


def last_seen(probers: Sequence[Sign], covers: str, now: datetime) -> datetime | None:
    """Since when nobody has probed this; None if somebody does, or nobody ever did."""
    known = [each for each in probers if (each.detail or {}).get("covers") == covers]
    if not known or any(_alive(each, now) for each in known):
        return None
    return max(each.stopped_at or each.seen_at for each in known)


def _alive(prober: Sign, now: datetime) -> bool:
    detail = prober.detail or {}
    if prober.stopped_at is not None or now - prober.seen_at > ALIVE:
        return False
    return detail.get("host") != socket.gethostname() or psutil.pid_exists(int(detail.get("pid", 0)))
