"""Checks are judged when what was slow had a second look, and what they left was taken back patiently."""

from __future__ import annotations

from dataclasses import replace

from ringgate.domain.model import Residue
from ringgate.domain.terms import Channel, ResidueCause
from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import SecondLook
from ringgate.rollout.stages.checks import judge, settle
from tests.unit.rollout.stages.world import (
    ABSENT,
    ALDGATE,
    DOWN,
    FINE,
    LATE,
    SCREEN,
    SLOW,
    STUBBORN,
    WRONG,
    Context,
    left,
)  # fmt: skip

LEFT_AT_ONCE = replace(LATE, residue=(left(),))


def judged(context, results):
    checked = settle(context, ALDGATE, results)
    return judge(context, ALDGATE, checked, "after the upgrade", lambda _: Condition.PLATFORM_FAILED)


def test_where_all_is_clear_at_first_nothing_more_is_done():
    context = Context()
    assert judged(context, [FINE, ABSENT]) == []
    assert context.done == []


def test_what_was_slow_is_run_again_alone_after_a_pause_and_counts_as_passed():
    context = Context(again=[FINE])
    checked = settle(context, ALDGATE, [FINE, SLOW])
    assert context.done == ["take back", "pause", "time-entry over api", "take back"]
    assert checked.counts() == {"passed": 2}
    assert checked.again == [SecondLook("time-entry over the API", "unavailable it was.", "passed")]
    assert judged(Context(again=[FINE]), [FINE, SLOW]) == []


def test_an_outage_that_is_confirmed_speaks_against_the_release():
    (reason,) = judged(Context(again=[DOWN]), [FINE, DOWN])
    assert (reason.condition, reason.action) == (Condition.PLATFORM_FAILED, RolloutAction.ROLL_BACK)


def test_a_tenant_that_is_down_is_not_asked_for_ever():
    context = Context(again=[DOWN] * 9)
    reasons = judged(context, [came_as(DOWN, n) for n in range(9)])
    assert sum(each.endswith("over api") for each in context.done) == 3
    assert [each.condition for each in reasons].count(Condition.PLATFORM_FAILED) == 3
    assert len(reasons) == 9


def came_as(result, number):
    return replace(result, run_id=f"r{number}")


def test_a_wrong_amount_is_not_asked_twice():
    context = Context()
    (reason,) = judged(context, [WRONG])
    assert (reason.condition, context.done) == (Condition.PLATFORM_FAILED, [])


def test_residue_that_is_taken_back_later_is_no_residue():
    context = Context(kept_back=[[]])
    checked = settle(context, ALDGATE, [FINE, LEFT_AT_ONCE])
    assert (context.done, checked.counts(), checked.left) == (["take back"], {"passed": 2}, [])
    assert judged(Context(kept_back=[[]]), [FINE, LEFT_AT_ONCE]) == []


def test_residue_of_an_erp_that_is_slow_pauses_and_names_document_tenant_and_remedy():
    (reason,) = judged(Context(kept_back=[[left()]]), [FINE, LEFT_AT_ONCE])
    assert (reason.condition, reason.action) == (Condition.INCONCLUSIVE, RolloutAction.PAUSE)
    assert reason.sentence == (
        "post_invoice RG-late-1 on aldgate was not taken back: no answer came; `ringgate recover` takes it back"
    )


def test_residue_that_the_erp_refuses_to_take_back_is_a_failure_of_its_process():
    refused = Residue("aldgate", "stubborn", "post_invoice", "RG-2", "the period is closed", ResidueCause.REFUSED)
    run = replace(STUBBORN, residue=(refused,))
    (reason,) = judged(Context(kept_back=[[refused]]), [FINE, run])
    assert (reason.condition, reason.action) == (Condition.PROCESS_FAILED, RolloutAction.ROLL_BACK)
    assert settle(Context(kept_back=[[refused]]), ALDGATE, [run]).counts() == {"failed": 1}


def test_where_nothing_was_tested_nothing_is_proved():
    (reason,) = judged(Context(), [ABSENT])
    assert (reason.condition, reason.sentence) == (
        Condition.INCONCLUSIVE,
        "Nothing was tested after the upgrade: every check was skipped.",
    )


def test_a_screen_that_did_not_come_is_looked_at_again_in_the_browser():
    context = Context(again=[replace(FINE, channel=Channel.BROWSER)])
    assert judged(context, [FINE, SCREEN]) == []
    assert "time-entry over browser" in context.done


def test_work_whose_scenario_is_not_known_here_is_left_as_it_was():
    (reason,) = judged(Context(), [FINE, came_of(SLOW, "gone")])
    assert reason.condition is Condition.INCONCLUSIVE


def came_of(result, scenario):
    return replace(result, scenario=scenario)
