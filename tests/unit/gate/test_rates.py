"""Nulls, streaks and busy hours of a baseline."""

from __future__ import annotations

import random

import pytest

from ringgate.gate.bounds import upper_bound
from ringgate.gate.rates import Null, OutcomeHistory, RateCount, Rates, streak_of


def record(rate: float, ticks: int = 1440, tenants: int = 5, seed: int = 1) -> OutcomeHistory:
    made, dice = OutcomeHistory(60.0), random.Random(seed)
    for tick in range(ticks):
        for tenant in range(tenants):
            made.add(f"t{tenant}", "time-entry over api", 60.0 * tick + tenant, dice.random() < rate)
    return made


def test_the_null_is_an_upper_bound_and_never_the_rate_itself() -> None:
    null = Rates(RateCount(3, 1440)).null(0.005)
    assert null.of("aldgate", "time-entry over api") == upper_bound(3, 1440, 0.005) > 3 / 1440


def test_without_runs_nothing_can_be_held_against_anybody() -> None:
    assert Rates().null(0.005).of("aldgate", "x") == 1.0


def test_a_tenant_and_a_kind_that_were_worse_before_have_a_null_of_their_own() -> None:
    rates = Rates(
        RateCount(40, 4000),
        {"flaky": RateCount(30, 400), "well": RateCount(3, 400)},
        {"sign-in over browser": RateCount(25, 200), "time-entry over api": RateCount(15, 3800)},
    )
    null = rates.null(0.005)
    assert null.of("well", "time-entry over api") == null.of_all
    assert null.of("flaky", "time-entry over api") == upper_bound(30, 400, 0.005) > null.of_all
    assert null.of("well", "sign-in over browser") == upper_bound(25, 200, 0.005)
    assert null.of("flaky", "sign-in over browser") == max(null.tenants["flaky"], null.kinds["sign-in over browser"])


def test_single_failures_are_no_streaks_at_any_rate() -> None:
    for rate in (0.001, 0.01, 0.05, 0.5, 0.9):
        assert record(rate).rates().streak == 1
        assert record(rate).rates().block == 1


def test_failures_that_stick_make_blocks_of_five_times_as_long() -> None:
    made, dice = OutcomeHistory(60.0), random.Random(3)
    for tenant in range(5):
        left = 0
        for tick in range(1440):
            left = 3 if dice.random() < 0.004 else max(0, left - 1)
            made.add(f"t{tenant}", "time-entry over api", 60.0 * tick, left > 0)
    assert (made.rates().streak, made.rates().block) == (3, 15)


def test_a_nightly_outage_of_the_ring_is_a_streak_though_each_probe_fails_once() -> None:
    """Every probe runs every five minutes; for five minutes all of them fail, one after the other."""
    made = OutcomeHistory(60.0)
    for tick in range(3 * 1440):
        down = 180 <= tick % 1440 < 185
        for tenant in range(6):
            made.add(f"t{tenant}", f"s{tick % 5} over api", 60.0 * tick + tenant, down)
    assert made.rates().streak == 5


def test_what_hits_the_whole_ring_for_a_minute_is_single() -> None:
    made, dice = OutcomeHistory(60.0), random.Random(5)
    for tick in range(1440):
        blip = dice.random() < 0.01
        for tenant in range(10):
            made.add(f"t{tenant}", "x", 60.0 * tick + tenant, blip)
    assert made.rates().streak == 1


def test_a_probe_that_always_fails_is_worse_and_not_stuck() -> None:
    assert streak_of([[(tick, True) for tick in range(500)]]) == 1
    assert streak_of([[(tick, True) for tick in range(500)], [(t, t in (10, 11, 12, 13)) for t in range(500)]]) == 1


def test_a_streak_of_a_slow_probe_lasts_from_its_first_run_to_its_last() -> None:
    """Three failures in a row, five minutes apart: eleven ticks."""
    assert streak_of([[(5 * number, 20 <= number < 23) for number in range(200)]]) == 11


@pytest.mark.parametrize(("busy", "found"), [(0.30, True), (0.06, False)])
def test_the_busiest_hour_is_held_against_nobody(busy: float, found: bool) -> None:
    made, dice = OutcomeHistory(60.0, by_hour=True), random.Random(2)
    for tick in range(1440):
        rate = busy if 540 <= tick < 600 else 0.05
        for tenant in range(5):
            made.add(f"t{tenant}", "x", 60.0 * tick, dice.random() < rate)
    rates = made.rates()
    assert (rates.busiest is not None) is found
    assert (rates.null(0.005).of_all > 0.25) is found


def test_nulls_can_be_constant() -> None:
    assert Null(0.02).of("anybody", "anything") == 0.02
