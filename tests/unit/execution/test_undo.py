"""Undoing is patient with what is slow, and says why something is left. The connection is a script, time a number."""

from __future__ import annotations

from typing import Any

import pytest

from ringgate.domain.errors import (
    BrowserError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpUnavailable,
    Refused,
    SignInRefused,
    Throttled,
)
from ringgate.domain.model import Residue
from ringgate.domain.reversal import NOTHING_TO_UNDO, Reversal
from ringgate.domain.terms import ResidueCause
from ringgate.drivers.protocol import TimeLimit
from ringgate.execution.undo import Patience, UndoRefused, UndoSlow, cause_of, left_behind, undo
from ringgate.host.undo_journal import Journal

SLOW, REFUSED = ResidueCause.SLOW, ResidueCause.REFUSED
TIMED_OUT = ErpUnavailable("the tenant did not answer in time")
NO = Refused("undo post_invoice", "the period is closed")


class Connection:
    """Answers each attempt at a marker as its script says, the last answer again and again; notes the limits."""

    def __init__(self, limit: TimeLimit, **script: Any) -> None:
        self._limit, self._script = limit, {marker: list(answers) for marker, answers in script.items()}
        self.tried: list[str] = []
        self.limits: list[float] = []

    def undo(self, reversal: Reversal) -> str:
        self.tried.append(reversal.marker)
        self.limits.append(self._limit.of(30.0))
        answers = self._script.get(reversal.marker, ["deleted"])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Time:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def patience(time):
    return Patience(seconds=120, clock=lambda: time.now, sleep=time.sleep)


@pytest.fixture
def journal(tmp_path):
    run = Journal(tmp_path).begin("run1", "aldgate", "project-to-cash", "api")
    for number, verb in enumerate(("draft_invoice", "post_invoice"), start=1):
        run.resolve(run.register(Reversal(verb, "accountant", f"m{number}")), str(number))
    yield run
    run.close()


def undone(journal, patience, **script: Any):
    limit = TimeLimit()
    connection = Connection(limit, **script)
    return undo(journal, connection, limit=limit, patience=patience), connection  # type: ignore[arg-type]


def test_a_reversal_that_timed_out_is_tried_again_and_nothing_is_left(journal, patience, time):
    left, connection = undone(journal, patience, m2=[TIMED_OUT, TIMED_OUT, "credited"])
    assert left == []
    assert connection.tried == ["m2", "m1", "m2", "m2"]
    assert time.slept == pytest.approx(1 + 2)
    assert journal.pending() == []


def test_the_erp_may_take_four_times_as_long_as_usual_while_patience_lasts(journal, patience):
    limit = TimeLimit()
    connection = Connection(limit)
    undo(journal, connection, limit=limit, patience=patience)  # type: ignore[arg-type]
    assert connection.limits == [120.0, 120.0]
    assert limit.of(30.0) == 30.0


def test_patience_ends_and_what_is_left_was_slow(journal, patience, time):
    left, _ = undone(journal, patience, m2=[TIMED_OUT])
    assert [(each.marker, each.cause) for each in left] == [("m2", SLOW)]
    assert time.slept <= 120
    assert [seq for seq, _ in journal.pending()] == [2]


def test_a_refusal_is_looked_at_once_more_and_then_counts_against_the_erp(journal, patience, time):
    left, connection = undone(journal, patience, m2=[NO])
    assert [(each.marker, each.cause) for each in left] == [("m2", REFUSED)]
    assert connection.tried == ["m2", "m1", "m2"]
    assert time.slept == pytest.approx(1)


def test_what_is_refused_because_newer_work_was_slow_is_no_refusal(journal, patience):
    left, _ = undone(journal, patience, m2=[TIMED_OUT], m1=[NO])
    assert [(each.marker, each.cause) for each in left] == [("m2", SLOW), ("m1", SLOW)]


def test_what_was_refused_goes_once_the_newer_work_is_gone(journal, patience):
    left, _ = undone(journal, patience, m2=[TIMED_OUT, "credited"], m1=[NO, "draft deleted"])
    assert left == []


def test_newer_work_that_was_refused_excuses_nothing(journal, patience):
    left, _ = undone(journal, patience, m2=[NO], m1=[TIMED_OUT])
    assert {each.marker: each.cause for each in left} == {"m2": REFUSED, "m1": SLOW}


def test_who_is_to_stop_waits_no_longer(journal, time):
    patience = Patience(stopping=lambda: time.slept > 5, clock=lambda: time.now, sleep=time.sleep)
    left, _ = undone(journal, patience, m2=[TIMED_OUT])
    assert [each.cause for each in left] == [SLOW]
    assert time.slept < 6


def test_without_patience_each_is_tried_once_for_as_long_as_usual(journal):
    limit = TimeLimit()
    connection = Connection(limit, m2=[TIMED_OUT])
    assert len(undo(journal, connection, limit=limit)) == 1  # type: ignore[arg-type]
    assert (connection.tried, connection.limits) == (["m2", "m1"], [30.0, 30.0])


def test_a_write_without_an_answer_is_waited_for(tmp_path, patience, time):
    run = Journal(tmp_path).begin("run2", "aldgate", "project-to-cash", "api")
    run.register(Reversal("post_invoice", "accountant", "m1"))
    left, connection = undone(run, patience, m1=[NOTHING_TO_UNDO, "credited"])
    assert (left, connection.tried, time.slept) == ([], ["m1", "m1"], pytest.approx(1))
    run.close()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ErpUnavailable("HTTP 503"), SLOW),
        (ErpProtocolError("cut short"), SLOW),
        (Throttled("HTTP 429"), SLOW),
        (BrowserError("it died"), SLOW),
        (ZeroDivisionError("oops"), SLOW),
        (Refused("undo", "no"), REFUSED),
        (ErpMisbehaved("the server failed inside"), REFUSED),
        (SignInRefused("not accepted"), REFUSED),
    ],
)
def test_only_what_the_erp_said_speaks_against_it(error, cause):
    assert cause_of(error) is cause


def test_what_is_left_is_named_with_document_tenant_and_remedy():
    slow = Residue("aldgate", "run1", "post_invoice", "m2", "the tenant did not answer in time.", SLOW)
    refused = Residue("aldgate", "run1", "draft_invoice", "m1", "the period is closed", REFUSED)
    assert str(left_behind([slow])) == (
        "post_invoice m2 on aldgate was not taken back: the tenant did not answer in time; "
        "`ringgate recover` takes it back"
    )
    assert isinstance(left_behind([slow]), UndoSlow)
    assert isinstance(left_behind([slow, refused]), UndoRefused)
    assert str(left_behind([slow, refused])).startswith(
        "draft_invoice m1 on aldgate was not taken back: the period is closed; post_invoice m2"
    )
