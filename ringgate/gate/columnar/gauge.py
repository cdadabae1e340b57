"""`gate/gauge.py` over columns: the bets of all tenants of a tick at once, and everything else as it is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby, islice

import numpy as np

from ringgate.gate.betting import CEILING, GAMBLERS, HIGHEST, LOWEST, Bet, weight_by
from ringgate.gate.columnar.evidence import Bools, Floats, Ints
from ringgate.gate.gauge import Gauge, Mirror, Sum
from ringgate.gate.rates import Null

_TOGETHER = 64
"""Ticks that are made ready at once."""

_MANY = 4
"""Where at least one tenant of so many had an outcome, it is quicker to go over all of them."""

_NUMBERS = 2**17
"""Stakes that are worked out together: as many as a processor keeps near."""

_STEPS = np.arange(GAMBLERS) / (GAMBLERS - 1)


@dataclass(frozen=True, slots=True)
class Kinds:
    """What outcomes are of: by their kind the tenant's number, and the rate that each null grants (a column each)."""

    tenants: Ints
    nulls: Floats


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came in for a gauge: by outcome its tick, its kind, and for each null whether it was bad (a column each)."""

    ticks: Ints
    kinds: Ints
    bad: Bools
    of: Kinds

    def only(self, rows: Bools) -> Outcomes:
        return self if rows.all() else Outcomes(self.ticks[rows], self.kinds[rows], self.bad[rows], self.of)


@dataclass(frozen=True, slots=True)
class Cells:
    """Outcomes added up by tick and tenant, in the order of both. `bad` and `nulls` have a column for each null."""

    ticks: Ints
    tenants: Ints
    runs: Ints
    bad: Floats
    nulls: Floats

    @classmethod
    def of(cls, several: Sequence[Outcomes], tenants: int) -> Cells:
        """`tenants` is how many there are; one more number is nobody's."""
        width, first = tenants + 1, min(int(each.ticks.min()) for each in several)
        size = (max(int(each.ticks.max()) for each in several) - first + 1) * width
        nulls = several[0].bad.shape[1]
        runs, bad, granted = np.zeros(size, np.int64), np.zeros((nulls, size)), np.zeros((nulls, size))
        for each in several:
            keys = (each.ticks.astype(np.int64) - first) * width + each.of.tenants[each.kinds]
            runs += np.bincount(keys, minlength=size)
            for place in range(nulls):
                bad[place] += np.bincount(keys[each.bad[:, place]], minlength=size)
                granted[place] += np.bincount(keys, weights=each.of.nulls[:, place][each.kinds], minlength=size)
        there = np.flatnonzero(runs)
        return cls(there // width + first, there % width, runs[there], bad[:, there].T, granted[:, there].T)

    def turns(self, nobody: int, odds: Odds) -> Iterator[Turn]:
        """Each tick of them. What is divided or looked up is so for many ticks at once."""
        edges = np.flatnonzero(np.diff(self.ticks, prepend=self.ticks[:1] - 1))
        runs, bad, nulls = (np.add.reduceat(each, edges) for each in (self.runs, self.bad, self.nulls))
        means = nulls / runs[:, None]
        ends = np.append(edges[1:], len(self.ticks))
        for first in range(0, len(edges), _TOGETHER):
            turns = slice(first, first + _TOGETHER)
            rows = slice(int(edges[first]), int(ends[turns][-1]))
            granted = self.nulls[rows] / self.runs[rows, None]
            off = np.ascontiguousarray((self.bad[rows] / self.runs[rows, None] - granted).T)
            places = odds.places(np.ascontiguousarray(granted.T))
            of_ring = bad[turns] / runs[turns, None] - means[turns]
            of_ring = odds_of(means[turns]) * of_ring + 1.0
            for n, start, end in zip(count(first), edges[turns].tolist(), ends[turns].tolist(), strict=False):
                mine = slice(start - rows.start, end - rows.start - int(self.tenants[end - 1] == nobody))
                yield Turn(
                    int(self.ticks[start]), int(runs[n]), bad[n], self.tenants[rows][mine],
                    places[:, mine], off[:, mine], of_ring[:, n - first], slice(start, end),
                )  # fmt: skip


@dataclass(slots=True)
class Turn:
    """One tick or block: how many outcomes, and how many of them bad for each null; then by tenant that is bet on where
    its odds stand and how far its share is off what is granted (nulls, tenants); and the factors of the stakes on the
    ring (gamblers, nulls). `rows` are the cells'."""

    tick: int
    runs: int
    bad: Floats
    tenants: Ints
    places: Ints
    off: Floats
    of_ring: Floats
    rows: slice


class BetColumns:
    """`gauge.RingBets` for each null: the stakes on the ring, and those on all tenants in one array (gamblers, nulls,
    tenants). `value` is the mean over the nulls of what `RingBets.value` is."""

    def __init__(self, nulls: int, tenants: int, odds: Odds) -> None:
        self._odds, self._nulls, self._tenants = odds, nulls, tenants
        self._stakes = np.zeros((GAMBLERS, nulls, tenants))
        self._invested = np.zeros(tenants)
        self._values = np.ones((nulls, tenants))
        self._of_ring, self._spent = np.zeros((GAMBLERS, nulls)), 0.0
        self.value = 1.0

    def over(self, steps: Iterable[tuple[float, Turn]]) -> Iterator[tuple[Turn, float]]:
        """Bets on ticks or blocks in their order, each with the weight that is to be spent by then, many at once. Gives
        each back with the value after it, which whoever goes on from there notes as `value`."""
        for many, group in groupby(steps, key=lambda step: _MANY * len(step[1].tenants) >= self._tenants):
            together = max(1, _NUMBERS // max(1, GAMBLERS * self._nulls * self._tenants)) if many else 1
            for some in _pieces(group, together):
                yield from self._bet_on(some, many=many)

    def _bet_on(self, steps: Sequence[tuple[float, Turn]], *, many: bool) -> Iterator[tuple[Turn, float]]:
        weights = np.array([weight for weight, _ in steps])
        rings = np.empty((len(steps), GAMBLERS, self._nulls))
        for place, (weight, turn) in enumerate(steps):
            self._of_ring = np.minimum(
                (self._of_ring + (weight - self._spent)) * turn.of_ring, CEILING, out=rings[place]
            )
            self._spent = weight
        values = np.add.reduce(rings, axis=1) / GAMBLERS + (1.0 - weights)[:, None]
        if not self._tenants:
            values += 1.0
        elif many:
            values += self._step_all(weights, [turn for _, turn in steps])
        else:
            self._step_some(*steps[0])
            values += np.add.reduce(self._values, axis=1) / self._tenants
        for (_, turn), value in zip(steps, np.add.reduce(values, axis=1).tolist(), strict=True):
            yield turn, value / (2 * self._nulls)

    def _step_all(self, weights: Floats, turns: Sequence[Turn]) -> Floats:
        """Of those who had nothing in a turn the odds are 0: their stakes stay as they are. Returns the mean of all
        tenants' values after each turn (turns, nulls)."""
        lengths = [len(turn.tenants) for turn in turns]
        which, whose = np.repeat(np.arange(len(turns)), lengths), np.concatenate([turn.tenants for turn in turns])
        places = np.zeros((len(turns), self._nulls, self._tenants), np.int64)
        off = np.zeros(places.shape)
        for null in range(self._nulls):
            places[which, null, whose] = np.concatenate([turn.places[null] for turn in turns])
            off[which, null, whose] = np.concatenate([turn.off[null] for turn in turns])
        invested = np.zeros((len(turns) + 1, self._tenants))
        invested[0], invested[1 + which, whose] = self._invested, weights[which]
        np.maximum.accumulate(invested, axis=0, out=invested)  # what is spent only grows
        new = np.diff(invested, axis=0)
        stakes = self._odds.table.take(places, axis=1)
        stakes *= off
        stakes += 1.0
        held = self._stakes
        for place in range(len(turns)):
            here = stakes[:, place]
            here *= held + new[place]
            held = np.minimum(here, CEILING, out=here)
        values: Floats = np.add.reduce(stakes, axis=0)
        values /= GAMBLERS
        values += (1.0 - invested[1:])[:, None]
        self._stakes, self._invested, self._values = held.copy(), invested[-1], values[-1]
        means: Floats = np.add.reduce(values, axis=2) / self._tenants
        return means

    def _step_some(self, weight: float, turn: Turn) -> None:
        stakes = self._stakes.take(turn.tenants, axis=2)
        self._bet(stakes, weight - self._invested.take(turn.tenants), turn.places, turn.off)
        self._stakes[:, :, turn.tenants] = stakes
        self._invested[turn.tenants] = weight
        self._values[:, turn.tenants] = np.add.reduce(stakes, axis=0) / GAMBLERS + (1.0 - weight)

    def _bet(self, stakes: Floats, new: Floats, places: Ints, off: Floats) -> None:
        factors = self._odds.table.take(places, axis=1)
        factors *= off
        factors += 1.0
        stakes += new
        stakes *= factors
        np.minimum(stakes, CEILING, out=stakes)

    @property
    def values(self) -> Floats:
        """Each tenant's evidence, the mean over the nulls."""
        found: Floats = self._values.mean(axis=0)
        return found

    def rings(self) -> list[Bet]:
        """Copies of the bets on the ring."""
        bets = [Bet() for _ in range(self._nulls)]
        for null, bet in enumerate(bets):
            bet.stakes, bet.invested = self._of_ring[:, null].tolist(), self._spent
        return bets


def _pieces(steps: Iterator[tuple[float, Turn]], most: int) -> Iterator[list[tuple[float, Turn]]]:
    while some := list(islice(steps, most)):
        yield some


def odds_of(rates: Floats) -> Floats:
    """`odds_if_worse` of many rates, with the gamblers as a first dimension."""
    first = np.minimum(2.0 * rates, LOWEST)
    steps = _STEPS.reshape(-1, *(1 for _ in rates.shape))
    bets = first * (HIGHEST / first) ** steps
    return np.where(rates >= LOWEST, 0.0, (bets - rates) / np.maximum(1.0 - rates, 1.0 - LOWEST) / rates)


class Odds:
    """`odds_of` of rates that come again and again, each worked out once. `table` has gamblers and places; those of the
    first place are 0."""

    def __init__(self) -> None:
        self._rates, self._order = np.empty(0), np.empty(0, np.int64)
        self.table = np.zeros((GAMBLERS, 1))

    def places(self, rates: Floats) -> Ints:
        """Where in the table those of each rate stand. It only grows: a place stays."""
        found = self._rates.searchsorted(rates)
        if not len(self._rates) or not np.array_equal(self._rates.take(found, mode="clip"), rates):
            new = np.setdiff1d(rates, self._rates)
            numbers = np.arange(len(new)) + self.table.shape[1]
            self.table = np.concatenate([self.table, odds_of(new)], axis=1)
            every = np.concatenate([self._rates, new])
            order = np.argsort(every)
            self._rates, self._order = every[order], np.concatenate([self._order, numbers])[order]
            found = self._rates.searchsorted(rates)
        places: Ints = self._order.take(found)
        return places


class ColumnarGauge(Gauge):
    """A gauge that takes many outcomes at once. Tenants are numbered in the order of their names."""

    def __init__(
        self, nulls: Sequence[Null], tenants: Sequence[str], ticks: int, block: int = 1, least: int = 0
    ) -> None:
        super().__init__(nulls, (), ticks, block, least)
        self.tenants = {name: number for number, name in enumerate(sorted(tenants))}
        self._odds = Odds()
        self._bets = BetColumns(len(self.nulls), len(self.tenants), self._odds)
        self._block_bets = BetColumns(len(self.nulls), len(self.tenants), self._odds) if self.block > 1 else self._bets
        self._waiting: list[Outcomes] = []
        self._block_sums = self._no_sums()

    def _no_sums(self) -> tuple[Ints, Floats, Floats]:
        """By tenant (and nobody): runs, bad ones and nulls of the block that is open."""
        many, nulls = len(self.tenants) + 1, len(self.nulls)
        return np.zeros(many, np.int64), np.zeros((many, nulls)), np.zeros((many, nulls))

    def add(self, tick: int, tenant: str, kind: str, bad: Sequence[bool]) -> None:
        """One outcome, as `Gauge` has it."""
        granted = np.array([[null.of(tenant, kind) for null in self.nulls]])
        of = Kinds(np.array([self.number_of(tenant)]), granted)
        self.add_many(Outcomes(np.array([tick]), np.array([0]), np.array([bad], bool), of))

    def number_of(self, tenant: str) -> int:
        """Of a tenant; of what is of none that is bet on, the number after the last."""
        return self.tenants.get(tenant, len(self.tenants))

    def add_many(self, outcomes: Outcomes) -> None:
        """RateCount outcomes. What is of a tick that is settled counts in the next one."""
        if len(outcomes.ticks):
            self._waiting.append(replace(outcomes, ticks=np.maximum(outcomes.ticks, self._settled)))

    def settle(self, until: int) -> None:
        cells = self._ripe(until)
        turns = cells.turns(len(self.tenants), self._odds) if cells else ()
        for turn, value in self._bets.over((weight_by(turn.tick, self._ticks), turn) for turn in turns):
            self._close_blocks(turn.tick)
            self._bets.value = value
            self.settled_ticks += 1
            self.runs += turn.runs
            self.bad = [known + int(more) for known, more in zip(self.bad, turn.bad, strict=True)]
            if self.block == 1:
                self._note_peak()
            else:
                assert cells
                here = cells.tenants[turn.rows]
                runs, bad, nulls = self._block_sums
                runs[here] += cells.runs[turn.rows]
                bad[here] += cells.bad[turn.rows]
                nulls[here] += cells.nulls[turn.rows]
            self.curve.append((turn.tick + 1, self.quick, self.firm))
        self._settled = max(self._settled, until)
        self._close_blocks(until)

    def _ripe(self, until: int) -> Cells | None:
        """What came in for ticks before `until`; the rest waits on."""
        waiting, self._waiting, ripe = self._waiting, [], []
        for each in waiting:
            now = each.ticks < until
            ripe.append(each.only(now))
            if not now.all():
                self._waiting.append(each.only(~now))
        ripe = [each for each in ripe if len(each.ticks)]
        return Cells.of(ripe, len(self.tenants)) if ripe else None

    def _close_blocks(self, tick: int) -> None:
        index = tick // self.block
        if self.block == 1 or index <= self._filled:
            return
        runs, bad, nulls = self._block_sums
        if (there := np.flatnonzero(runs)).size:
            weight = weight_by(self._filled, max(1, self._ticks // self.block))
            block = Cells(np.full(len(there), self._filled), there, runs[there], bad[there], nulls[there])
            turns = block.turns(len(self.tenants), self._odds)
            for _, value in self._block_bets.over((weight, turn) for turn in turns):
                self._block_bets.value = value
            self._block_sums = self._no_sums()
            self._note_peak()
            self.curve.append(((self._filled + 1) * self.block, self.quick, self.firm))
        self._filled = index

    @property
    def quick(self) -> float:
        return self._bets.value

    @property
    def firm(self) -> float:
        return self._block_bets.value

    @property
    def sickest(self) -> Mapping[str, float]:
        return dict(zip(self.tenants, self._bets.values.tolist(), strict=True))

    def rings(self) -> list[Bet]:
        return self._block_bets.rings()


class ColumnarMirror(Mirror):
    """A mirror that takes many outcomes at once."""

    def add_many(self, ticks: Ints, bad: Bools, nulls: Floats) -> None:
        if not len(ticks):
            return
        blocks = np.maximum(ticks, self._settled) // self.block
        first = int(blocks.min())
        runs, wrong = np.bincount(blocks - first), np.bincount(blocks - first, weights=bad)
        sums = np.bincount(blocks - first, weights=nulls)
        for index in np.flatnonzero(runs).tolist():
            more = Sum()
            more.runs, more.bad, more.null = int(runs[index]), int(wrong[index]), float(sums[index])
            self._open.setdefault(first + index, Sum()).take(more)
