"""One signal's evidence against a release: bets for the ring and for each of its tenants, by tick and by block.

    E_gate = 1/2 E(ring) + 1/2 mean over tenants of E(tenant)

so that one sick tenant of many is not diluted. The mean of supermartingales is one: Ville's inequality holds for it. By
tick it is quick, and holds the rollout; by block, over ticks that could stick together, it decides for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ringgate.gate.betting import Bet, odds_if_fine, odds_if_worse, weight_by
from ringgate.gate.rates import Null

Odds = Callable[[float], Sequence[float]]


class Sum:
    """Outcomes of one tick or block: how many, how many of them bad, and the sum of their nulls."""

    __slots__ = ("bad", "null", "runs")

    def __init__(self) -> None:
        self.runs, self.bad, self.null = 0, 0, 0.0

    def add(self, bad: bool, null: float) -> None:
        self.runs += 1
        self.bad += bad
        self.null += null

    def take(self, other: Sum) -> None:
        self.runs += other.runs
        self.bad += other.bad
        self.null += other.null


Sums = dict[str, Sum]
"""By tenant; "" is what is of no tenant."""


class RingBets:
    """The bets on the ring and on each tenant, on one null."""

    def __init__(self, tenants: Sequence[str]) -> None:
        self.ring = Bet()
        self.tenants = {tenant: Bet() for tenant in sorted(tenants)}

    def step(self, weight: float, sums: Sums) -> None:
        whole = Sum()
        for tenant in sorted(sums):
            whole.take(sums[tenant])
            if tenant in self.tenants:
                _bet(self.tenants[tenant], weight, sums[tenant], odds_if_worse)
        _bet(self.ring, weight, whole, odds_if_worse)

    @property
    def value(self) -> float:
        each = math.fsum(bet.value for bet in self.tenants.values()) / len(self.tenants) if self.tenants else 1.0
        return (self.ring.value + each) / 2


def _bet(bet: Bet, weight: float, sums: Sum, odds: Odds) -> None:
    if sums.runs:
        null = sums.null / sums.runs
        bet.step(weight, sums.bad / sums.runs, null, odds(null))


class Gauge:
    """The evidence of one signal. It may look at several things, each with a null (the quantiles of slowness): then it
    is the mean of their evidence. `runs` and `bad` (for each null) count what was bet on, `settled_ticks` the ticks
    that had any.

    `ticks` is the length of the bake in ticks, `block` that of a block; with fewer than `least` bad outcomes there is
    no peak. What is added for a tick that is settled already counts in the next one: that is when it became known."""

    def __init__(
        self, nulls: Sequence[Null], tenants: Sequence[str], ticks: int, block: int = 1, least: int = 0
    ) -> None:
        self.nulls, self.block = tuple(nulls), max(1, min(block, ticks))
        self._ticks, self._least, self._settled = ticks, least, 0
        self._quick = [RingBets(tenants) for _ in self.nulls]
        self._firm = [RingBets(tenants) for _ in self.nulls] if self.block > 1 else self._quick
        self._open: dict[int, list[Sums]] = {}
        self._filling: list[Sums] = [{} for _ in self.nulls]
        self._filled = 0
        self.runs, self.bad = 0, [0] * len(self.nulls)
        self.settled_ticks = 0
        self.peak = 1.0
        self.curve: list[tuple[int, float, float]] = [(0, 1.0, 1.0)]

    def add(self, tick: int, tenant: str, kind: str, bad: Sequence[bool]) -> None:
        """Count one outcome, for each null."""
        sums = self._open.setdefault(max(tick, self._settled), [{} for _ in self.nulls])
        for null, here, each in zip(self.nulls, sums, bad, strict=True):
            here.setdefault(tenant, Sum()).add(each, null.of(tenant, kind))

    def settle(self, until: int) -> None:
        """Bet on every tick before `until`."""
        for tick in sorted(each for each in self._open if each < until):
            self._close_blocks(tick)
            sums = self._open.pop(tick)
            self.settled_ticks += 1
            self.runs += sum(each.runs for each in sums[0].values())
            for index, (pot, here, filling) in enumerate(zip(self._quick, sums, self._filling, strict=True)):
                self.bad[index] += sum(each.bad for each in here.values())
                pot.step(weight_by(tick, self._ticks), here)
                for tenant, each in here.items():
                    filling.setdefault(tenant, Sum()).take(each)
            if self.block == 1:
                self._note_peak()
            self.curve.append((tick + 1, self.quick, self.firm))
        self._settled = max(self._settled, until)
        self._close_blocks(until)

    def _close_blocks(self, tick: int) -> None:
        """Bet on the block that is open if it ended before this tick."""
        index = tick // self.block
        if self.block == 1 or index <= self._filled:
            return
        if any(self._filling):
            weight = weight_by(self._filled, max(1, self._ticks // self.block))
            for pot, sums in zip(self._firm, self._filling, strict=True):
                pot.step(weight, sums)
            self._filling = [{} for _ in self.nulls]
            self._note_peak()
            self.curve.append(((self._filled + 1) * self.block, self.quick, self.firm))
        self._filled = index

    def _note_peak(self) -> None:
        if self.bad[-1] >= self._least:
            self.peak = max(self.peak, self.firm)

    @property
    def quick(self) -> float:
        """Evidence by tick, now."""
        return math.fsum(pot.value for pot in self._quick) / len(self._quick)

    @property
    def firm(self) -> float:
        """Evidence by block, now."""
        return math.fsum(pot.value for pot in self._firm) / len(self._firm)

    @property
    def sickest(self) -> Mapping[str, float]:
        """Each tenant's evidence by tick."""
        return {
            tenant: math.fsum(pot.tenants[tenant].value for pot in self._quick) / len(self._quick)
            for tenant in self._quick[0].tenants
        }

    def rings(self) -> list[Bet]:
        """Copies of the bets on the ring by block, one for each null."""
        return [pot.ring.copy() for pot in self._firm]

    def until_stopped(self, enough: float, most: int = 10_000) -> int | None:
        """How many more blocks of nothing but bad outcomes it takes at most; None if no number of them can.

        Only the ring's bet is followed: what the tenants' would add comes on top."""
        ring = self.rings()
        weight = max(weight_by(0, self._ticks), *(bet.invested for bet in ring))
        for number in range(most):
            if math.fsum(bet.value for bet in ring) / len(ring) / 2 >= enough:
                return number
            for bet, null in zip(ring, self.nulls, strict=True):
                bet.step(weight, 1.0, null.of_all, odds_if_worse(null.of_all))
        return None


def mirror_block(streak: int, ticks: int) -> int:
    """In ticks: twice a streak, where failures stick."""
    return min(2 * streak, ticks) if streak > 1 else 1


class Mirror:
    """The bet that the release is fine: against a failure rate of `times` the null, but of `least` at least.

    It is on the ring alone, by ticks or, where failures stick, by twice a streak: 1 in 1,000 rings as bad as that is
    promoted then, where single ticks would promote 1 in 2."""

    def __init__(self, null: Null, ticks: int, streak: int, times: float, least: float) -> None:
        self.block = mirror_block(streak, ticks)
        self._null, self._times, self._least = null, times, least
        self._bet, self._open, self._settled = Bet(), dict[int, Sum](), 0
        self._blocks = max(1, ticks // self.block)
        self.filled = 0

    def bad(self, null: float) -> float:
        """The rate that is bet against."""
        return max(self._times * null, self._least)

    def add(self, tick: int, tenant: str, kind: str, bad: bool) -> None:
        here = self._open.setdefault(max(tick, self._settled) // self.block, Sum())
        here.add(bad, self._null.of(tenant, kind))

    def settle(self, until: int) -> None:
        for index in sorted(each for each in self._open if (each + 1) * self.block <= until):
            sums = self._open.pop(index)
            if (bad := self.bad(sums.null / sums.runs)) < 1:
                fine = 1.0 - sums.bad / sums.runs
                self._bet.step(weight_by(index, self._blocks), fine, 1.0 - bad, odds_if_fine(bad))
            self.filled += 1
        self._settled = max(self._settled, until)

    @property
    def value(self) -> float:
        return self._bet.value

    def until_promoted(self, enough: float, most: int = 100_000) -> int | None:
        """How many more blocks without a failure it takes; None if no number of them can."""
        bad = self.bad(self._null.of_all)
        if bad >= 1:
            return None
        bet, odds = self._bet.copy(), odds_if_fine(bad)
        weight = max(bet.invested, weight_by(0, self._blocks))
        for number in range(most):
            if bet.value >= enough:
                return number
            bet.step(weight, 1.0, 1.0 - bad, odds)
        return None
