"""How large a rate may really be, given what was seen of it: the exact binomial bounds of Clopper and Pearson.

upper_bound(3, 1440, 0.005)     # 3 of 1440 runs failed: the rate is under 0.63 %, but for 1 case in 200

C. J. Clopper, E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial (1934).
"""

from __future__ import annotations

import math
from functools import lru_cache

_HALVINGS = 60
_NEGLIGIBLE = 1e-16


def tail_up_to(seen: int, runs: int, rate: float) -> float:
    """P(X <= seen) for X binomial over `runs` at `rate`. Exact but for rounding; sums from the largest term down."""
    if seen >= runs or rate <= 0:
        return 1.0 if seen >= 0 else 0.0
    if rate >= 1 or seen < 0:
        return 0.0
    top = min(seen, int((runs + 1) * rate))  # the mode, or as near to it as the sum comes
    return math.fsum((_downwards(top, runs, rate), _upwards(top + 1, seen, runs, rate)))


def tail_from(seen: int, runs: int, rate: float) -> float:
    """P(X >= seen) for X binomial over `runs` at `rate`."""
    return tail_up_to(runs - seen, runs, 1.0 - rate) if seen > 0 else 1.0


def _term(count: int, runs: int, rate: float) -> float:
    ways = math.lgamma(runs + 1) - math.lgamma(count + 1) - math.lgamma(runs - count + 1)
    return math.exp(ways + count * math.log(rate) + (runs - count) * math.log1p(-rate))


def _downwards(top: int, runs: int, rate: float) -> float:
    total, term = 0.0, _term(top, runs, rate)
    for count in range(top, -1, -1):
        total += term
        if term <= total * _NEGLIGIBLE:
            break
        term *= count / (runs - count + 1) * (1.0 - rate) / rate
    return total


def _upwards(bottom: int, last: int, runs: int, rate: float) -> float:
    if bottom > last:
        return 0.0
    total, term = 0.0, _term(bottom, runs, rate)
    for count in range(bottom, last + 1):
        total += term
        if term <= total * _NEGLIGIBLE:
            break
        term *= (runs - count) / (count + 1) * rate / (1.0 - rate)
    return total


@lru_cache(maxsize=4096)
def upper_bound(seen: int, runs: int, level: float) -> float:
    """The largest rate at which `seen` or fewer of `runs` still come up with probability `level`; 1 without runs.

    By bisection on the exact tail: the true rate is above it in at most `level` of all cases."""
    if seen >= runs:
        return 1.0
    low, high = seen / runs, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail_up_to(seen, runs, middle) > level else (low, middle)
    return high


def no_more_often(seen: int, runs: int, before: int, runs_before: int, level: float) -> bool:
    """Whether `seen` of `runs` is what chance makes of the rate at which there were `before` of `runs_before`.

    Given their sum, how many of them came later is binomial (J. Przyborowski, H. Wilenski: Homogeneity of results in
    testing samples from Poisson series, 1940). It says no of at most `level` of all that are as often as before."""
    if not runs:
        return True
    return tail_from(seen, seen + before, runs / (runs + runs_before)) > level
