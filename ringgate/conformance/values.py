"""The types of what verbs return: money in the tenant's currency, hours as Decimal, plain dates, ids as opaque text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ringgate.conformance.requirements import require
from ringgate.domain.documents import Ref
from ringgate.domain.money import Currency, Money

HOURS = frozenset({"hours", "planned", "quantity"})
DATES = frozenset({"on", "period_start", "period_end"})


def check_types(value: Any, currency: Currency, where: str = "") -> None:
    """Raise ContractBroken where a value of `ringgate.domain.documents` holds another type than it says."""
    where = where or type(value).__name__
    if isinstance(value, Ref):
        require(isinstance(value.id, str) and bool(value.id), f"{where}.id is {value.id!r}: ids are text")
        require(isinstance(value.kind, str) and bool(value.kind), f"{where}.kind is {value.kind!r}: it is a word")
    elif isinstance(value, Money):
        require(isinstance(value.amount, Decimal), f"{where} is a {type(value.amount).__name__}, not a Decimal")
        require(value.currency == currency, f"{where} is in {value.currency.code}, the tenant's is {currency.code}")
    elif is_dataclass(value):
        for each in fields(value):
            _check_field(each.name, getattr(value, each.name), currency, f"{where}.{each.name}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            check_types(item, currency, f"{where}[{number}]")


def _check_field(name: str, value: Any, currency: Currency, where: str) -> None:
    if name in HOURS:
        require(isinstance(value, Decimal), f"{where} is a {type(value).__name__}, not a Decimal of hours")
    elif name in DATES and value is not None:
        plain = isinstance(value, date) and not isinstance(value, datetime)
        require(plain, f"{where} is a {type(value).__name__}, not a date")
    elif isinstance(value, (float, list, dict)):
        require(False, f"{where} is a {type(value).__name__}: values are frozen and exact")
    else:
        check_types(value, currency, where)
