"""Odoo's JSON and our values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ringgate.domain.money import Currency, Money
from ringgate.drivers.odoo.values import day, decode, encode, exact, link, money, name, text

EUR = Currency("EUR", 2)


def test_numbers_come_as_exact_decimals() -> None:
    assert decode(b'{"amount_total": 142.8, "id": 7}') == {"amount_total": Decimal("142.8"), "id": 7}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("12.50"), b"12.5"),
        (Decimal("16.00"), b"16"),
        (dt.date(2026, 3, 1), b'"2026-03-01"'),
        (dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))), b'"2026-03-01 10:00:00"'),
        ((0, 0, {"name": "x"}), b'[0,0,{"name":"x"}]'),
    ],
)
def test_our_values_are_written_as_odoo_reads_them(value: object, written: bytes) -> None:
    assert encode(value) == written


def test_what_the_wire_has_no_form_for_is_refused() -> None:
    with pytest.raises(TypeError, match="no form for a set"):
        encode({1})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Decimal("200.05999999999997"), "200.06"),
        (0, "0"),
        (False, "0"),
        (Decimal("7.5"), "7.5"),
        (Decimal("0.1005"), "0.1005"),
    ],
)
def test_noise_of_binary_floats_is_taken_off_and_nothing_else(value: object, said: str) -> None:
    assert str(exact(value)) == said


def test_an_amount_below_the_smallest_coin_is_kept_for_the_oracle_to_see() -> None:
    assert money(Decimal("10.005"), EUR) == Money("10.005", EUR)


def test_false_stands_for_nothing() -> None:
    assert (day(False), link(False), name(False), text(False)) == (None, None, "", "")
    assert (link([7, "Acme"]), name([7, "Acme"]), link(7)) == (7, "Acme", 7)
    assert day("2026-03-01 23:15:00") == dt.date(2026, 3, 1)
