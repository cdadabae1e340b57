"""The contract of an integration: in time, once, right, and taken back; each way to break it has its rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.domain.integrations import Arrival, ArrivalState, ExpectedArrival
from ringgate.integrations import state_of
from tests.unit.integrations.samples import NOON, arrival, expected, integration

SECOND = timedelta(seconds=1)


def state(
    arrivals: Sequence[Arrival], after: float = 10, what: ExpectedArrival | None = None, seen: dict | None = None
) -> ArrivalState:
    """As of so many seconds after noon; each was seen after 5 s, its reversal after 15 s, if nothing else is said."""
    when = {(each.id, each.reversal): NOON + (15 if each.reversal else 5) * SECOND for each in arrivals} | (seen or {})
    return state_of(integration(), what or expected(), arrivals, when, NOON + after * SECOND)


def rules(found: ArrivalState) -> list[str]:
    return [each.rule for each in found.faults]


def test_what_arrives_once_and_right_is_settled_with_its_lag():
    assert state([arrival()]) == ArrivalState((), settled=True, lag=5 * SECOND)


def test_what_has_not_arrived_is_waited_for_until_its_deadline():
    assert state([], after=60) == ArrivalState((), settled=False)
    late = state([], after=61)
    assert (rules(late), late.settled) == (["late"], True)
    assert late.faults[0].sentence == "it had not arrived after 1 min"


def test_what_arrives_after_its_deadline_says_by_how_much():
    late = state([arrival()], after=90, seen={("INV-1", False): NOON + 75 * SECOND})
    assert [each.sentence for each in late.faults] == ["it arrived 15 s after the 1 min that are allowed"]


def test_a_delivery_that_was_tried_again_is_one_effect():
    assert rules(state([arrival(), arrival(attempt=2)])) == []
    twice = state([arrival(), arrival(id="INV-2")])
    assert [each.sentence for each in twice.faults] == ["it arrived 2 times, as INV-1, INV-2"]


@pytest.mark.parametrize(
    ("wrong", "rule", "sentence"),
    [
        ({"amount": Decimal("120")}, "", ""),
        ({"amount": Decimal("119.99")}, "amount", "INV-1 states an amount of 119.99, not 120.00"),
        ({"amount": None}, "amount", "INV-1 states an amount of None, not 120.00"),
        ({"amount": Decimal("-120.00")}, "amount", "INV-1 states an amount of -120.00, not 120.00"),
        ({"currency": "USD"}, "currency", "INV-1 states USD, not EUR"),
        ({"currency": ""}, "currency", "INV-1 states no currency, not EUR"),
        ({"tenant": "globex"}, "tenant", "INV-1 arrived as globex's, not as acme's"),
        ({"tenant": ""}, "", ""),
    ],
)
def test_its_content_is_compared_exactly(wrong, rule, sentence):
    found = state([arrival(**wrong)])
    assert [(each.rule, each.sentence) for each in found.faults] == ([(rule, sentence)] if rule else [])


def test_hours_and_taxes_are_compared_where_they_are_expected():
    what = expected(amount=None, currency="", hours=Decimal("7.5"), taxes={"19%": Decimal("22.80")})
    good = arrival(amount=None, hours=Decimal("7.50"), taxes={"19%": Decimal("22.80"), "7%": Decimal(0)})
    assert rules(state([good], what=what)) == []
    bad = state([arrival(hours=Decimal(7))], what=what)
    assert [each.sentence for each in bad.faults] == [
        "INV-1 states 7 hours, not 7.5", "INV-1 states a tax at 19% of None, not 22.80",
    ]  # fmt: skip


REVERSED = expected(reversed=NOON + 10 * SECOND)


def test_a_reversal_settles_once_nothing_followed_it_for_the_quiet_time():
    both = [arrival(), arrival(id="CN-1", reversal=True)]
    assert state(both, 44, REVERSED) == ArrivalState((), False, 5 * SECOND, 5 * SECOND)
    assert state(both, 45, REVERSED) == ArrivalState((), True, 5 * SECOND, 5 * SECOND)
    negative = [arrival(), arrival(id="CN-1", amount=Decimal("-120.00"), reversal=True)]
    assert rules(state(negative, 45, REVERSED)) == []


@pytest.mark.parametrize(
    ("arrivals", "after", "seen", "rule"),
    [
        ([arrival()], 71, {}, "late"),
        ([arrival(), arrival(id="CN-1", reversal=True), arrival(id="CN-2", reversal=True)], 45, {}, "doubled"),
        ([arrival(), arrival(id="CN-1", reversal=True, amount=Decimal("12.00"))], 45, {}, "amount"),
        ([arrival(id="CN-1", reversal=True)], 30, {}, "order"),
        ([arrival(at=NOON + 9 * SECOND), arrival(id="CN-1", reversal=True, at=NOON)], 45, {}, "order"),
        ([arrival(), arrival(id="CN-1", reversal=True)], 45, {("INV-1", False): NOON + 20 * SECOND}, "after-reversal"),
    ],
)
def test_each_way_to_spoil_a_reversal_has_its_rule(arrivals, after, seen, rule):
    found = state(arrivals, after, REVERSED, seen)
    assert (rules(found), found.settled) == ([rule], True)


def test_a_reversal_of_what_was_not_taken_back_is_told():
    assert rules(state([arrival(), arrival(id="CN-1", reversal=True)])) == ["reversed"]


@given(st.permutations(["INV-1", "INV-1", "INV-2"]), st.integers(0, 200))
def test_the_order_of_rows_changes_nothing(ids, after):
    arrivals = [arrival(id=each) for each in ids]
    assert state(arrivals, after) == state([*reversed(arrivals)], after)
