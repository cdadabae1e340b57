"""What the screens of each series look like, and how numbers on them are read and typed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
from playwright.sync_api import Page

from ringgate.domain.errors import ErpMisbehaved
from ringgate.drivers.odoo.browser.page import OdooWebClient
from ringgate.drivers.odoo.browser.selectors import ACTIONS, screens


class Blank:
    """A page on which nothing happens."""

    url = ""

    def set_default_timeout(self, milliseconds: float) -> None: ...
    def on(self, event: str, handler: Any) -> None: ...


def client(*, comma: bool = False, url: str = "") -> OdooWebClient:
    page = Blank()
    page.url = url
    return OdooWebClient(cast(Page, page), "http://odoo.test", screens("19.0"), 1.0, comma=comma)


@pytest.mark.parametrize(
    ("told", "comma", "value"),
    [("1,234.56", False, "1234.56"), ("1.234,56", True, "1234.56"), ("850", False, "850"), ("-12,5", True, "-12.5"),
     ("1\u00a0234,50", True, "1234.50")],
)  # fmt: skip
def test_a_number_is_read_as_the_users_language_writes_it(told: str, comma: bool, value: str) -> None:
    assert client(comma=comma).number(told) == Decimal(value)


def test_what_is_no_number_is_the_erps_mistake() -> None:
    with pytest.raises(ErpMisbehaved, match="shows 'n/a' where a number is due"):
        client().number("n/a")


def test_a_number_is_typed_as_the_user_would() -> None:
    assert client(comma=True).written(Decimal("499.90")) == "499,9"
    assert client().written(Decimal("500.00")) == "500"


@pytest.mark.parametrize(
    ("url", "record"),
    [
        ("http://x/odoo/action-purchase.purchase_rfq/42", "42"),
        ("http://x/odoo/action-purchase.purchase_rfq/new", ""),
        ("http://x/web#action=purchase.purchase_rfq&model=purchase.order&view_type=form&id=42", "42"),
        ("http://x/web#id=&action=1", ""),
    ],
)
def test_the_address_says_which_record_is_open(url: str, record: str) -> None:
    assert client(url=url).record() == record


def test_each_series_has_its_own_address_of_a_record() -> None:
    told = {"action": ACTIONS["purchase.order"], "model": "purchase.order", "record": "7"}
    assert screens("19.0").addressed.format(**told) == "odoo/action-purchase.purchase_rfq/7"
    assert screens("14.0").addressed.format(**told).startswith("web#action=purchase.purchase_rfq&model=purchase.order")
