"""Figures of many runs at once, out of the store's rows: what `Figures.take` does for each of them in turn.

A store of a million results is caught up with in seconds; run by run it would take minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringgate.domain.labels import RunLabels, RunShape, moment_of
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.metrics.figures import AVAILABILITY, BUCKETS, DurationSpread, Figures, Last, RunCount, caught
from ringgate.store import encoding

Array = NDArray[Any]
Row = tuple[Any, ...]
"""As the store gives it: a million of them are not made into anything else."""

ADDED = ("labels", "shape", "started_at", "seconds", "trace_id", "steps", "details")
"""What is read of each run that is only added up; more may follow."""


def take_rows(
    figures: Figures, rows: Sequence[Row], labels: Mapping[int, RunLabels], shapes: Mapping[int, RunShape]
) -> None:
    """Adds these rows (ADDED). Whoever calls takes care that each is taken once."""
    if rows:
        _Taking(figures, rows, labels, shapes).take()


def newest_of(keys: Array, started: Array, labels: Mapping[int, RunLabels], each: int) -> Array:
    """The places of those runs that started last, so many of each scenario on each tenant over each channel. `keys` are
    those of their labels, `started` microseconds since 1970."""
    numbers, known = np.full(max(labels, default=0) + 1, -1), dict[tuple[str, str, str], int]()
    for key, v in labels.items():
        if v.source in AVAILABILITY:
            numbers[key] = known.setdefault((v.tenant, v.scenario, v.channel.value), len(known))
    of = numbers[keys]
    order = np.lexsort((started, of))
    order = order[of[order] >= 0]
    ordered = of[order]
    # The place of each in its own group, from the end.
    ends = np.searchsorted(ordered, ordered, side="right")
    chosen: Array = order[ends - np.arange(len(order)) <= each]
    return chosen


class _Taking:
    """Rows that are added up: by their labels and shape first, and those of steps by what they have in common."""

    def __init__(
        self, figures: Figures, rows: Sequence[Row], labels: Mapping[int, RunLabels], shapes: Mapping[int, RunShape]
    ) -> None:
        self._figures, self._labels, self._shapes = figures, labels, shapes
        of, shape, started, seconds, self._traces, self._steps, self._details, *_ = zip(*rows, strict=True)
        self._of, self._shape, self._seconds = np.array(of), np.array(shape), np.array(seconds)
        # As timedelta rounds; durations are not so long that their parts would matter.
        self._at = np.array(started) + np.rint(self._seconds * 1e6).astype(np.int64)
        self._channels = {each: each.value for each in Channel}
        self._outcomes = {each: each.value for each in Outcome}

    def take(self) -> None:
        self._take_residue()
        pairs = self._of.astype(np.int64) << 32 | self._shape
        order = np.lexsort((np.arange(len(pairs)), self._at, pairs))
        ordered = pairs[order]
        ends = np.flatnonzero(np.diff(ordered, append=ordered[-1:] - 1))
        starts = np.append(0, ends[:-1] + 1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            self._take_pair(int(ordered[end]), end - start + 1, int(order[end]))
        self._take_steps()

    def _take_pair(self, pair: int, number: int, last: int) -> None:
        """So many runs of the same labels and shape, of which this was the last to end."""
        figures, labels, shape = self._figures, self._labels[pair >> 32], self._shapes[pair & 0xFFFFFFFF]
        at, trace = moment_of(self._at[last]), self._trace(last)
        if labels.source is Source.SELF_TEST:
            word = caught(shape.outcome, shape.failure)
            _add(figures.self_tests.setdefault((labels.ring, word), RunCount()), number, at, trace)
        if labels.source not in AVAILABILITY:
            return
        channel = self._channels[labels.channel]
        key = (labels.tenant, labels.scenario, channel)
        _add(figures.runs.setdefault((*key, self._outcomes[shape.outcome]), RunCount()), number, at, trace)
        if shape.outcome is Outcome.SKIPPED:
            return
        told = shape.outcome is not Outcome.STOPPED  # what was before it holds on
        if told and (key not in figures.last or at >= figures.last[key].at):
            seconds = float(self._seconds[last])
            figures.last[key] = Last(at, shape.outcome, seconds, labels.ring, labels.release)
        if shape.failure is not None:
            failure = shape.failure
            reason = failure.invariant.value if failure.invariant else failure.kind
            name = (labels.scenario, failure.step, channel, labels.ring, labels.release, reason)
            _add(figures.failures.setdefault(name, RunCount()), number, at, trace)

    def _take_residue(self) -> None:
        for place in [n for n, said in enumerate(self._details) if said and '"residue"' in said]:
            for left in json.loads(self._details[place]).get("residue", ()):
                count = self._figures.residue.setdefault(left["tenant"], RunCount())
                count.add(moment_of(self._at[place]), self._trace(place))

    def _take_steps(self) -> None:
        """Runs of one shape have the same steps; those of one scenario, channel, ring and release count together."""
        groups: dict[tuple[str, str, str, str], int] = {}
        numbers = np.full(max(self._labels) + 1, -1)
        for key, v in self._labels.items():
            if v.source in AVAILABILITY:
                numbers[key] = groups.setdefault((v.scenario, v.channel.value, v.ring, v.release), len(groups))
        of, named = numbers[self._of], list(groups)
        for shape in np.flatnonzero(np.bincount(self._shape)).tolist():
            steps = self._shapes[shape].steps
            if not steps or self._shapes[shape].outcome is Outcome.SKIPPED:
                continue
            places = np.flatnonzero((self._shape == shape) & (of >= 0))
            times = self._times(places, len(steps))
            here = of[places]
            for number in np.flatnonzero(np.bincount(here)).tolist():
                mine = here == number
                scenario, channel, ring, release = named[number]
                for index, (step, outcome, *_) in enumerate(steps):
                    if outcome is Outcome.PASSED:
                        name = (scenario, step, channel, ring, release)
                        spread = self._figures.steps.setdefault(name, DurationSpread())
                        self._spread(spread, places[mine], times[mine, 2 * index + 1])

    def _times(self, places: Array, steps: int) -> Array:
        """Start and length of each step in microseconds, a row for each run."""
        kept = list(map(self._steps.__getitem__, places.tolist()))
        if set(map(len, kept)) == {8 * steps}:
            return np.frombuffer(b"".join(kept), "<u4").reshape(len(kept), 2 * steps)
        wide = [np.frombuffer(each, "<u4" if encoding.is_short(each, steps) else "<u8") for each in kept]
        return np.array(wide, np.uint64).reshape(len(kept), 2 * steps)

    def _spread(self, spread: DurationSpread, places: Array, lengths: Array) -> None:
        seconds = lengths / 1e6
        buckets = np.searchsorted(BUCKETS, seconds)
        for bucket in np.flatnonzero(np.bincount(buckets)).tolist():
            here = np.flatnonzero(buckets == bucket)
            spread.numbers[bucket] += len(here)
            last = int(here[-1])
            place = int(places[last])
            spread.exemplars[bucket] = (float(seconds[last]), self._trace(place), moment_of(self._at[place]))
        spread.seconds += float(seconds.sum())
        spread.at = max(spread.at, moment_of(self._at[places].max()))

    def _trace(self, place: int) -> str:
        return encoding.trace_text(bytes(self._traces[place]))


def _add(count: RunCount, number: int, at: datetime, trace: str) -> None:
    """`RunCount.add` for so many, of which the last was at `at`."""
    count.add(at, trace)
    count.number += number - 1
