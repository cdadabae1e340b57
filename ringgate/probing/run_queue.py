"""Ticks that wait for room, and those under way: who runs next. For threads; the clock is the caller's.

- Two runs of one scenario never overlap on one tenant, over whichever channel.
- A tenant has its cap of sessions, and bears as many runs as it has shown (`execution.concurrency`). One that is slow
  (did not answer last time, or has a run that takes long) has one.
- Slow tenants together have half of the workers at most, so that they hold up nobody else.
- A probe waits once. What still waits when it is due again has missed its turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Channel
from ringgate.execution.concurrency import ConcurrencyLimits, Room, UsualPaces
from ringgate.probing.counters import LATE, LATE_AFTER, MISSED, OVERLAPPING, STUCK
from ringgate.probing.plan import Key, Probe
from ringgate.probing.timetable import Tick

LONG = timedelta(seconds=15)
"""A run over the API that takes longer marks its tenant as slow; one over the browser may take four times that."""

AWAY = timedelta(seconds=15)
"""For so long a tick waits for the browser that knows its tenant; then any takes it."""

AGAIN = timedelta(seconds=2)
"""For so long a tick is put back when other processes have taken all sessions of its tenant."""

_Id = tuple[object, ...]


@dataclass(slots=True)
class Running:
    """A tick under way since `since`; `stuck` once its thread was given up."""

    tick: Tick
    since: datetime
    stuck: bool = False


class RunQueue:
    """`workers` is how many run side by side over each channel; `count` is told of every counter."""

    def __init__(
        self,
        workers: Mapping[Channel, int],
        count: Callable[[str, Probe], None],
        clock: Callable[[], datetime],
        held: Iterable[str] = (),
        limits: ConcurrencyLimits | None = None,
    ) -> None:
        """`held` are tenants that nothing is run on before they are freed; `limits` how much each bears."""
        self._workers, self._count, self._clock = workers, count, clock
        self._alone = threading.RLock()
        self._ready = {channel: threading.Condition(self._alone) for channel in Channel}
        self._ended = threading.Condition(self._alone)
        self._waiting: dict[Channel, dict[_Id, Tick]] = {channel: {} for channel in Channel}
        self._running: dict[_Id, Running] = {}
        self._rooms: dict[_Id, Room] = {}
        self._busy: set[tuple[str, str]] = set()
        self._not_before: dict[_Id, datetime] = {}
        self._slow: set[str] = set()
        self._held = set(held)
        self._limits, self._paces = limits or ConcurrencyLimits(), UsualPaces()
        self._closed = False

    # --- in -----------------------------------------------------------------------------------------------------------

    def add(self, ticks: Iterable[Tick]) -> None:
        """They are due."""
        with self._alone:
            for tick in ticks:
                name, waiting = _id(tick), self._waiting[tick.probe.channel]
                if name in self._running:
                    self._tell(OVERLAPPING, tick)
                    continue
                if waiting.pop(name, None):
                    self._tell(MISSED, tick)
                waiting[name] = tick
                self._wake(tick.probe.channel)

    def free(self, tenant: str) -> None:
        """What is due on this tenant may run now."""
        with self._alone:
            self._held.discard(tenant)
            for channel in Channel:
                self._ready[channel].notify_all()

    def _wake(self, channel: Channel) -> None:
        """Somebody looks again. Any thread will do for the API; browsers have tenants of their own."""
        if self._waiting[channel]:
            self._ready[channel].notify(1 if channel is Channel.API else self._workers[channel])

    # --- out ----------------------------------------------------------------------------------------------------------

    def take(self, channel: Channel, worker: int = 0, *, wait: bool = True) -> Tick | None:
        """The next that may run, now under way; None once the run queue is closed (or there is none, without `wait`).

        `worker` is which of the channel's workers asks: each browser has tenants of its own, and takes others' late."""
        with self._alone:
            while not self._closed:
                now = self._clock()
                slow = self._slow_at(now)
                room = max(1, self._workers[channel] // 2) > sum(
                    each.tick.probe.tenant.id in slow and each.tick.probe.channel is channel
                    for each in self._running.values()
                )
                for name, tick in self._waiting[channel].items():
                    tenant = tick.probe.tenant
                    if tenant.id in slow and (not room or self._limits.running(tenant)):
                        continue
                    if self._may_run(name, tick, worker, now) and (place := self._limits.begin(tenant)):
                        self._start(name, tick, now, place)
                        return tick
                if not wait:
                    return None
                self._ready[channel].wait(1.0)  # some become ready by time alone
        return None

    def _slow_at(self, now: datetime) -> set[str]:
        """The tenants that are slow."""
        return self._slow | {r.tick.probe.tenant.id for r in self._running.values() if now - r.since > _long(r.tick)}

    def _may_run(self, name: _Id, tick: Tick, worker: int, now: datetime) -> bool:
        probe = tick.probe
        if probe.tenant.id in self._held or (probe.tenant.id, probe.scenario.id) in self._busy:
            return False
        if now < self._not_before.get(name, now):
            return False
        mine = probe.channel is Channel.API or probe.home % self._workers[probe.channel] == worker
        return mine or now - tick.slot > AWAY

    def _start(self, name: _Id, tick: Tick, now: datetime, place: Room) -> None:
        del self._waiting[tick.probe.channel][name]
        self._not_before.pop(name, None)
        self._running[name] = Running(tick, now)
        self._rooms[name] = place
        self._busy.add((tick.probe.tenant.id, tick.probe.scenario.id))

    def done(self, tick: Tick, result: RunResult | None = None, *, answered: bool = True) -> bool:
        """It has run, and came to `result`. Says whether its thread may go on: not if it was given up as stuck."""
        with self._alone:
            if result is not None:
                self._rooms[_id(tick)].ended(result, self._paces.usual(result))
                self._paces.take(result)
            running = self._end(tick)
            tenant = tick.probe.tenant.id
            self._slow.discard(tenant) if answered else self._slow.add(tenant)
            if running.since - tick.slot > LATE_AFTER:
                self._tell(LATE, tick)
            return not running.stuck

    def left_out(self, tick: Tick) -> bool:
        """Another process is running the scenario on the tenant: this time it was left out. Returns as `done`."""
        with self._alone:
            running = self._end(tick)
            self._tell(OVERLAPPING, tick)
            return not running.stuck

    def put_back(self, tick: Tick) -> bool:
        """It could not begin, for want of room in other processes. It is tried again soon. Returns as `done`."""
        with self._alone:
            running = self._end(tick)
            waiting, name = self._waiting[tick.probe.channel], _id(tick)
            if not self._closed and name not in waiting:
                waiting[name], self._not_before[name] = tick, self._clock() + AGAIN
            return not running.stuck

    def _end(self, tick: Tick) -> Running:
        running = self._running.pop(_id(tick))
        self._limits.end(tick.probe.tenant, self._rooms.pop(_id(tick)))
        self._busy.discard((tick.probe.tenant.id, tick.probe.scenario.id))
        for channel in Channel:
            self._wake(channel)
        self._ended.notify_all()
        return running

    def _tell(self, what: str, tick: Tick) -> None:
        if not tick.self_test:
            self._count(what, tick.probe)

    # --- around -------------------------------------------------------------------------------------------------------

    def stuck(self) -> list[Tick]:
        """Those that should have ended long ago, each told once."""
        with self._alone:
            now = self._clock()
            found = [r for r in self._running.values() if not r.stuck and now - r.since > _patience(r.tick)]
            for running in found:
                running.stuck = True
                self._tell(STUCK, running.tick)
            return [running.tick for running in found]

    def running(self) -> list[Running]:
        with self._alone:
            return list(self._running.values())

    def take_out(self, wanted: Callable[[Tick], bool]) -> list[Tick]:
        """Those of what waits that are wanted elsewhere; they are not counted."""
        with self._alone:
            found = []
            for waiting in self._waiting.values():
                for name, tick in [*waiting.items()]:
                    if wanted(tick):
                        found.append(waiting.pop(name))
                        self._not_before.pop(name, None)
            return found

    def here(self, channel: Channel) -> int:
        """How many of this channel wait or are under way."""
        with self._alone:
            under_way = sum(each.tick.probe.channel is channel for each in self._running.values())
            return len(self._waiting[channel]) + under_way

    def knows(self, key: Key) -> bool:
        """Whether the probe of this name waits or is under way."""
        with self._alone:
            name = (*key, False)
            return name in self._running or any(name in waiting for waiting in self._waiting.values())

    @property
    def waits(self) -> int:
        return sum(map(len, self._waiting.values()))

    def close(self) -> None:
        """Nothing begins any more. What waits was missed."""
        with self._alone:
            self._closed = True
            for waiting in self._waiting.values():
                for tick in waiting.values():
                    self._tell(MISSED, tick)
                waiting.clear()
            for channel in Channel:
                self._ready[channel].notify_all()

    def settled(self, timeout: float, *, empty: bool = False) -> bool:
        """Waits until nothing is under way (`empty`: nor waits); says whether that came to be in `timeout` seconds."""
        with self._alone:
            return self._ended.wait_for(lambda: not self._running and not (empty and self.waits), timeout)


def _id(tick: Tick) -> _Id:
    return (*tick.probe.key, tick.self_test)


def _long(tick: Tick) -> timedelta:
    return LONG if tick.probe.channel is Channel.API else 4 * LONG


def _patience(tick: Tick) -> timedelta:
    """How long after its beginning a run has to have ended: its deadline, one last wait for the ERP, and undoing."""
    return 3 * tick.probe.deadline + timedelta(minutes=2)
