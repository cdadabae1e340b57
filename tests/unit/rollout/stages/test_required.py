"""A rehearsal goes on only from what was tested: a skip is no pass, and a process left out is none either."""

from __future__ import annotations

from types import SimpleNamespace

from ringgate.domain.terms import Outcome
from ringgate.gate.required import PROCESSES
from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.risk_classes import PLANS, Risk
from ringgate.rollout.stages.required import judge_untested
from tests.unit.rollout.stages.world import ALDGATE, WRONG, Context, came

HIGH = PLANS[Risk.HIGH]
REASON = "aldgate does not have approvals"


def objections(results, waived=(), must=PROCESSES):
    context = Context()
    context.release = SimpleNamespace(must=lambda plan: must, may_go_untested=lambda t, s, c=None: (t, s) in waived)
    return judge_untested(context, ALDGATE, HIGH, results)


def test_what_must_have_passed_and_was_not_run_is_inconclusive():
    assert objections([came(scenario=name) for name in PROCESSES]) == []
    (found,) = objections([came(scenario=name) for name in PROCESSES if name != "financial-posting"])
    assert (found.condition, found.action) == (Condition.INCONCLUSIVE, RolloutAction.PAUSE)
    assert found.sentence.startswith(
        "financial-posting was not tested after the upgrade. Only an entry of [[untested]]"
    )


def test_a_skip_is_inconclusive_unless_somebody_accepted_it():
    skipped = came(Outcome.SKIPPED, scenario="authority", reason=REASON)
    (found,) = objections([skipped], must=())
    assert found.sentence.startswith(f"authority was not tested after the upgrade: {REASON}. Only")
    assert objections([skipped], must=(), waived=[("aldgate", "authority")]) == []


def test_what_failed_was_tested_and_is_judged_elsewhere():
    assert objections([WRONG], must=("time-entry",)) == []


def test_each_risk_class_names_what_must_have_passed_and_runs_it():
    assert PLANS[Risk.LOW].must == ("sign-in", "project-to-cash")
    assert PLANS[Risk.MEDIUM].must == PLANS[Risk.HIGH].must == PROCESSES
