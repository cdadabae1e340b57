"""When invoices fall due: cases computed by hand at the ends of months, and what must hold for every term."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.domain.money import Currency, Money, RoundingMode
from ringgate.domain.payment_terms import Discount, DueStep, DueUnit, Instalment, PaymentTerm
from ringgate.inventory.payment_terms import step
from ringgate.scenario.payment_terms import amounts_due, discount, due_dates

GBP, JPY = Currency("GBP", 2), Currency("JPY", 0)


def term(*due: str) -> PaymentTerm:
    return PaymentTerm("t", (Instalment(tuple(step(each) for each in due)),))


@pytest.mark.parametrize(
    ("on", "due", "expected"),
    [
        # plain days count through the end of a month
        (date(2026, 1, 31), ["30 days"], date(2026, 3, 2)),
        (date(2028, 1, 31), ["30 days"], date(2028, 3, 1)),
        (date(2026, 12, 15), ["0 days"], date(2026, 12, 15)),
        (date(2026, 12, 15), [], date(2026, 12, 15)),
        # a month later is the same day, or the last of a shorter month
        (date(2027, 1, 31), ["1 month"], date(2027, 2, 28)),
        (date(2028, 1, 31), ["1 month"], date(2028, 2, 29)),
        (date(2026, 10, 31), ["1 month"], date(2026, 11, 30)),
        (date(2026, 11, 30), ["3 months"], date(2027, 2, 28)),
        (date(2026, 12, 5), ["1 month"], date(2027, 1, 5)),
        (date(2026, 1, 15), ["12 months"], date(2027, 1, 15)),
        # end of month: after the days, before them, and both
        (date(2026, 1, 31), ["30 days", "end of month"], date(2026, 3, 31)),
        (date(2026, 2, 1), ["30 days", "end of month"], date(2026, 3, 31)),
        (date(2026, 1, 1), ["30 days", "end of month"], date(2026, 1, 31)),
        (date(2026, 1, 10), ["end of month", "30 days"], date(2026, 3, 2)),
        (date(2026, 2, 28), ["end of month"], date(2026, 2, 28)),
        (date(2028, 2, 1), ["end of month"], date(2028, 2, 29)),
        (date(2026, 1, 31), ["1 month", "end of month"], date(2026, 2, 28)),
        # the 10th of the month after
        (date(2026, 1, 31), ["end of month", "10 days"], date(2026, 2, 10)),
        (date(2026, 12, 3), ["1 month", "day 10"], date(2027, 1, 10)),
        # a day that a month does not have
        (date(2027, 1, 30), ["1 month", "day 31"], date(2027, 2, 28)),
    ],
)
def test_due_dates_by_hand(on: date, due: list[str], expected: date) -> None:
    assert due_dates(on, term(*due)) == (expected,)


def test_instalments_by_hand() -> None:
    thirds = PaymentTerm(
        "t",
        (
            Instalment((step("14 days"),), Decimal("0.3333")),
            Instalment((step("1 month"),), Decimal("0.3333")),
            Instalment((step("2 months"), step("end of month"))),
        ),
    )
    parts = amounts_due(Money("100.01", GBP), date(2027, 1, 31), thirds, RoundingMode.HALF_EVEN)
    assert [(each.on, str(each.amount.amount)) for each in parts] == [
        (date(2027, 2, 14), "33.33"),
        (date(2027, 2, 28), "33.33"),
        (date(2027, 3, 31), "33.35"),
    ]
    assert due_dates(date(2027, 1, 31), thirds) == (date(2027, 2, 14), date(2027, 2, 28), date(2027, 3, 31))


def test_parts_of_a_currency_without_decimals() -> None:
    halves = PaymentTerm("t", (Instalment((), Decimal("0.5")), Instalment((step("30 days"),))))
    first, rest = amounts_due(Money(1001, JPY), date(2027, 1, 1), halves, RoundingMode.HALF_UP)
    assert (first.amount, rest.amount) == (Money(501, JPY), Money(500, JPY))


def test_a_discount_holds_through_its_last_day() -> None:
    early = PaymentTerm("t", (Instalment((step("30 days"),)),), Discount(Decimal("0.02"), 10))
    on, total, mode = date(2027, 2, 20), Money("119.99", GBP), RoundingMode.HALF_EVEN
    assert discount(total, on, date(2027, 3, 2), early, mode) == Money("2.40", GBP)
    assert discount(total, on, date(2027, 3, 3), early, mode) == Money(0, GBP)
    assert discount(total, on, on, term("30 days"), mode) == Money(0, GBP)


def test_a_term_says_itself_in_words() -> None:
    parts = (Instalment((step("14 days"),), Decimal("0.30")), Instalment((step("2 months"), step("end of month"))))
    words = "30% 14 days, then 2 months, end of month; 2% off within 10 days"
    assert str(PaymentTerm("t", parts, Discount(Decimal("0.02"), 10))) == words
    assert str(PaymentTerm.net("30 days", 30)) == "30 days"
    assert str(term()) == "at once"
    assert str(term("1 month", "day 15")) == "1 month, day 15"


steps = st.one_of(
    st.builds(DueStep, st.just(DueUnit.DAYS), st.integers(0, 365)),
    st.builds(DueStep, st.just(DueUnit.MONTHS), st.integers(0, 24)),
    st.just(DueStep(DueUnit.END_OF_MONTH)),
)
days = st.dates(date(2000, 1, 1), date(2090, 12, 31))


@st.composite
def terms(draw: st.DrawFn) -> PaymentTerm:
    shares = draw(st.lists(st.decimals("0.01", "0.20", places=4), max_size=4))
    parts = [Instalment(tuple(draw(st.lists(steps, max_size=3))), share) for share in [*shares, None]]
    return PaymentTerm("t", tuple(parts))


@given(days, terms(), st.integers(1, 10**9), st.sampled_from(RoundingMode))
def test_parts_add_up_and_none_falls_due_before_the_invoice(
    on: date, owed: PaymentTerm, pence: int, mode: RoundingMode
) -> None:
    total = Money(Decimal(pence) / 100, GBP)
    parts = amounts_due(total, on, owed, mode)
    assert sum((each.amount for each in parts), Money(0, GBP)) == total
    assert all(each.amount == each.amount.rounded(mode) for each in parts)
    assert all(each.on >= on for each in parts)
    assert set(due_dates(on, owed)) == {each.on for each in parts}


@given(days, st.integers(0, 400))
def test_a_month_never_skips_one_and_end_of_month_is_followed_by_the_first(on: date, months: int) -> None:
    (later,) = due_dates(on, term(f"{min(months, 24)} months"))
    assert (later.year * 12 + later.month) - (on.year * 12 + on.month) == min(months, 24)
    assert later.day <= on.day
    (last,) = due_dates(on, term("end of month"))
    assert (last + timedelta(days=1)).day == 1
    assert (last.year, last.month) == (on.year, on.month)
