"""`gate/silence.py` over columns: probes that came in time are passed over together, only gaps are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ringgate.domain.labels import microseconds
from ringgate.gate.columnar.evidence import Bools, Ints, datetime_of, span_of
from ringgate.gate.observations import Probe
from ringgate.gate.silence import ALLOWANCE, PATIENCE, Due, ExpectedResults, never


@dataclass(frozen=True, slots=True)
class DueResults:
    """Due results by the number of their probe: when each came, or was missed."""

    probes: Ints
    at: Ints
    missing: Bools


class ColumnarExpectedResults(ExpectedResults):
    """A watch that takes many results at once. `probes` are all that are watched, numbered in their order."""

    def __init__(self, due: Due, starts: Mapping[str, datetime]) -> None:
        super().__init__(due, starts)
        self.probes = sorted(self._last)
        self.numbers = {probe: number for number, probe in enumerate(self.probes)}
        self._since = np.array([microseconds(self._last[probe]) for probe in self.probes], np.int64)
        every = [due.every[probe] for probe in self.probes]
        self._every = np.array([span_of(each) for each in every], np.int64)
        self._grace = np.array([span_of(each * PATIENCE + ALLOWANCE) for each in every], np.int64)
        self._waiting: list[tuple[Ints, Ints]] = []

    def came(self, probe: Probe, at: datetime) -> None:
        if probe in self.numbers:
            self.came_many(np.array([self.numbers[probe]]), np.array([microseconds(at)]))

    def came_many(self, probes: Ints, at: Ints) -> None:
        """Results of probes by their numbers."""
        self._waiting.append((probes, at))

    def told_until(self, now: datetime) -> DueResults:
        """`ExpectedResults.until`, all at once, in no order."""
        until = microseconds(now)
        probes, at = self._ripe(until)
        before = np.empty_like(at)
        before[1:] = at[:-1]
        firsts = np.flatnonzero(np.diff(probes, prepend=-1))
        before[firsts] = self._since[probes[firsts]]
        before = np.maximum(before, self._since[probes])
        late = np.flatnonzero(at - before > self._grace[probes])
        last = self._since.copy()
        np.maximum.at(last, probes, at)
        open_ = np.flatnonzero(until - last > self._grace)
        missed_of, missed_at = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        gaps = [*((probes[n], before[n], at[n]) for n in late), *((n, last[n], until) for n in open_)]
        for number, since, end in gaps:
            moments = self._missed(int(number), int(since), int(end))
            missed_of.append(np.full(len(moments), number))
            missed_at.append(moments)
        for number in open_:  # what was told as missed is waited for no longer
            more = -(-(until - last[number] - self._grace[number]) // self._every[number])
            last[number] += more * self._every[number]
        self._since = last
        missed = np.concatenate(missed_at)
        return DueResults(
            np.concatenate([probes, *missed_of]),
            np.concatenate([at, missed]),
            np.concatenate([np.zeros(len(at), bool), np.ones(len(missed), bool)]),
        )

    def _ripe(self, until: int) -> tuple[Ints, Ints]:
        """What came before `until`, by probe and time; the rest waits on."""
        if not self._waiting:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        probes = np.concatenate([probes for probes, _ in self._waiting])
        at = np.concatenate([at for _, at in self._waiting])
        now = at < until
        self._waiting = [] if now.all() else [(probes[~now], at[~now])]
        if not now.all():
            probes, at = probes[now], at[now]
        order = np.argsort(probes.astype(np.uint16) if len(self.probes) < 2**16 else probes, kind="stable")
        probes, at = probes[order], at[order]
        if ((np.diff(at) < 0) & (np.diff(probes) == 0)).any():  # they came in another order than that of time
            order = np.lexsort((at, probes))
            probes, at = probes[order], at[order]
        return probes, at

    def _missed(self, number: int, since: int, end: int) -> Ints:
        """The moments at which something was overdue and had no right to be."""
        probe, every, grace = self.probes[number], int(self._every[number]), int(self._grace[number])
        found: Ints = np.arange(since + grace, end, every)
        if self._due.rests is not never and probe not in self._due.always:
            awake = [not self._due.rests(probe, datetime_of(at - grace), datetime_of(at)) for at in found]
            found = found[np.array(awake, bool)]
        if len(found):
            self.missed[probe] = self.missed.get(probe, 0) + len(found)
        return found
