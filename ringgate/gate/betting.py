"""The bet against a release, which starts with 1 unit and is fair as long as the release is no worse than before.

    bet = Bet()
    for tick, share in enumerate(failed_share_of_each_tick):
        bet.step(weight_by(tick, ticks), share, null, odds_if_worse(null))
    bet.value                           # 100 units or more: at most once in 100 bakes of a healthy release

What is bet on is x, the share of failed outcomes of one tick, in [0, 1]. Ten gamblers bet on ten rates q_j above the
null p0, each a part of the stake that is best if q_j is true:

    c_j = (q_j - p0) / (1 - p0)         A_j <- (A_j + w_t) * (1 + (c_j / p0) * (x_t - p0))

If the mean of x given the past is at most p0, no A_j grows in the mean, whatever the outcomes of one tick have to do
with each other: E = mean of the A_j + the weight not yet spent is a non-negative supermartingale that starts at 1, so
that it ever reaches 1/alpha with probability alpha at most (Ville's inequality; I. Waudby-Smith and A. Ramdas:
Estimating means of bounded random variables by betting, 2024). Half of the weight is spent at the start, half evenly
over the bake: a fault may begin late, and a gambler who came early may have lost nearly all by then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

GAMBLERS = 10
LOWEST, HIGHEST = 0.9, 0.95
"""The first gambler bets on twice the null, at most on LOWEST; the last on HIGHEST. A null of LOWEST or more is not bet
against: nothing could be told from it."""

CEILING = 1e30
"""A stake grows no further, so that an outage of hours stays a number. Cutting it off only makes the bet weaker."""

_BEST = 0.01
"""The last bet that a release is fine takes its rate for this part of the rate that it bets against."""


class Bet:
    """One series of stakes. `invested` is the weight that has been spent so far, between 0 and 1."""

    __slots__ = ("invested", "stakes")

    def __init__(self) -> None:
        self.stakes: Sequence[float] = (0.0,) * GAMBLERS
        self.invested = 0.0

    def step(self, weight: float, x: float, null: float, odds: Sequence[float]) -> None:
        """Bet on one x. `weight` is what is to be spent by now in all; `odds` are c_j / p0."""
        new, off = weight - self.invested, x - null
        self.invested = weight
        both = zip(self.stakes, odds, strict=True)
        self.stakes = [min((stake + new) * (1.0 + each * off), CEILING) for stake, each in both]

    @property
    def value(self) -> float:
        """E: what the gamblers have on average, and the weight that is not yet spent."""
        return math.fsum(self.stakes) / GAMBLERS + 1.0 - self.invested

    def copy(self) -> Bet:
        twin = Bet()
        twin.stakes, twin.invested = self.stakes, self.invested
        return twin


def weight_by(tick: int, ticks: int) -> float:
    """The weight that is spent once this tick (from 0) of a bake of so many ticks is bet on."""
    return min(1.0, 0.5 + 0.5 * (tick + 1) / ticks)


@lru_cache(maxsize=4096)
def odds_if_worse(null: float) -> tuple[float, ...]:
    """c_j / p0 of the gamblers who bet that the rate is above `null`: q_j geometric from 2 p0 to HIGHEST."""
    if null >= LOWEST:
        return (0.0,) * GAMBLERS
    first = min(2.0 * null, LOWEST)
    rates = [first * (HIGHEST / first) ** (j / (GAMBLERS - 1)) for j in range(GAMBLERS)]
    return tuple((rate - null) / (1.0 - null) / null for rate in rates)


@lru_cache(maxsize=4096)
def odds_if_fine(bad: float) -> tuple[float, ...]:
    """The mirror: the same bet on 1 - x, whose mean is at most 1 - `bad` if the rate is `bad` or more.

    Each gambler takes the rate for a part of `bad`, from 0.63 of it down to 0.01."""
    if bad >= 1.0:
        return (0.0,) * GAMBLERS
    rates = [bad * _BEST ** (j / GAMBLERS) for j in range(1, GAMBLERS + 1)]
    return tuple((1.0 - rate / bad) / (1.0 - bad) for rate in rates)
