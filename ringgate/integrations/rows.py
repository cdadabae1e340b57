"""Rows of a far end, whatever they came out of, as arrivals: an integration's `fields` says which column holds what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from ringgate.domain.errors import OurSideError
from ringgate.domain.integrations import Arrival, Integration

Row = Mapping[str, Any]
TAX = "tax."
FIELDS = ("marker", "id", "tenant", "amount", "net", "currency", "hours", "at", "attempt", "reversal")
"""What may be named in `fields`, besides `tax.<rate>`."""

_CLOCK = re.compile(r"([-+]?)([0-9]+):([0-5][0-9])")
"""Hours and minutes."""
_NO = frozenset({"", "0", "false", "no", "none", "null"})


class ObserverError(OurSideError):
    """The far end of an integration cannot be read, or says what cannot be understood: nothing is known of arrivals."""

    kind = "integration"


class FieldMissing(ObserverError):
    """What arrived lacks a column that it is read by: somebody renamed it, or the inventory names another."""


def arrivals(integration: Integration, rows: Iterable[Row], marker: str, since: datetime) -> list[Arrival]:
    """Those of the rows that carry the marker, and are not older than `since` where they state a time."""
    found = [_arrival(integration, row) for row in rows if marker in _text(row, integration.fields["marker"])]
    return [each for each in found if each.at is None or each.at >= since]


def _arrival(integration: Integration, row: Row) -> Arrival:
    fields = integration.fields
    amount, hours = _number(integration, row, "amount"), _number(integration, row, "hours")
    said = _text(row, fields["reversal"]).strip().lower() if "reversal" in fields else None
    negative = any(each is not None and each < 0 for each in (amount, hours))
    attempt = _number(integration, row, "attempt")
    return Arrival(
        id=_text(row, fields["id"]) or "(no id)",
        tenant=_text(row, fields.get("tenant", "")),
        amount=amount,
        net=_number(integration, row, "net"),
        currency=_text(row, fields.get("currency", "")),
        hours=hours,
        taxes=dict(_taxes(integration, row)),
        at=_moment(integration, row),
        attempt=1 if attempt is None else int(attempt),
        reversal=negative if said is None else said not in _NO,
    )


def _text(row: Row, column: str) -> str:
    if not column:
        return ""
    if column not in row:
        there = ", ".join(map(str, row)) or "nothing"
        raise FieldMissing(f"there is no {column} at the far end any more: it states {there}"[:400])
    value = row[column]
    return "" if value is None else str(value).strip()


def _taxes(integration: Integration, row: Row) -> Iterator[tuple[str, Decimal]]:
    for name in integration.fields:
        if name.startswith(TAX) and (value := _number(integration, row, name)) is not None:
            yield name.removeprefix(TAX), value


def _number(integration: Integration, row: Row, name: str) -> Decimal | None:
    column = integration.fields.get(name, "")
    text = _text(row, column)
    if not text:
        return None
    if integration.settings.get("decimals") == ",":
        text = text.replace(".", "").replace(",", ".")
    elif integration.settings.get("decimals") == ".":
        text = text.replace(",", "")
    if name == "hours" and (clock := _CLOCK.fullmatch(text)):
        sign, hours, minutes = clock.groups()
        return Decimal(f"{sign}1") * (Decimal(hours) + Decimal(minutes) / 60)
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ObserverError(f'{integration.name}: {column} is no number at the far end: "{text[:40]}"')
    return value


def _moment(integration: Integration, row: Row) -> datetime | None:
    column = integration.fields.get("at", "")
    value = row.get(column) if column else None
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, date) and not isinstance(value, datetime):
        return None  # a day says nothing of an order
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ObserverError(f'{integration.name}: {column} is no time at the far end: "{str(value)[:40]}"') from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(integration.settings.get("timezone") or "UTC"))
