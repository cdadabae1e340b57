"""Odoo's values in JSON and ours: exact decimals, dates, the links between records, and what stands for "nothing".

Odoo writes numbers as JSON floats, "no value" as `false`, a link as `[id, "name"]`, and dates as text.

>>> decode(b'{"amount_total": 142.8, "partner_id": [7, "Acme"], "invoice_date": "2026-03-01"}')["amount_total"]
Decimal('142.8')
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.money import Currency, Money
from ringgate.domain.secrets import Secret

Row = Mapping[str, Any]

_EXACT: Final = Decimal("0.000001")
"""Quantities and prices are kept as binary floats by the ERP: noise beyond the sixth decimal is none of theirs."""


def _pack(value: Any) -> Any:
    """What `json` cannot write itself. Amounts go as JSON numbers, which is how the ERP takes them.

    A secret is revealed here and no sooner: what holds it until then can be shown."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC) if value.tzinfo is not None else value
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"Odoo's wire has no form for a {type(value).__name__}")


_ENCODER: Final = json.JSONEncoder(default=_pack, separators=(",", ":"), check_circular=False)


def encode(value: Any) -> bytes:
    """JSON as Odoo reads it. Aware datetimes become naive UTC. Raises TypeError for what the wire has no form for."""
    return _ENCODER.encode(value).encode()


def decode(text: bytes | str) -> Any:
    """The reverse, with numbers as exact decimals. Raises ValueError for anything malformed."""
    return json.loads(text, parse_float=Decimal)


def exact(value: Any) -> Decimal:
    """A quantity or price of a record, without the noise of a binary float. Nothing is 0."""
    return _plain(Decimal(str(value or 0)).quantize(_EXACT))


def money(value: Any, currency: Currency) -> Money:
    """An amount of a record. A sum of the ERP carries float noise, far below the smallest coin."""
    return Money(exact(value), currency)


def _plain(value: Decimal) -> Decimal:
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def day(value: Any) -> dt.date | None:
    """A date, or the day of a date and time (which the ERP states in UTC)."""
    return dt.date.fromisoformat(str(value)[:10]) if value else None


def link(value: Any) -> int | None:
    """The id that a link to one record leads to."""
    if isinstance(value, list | tuple):
        return int(value[0]) if value else None
    return int(value) if value else None


def name(value: Any) -> str:
    """The name that a link to one record shows, "" for none."""
    return str(value[1]) if isinstance(value, list | tuple) and len(value) > 1 else ""


def text(value: Any) -> str:
    """A text field; the ERP says `false` for an empty one."""
    return str(value) if value else ""
