"""Exact binomial bounds, against published values and plain sums."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.gate.bounds import tail_from, tail_up_to, upper_bound


@pytest.mark.parametrize(
    ("seen", "runs", "level", "bound"),
    [
        (0, 10, 0.05, 1 - 0.05 ** (1 / 10)),  # the rule of three, exactly
        (0, 1440, 0.005, 1 - 0.005 ** (1 / 1440)),
        (9, 10, 0.05, 0.95 ** (1 / 10)),
        (2, 20, 0.025, 0.316983),  # Clopper and Pearson's 95 % interval for 2 of 20: 0.0123 to 0.3170
        (5, 10, 0.025, 0.812914),  # for 5 of 10: 0.1871 to 0.8129
        (10, 10, 0.05, 1.0),
        (0, 0, 0.05, 1.0),
    ],
)
def test_upper_bounds_are_the_published_ones(seen: int, runs: int, level: float, bound: float) -> None:
    assert upper_bound(seen, runs, level) == pytest.approx(bound, abs=1e-6)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.floats(1e-6, 1 - 1e-6))
def test_tails_are_plain_sums(counts: tuple[int, int], rate: float) -> None:
    runs, seen = counts
    plain = math.fsum(math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(seen + 1))
    assert tail_up_to(seen, runs, rate) == pytest.approx(plain, rel=1e-9, abs=1e-300)
    assert tail_up_to(seen, runs, rate) + tail_from(seen + 1, runs, rate) == pytest.approx(1.0)


@given(st.integers(1, 200_000), st.data())
def test_a_bound_lies_above_what_was_seen_and_leaves_the_level(runs: int, data: st.DataObject) -> None:
    seen = data.draw(st.integers(0, runs - 1))
    bound = upper_bound(seen, runs, 0.005)
    assert seen / runs < bound < 1 or bound == pytest.approx(1.0)
    assert tail_up_to(seen, runs, bound) == pytest.approx(0.005, rel=1e-4)


def test_more_runs_bound_more_closely() -> None:
    bounds = [upper_bound(runs // 100, runs, 0.005) for runs in (100, 1_000, 10_000, 100_000)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == pytest.approx(0.01, rel=0.1)
