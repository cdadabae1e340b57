"""Only what the ERP plainly did wrong speaks against a release; what was slow, broken or stopped does not."""

from __future__ import annotations

import pytest

from ringgate.domain.terms import Outcome, ResidueCause
from ringgate.rollout.conditions import Condition
from ringgate.rollout.stages.blame import Looked, condition_of, condition_of_residue, needs_second_look, sentence_of
from tests.unit.rollout.stages.world import (
    ABSENT,
    BROKEN,
    DOWN,
    FINE,
    INVARIANT,
    LATE,
    REFUSED,
    SCREEN,
    SLOW,
    STUBBORN,
    WRONG,
    came,
    left,
)  # fmt: skip

UNKNOWN, AGAINST = Condition.INCONCLUSIVE, Condition.PROCESS_FAILED
STOPPED = came(Outcome.STOPPED, reason="asked to") if hasattr(Outcome, "STOPPED") else came(Outcome.BROKEN, "stopped")


@pytest.mark.parametrize(
    ("result", "again"),
    [
        (FINE, False), (ABSENT, False), (WRONG, False), (REFUSED, False), (INVARIANT, False), (LATE, False),
        (STUBBORN, False), (SLOW, True), (DOWN, True), (SCREEN, True), (BROKEN, True),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_looked_at_again(result, again):
    assert needs_second_look(result) is again


@pytest.mark.parametrize(
    ("first", "second", "busy", "comes_to"),
    [
        (FINE, None, "", None),
        (ABSENT, None, "", None),
        (WRONG, None, "", AGAINST),
        (REFUSED, None, "", AGAINST),
        (INVARIANT, None, "", AGAINST),
        (SLOW, None, "", UNKNOWN),
        (SLOW, FINE, "", None),
        (SLOW, SLOW, "", AGAINST),
        (SLOW, SLOW, "the machine was busy", UNKNOWN),
        (DOWN, DOWN, "the machine was busy", AGAINST),
        (SCREEN, SCREEN, "the machine was busy", UNKNOWN),
        (SCREEN, SCREEN, "", AGAINST),
        (SLOW, WRONG, "the machine was busy", AGAINST),
        (BROKEN, None, "", UNKNOWN),
        (BROKEN, BROKEN, "", UNKNOWN),
        (BROKEN, FINE, "", None),
        (STOPPED, None, "", UNKNOWN),
        (LATE, None, "", None),
        (STUBBORN, None, "", None),
        (SLOW, LATE, "", None),
    ],
)
def test_what_a_check_comes_to(first, second, busy, comes_to):
    assert condition_of(Looked(first, second, busy), AGAINST) is comes_to


def test_what_is_left_speaks_against_the_release_only_if_the_erp_refused():
    assert condition_of_residue(left(), AGAINST) is UNKNOWN
    assert condition_of_residue(left(cause=ResidueCause.REFUSED), AGAINST) is AGAINST


def test_the_sentence_says_what_was_met_and_how_often():
    at = "after the upgrade"
    assert sentence_of(Looked(WRONG), at) == "time-entry over the API after the upgrade: expectation it was."
    assert sentence_of(Looked(SLOW, SLOW, "it was busy"), at) == (
        "time-entry over the API after the upgrade: unavailable it was, and again when it ran alone; it was busy, "
        "which may be why"
    )
    assert sentence_of(Looked(SLOW, WRONG), at).endswith("expectation it was (when it ran again, alone)")
