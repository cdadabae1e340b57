"""The ground a tenant stands on: company, chart of accounts, years, taxes, services, journals, the invoice's form."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ringgate.estate.seeding.rpc import Desk
from ringgate.estate.seeding.spec import CITIES, CURRENCIES, SeedSpec

CHARTS = {"de": "account.account_template_root_de"}
CHART = "account.account_template_root_en"
OPEN_MONTHS = 9  # a month that ended longer ago, in the previous year, is closed
CLOSED_AT_MOST = 6

INVOICE_FORM = """\
{{invoice_title}}
"""


@dataclass(frozen=True)
class Ground:
    """Ids that what follows builds on. `products` is in the order of `SeedSpec.products`."""

    company: int
    currency: int
    accounts: dict[str, int]
    payment_term: int
    payment_method: int
    products: tuple[int, ...]
    references: dict[str, int]
