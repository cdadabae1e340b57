"""From moments to ticks: what is due now, and what was missed or passed over since. Pure, with the caller's clock.

However long nobody looked (a suspended machine, a stall), a probe is due once, not once for each time it was missed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringgate.probing.counters import MISSED, SKIPPED, counter
from ringgate.probing.plan import Probe
from ringgate.store import CounterKey

SET_BACK = timedelta(seconds=60)
"""A clock that went back by more than this was set, and the slots are counted anew."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A probe is to run; `slot` is when it was due. In a self-test, what the ERP answers is falsified on our side."""

    probe: Probe
    slot: datetime
    self_test: bool = False


class Timetable:
    """The slots to come of all probes."""

    def __init__(self, probes: Iterable[Probe], now: datetime) -> None:
        self._probes = tuple(probe for probe in probes if not probe.never)
        self._restart(now)

    def _restart(self, now: datetime) -> None:
        self._seen = now
        self._coming = [(p.next_after(now), place, p.number_at(now) + 1) for place, p in enumerate(self._probes)]
        heapq.heapify(self._coming)

    def due(self, now: datetime) -> tuple[list[Tick], Counter[CounterKey]]:
        """The ticks since it was asked last, the oldest first, at most one for each probe."""
        if now < self._seen - SET_BACK:
            self._restart(now)
        self._seen = max(now, self._seen)
        ticks: list[Tick] = []
        passed: Counter[CounterKey] = Counter()
        while self._coming and self._coming[0][0] <= now:
            _, place, planned = self._coming[0]
            probe = self._probes[place]
            number = max(probe.number_at(now), planned)
            if missed := _wanted(probe, planned, number):
                passed[counter(MISSED, probe)] += missed
            if closed := probe.closed(now):
                passed[counter(SKIPPED + closed.kind, probe)] += 1
            else:
                ticks.append(Tick(probe, probe.slot(number)))
            heapq.heapreplace(self._coming, (probe.slot(number + 1), place, number + 1))
        return ticks, passed


def missed_between(probes: Iterable[Probe], since: datetime, until: datetime) -> Counter[CounterKey]:
    """The slots after `since` and up to `until` at which a probe was to run, where nobody was there to run it."""
    passed: Counter[CounterKey] = Counter()
    for probe in probes:
        if probe.never:
            continue
        if missed := _wanted(probe, probe.number_at(since) + 1, probe.number_at(until) + 1):
            passed[counter(MISSED, probe)] = missed
    return passed


def _wanted(probe: Probe, first: int, end: int) -> int:
    """How many slots, from `first` until before `end`, were to be run."""
    tenant = probe.tenant
    if not (tenant.paused_until or tenant.probes.maintenance or probe.schedule.hours):
        return max(end - first, 0)
    return sum(not probe.closed(probe.slot(number)) for number in range(first, end))
