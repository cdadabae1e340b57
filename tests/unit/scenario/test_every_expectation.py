"""Every expectation there is names the thing, and says what was expected and found in words: each is looked at here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ringgate.domain.documents import Posting, PostingLine, Ref
from ringgate.domain.errors import Refused
from ringgate.domain.money import Money
from ringgate.scenario.expectations import ExpectationFailed, expect, expect_nothing
from tests.support.samples import GBP

ROOT = Path(__file__).parents[3]
FILES = sorted(
    path
    for room in ("scenarios", "suites", "ringgate/scenario", "tests/evaluation/bench/scenarios")
    for path in (ROOT / room).rglob("*.py")
)
CRITERIA = {"equals", "one_of", "within", "holds", "present"}
NEEDED = {
    "expect": {"what", "because"},
    "expect_nothing": {"what", "because", "stated"},
    "expect_refusal": {"because"},
    "expect_agreement": {"because"},
    "expect_isolation": {"because"},
}
EMPTY_WORDS = {"value", "the value", "something", "result", "it", "true", "false", "ok", "thing"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of an expectation, with its place."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NEEDED:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


CALLS = dict(calls())


def named(call: ast.Call) -> dict[str, ast.expr]:
    return {each.arg: each.value for each in call.keywords if each.arg}


def test_there_are_expectations_to_look_at() -> None:
    assert len(CALLS) > 70


@pytest.mark.parametrize("place", CALLS)
def test_an_expectation_says_what_it_is_about(place: str) -> None:
    call = CALLS[place]
    given = named(call)
    assert given.keys() >= NEEDED[call.func.id], place  # type: ignore[attr-defined]
    if call.func.id == "expect":  # type: ignore[attr-defined]
        assert len(CRITERIA & given.keys()) == 1, f"{place}: {sorted(given)}"
        # A comparison made by the scenario itself leaves nothing but "yes" and "no" to be told.
        assert not isinstance(call.args[0], (ast.Compare, ast.BoolOp, ast.Constant)), place
    for word in ("what", "because", "present", "holds"):
        text = given.get(word)
        if isinstance(text, ast.Constant):
            assert isinstance(text.value, str), place
            assert text.value.strip(), place
            assert text.value.lower() not in EMPTY_WORDS, f"{place}: {text.value!r} says nothing"


LINE = PostingLine("4000", Money(0, GBP), Money("95", GBP))
MONTH = (date(2026, 11, 1), date(2026, 11, 30))
POSTING = Posting(Ref("posting", "5"), "7", date(2026, 11, 27), "2026-11", *MONTH, "posted", GBP, (LINE,))
RATES = {"19%": Money("2", GBP), "7%": Money("3", GBP)}
RENDERED = {
    "money": (
        lambda: expect(Money("1", GBP), equals=Money("2", GBP), what="tax", because="b"),
        "tax: expected 2.00 GBP, but it is 1.00 GBP (b)",
    ),
    "hours": (
        lambda: expect(Decimal("7.5"), equals=Decimal("7.25"), what="hours", because="b"),
        "hours: expected 7.25, but it is 7.5 (b)",
    ),
    "no text": (
        lambda: expect("", equals="open", what="state", because="b"),
        "state: expected open, but it is nothing (b)",
    ),
    "dates": (
        lambda: expect((date(2026, 1, 2),), equals=(date(2026, 1, 3),), what="due date", because="b"),
        "due date: expected 2026-01-03, but it is 2026-01-02 (b)",
    ),
    "nothing": (
        lambda: expect({"1100", "4000"}, equals=set(), what="other accounts", because="b"),
        "other accounts: expected nothing, but it is 1100, 4000 (b)",
    ),
    "a table": (
        lambda: expect({**RATES, "19%": Money("1", GBP)}, equals=RATES, what="tax of each rate", because="b"),
        "tax of each rate: expected 19% 2.00 GBP, but it is 19% 1.00 GBP (b)",
    ),
    "a record": (
        lambda: expect(replace(POSTING, number="8"), equals=POSTING, what="posting", because="b"),
        "posting: expected number 7, but it is number 8 (b)",
    ),
    "a date in a period": (
        lambda: expect(
            date(2026, 11, 27),
            within=(date(2026, 10, 1), date(2026, 10, 31)),
            what="date of the posting",
            because="it is posted in period 2026-10",
        ),
        "date of the posting: expected 2026-10-01 to 2026-10-31, but it is 2026-11-27 (it is posted in period 2026-10)",
    ),
    "one of several": (
        lambda: expect("draft", one_of={"paid", "cancelled"}, what="state", because="b"),
        "state: expected one of cancelled, paid, but it is draft (b)",
    ),
    "one of one": (
        lambda: expect("7", one_of={"8"}, what="number of the invoice", because="b"),
        "number of the invoice: expected 8, but it is 7 (b)",
    ),
    "one of none": (
        lambda: expect("7", one_of=set(), what="number of the invoice", because="b"),
        "number of the invoice: expected one of none that there are, but it is 7 (b)",
    ),
    "another tenant's name": (
        lambda: expect(
            "<p>Invoice 525</p> <b>Bleecker LLC</b>", holds="Aldgate Ltd", what="report of invoice 525", because="b"
        ),
        'report of invoice 525: expected "Aldgate Ltd" on it, but it is without it: "Invoice 525 Bleecker LLC" (b)',
    ),
    "an empty report": (
        lambda: expect("", holds="Aldgate Ltd", what="report", because="b"),
        'report: expected "Aldgate Ltd" on it, but it is without it: it is empty (b)',
    ),
    "none at all": (
        lambda: expect(None, present="a day in a closed period", what="latest closed period", because="b"),
        "latest closed period: expected a day in a closed period, but it is nothing (b)",
    ),
    "billed over nothing": (
        lambda: expect_nothing(
            lambda: Money("3", GBP), stated=lambda total: total, what="total of the invoice", because="b"
        ),
        "total of the invoice: expected 0.00 GBP, but it is 3.00 GBP (b)",
    ),
}
CODE = re.compile(r"Decimal\(|datetime\.|Ref\(|Money\(|<[a-z]+[ .]|\{'|\bTrue\b|\bFalse\b|\bNone\b|something")


@pytest.mark.parametrize("kind", RENDERED)
def test_what_was_expected_and_found_is_said_in_words(kind: str) -> None:
    act, words = RENDERED[kind]
    with pytest.raises(ExpectationFailed) as failed:
        act()
    assert str(failed.value) == words
    assert not CODE.search(words)


def test_nothing_comes_of_what_there_is_nothing_for_whichever_way_an_erp_says_so() -> None:
    def refused() -> Money:
        raise Refused("draft_invoice", "You can not call")

    for way in (refused, lambda: Money(0, GBP)):
        expect_nothing(way, stated=lambda total: total, what="total", because="there is nothing to bill")


@pytest.mark.parametrize("given", [{}, {"equals": 1, "one_of": {1}}, {"equals": 1, "present": "a number"}])
def test_what_is_expected_is_said_once(given: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="exactly one of"):
        expect(1, what="number", because="b", **given)  # type: ignore[arg-type]


def test_nothing_may_be_what_is_expected() -> None:
    assert expect(None, equals=None, what="number", because="b") is None
