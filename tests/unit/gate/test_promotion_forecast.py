"""How long a promotion takes is said before anything has run; it is what a bake comes to, and its remedies help."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta

import pytest

from ringgate.gate import Due, GatePolicy, GateState, Signal
from ringgate.gate.promotion_forecast import (
    PromotionForecast,
    promotion_at,
    share_of_moments,
    share_of_ticks,
    stale_tenants,
)
from tests.unit.gate.sample import IDS, MINUTE, START, bake, baseline, run, self_test

FIVE = timedelta(minutes=5)
POLICY = GatePolicy()


def every_five(times: int = 288) -> list:
    return [START + number * FIVE for number in range(times)]


def test_three_tenants_probed_at_the_same_moment_every_five_minutes_take_46_hours() -> None:
    share = share_of_moments([every_five() for _ in IDS], START, POLICY)
    assert share == pytest.approx(0.2)
    forecast = promotion_at(POLICY, share, intervals=[FIVE] * 3)
    assert forecast.time is not None
    assert (forecast.fits, round(forecast.time / timedelta(hours=1))) == (False, 46)
    assert str(forecast).startswith(
        "a promotion takes 46 h 16 min at this probe schedule if everything passes, and the deadline"
    )


def test_at_places_of_their_own_they_cover_more_ticks() -> None:
    spread = [[moment + number * MINUTE for moment in every_five()] for number in range(3)]
    share = share_of_moments(spread, START, POLICY)
    assert share == pytest.approx(0.6)
    assert promotion_at(POLICY, share).fits
    assert share_of_ticks([FIVE] * 3, MINUTE) == pytest.approx(1 - 0.8**3)


def test_each_remedy_by_itself_makes_it_fit() -> None:
    forecast = promotion_at(POLICY, 0.2, intervals=[FIVE])
    often, deadline, rate = forecast.remedies
    assert often.startswith("probes 2")
    times = float(often.split()[1])
    assert promotion_at(POLICY, share_of_ticks([FIVE], MINUTE, times)).fits
    hours = tomllib.loads(deadline.removeprefix("[bake] "))["deadline"]
    assert promotion_at(replace(POLICY, deadline=timedelta(hours=int(hours.split()[0]))), 0.2).fits
    least = tomllib.loads(rate.removeprefix("[promote] "))["least_rate"]
    assert promotion_at(replace(POLICY, least_rate=least), 0.2).fits


def test_what_can_never_be_promoted_is_told_so() -> None:
    assert promotion_at(POLICY, 0.0) == PromotionForecast(None, POLICY.deadline)
    assert not promotion_at(POLICY, 1.0, usual=0.4).fits
    assert str(promotion_at(POLICY, 1.0, usual=0.4)) == "nothing is ever promoted by this policy"


@pytest.mark.parametrize("every", [1, 3])
def test_it_is_what_a_bake_comes_to(every: int) -> None:
    rules = {"least_rate": 0.04, "soak": timedelta(minutes=1), "signals": {Signal.SILENCE: False}}
    predicted = promotion_at(GatePolicy(**rules), 1 / every, usual=0.0).time
    assert predicted is not None
    minutes = predicted // MINUTE
    results = [run(name, START + n * every * MINUTE) for n in range(minutes // every + 2) for name in IDS]
    results.append(self_test(START + predicted - 10 * MINUTE))
    made = bake(results, **rules)
    early, late = made.verdict(START + predicted - 2 * every * MINUTE), made.verdict(START + predicted + every * MINUTE)
    assert (early.state, late.state) == (GateState.INCONCLUSIVE, GateState.PROMOTE)


def test_a_bake_says_at_once_that_results_come_too_seldom() -> None:
    due = Due(dict.fromkeys(list(baseline().tested)[:1], 10 * MINUTE))
    at_once = bake((), least_rate=0.01, due=due).verdict(START + 2 * MINUTE).outlook.sentences
    assert any("Results come too seldom: a promotion takes" in each for each in at_once)
    assert not any("too seldom" in each for each in bake(()).verdict(START + 2 * MINUTE).outlook.sentences)


def test_tenants_that_are_probed_more_seldom_than_results_may_be_old() -> None:
    assert stale_tenants({"aldgate": FIVE, "kyoto": timedelta(hours=1)}, POLICY) == {"kyoto": timedelta(hours=1)}
