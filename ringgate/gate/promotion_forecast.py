"""How long a promotion takes where everything passes, before anything has run: too few results decide nothing in time.

    forecast = promotion_at(policy, share_of_ticks([timedelta(minutes=5)] * 3, policy.tick))
    forecast.time                  # 15 h 44 min: so long everything has to pass
    forecast.fits                  # whether that is before the deadline
    forecast.remedies              # ("probes 2 times as often (...)", "[bake] deadline = ...", ...) where it is not

The bet for a release is made once for each tick that has any result (`gauge.Mirror`): what counts is how many ticks of
the clock have one, and not how many results they have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringgate.gate.betting import Bet, odds_if_fine, weight_by
from ringgate.gate.bounds import upper_bound
from ringgate.gate.gauge import mirror_block
from ringgate.gate.policy import GatePolicy
from ringgate.gate.words import span

ENOUGH = 0.995
"""A share of ticks from which on more results add nothing."""

_HALVINGS = 12
_MARGIN = 1.02
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class PromotionForecast:
    """`time` is when enough has passed, None where nothing is ever enough. `remedies` say each by itself what makes it
    fit, none where it does."""

    time: timedelta | None
    deadline: timedelta
    remedies: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return self.time is not None and self.time <= self.deadline

    def __str__(self) -> str:
        if self.time is None:
            return "nothing is ever promoted by this policy"
        takes = f"a promotion takes {span(self.time)} at this probe schedule if everything passes"
        if self.fits:
            return f"{takes}; the deadline is after {span(self.deadline)}"
        return f"{takes}, and the deadline is after {span(self.deadline)}. It fits with {', or '.join(self.remedies)}"


def share_of_ticks(intervals: Iterable[timedelta], tick: timedelta, times: float = 1.0) -> float:
    """The share of ticks that have a result, of probes with these intervals, each at a place of its own in it.

    With `times` they come so many times as often."""
    empty = math.prod(1.0 - min(1.0, times * (tick / every)) for every in intervals)
    return 1.0 - empty


def share_of_moments(probes: Iterable[Iterable[datetime]], since: datetime, policy: GatePolicy) -> float:
    """The share of a bake's ticks that have a result: each probe's moments from `since` until the deadline.

    Probes that come when nearly every tick has one are not looked at."""
    found: set[int] = set()
    for moments in probes:
        found.update((moment - since) // policy.tick for moment in moments)
        if len(found) >= ENOUGH * policy.ticks:
            break
    return min(1.0, len(found) / policy.ticks)


def promotion_at(
    policy: GatePolicy, share: float, *, usual: float = 0.0, streak: int = 1, intervals: Iterable[timedelta] = ()
) -> PromotionForecast:
    """How long a promotion takes if everything passes and a `share` of ticks has a result.

    `usual` is the null of failures, `streak` how many ticks they stick together (a clean baseline: 0 and 1);
    `intervals`, where they are known, are what probing more often is said by."""
    of = _Ring(policy, share, usual, streak)
    ticks = of.ticks()
    if ticks is None:
        return PromotionForecast(None, policy.deadline)
    time = max(policy.soak, ticks * policy.tick)
    if time <= policy.deadline:
        return PromotionForecast(time, policy.deadline)
    found = (_more_often(of, tuple(intervals)), _longer(time), _less_sure(of))
    return PromotionForecast(time, policy.deadline, tuple(filter(None, found)))


@dataclass(frozen=True, slots=True)
class _Ring:
    """What a forecast is made for."""

    policy: GatePolicy
    share: float
    usual: float
    streak: int

    def ticks(self) -> int | None:
        """After how many ticks of the clock the bet for the release, made as a bake makes it, promotes."""
        policy, block = self.policy, mirror_block(self.streak, self.policy.ticks)
        bad = max(policy.times * self.usual, policy.least_rate)
        if not 0 < bad < 1 or self.share <= 0:
            return None
        bet, odds, blocks = Bet(), odds_if_fine(bad), max(1, policy.ticks // block)
        every = max(1.0, 1.0 / (self.share * block))
        for number in range(_MOST):
            index = int(number * every)
            bet.step(weight_by(index, blocks), 1.0, 1.0 - bad, odds)
            if bet.value >= 1 / policy.alpha:
                return (index + 1) * block
        return None

    @property
    def in_time(self) -> bool:
        ticks = self.ticks()
        return ticks is not None and _MARGIN * ticks <= self.policy.ticks


def stale_tenants(fastest: Mapping[str, timedelta], policy: GatePolicy) -> dict[str, timedelta]:
    """Tenants whose newest result is too old most of the time, and how often they are probed at most."""
    return {tenant: every for tenant, every in fastest.items() if every > policy.freshness}


def clean_null(policy: GatePolicy, intervals: Iterable[timedelta]) -> float:
    """The null of failures after a whole baseline in which nothing failed."""
    runs = sum(policy.window / every for every in intervals)
    return upper_bound(0, max(policy.baseline_runs, round(runs)), policy.alpha / 2)


def _more_often(of: _Ring, intervals: tuple[timedelta, ...]) -> str:
    """How many times as often; "" where not even a result in each tick is enough, or nobody knows how often they come.

    What rests (hours, holidays) rests then, too: the share grows as it would without."""
    if not intervals or not replace(of, share=1.0).in_time:
        return ""
    tick, now = of.policy.tick, share_of_ticks(intervals, of.policy.tick)

    def enough(times: float) -> bool:
        return replace(of, share=min(1.0, of.share * share_of_ticks(intervals, tick, times) / now)).in_time

    low, high = 1.0, max(intervals) / tick
    if not enough(high):
        return ""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    fastest = min(intervals)
    return f"probes {math.ceil(10 * high) / 10:g} times as often (every {_said(fastest / high)}, not {span(fastest)})"


def _said(every: timedelta) -> str:
    """Rounded down to what people would write."""
    seconds = every.total_seconds()
    step = 10 if seconds >= 60 else 1
    return span(timedelta(seconds=max(1, math.floor(seconds / step) * step)))


def _longer(time: timedelta) -> str:
    return f'[bake] deadline = "{math.ceil(_MARGIN * (time / timedelta(hours=1)))} h"'


def _less_sure(of: _Ring) -> str:
    """The smallest rate that can be excluded in time."""

    def enough(rate: float) -> bool:
        return replace(of, policy=replace(of.policy, least_rate=rate)).in_time

    low, high = of.policy.least_rate, 0.5
    if not enough(high):
        return ""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return f"[promote] least_rate = {math.ceil(1000 * high) / 1000:g}"
