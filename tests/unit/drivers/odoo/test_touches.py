"""What calls touch is told by name."""

from __future__ import annotations

from ringgate.domain.terms import Role
from ringgate.drivers.odoo.touches import Touches


def test_calls_reads_searches_and_writes_are_told_apart() -> None:
    touches = Touches()
    touches.note(
        Role.AUDITOR, "account.move", "search_read", {"fields": ["name"], "domain": ["|", ("state", "=", "x")]}
    )
    values = {"partner_id": 1, "order_line": [(0, 0, {"price_unit": 5})]}
    touches.note(Role.ACCOUNTANT, "sale.order", "create", {"vals_list": [values]})
    assert touches.all == {
        "auditor call account.move.search_read",
        "auditor read account.move name",
        "auditor read account.move state",
        "accountant call sale.order.create",
        "accountant write sale.order partner_id",
        "accountant write sale.order order_line",
        "accountant write sale.order order_line.price_unit",
    }
