"""`gate/gauge.py` over columns: the bets of all tenants of a tick at once, and everything else as it is there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ringgate.gate.betting import CEILING, GAMBLERS, Bet, odds_if_worse, weight_by
from ringgate.gate.columnar.evidence import Bools, Floats, Ints
from ringgate.gate.gauge import Gauge, Mirror, Sum
from ringgate.gate.rates import Null


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

    def turns(self, nobody: int) -> Iterator[Turn]:
        """Each tick of them. What is divided, is divided here once for all."""
        counts = self.runs[:, None]
        granted = self.nulls / counts
        off = self.bad / counts - granted
        edges = np.flatnonzero(np.diff(self.ticks, prepend=self.ticks[:1] - 1))
        runs, bad, nulls = (np.add.reduceat(each, edges) for each in (self.runs, self.bad, self.nulls))
        shares, means = bad / runs[:, None], nulls / runs[:, None]
        for place, (start, end) in enumerate(zip(edges.tolist(), [*edges[1:].tolist(), len(self.ticks)], strict=True)):
            rows = slice(start, end)
            mine = slice(start, end - (self.tenants[end - 1] == nobody))
            yield Turn(
                int(self.ticks[start]), int(runs[place]), bad[place], shares[place].tolist(), means[place].tolist(),
                self.tenants[mine], granted[mine], off[mine], rows,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """One tick or block: how many outcomes, how many of them bad, their share and the mean of what is granted, for each
    null; then by tenant that is bet on the rate that is granted and how far the share is off it. `rows` are the cells'.
    """

    tick: int
    runs: int
    bad: Floats
    shares: list[float]
    means: list[float]
    tenants: Ints
    granted: Floats
    off: Floats
    rows: slice


class Pots:
    """`gauge.Pot` for each null: the bets on the ring, and the stakes of all tenants in one array (tenants, nulls,
    gamblers). `value` is the mean over the nulls of what `Pot.value` is."""

    def __init__(self, nulls: int, tenants: int) -> None:
        self.rings = [Bet() for _ in range(nulls)]
        self._tenants = tenants
        self._stakes = np.zeros((tenants, nulls, GAMBLERS))
        self._invested = np.zeros(tenants)
        self._values = np.ones((tenants, nulls))
        self._odds = _Odds()
        self.value = 1.0

    def step(self, weight: float, turn: Turn) -> None:
        """Bet on one tick or block."""
        for ring, share, mean in zip(self.rings, turn.shares, turn.means, strict=True):
            ring.step(weight, share, mean, odds_if_worse(mean))
        if len(turn.tenants):
            stakes = self._stakes.take(turn.tenants, axis=0)
            stakes += (weight - self._invested.take(turn.tenants))[:, None, None]
            factors = self._odds.of(turn.granted)
            factors *= turn.off[:, :, None]
            factors += 1.0
            stakes *= factors
            np.minimum(stakes, CEILING, out=stakes)
            self._stakes[turn.tenants] = stakes
            self._invested[turn.tenants] = weight
            self._values[turn.tenants] = np.add.reduce(stakes, axis=2) / GAMBLERS + (1.0 - weight)
        each = (np.add.reduce(self._values, axis=0) / self._tenants).tolist() if self._tenants else None
        worth = [(ring.value + (each[n] if each else 1.0)) / 2 for n, ring in enumerate(self.rings)]
        self.value = math.fsum(worth) / len(worth)

    @property
    def values(self) -> Floats:
        """Each tenant's evidence, the mean over the nulls."""
        found: Floats = self._values.sum(axis=1) / len(self.rings)
        return found


class _Odds:
    """`odds_if_worse` of many rates, each worked out once."""

    def __init__(self) -> None:
        self._rates, self._table = np.array([np.inf]), np.zeros((1, GAMBLERS))

    def of(self, rates: Floats) -> Floats:
        """With the gamblers as a last dimension."""
        places = self._rates.searchsorted(rates)
        if not np.array_equal(self._rates.take(places), rates):
            new = np.setdiff1d(rates, self._rates)
            self._rates, order = np.unique(np.concatenate([self._rates, new]), return_index=True)
            made = np.array([odds_if_worse(rate) for rate in new.tolist()])
            self._table = np.concatenate([self._table, made])[order]
            places = self._rates.searchsorted(rates)
        found: Floats = self._table.take(places, axis=0)
        return found


class ColumnarGauge(Gauge):
    """A gauge that takes many outcomes at once. Tenants are numbered in the order of their names."""

    def __init__(
        self, nulls: Sequence[Null], tenants: Sequence[str], ticks: int, block: int = 1, least: int = 0
    ) -> None:
        super().__init__(nulls, (), ticks, block, least)
        self.tenants = {name: number for number, name in enumerate(sorted(tenants))}
        self._bets = Pots(len(self.nulls), len(self.tenants))
        self._block_bets = Pots(len(self.nulls), len(self.tenants)) if self.block > 1 else self._bets
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
        for turn in cells.turns(len(self.tenants)) if cells else ():
            self._close_blocks(turn.tick)
            self.settled_ticks += 1
            self.runs += turn.runs
            self.bad = [known + int(more) for known, more in zip(self.bad, turn.bad, strict=True)]
            self._bets.step(weight_by(turn.tick, self._ticks), turn)
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
            for turn in block.turns(len(self.tenants)):
                self._block_bets.step(weight, turn)
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
        return [bet.copy() for bet in self._block_bets.rings]


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
