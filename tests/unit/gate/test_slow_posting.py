"""Posting is slow where it takes a larger part of its run than before, and not where all of the run takes longer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringgate.domain.model import RunResult, Step
from ringgate.domain.terms import Outcome, StepKind
from ringgate.gate import Action, Signal
from ringgate.gate.observations import PostingPace, UsualPace
from tests.unit.gate.sample import bake, every_minute, run
from tests.unit.gate.test_bake import END, HOURS, hourly_tests, rules_of

PACE = UsualPace.of_limits({}, {"time-entry over api": PostingPace(ratio=1.5, rest=2.0)})


def posting_for(seconds: float, rest: float = 1.0) -> dict[str, Any]:
    """What of a run changes if it posts for so long."""
    step = Step("post invoice", rest, seconds, Outcome.PASSED, StepKind.POSTING)
    return {"seconds": rest + seconds, "steps": (step,)}


def test_a_release_that_posts_slower_is_paused() -> None:
    slower = [replace(r, **posting_for(1.5)) for r in every_minute(60 * HOURS)]
    verdict = bake([*slower, *hourly_tests()]).verdict(END)
    assert (verdict.action, rules_of(verdict)[0]) == (Action.PAUSE, "evidence_to_pause")
    assert "spent a larger part of their time on posting than usual" in verdict.reasons[0].sentence


@pytest.mark.parametrize("times", [1.2, 3.0])
def test_a_machine_that_makes_all_of_a_run_slower_does_not_make_posting_slow(times: float) -> None:
    slower = [replace(r, **posting_for(times, times)) for r in every_minute(60 * HOURS)]
    told = {e.signal: e for e in bake(slower).verdict(END).evidence}[Signal.SLOW_POSTING]
    assert (told.bad, told.runs > 0) == (0, times < 2), "of a machine that is much busier nothing is known"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (run(**posting_for(1.4)), (False,)),
        (run(**posting_for(1.6)), (True,)),
        (run(**posting_for(9.0, 2.1)), None),  # the machine is busier than it ever was
        (run(seconds=9.0, steps=()), None),
        (run(outcome=Outcome.FAILED, **posting_for(9.0)), None),
        (run(scenario="sign-in", **posting_for(9.0)), None),
    ],
    ids=["usual", "slow", "busy", "posts nothing", "failed", "of an unknown kind"],
)
def test_what_a_run_says_of_its_posting(result: RunResult, said: object) -> None:
    assert PACE.slow_posting(result) == said


def test_every_step_that_posts_counts() -> None:
    step = Step("check the posting", 0.0, 0.8, Outcome.PASSED, StepKind.POSTING)
    made = run(**posting_for(0.8))
    made = replace(made, seconds=made.seconds + 0.8, steps=(*made.steps, step))
    assert (made.posting, PACE.slow_posting(made)) == (1_600_000, (True,))
