"""The threads that run what is due. Each takes a tick, lends a lane, runs the scenario once, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from ringgate.execution import Engine, run_once
from ringgate.model import Channel, Outcome, RunResult, Scenario, Source, Tenant
from ringgate.occupancy import Crowded
from ringgate.probing.lanes import ApiLanes, BrowserLane, Lane
from ringgate.probing.limits import LimitedDriver
from ringgate.probing.lineup import Lineup
from ringgate.probing.spool import no_room
from ringgate.probing.timetable import Tick

UNANSWERED = ("unavailable", "deadline")
"""Kinds of failure after which a tenant is slow until a run gets through."""

SIGN_OUT = 5.0
"""Seconds in which the sessions of all lanes are ended when the prober stops."""


class SelfTests(Protocol):
    """Runs a scenario whose answers from the ERP are falsified on our side: it must come out `failed`."""

    def suits(self, scenario: Scenario, channel: Channel) -> bool:
        """Whether a fault can be planted into this scenario over this channel."""
        ...

    def run(self, scenario: Scenario, tenant: Tenant, channel: Channel, engine: Engine) -> RunResult: ...


class Watcher(Protocol):
    """Is told what goes on, by several threads."""

    def began(self, tick: Tick) -> None: ...
    def ended(self, tick: Tick, result: RunResult) -> None: ...
    def left(self, tick: Tick) -> None: ...  # there was no room for it
    def remark(self, sentence: str, style: str = "") -> None: ...


class Crew:
    """`release_of` labels the runs of a tenant, `failed` gets what keeps the prober from going on."""

    def __init__(
        self,
        lineup: Lineup,
        engine: Engine,
        api: ApiLanes,
        browser: Callable[[], BrowserLane],
        *,
        watcher: Watcher,
        release_of: Callable[[Tenant], str],
        failed: Callable[[Exception], None],
        self_tests: SelfTests | None = None,
    ) -> None:
        self._lineup, self._engine, self._api, self._browser = lineup, engine, api, browser
        self._watcher, self._release_of, self._failed, self._self_tests = watcher, release_of, failed, self_tests
        self.halt = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: set[threading.Thread] = set()

    def start(self, workers: Mapping[Channel, int]) -> None:
        for channel, number in workers.items():
            for lane in range(number):
                self.hire(channel, lane)

    def hire(self, channel: Channel, lane: int = 0) -> None:
        """One more thread, also in place of one that is stuck."""
        thread = threading.Thread(target=self._work, args=(channel, lane), name=f"{channel}-{lane}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def leave(self, timeout: float) -> None:
        """Wait for all to sign out and go; those who still run something are left behind."""
        until = time.monotonic() + timeout
        for thread in set(self._threads) - self._running:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self, channel: Channel, number: int) -> None:
        lanes = self._api if channel is Channel.API else self._browser()
        goes_on = True
        try:
            while goes_on and (tick := self._lineup.take(channel, number)):
                with lanes.lent(tick.probe.tenant) as lane:
                    goes_on = self._once(tick, lane)
        except Exception as problem:  # nothing a scenario does ends here: it is our own, and told
            self._failed(problem)
        finally:
            if goes_on or channel is Channel.BROWSER:
                lanes.close(time.monotonic() + SIGN_OUT)

    def _once(self, tick: Tick, lane: Lane) -> bool:
        self._watcher.began(tick)
        self._running.add(threading.current_thread())
        answered = True
        try:
            result = self._run(tick, lane)
            if kind := no_room(result):
                self._watcher.left(tick)
                return self._lineup.put_back(tick) if kind == Crowded.kind else self._lineup.left_out(tick)
            answered = result.outcome is not Outcome.FAILED or _kind(result) not in UNANSWERED
            self._watcher.ended(tick, result)
        except BaseException:
            self._lineup.done(tick)
            raise
        finally:
            self._running.discard(threading.current_thread())
        return self._lineup.done(tick, answered=answered)

    def _run(self, tick: Tick, lane: Lane) -> RunResult:
        probe = tick.probe
        key = (probe.tenant.erp, probe.channel)
        driver = LimitedDriver(lane[key], probe.deadline, self.halt)
        engine = replace(self._engine, drivers={key: driver}, release=self._release_of(probe.tenant))
        if tick.self_test and self._self_tests:
            engine.source = Source.SELF_TEST
            return self._self_tests.run(probe.scenario, probe.tenant, probe.channel, engine)
        return run_once(probe.scenario, probe.tenant, probe.channel, engine)


def _kind(result: RunResult) -> str:
    return result.failure.kind if result.failure else ""
