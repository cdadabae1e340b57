"""What Odoo's records say in our words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ringgate.domain.money import Currency, Money
from ringgate.drivers.odoo import records
from ringgate.drivers.odoo.series import SERIES

EUR = Currency("EUR", 2)
INVOICE: dict[str, Any] = {
    "id": 4, "name": "INV/2026/00004", "state": "posted", "payment_state": "not_paid", "move_type": "out_invoice",
    "invoice_date": "2026-11-27", "partner_id": [9, "Client"], "currency_id": [1, "EUR"], "amount_untaxed": 200,
    "amount_tax": Decimal("38.0"), "amount_total": Decimal("238.0"), "amount_residual": Decimal("238.0"), "ref": "x",
}  # fmt: skip


def line(number: int, **values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(records.INVOICE_LINE, False)
    return {**empty, "id": number, **values}


LINES = [
    line(1, display_type="product", quantity=Decimal("2.0"), price_unit=100, price_subtotal=200, amount_currency=-200),
    line(2, display_type="tax", tax_line_id=[3, "USt"], tax_base_amount=200, amount_currency=-38),
    line(3, display_type="payment_term", date_maturity="2026-12-27", amount_currency=238),
    line(4, display_type="line_note"),
]


def test_an_invoice_states_lines_taxes_and_when_it_is_due() -> None:
    stated = records.invoice(INVOICE, LINES, {3: "USt 19%"}, EUR)
    assert (stated.number, stated.state, stated.customer) == ("INV/2026/00004", "posted", "Client")
    assert [(each.quantity, each.amount) for each in stated.lines] == [(Decimal(2), Money(200, EUR))]
    assert [(each.name, each.base, each.amount) for each in stated.taxes] == [
        ("USt 19%", Money(200, EUR), Money(38, EUR))
    ]
    assert stated.due == (dt.date(2026, 12, 27),)


def test_a_credit_note_is_negative_throughout() -> None:
    mirrored = [{**each, "amount_currency": -(each["amount_currency"] or 0)} for each in LINES]
    stated = records.invoice({**INVOICE, "move_type": "out_refund"}, mirrored, {3: "USt 19%"}, EUR)
    assert (stated.net, stated.tax, stated.total) == (Money(-200, EUR), Money(-38, EUR), Money(-238, EUR))
    assert (stated.lines[0].amount, stated.taxes[0].base, stated.taxes[0].amount) == (
        Money(-200, EUR), Money(-200, EUR), Money(-38, EUR),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "payment", "said"),
    [
        ("draft", "not_paid", "draft"),
        ("posted", "partial", "posted"),
        ("posted", "paid", "paid"),
        ("posted", "in_payment", "paid"),
        ("posted", "reversed", "paid"),
        ("cancel", "not_paid", "cancelled"),
    ],
)
def test_what_is_settled_in_full_is_paid(state: str, payment: str, said: str) -> None:
    assert records.invoice_state({"state": state, "payment_state": payment}) == said


def test_a_draft_has_no_number_and_falls_due_never() -> None:
    stated = records.invoice({**INVOICE, "state": "draft", "name": "/"}, LINES, {}, EUR)
    assert (stated.number, stated.due) == ("", ())


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("draft", "draft"),
        ("sent", "waiting"),
        ("to approve", "waiting"),
        ("purchase", "approved"),
        ("cancel", "rejected"),
    ],
)
def test_the_states_of_an_order_are_those_of_a_request(state: str, said: str) -> None:
    row = {"id": 1, "name": "P1", "state": state, "origin": "x", "amount_total": 5, "user_id": False}
    assert records.purchase_request(row, EUR).state == said


def test_a_task_is_done_by_its_state_or_by_the_stage_it_is_in() -> None:
    old, new = SERIES["14.0"], SERIES["19.0"]
    assert records.is_done({"state": "1_done"}, new, frozenset())
    assert not records.is_done({"state": "01_in_progress"}, new, frozenset())
    assert records.is_done({"stage_id": [4, "Done"]}, old, frozenset({4}))
    assert not records.is_done({"stage_id": False}, old, frozenset({4}))
