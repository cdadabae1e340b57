"""The threads that run what is due. Each takes a tick, leases drivers, runs the scenario once, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Capability, Channel, Outcome
from ringgate.execution.run_once import Engine, run_once
from ringgate.execution.self_test import self_test
from ringgate.host.run_locks import Crowded
from ringgate.probing.deadlines import LimitedDriver
from ringgate.probing.driver_pool import ApiDriverPool, BrowserDriverLease, DriverSet
from ringgate.probing.plan import Probe
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.spool import no_room
from ringgate.probing.timetable import Tick

UNANSWERED = ("unavailable", "timed-out", "deadline")
"""Kinds of failure after which a tenant is slow until a run gets through."""

NEIGHBOURS = 6
"""Tenants whose sessions one run tries: to sign in to hundreds of them would take longer than its deadline."""

SIGN_OUT = 5.0
"""Seconds in which the sessions of all drivers are ended when the prober stops."""


SelfTest = Callable[[Scenario, Tenant, Channel, Engine], RunResult]
"""Runs a scenario whose answers from the ERP are falsified on our side: it must come out `failed`."""


class RunObserver(Protocol):
    """Is told what goes on, by several threads."""

    def began(self, tick: Tick) -> None: ...
    def ended(self, tick: Tick, result: RunResult) -> None: ...
    def left(self, tick: Tick) -> None: ...  # there was no room for it
    def remark(self, sentence: str, style: str = "") -> None: ...


class WorkerPool:
    """`release_of` labels the runs of a tenant, `failed` gets what keeps the prober from going on."""

    def __init__(
        self,
        run_queue: RunQueue,
        engine: Engine,
        api: ApiDriverPool,
        browser: Callable[[], BrowserDriverLease],
        *,
        watcher: RunObserver,
        release_of: Callable[[Tenant], str],
        failed: Callable[[Exception], None],
        self_test: SelfTest = self_test,
    ) -> None:
        self._run_queue, self._engine, self._api, self._browser = run_queue, engine, api, browser
        self._watcher, self._release_of, self._failed, self._self_test = watcher, release_of, failed, self_test
        self.halt = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: set[threading.Thread] = set()

    def surround(self, neighbours: Sequence[Tenant]) -> None:
        """These are the tenants whose sessions can be tried on others from now on."""
        self._engine.neighbours = tuple(neighbours)

    def start(self, workers: Mapping[Channel, int]) -> None:
        for channel, number in workers.items():
            for index in range(number):
                self.spawn(channel, index)

    def spawn(self, channel: Channel, index: int = 0) -> None:
        """One more thread, also in place of one that is stuck."""
        thread = threading.Thread(target=self._work, args=(channel, index), name=f"{channel}-{index}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def leave(self, timeout: float) -> None:
        """Wait for all to sign out and go; those who still run something are left behind."""
        until = time.monotonic() + timeout
        for thread in set(self._threads) - self._running:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self, channel: Channel, index: int) -> None:
        try:
            pool = self._api if channel is Channel.API else self._browser()
            goes_on = True
            try:
                while goes_on and (tick := self._run_queue.take(channel, index)):
                    with pool.lease(tick.probe.tenant) as drivers:
                        goes_on = self._once(tick, drivers)
            finally:
                if goes_on or channel is Channel.BROWSER:
                    pool.close(time.monotonic() + SIGN_OUT)
        except Exception as problem:  # nothing a scenario does ends here: it is our own, and told
            self._failed(problem)

    def _once(self, tick: Tick, drivers: DriverSet) -> bool:
        self._watcher.began(tick)
        self._running.add(threading.current_thread())
        answered, result = True, None
        try:
            result = self._run(tick, drivers)
            if kind := no_room(result):
                self._watcher.left(tick)
                return self._run_queue.put_back(tick) if kind == Crowded.kind else self._run_queue.left_out(tick)
            answered = result.outcome is not Outcome.FAILED or _kind(result) not in UNANSWERED
            self._watcher.ended(tick, result)
        except BaseException:
            self._run_queue.done(tick)
            raise
        finally:
            self._running.discard(threading.current_thread())
        return self._run_queue.done(tick, result, answered=answered)

    def _run(self, tick: Tick, drivers: DriverSet) -> RunResult:
        probe = tick.probe
        key = (probe.tenant.erp, probe.channel)
        driver = LimitedDriver(drivers[key], probe.deadline, self.halt)
        engine = replace(self._engine, drivers={key: driver}, release=self._release_of(probe.tenant))
        if Capability.OUTSIDERS in probe.scenario.needs:
            engine.neighbours = some(engine.neighbours, probe, tick.slot)
        run = self._self_test if tick.self_test else run_once
        return run(probe.scenario, probe.tenant, probe.channel, engine)


def some(neighbours: Sequence[Tenant], probe: Probe, slot: datetime) -> tuple[Tenant, ...]:
    """A few of the tenants whose sessions can be tried on the probe's, each time the next ones: all have their turn."""
    others = [each for each in neighbours if each.id != probe.tenant.id and each.erp == probe.tenant.erp]
    first = (probe.home + probe.number_at(slot)) * NEIGHBOURS
    return tuple(others[(first + n) % len(others)] for n in range(min(NEIGHBOURS, len(others))))


def _kind(result: RunResult) -> str:
    return result.failure.kind if result.failure else ""
