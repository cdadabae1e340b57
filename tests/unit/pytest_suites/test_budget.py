"""A property has a time limit, says how far it is, and never passes without having tried anything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies
from hypothesis.errors import Unsatisfiable, UnsatisfiedAssumption

from ringgate.pytest_suites.budget import Budget
from ringgate.pytest_suites.properties import cut_short


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(budget: Budget, clock: Clock, seconds: float = 4.0, *, failed: bool = False) -> None:
    budget.begin()
    clock.now += seconds
    budget.end(failed=failed)


@pytest.mark.filterwarnings("ignore:Using `reject` outside a property-based test")
def test_what_there_is_no_time_for_is_left_out_and_told(clock: Clock) -> None:
    budget = Budget(10.0, 6, lambda line: None, clock)
    for _ in range(3):
        run(budget, clock)
    with pytest.raises(UnsatisfiedAssumption):
        run(budget, clock)
    assert (budget.ran, budget.left_out) == (3, 1)
    assert budget.conclusion() == ("3 examples in 12 s, of 6: the budget of 10 s was used up (--property-budget)")


def test_the_first_example_always_runs(clock: Clock) -> None:
    budget = Budget(0.0, 6, lambda line: None, clock)
    run(budget, clock)
    assert budget.ran == 1


def test_what_failed_may_be_run_again_however_late_it_is(clock: Clock) -> None:
    """Hypothesis replays a failure to show it; one that could not be replayed would be called flaky."""
    budget = Budget(5.0, 6, lambda line: None, clock)
    run(budget, clock, failed=True)
    run(budget, clock, failed=True)
    run(budget, clock, failed=True)
    assert budget.left_out == 0


def test_without_a_limit_nothing_is_left_out(clock: Clock) -> None:
    budget = Budget(None, 3, lambda line: None, clock)
    for _ in range(3):
        run(budget, clock, 1000.0)
    assert budget.conclusion() == "3 examples in 3000 s"


def test_it_says_after_the_first_example_how_long_it_will_take_and_then_now_and_again(clock: Clock) -> None:
    told: list[str] = []
    budget = Budget(20.0, 6, told.append, clock)
    for _ in range(4):
        run(budget, clock)
    assert told == [
        "1 of 6 examples in 4 s, at most 16 s to go",
        "4 of 6 examples in 16 s, at most 4 s to go",
    ]


def test_time_for_a_property_s_own_examples_alone_is_no_failure():
    clock = Clock()
    budget = Budget(5.0, 5, lambda line: None, clock)

    @settings(max_examples=3, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.integers())
    @example(1)
    @example(2)
    def drawn(number):
        run(budget, clock)

    with pytest.raises(Unsatisfiable) as told:
        drawn()
    assert (budget.ran, budget.left_out > 0) == (2, True)
    assert cut_short(told.value, budget)
    assert not cut_short(AssertionError(), budget)
    assert not cut_short(told.value, Budget(5.0, 5, lambda line: None, clock))
