"""The bet, step by step against its formula, and at its extremes."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.gate.betting import CEILING, GAMBLERS, Bet, odds_if_fine, odds_if_worse, weight_by

NULL = 0.02


def test_ten_gamblers_bet_on_rates_from_twice_the_null_to_95_percent() -> None:
    rates = [each * NULL * (1 - NULL) + NULL for each in odds_if_worse(NULL)]
    assert len(rates) == GAMBLERS
    assert (rates[0], rates[-1]) == (pytest.approx(0.04), pytest.approx(0.95))
    steps = [b / a for a, b in pairwise(rates)]
    assert steps == [pytest.approx(steps[0])] * (GAMBLERS - 1)


def test_a_step_is_the_formula() -> None:
    """A_j <- (A_j + w) (1 + c_j / p0 (x - p0)): for x of 0 or 1 that is a ratio of likelihoods."""
    bet = Bet()
    bet.step(0.5, 1.0, NULL, odds_if_worse(NULL))
    rates = [each * NULL * (1 - NULL) + NULL for each in odds_if_worse(NULL)]
    assert list(bet.stakes) == [pytest.approx(0.5 * rate / NULL) for rate in rates]
    bet.step(0.75, 0.0, NULL, odds_if_worse(NULL))
    assert list(bet.stakes) == [pytest.approx((0.5 * rate / NULL + 0.25) * (1 - rate) / (1 - NULL)) for rate in rates]
    assert bet.value == pytest.approx(sum(bet.stakes) / GAMBLERS + 0.25)


def test_it_starts_with_one_unit() -> None:
    assert Bet().value == 1.0


def test_half_of_the_weight_is_spent_at_once_and_all_of_it_in_the_end() -> None:
    assert weight_by(0, 1440) == pytest.approx(0.5 + 0.5 / 1440)
    assert weight_by(719, 1440) == pytest.approx(0.75)
    assert weight_by(1439, 1440) == weight_by(5000, 1440) == 1.0


@pytest.mark.parametrize("null", [0.001, 0.02, 0.3, 0.6])
def test_the_bet_is_fair_under_the_null(null: float) -> None:
    """Its mean over all outcomes of four ticks, each with its probability, is 1: weights, late starts and all."""
    mean = 0.0
    for outcomes in product((0, 1), repeat=4):
        bet = Bet()
        for tick, x in enumerate(outcomes):
            bet.step(weight_by(tick, 4), float(x), null, odds_if_worse(null))
        mean += math.prod(null if x else 1 - null for x in outcomes) * bet.value
    assert mean == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [0.01, 0.03, 0.5])
def test_the_mirror_is_fair_at_the_rate_that_it_is_against(bad: float) -> None:
    mean = 0.0
    for outcomes in product((0, 1), repeat=4):
        bet = Bet()
        for tick, x in enumerate(outcomes):
            bet.step(weight_by(tick, 4), 1.0 - x, 1.0 - bad, odds_if_fine(bad))
        mean += math.prod(bad if x else 1 - bad for x in outcomes) * bet.value
    assert mean == pytest.approx(1.0)


@given(st.floats(1e-6, 1.0), st.lists(st.floats(0.0, 1.0), max_size=300))
def test_a_bet_is_never_negative_and_always_a_number(null: float, shares: list[float]) -> None:
    bet, fine = Bet(), Bet()
    for tick, x in enumerate(shares):
        bet.step(weight_by(tick, 1440), x, null, odds_if_worse(null))
        fine.step(weight_by(tick, 1440), 1 - x, 1 - min(null, 0.999), odds_if_fine(min(null, 0.999)))
        for each in (bet, fine):
            assert 0.0 <= each.value <= CEILING + 1
            assert all(stake >= 0.0 for stake in each.stakes)


def test_hours_of_outage_stay_a_number_and_end() -> None:
    bet, odds = Bet(), odds_if_worse(1e-6)
    for tick in range(6_000):
        bet.step(weight_by(tick, 1440), 1.0, 1e-6, odds)
    assert bet.value == pytest.approx(CEILING)
    for _ in range(400):
        bet.step(1.0, 0.0, 0.3, odds_if_worse(0.3))
    assert bet.value < 1.0


def test_nothing_can_be_told_from_a_null_of_nearly_one() -> None:
    bet = Bet()
    for tick in range(100):
        bet.step(weight_by(tick, 100), 1.0, 0.95, odds_if_worse(0.95))
    assert bet.value == pytest.approx(1.0)
