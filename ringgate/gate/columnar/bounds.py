"""The bounds of `gate/bounds.py` for many counts at once: a baseline of 500 tenants asks for thousands of them.

The binomial tail is the regularised incomplete beta function, P(X <= k) = I_{1-p}(n - k, k + 1), by its continued
fraction (W. Gautschi's form of Lentz's method; Numerical Recipes, 6.4). Agrees with the exact sums to 1e-11.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ringgate.gate.rates import UNUSUAL, Null, RateCount, Rates

Floats = NDArray[np.float64]

_HALVINGS, _TURNS = 4, 80
_TERMS = 2000
_CLOSE = 1e-13
_TINY = 1e-300


def nulls_of(rates: Rates, level: float) -> Null:
    """`Rates.null`."""
    of_all = max(rates.all.bound(level), rates.busiest.bound(level) if rates.busiest else 0.0)
    return Null(of_all, _own(rates.tenants, of_all, level), _own(rates.kinds, of_all, level))


def _own(counts: Mapping[str, RateCount], of_all: float, level: float) -> dict[str, float]:
    """The bounds of those that were unusually bad already."""
    asked = [(key, count) for key, count in counts.items() if count.seen]
    if not asked:
        return {}
    seen = np.array([count.seen for _, count in asked], float)
    runs = np.array([count.runs for _, count in asked], float)
    odd = np.flatnonzero(tails_from(seen, runs, np.full(len(asked), of_all)) <= UNUSUAL)
    if not len(odd):
        return {}
    bounds = upper_bounds(seen[odd], runs[odd], level)
    return {asked[index][0]: float(bound) for index, bound in zip(odd, bounds, strict=True) if bound > of_all}


def tails_from(seen: Floats, runs: Floats, rate: Floats) -> Floats:
    """P(X >= seen) for X binomial over `runs` at `rate`, one by one."""
    return np.where(seen > 0, _Tails(runs - seen, runs).up_to(1.0 - rate), 1.0)


def upper_bounds(seen: Floats, runs: Floats, level: float) -> Floats:
    """The largest rates at which `seen` or fewer of `runs` still come up with probability `level`.

    By bisection until Newton's steps, kept between the ends, have nothing more to add."""
    tails = _Tails(seen, runs)
    low, high = seen / runs, np.ones(len(seen))
    rate = (low + high) / 2
    for turn in range(_TURNS):
        over = tails.up_to(rate) - level
        low, high = np.where(over > 0, rate, low), np.where(over > 0, high, rate)
        better = (low + high) / 2
        if turn >= _HALVINGS:
            newton = rate + over / tails.slope(rate)
            better = np.where((newton >= low) & (newton <= high), newton, better)
        done = float(np.max(np.abs(better - rate) / better, initial=0.0)) < _CLOSE
        rate = better
        if done:
            break
    return np.where(seen >= runs, 1.0, rate)


class _Tails:
    """P(X <= seen) for X binomial over `runs`, of many at many rates."""

    def __init__(self, seen: Floats, runs: Floats) -> None:
        self._all = seen >= runs
        self._some = np.flatnonzero((seen >= 0) & (seen < runs))
        self._a, self._b = runs[self._some] - seen[self._some], seen[self._some] + 1.0
        both = zip(self._a.tolist(), self._b.tolist(), strict=True)
        self._ways = np.array([math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) for a, b in both])

    def up_to(self, rate: Floats) -> Floats:
        found = np.where(self._all | (rate <= 0), 1.0, 0.0)
        within = (rate[self._some] > 0) & (rate[self._some] < 1)
        x = np.where(within, 1.0 - rate[self._some], 0.5)
        found[self._some] = np.where(within, self._beta(x), found[self._some])
        return found

    def slope(self, rate: Floats) -> Floats:
        """How fast each falls with its rate; 1 for those that do not."""
        found = np.ones(len(rate))
        p = rate[self._some]
        found[self._some] = np.exp(self._ways + (self._b - 1.0) * np.log(p) + (self._a - 1.0) * np.log1p(-p))
        return found

    def _beta(self, x: Floats) -> Floats:
        """I_x(a, b)."""
        a, b = self._a, self._b
        front = np.exp(self._ways + a * np.log(x) + b * np.log1p(-x))
        turned = x > (a + 1.0) / (a + b + 2.0)  # there the fraction of the complement converges
        p, q, at = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, 1.0 - x, x)
        part = front * _fraction(at, p, q) / p
        return np.clip(np.where(turned, 1.0 - part, part), 0.0, 1.0)


def _fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    def kept_off_zero(value: Floats) -> Floats:
        return np.where(np.abs(value) < _TINY, _TINY, value)

    c = np.ones(len(x))
    d = 1.0 / kept_off_zero(1.0 - (a + b) * x / (a + 1.0))
    found = d.copy()
    for m in range(1, _TERMS):
        step = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d, c = 1.0 / kept_off_zero(1.0 + step * d), kept_off_zero(1.0 + step / c)
        found *= d * c
        step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d, c = 1.0 / kept_off_zero(1.0 + step * d), kept_off_zero(1.0 + step / c)
        factor = d * c
        found *= factor
        if float(np.max(np.abs(factor - 1.0), initial=0.0)) < _CLOSE:
            break
    return found
