"""`gate/baseline.py` over columns: the same baseline of a release, from a million runs in half a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Any

import numpy as np

from ringgate.domain.columns import ResultColumns
from ringgate.domain.model import SignalSample
from ringgate.domain.terms import Invariant, Outcome, Source
from ringgate.gate.baseline import Baseline, Signature, of_samples
from ringgate.gate.bounds import tail_from
from ringgate.gate.columnar import evidence as says
from ringgate.gate.columnar.evidence import NO, YES, Array, Bools, Floats, Ints
from ringgate.gate.columnar.paces import said_of_pace, usual_pace
from ringgate.gate.observations import EVIDENCE, Probe, UsualPace, kind_of, probe_of, usual_lags
from ringgate.gate.policy import GatePolicy
from ringgate.gate.rates import BUSY, LEAST_IN_A_PIECE, PIECE, PIECES, STREAKS_MATTER, RateCount, Rates
from ringgate.gate.signals import Signal
from ringgate.gate.waivers import Waivers

_SECOND = 1_000_000


def learn_columns(
    columns: ResultColumns,
    samples: Iterable[SignalSample],
    ring: str,
    tenants: Collection[str],
    policy: GatePolicy,
    waivers: Waivers | None = None,
) -> Baseline:
    """`baseline.learn`, of columns in any order."""
    waivers, tenants, samples = waivers or Waivers(), frozenset(tenants), tuple(samples)
    lags = usual_lags(samples, ring, tenants)
    ran = columns.where(lambda labels: labels.tenant in tenants and labels.source in EVIDENCE)
    ran = ResultColumns(ran.records[np.argsort(ran.records["started"], kind="stable")], ran.labels, ran.shapes)
    said = says.failing(ran)
    kept = (said == NO) | ((said == YES) & ~says.accepted(ran, said == YES, waivers))
    good = ran.only(kept)
    bad = said[kept] == YES
    runs = _Runs(good, policy)
    pace = usual_pace(good, runs.kinds, runs.kind_names, policy)
    started = good.records["started"]
    return Baseline(
        runs=len(good),
        failed=int(bad.sum()),
        broken=int((says.outcomes(ran) == list(Outcome).index(Outcome.BROKEN)).sum()),
        tenants=frozenset(runs.tenant_names[n] for n in says.distinct(runs.tenants)),
        since=says.datetime_of(started[0]) if len(good) else None,
        until=says.datetime_of(started[-1]) if len(good) else None,
        pace=pace,
        rates={
            **{signal: runs.rates_of(signal, pace, policy) for signal in Signal if signal.definition.of_run},
            **of_samples(samples, ring, tenants, policy, lags),
        },
        tested=frozenset(probe_of(good.labels[key]) for key in says.distinct(good.records["labels"])),
        intervals=_intervals(ran),
        lags=lags,
        groups=_counted(good, bad, says.signature_of),
        broken_invariants=_broken_invariants(good, bad),
    )


class _Runs:
    """The runs of a baseline that passed or failed, with numbers for what is counted apart."""

    def __init__(self, columns: ResultColumns, policy: GatePolicy) -> None:
        self.columns, self._tick = columns, says.span_of(policy.tick)
        labels = columns.labels
        self.tenants, self.tenant_names = says.numbered(columns, {k: v.tenant for k, v in labels.items()})
        self.kinds, self.kind_names = says.numbered(columns, {k: kind_of(v) for k, v in labels.items()})
        at = says.known_at(columns)
        self._order = np.lexsort((self.kinds, self.tenants, at))
        self._at, tenants, kinds = at[self._order], self.tenants[self._order], self.kinds[self._order]
        probes = tenants.astype(np.int64) * (len(self.kind_names) + 1) + kinds
        self._series = [_Series(probes), _Series(tenants), _Series(np.zeros_like(tenants))]
        self._in_order = tenants, kinds
        same = (np.diff(self._at) == 0) & (np.diff(probes) == 0)
        self._ties = bool(same.any())

    def rates_of(self, signal: Signal, pace: UsualPace, policy: GatePolicy) -> tuple[Rates, ...]:
        """How often these runs were bad, for each null of a signal."""
        if signal.definition.timed:
            bad, known = said_of_pace(signal, self.columns, self.kinds, self.kind_names, pace, policy)
            return tuple(self.rates(known, each, by_hour=True) for each in bad.T)
        said = says.by_shape(self.columns, signal)
        return (self.rates(said != says.NOTHING, said == YES),)

    def rates(self, concerned: Bools, seen: Bools, *, by_hour: bool = False) -> Rates:
        """`rates.OutcomeHistory.rates`, of the runs that are concerned."""
        rows, bad = concerned[self._order], seen[self._order]
        if self._ties:  # of two at the same moment, what was not seen comes first
            tenants, kinds = self._in_order
            again = np.lexsort((bad, kinds, tenants, self._at))
            rows, bad = rows[again], bad[again]
        at, (tenants, kinds) = self._at, self._in_order
        everything = RateCount(int(bad[rows].sum()), int(rows.sum()))
        return Rates(
            everything,
            _counts(tenants[rows], bad[rows], self.tenant_names),
            _counts(kinds[rows], bad[rows], self.kind_names),
            self._streak(rows, bad),
            self._busiest(at[rows], bad[rows], everything) if by_hour else None,
        )

    def _streak(self, rows: Bools, bad: Bools) -> int:
        if not (rows & bad).any():
            return 1
        ticks = self._at // self._tick
        return max(each.streak(ticks, rows, bad) for each in self._series)

    def _busiest(self, at: Ints, bad: Bools, everything: RateCount) -> RateCount | None:
        """As `rates.OutcomeHistory` has it, in its seconds."""
        if not len(at):
            return None
        seconds = at / 1e6
        first, last = float(seconds[0]), float(seconds[-1])
        length = min(PIECE, max((last - first) / PIECES, self._tick / _SECOND))
        pieces = ((seconds - first) // length).astype(np.int64)
        runs, seen = np.bincount(pieces), np.bincount(pieces, weights=bad)
        full = [RateCount(int(s), int(r)) for s, r in zip(seen, runs, strict=True) if r >= LEAST_IN_A_PIECE]
        worst = max(full, key=lambda count: count.rate, default=None)
        if worst is None or tail_from(worst.seen, worst.runs, everything.rate) > BUSY / len(full):
            return None
        return worst


def _counts(groups: Array, bad: Bools, names: list[str]) -> dict[str, RateCount]:
    runs = np.bincount(groups, minlength=len(names))
    seen = np.bincount(groups, weights=bad, minlength=len(names))
    return {names[n]: RateCount(int(seen[n]), int(runs[n])) for n in np.flatnonzero(runs)}


def streak_of(groups: Array, ticks: Ints, seen: Bools) -> int:
    """`rates.streak_of`: entries are in the order of time, and each group is a series of its own."""
    return _Series(groups).streak(ticks, np.ones(len(groups), bool), seen)


class _Series:
    """Entries in the order of time, taken apart by the group that each is of."""

    def __init__(self, groups: Array) -> None:
        self._order = np.argsort(groups, kind="stable")
        ordered = groups[self._order]
        self._places = np.cumsum(np.diff(ordered, prepend=ordered[:1]) != 0)
        self._number = int(self._places[-1]) + 1 if len(groups) else 0

    def streak(self, ticks: Ints, rows: Bools, seen: Bools) -> int:
        """How many ticks the streak lasts that an average failure is part of, over these rows."""
        taken = self._order[rows[self._order]]
        places = self._places[rows[self._order]]
        entries = np.bincount(places, minlength=self._number)
        bad = np.flatnonzero(seen[taken])
        if not len(bad):
            return 1
        opens = np.ones(len(bad), bool)
        opens[1:] = (np.diff(bad) != 1) | (np.diff(places[bad]) != 0)
        firsts = np.flatnonzero(opens)
        lasts = np.append(firsts[1:], len(bad)) - 1
        lengths = (lasts - firsts + 1).astype(float)
        spans = (ticks[taken[bad[lasts]]] - ticks[taken[bad[firsts]]] + 1).astype(float)
        owner = places[bad[firsts]]

        def summed(values: Floats) -> Floats:
            found: Floats = np.bincount(owner, weights=values, minlength=self._number).astype(float)
            return found

        here = summed(lengths)
        rate = here / (entries + 1)
        by_chance = here * (1 + rate) / (1 - rate)  # in the order of `rates.streak_of`: both round alike at the limit
        stuck = summed(lengths * lengths) >= STREAKS_MATTER * by_chance
        failures, whole = float(here.sum()), float(np.where(stuck, summed(lengths * spans), here).sum())
        return max(1, round(whole / failures))


def _intervals(ran: ResultColumns) -> dict[Probe, timedelta]:
    """The median interval of what a prober ran at least twice."""
    probed = ran.where(lambda labels: labels.source is Source.PROBE)
    skipped = list(Outcome).index(Outcome.SKIPPED)
    records = probed.records[says.outcomes(probed) != skipped]
    probes = sorted({probe_of(labels) for labels in ran.labels.values()})
    places = {probe: number for number, probe in enumerate(probes)}
    lookup = says.Lookup(ran.labels)
    for key, labels in ran.labels.items():
        lookup.set(key, places[probe_of(labels)])
    numbers, started = lookup[records["labels"]], records["started"]
    order = np.argsort(numbers, kind="stable")
    numbers, started = numbers[order], started[order]
    same = numbers[1:] == numbers[:-1]
    numbers, gaps = numbers[1:][same], np.diff(started)[same] / 1e6
    order = np.lexsort((gaps, numbers))
    numbers, gaps = numbers[order], gaps[order]
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
    counts = np.diff(firsts, append=len(numbers))
    middle = (gaps[firsts + (counts - 1) // 2] + gaps[firsts + counts // 2]) / 2
    some = gaps[firsts + counts - 1] > 0
    each = zip(numbers[firsts][some].tolist(), middle[some].tolist(), strict=True)
    return {probes[number]: timedelta(seconds=gap) for number, gap in each}


def _counted(good: ResultColumns, rows: Bools, key: Callable[..., Any]) -> Counter[Signature]:
    counts: Counter[Signature] = Counter()
    for labels, shape, number in pairs_of(good, rows):
        counts[key(labels, shape)] += number
    return counts


def _broken_invariants(good: ResultColumns, bad: Bools) -> Counter[tuple[str, Invariant]]:
    counts: Counter[tuple[str, Invariant]] = Counter()
    for labels, shape, number in pairs_of(good, bad):
        if shape.failure is not None and shape.failure.invariant is not None:
            counts[labels.tenant, shape.failure.invariant] += number
    return counts


def pairs_of(columns: ResultColumns, rows: Bools) -> Iterable[tuple[Any, Any, int]]:
    """The distinct pairs of labels and shape among these runs, each with how many there are."""
    pairs = columns.records["labels"][rows].astype(np.int64) << 32 | columns.records["shape"][rows]
    for key, number in zip(*np.unique(pairs, return_counts=True), strict=True):
        yield columns.labels[int(key) >> 32], columns.shapes[int(key) & 0xFFFFFFFF], int(number)
