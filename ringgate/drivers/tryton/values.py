"""How Tryton writes values in JSON: decimals, dates, times, durations and bytes as objects with a `__class__`.

>>> encode([Decimal("1.50"), dt.date(2026, 3, 1)])
b'[{"__class__":"Decimal","decimal":"1.50"},{"__class__":"date","year":2026,"month":3,"day":1}]'
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.secrets import Secret


def _pack(value: Any) -> Any:  # noqa: PLR0911 - one for each type
    """What `json` cannot write itself, as Tryton's tagged objects. Aware datetimes become naive UTC.

    A secret is revealed here and no sooner: what holds it until then can be shown."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(dt.UTC)
        day = {"__class__": "datetime", "year": value.year, "month": value.month, "day": value.day}
        clock = {"hour": value.hour, "minute": value.minute, "second": value.second, "microsecond": value.microsecond}
        return day | clock
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dt.time):
        clock = {"hour": value.hour, "minute": value.minute, "second": value.second, "microsecond": value.microsecond}
        return {"__class__": "time"} | clock
    if isinstance(value, dt.timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    if isinstance(value, (bytes, bytearray)):
        return {"__class__": "bytes", "base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"Tryton's wire has no form for a {type(value).__name__}")


_UNPACKERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "Decimal": lambda d: Decimal(d["decimal"]),
    "date": lambda d: dt.date(d["year"], d["month"], d["day"]),
    "datetime": lambda d: dt.datetime(  # noqa: DTZ001 - Tryton keeps and sends naive UTC
        d["year"], d["month"], d["day"], d["hour"], d["minute"], d["second"], d["microsecond"]
    ),
    "time": lambda d: dt.time(d["hour"], d["minute"], d["second"], d["microsecond"]),
    "timedelta": lambda d: dt.timedelta(seconds=d["seconds"]),
    "bytes": lambda d: base64.b64decode(d["base64"]),
}


def _unpack(tagged: dict[str, Any]) -> Any:
    unpacker = _UNPACKERS.get(tagged.get("__class__", ""))
    return tagged if unpacker is None else unpacker(tagged)


_ENCODER: Final = json.JSONEncoder(default=_pack, separators=(",", ":"), check_circular=False)
_DECODER: Final = json.JSONDecoder(object_hook=_unpack)


def encode(value: Any) -> bytes:
    """JSON as Tryton reads it. Raises TypeError for what the wire has no form for."""
    return _ENCODER.encode(value).encode()


def decode(text: bytes | str) -> Any:
    """The reverse of `encode`; datetimes come back naive, in UTC. Raises ValueError for anything malformed."""
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except (KeyError, TypeError, ArithmeticError) as error:
        raise ValueError(f"a tagged value is malformed: {error!r}") from error
