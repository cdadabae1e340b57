"""Where a prober's ticks come from: its own timetable, or a queue that it shares with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ringgate.domain.model import RunResult
from ringgate.probing.plan import Probe
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.timetable import Tick, Timetable
from ringgate.store import CounterKey

Tell = Callable[[Mapping[CounterKey, int]], None]


class Feed(Protocol):
    """`start` comes first, `due` once a second, `hold` when nothing more begins, `close` when all has ended.

    `leads`: whether what only one prober of all is to do falls to this one. `take_back_every`: seconds between looks
    for what killed runs left. `ended` and `stored` are told by other threads: a result is on disk, and in the store."""

    take_back_every: int

    @property
    def leads(self) -> bool: ...
    def start(self, run_queue: RunQueue, probes: Sequence[Probe], tell: Tell, now: datetime) -> None: ...
    def plan(self, probes: Sequence[Probe], now: datetime) -> None: ...
    def due(self, now: datetime) -> tuple[list[Tick], Counter[CounterKey]]: ...
    def ended(self, result: RunResult) -> None: ...
    def stored(self, results: Sequence[RunResult]) -> None: ...
    def hold(self) -> None: ...
    def close(self) -> None: ...


class OwnTimetable:
    """One machine alone: the timetable says what is due."""

    take_back_every = 60
    leads = True

    def start(self, run_queue: RunQueue, probes: Sequence[Probe], tell: Tell, now: datetime) -> None:
        self.plan(probes, now)

    def plan(self, probes: Sequence[Probe], now: datetime) -> None:
        self._timetable = Timetable(probes, now)

    def due(self, now: datetime) -> tuple[list[Tick], Counter[CounterKey]]:
        return self._timetable.due(now)

    def ended(self, result: RunResult) -> None: ...
    def stored(self, results: Sequence[RunResult]) -> None: ...
    def hold(self) -> None: ...
    def close(self) -> None: ...
