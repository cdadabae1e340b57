"""The page of all runs judges them as the rings did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ringgate.domain.terms import Outcome
from ringgate.rollout.pages import as_judged
from tests.unit.rollout.stages.world import FINE, LATE, SLOW, WRONG, left

LEFT = replace(LATE, residue=(left(),), scenario="billing")


def later(result, minutes=5):
    return replace(result, run_id="later", started_at=result.started_at + timedelta(minutes=minutes))


def test_what_was_taken_back_later_has_passed_and_left_nothing():
    (run,) = as_judged([LEFT], [])
    assert (run.outcome, run.failure, run.residue) == (Outcome.PASSED, None, ())


def test_what_is_left_now_stays_as_it_was():
    assert as_judged([LEFT], [left()]) == [LEFT]


def test_what_passed_at_the_second_look_is_shown_by_that_look():
    assert as_judged([SLOW, later(FINE)], []) == [later(FINE)]
    assert as_judged([SLOW, later(SLOW)], []) == [SLOW, later(SLOW)]


def test_a_wrong_amount_is_not_hidden_by_a_later_pass():
    assert as_judged([WRONG, later(FINE)], []) == [WRONG, later(FINE)]


def test_a_pass_before_the_upgrade_says_nothing_of_what_came_after():
    assert as_judged([FINE, later(SLOW)], []) == [FINE, later(SLOW)]
