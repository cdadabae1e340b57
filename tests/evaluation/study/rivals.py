"""What others would do in the same cases, by the rules that they are used with. Each takes a tick of R rings at a time,
[R, K] booleans, and says which rings it stops now.

All of them know the true failure rate of a healthy ring, which is more than they would know.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tests.evaluation.study.vectorised import Bools, Floats


class Rival(Protocol):
    def step(self, tick: int, failed: Bools) -> Bools: ...


class Argo:
    """Argo Rollouts: a measurement a minute, successful if at least 95 % of the runs passed; `failureLimit: 3`."""

    def __init__(self, rings: int) -> None:
        self._failed = np.zeros(rings)

    def step(self, tick: int, failed: Bools) -> Bools:
        self._failed += failed.mean(-1) > 0.05
        return np.asarray(self._failed > 3)


class Flagger:
    """Flagger: a check a minute, successful if at least 99 % of the runs passed; `threshold: 5` failed checks."""

    def __init__(self, rings: int) -> None:
        self._failed = np.zeros(rings)

    def step(self, tick: int, failed: Bools) -> Bools:
        self._failed += failed.mean(-1) > 0.01
        return np.asarray(self._failed >= 5)


class Kayenta:
    """Kayenta: once an hour, the ring's minutes against those of a healthy one by Mann-Whitney, at 98 % confidence."""

    def __init__(self, rings: int, control: Floats) -> None:
        """`control` is [R, 60]: the failed share of each minute of an hour without the release."""
        self._control, self._minutes = control, np.zeros((rings, 60))

    def step(self, tick: int, failed: Bools) -> Bools:
        self._minutes[:, tick % 60] = failed.mean(-1)
        if (tick + 1) % 60:
            return np.zeros(len(failed), bool)
        return np.asarray(mann_whitney_z(self._control, self._minutes) > 2.326)


def mann_whitney_z(first: Floats, second: Floats) -> Floats:
    """How far `second` lies above `first`, row by row: the normal score with correction for ties and continuity."""
    n, m = first.shape[1], second.shape[1]
    above = (second[:, :, None] > first[:, None, :]).sum((1, 2))
    equal = (second[:, :, None] == first[:, None, :]).sum((1, 2))
    u = above + equal / 2
    pooled = np.sort(np.concatenate((first, second), axis=1), axis=1)
    ties = np.array([(np.unique(row, return_counts=True)[1] ** 3.0 - np.unique(row, return_counts=True)[1]).sum()
                     for row in pooled])  # fmt: skip
    total = n + m
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    off = np.abs(u - n * m / 2) - 0.5
    return np.where(variance > 0, np.sign(u - n * m / 2) * off / np.sqrt(np.maximum(variance, 1e-12)), 0.0)


class Wald:
    """Wald's sequential test of p0 against 5 p0, 1 % each way, run by run. It ends when it accepts either."""

    def __init__(self, rings: int, rate: float, times: float = 5.0) -> None:
        worse = min(times * rate, 0.95)
        self._bad, self._good = math.log(worse / rate), math.log((1 - worse) / (1 - rate))
        self._sum, self._over, self._bar = np.zeros(rings), np.zeros(rings, bool), math.log(99)

    def step(self, tick: int, failed: Bools) -> Bools:
        count = failed.sum(-1)
        self._sum += np.where(self._over, 0.0, count * self._bad + (failed.shape[1] - count) * self._good)
        stops = (self._sum >= self._bar) & ~self._over
        self._over |= stops | (self._sum <= -self._bar)
        return np.asarray(stops)


class Cusum:
    """Page's CUSUM of p0 against 5 p0, run by run, with a bar for one false alarm in 100 days of independent runs."""

    def __init__(self, rings: int, tenants: int, rate: float, times: float = 5.0) -> None:
        worse = min(times * rate, 0.95)
        self._bad, self._good = math.log(worse / rate), math.log((1 - worse) / (1 - rate))
        self._sum, self._bar = np.zeros(rings), math.log(100 * 1440 * tenants)

    def step(self, tick: int, failed: Bools) -> Bools:
        count = failed.sum(-1)
        self._sum = np.maximum(0, self._sum + count * self._bad + (failed.shape[1] - count) * self._good)
        return np.asarray(self._sum >= self._bar)
