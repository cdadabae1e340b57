"""The gate's bets on many bakes at once, with numpy. `test_vectorised.py` holds it to the gate itself, tick by tick.

Shapes: R bakes, K tenants; what happened in a tick is a boolean array [parts, R, K], one part for each null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringgate.gate.betting import CEILING, GAMBLERS, HIGHEST, LOWEST, weight_by

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Outcomes = Callable[[int], Bools]
"""The outcomes of a tick."""

NEVER = np.inf


def odds_if_worse(null: Floats) -> Floats:
    """c_j / p0, in a last axis of its own."""
    first = np.minimum(2 * null, LOWEST)[..., None]
    rates = first * (HIGHEST / first) ** (np.arange(GAMBLERS) / (GAMBLERS - 1))
    return (rates - null[..., None]) / (1 - null[..., None]) / null[..., None]


def odds_if_fine(bad: Floats) -> Floats:
    rates = 0.01 ** (np.arange(1, GAMBLERS + 1) / GAMBLERS)
    return (1 - rates) / (1 - bad[..., None])


class Bets:
    """Stakes of any shape against nulls of the same shape."""

    def __init__(self, null: Floats, odds: Floats) -> None:
        self.null, self.odds = null, odds
        self.stakes = np.zeros((*null.shape, GAMBLERS))
        self.invested = 0.0

    def step(self, weight: float, x: Floats) -> None:
        self.stakes += weight - self.invested
        self.invested = weight
        self.stakes *= 1 + self.odds * (x - self.null)[..., None]
        np.minimum(self.stakes, CEILING, out=self.stakes)

    @property
    def value(self) -> Floats:
        return self.stakes.mean(-1) + (1 - self.invested)


class Gauges:
    """The evidence of R rings of K tenants. `nulls` is [parts, R], or [parts, R, K] where tenants have their own."""

    def __init__(self, nulls: Floats, tenants: int, ticks: int) -> None:
        each = nulls if nulls.ndim == 3 else np.repeat(nulls[..., None], tenants, axis=2)
        self._ticks, ring = ticks, each.mean(-1)
        self._ring, self._tenants = Bets(ring, odds_if_worse(ring)), Bets(each, odds_if_worse(each))

    def step(self, tick: int, share: Floats) -> Floats:
        """`share` is [parts, R, K]: what part of a tenant's outcomes was bad. Returns E of each ring."""
        weight = weight_by(tick, self._ticks)
        self._ring.step(weight, share.mean(-1))
        self._tenants.step(weight, share)
        return np.asarray((self._ring.value + self._tenants.value.mean(-1)).mean(0) / 2)


class Mirrors:
    """The bets that R rings are fine, against a rate of `bad`."""

    def __init__(self, bad: Floats, ticks: int) -> None:
        self._ticks, self._bets = ticks, Bets(1 - bad, odds_if_fine(bad))

    def step(self, tick: int, share: Floats) -> Floats:
        """`share` is [R, K]."""
        self._bets.step(weight_by(tick, self._ticks), 1 - share.mean(-1))
        return self._bets.value


@dataclass(frozen=True)
class Found:
    """The tick, counted from 1, in which each of R bakes was first held, paused, promoted; NEVER if it was not."""

    hold: Floats
    pause: Floats
    promote: Floats


def watch(
    outcomes: Outcomes,
    nulls: Floats,
    tenants: int,
    *,
    ticks: int = 1440,
    until: int | None = None,
    block: int = 1,
    alpha: float = 0.01,
    least: int = 3,
    mirror: tuple[float, int] | None = None,
    stop_when_held: bool = False,
) -> Found:
    """Follows R bakes for `until` ticks. `mirror` is the rate to be excluded, and its block."""
    bakes = nulls.shape[1]
    quick = Gauges(nulls, tenants, ticks)
    firm = Gauges(nulls, tenants, max(1, ticks // block)) if block > 1 else quick
    fine = Mirrors(np.full(bakes, mirror[0]), max(1, ticks // mirror[1])) if mirror else None
    hold, pause, promote = (np.full(bakes, NEVER) for _ in range(3))
    filling, clean = np.zeros((nulls.shape[0], bakes, tenants)), np.zeros((bakes, tenants))
    bad = np.zeros(bakes)
    for tick in range(until or ticks):
        here = outcomes(tick).astype(np.float64)
        bad += here[-1].sum(-1)
        evidence, enough = quick.step(tick, here), bad >= least
        hold = np.where((evidence >= 1 / alpha) & enough, np.minimum(hold, tick + 1), hold)
        if block > 1:
            filling += here
            if (tick + 1) % block == 0:
                evidence = firm.step(tick // block, filling / block)
                filling = np.zeros_like(filling)
        if (tick + 1) % block == 0:
            pause = np.where((evidence >= 1 / alpha) & enough, np.minimum(pause, tick + 1), pause)
        if fine is not None and mirror is not None:
            clean += here[0]
            if (tick + 1) % mirror[1] == 0:
                stands = fine.step(tick // mirror[1], clean / mirror[1])
                clean = np.zeros_like(clean)
                promote = np.where(stands >= 1 / alpha, np.minimum(promote, tick + 1), promote)
        if stop_when_held and np.isfinite(hold).all():
            break
    return Found(hold, pause, promote)
