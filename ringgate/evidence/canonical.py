"""One text for one value, so that its digest means something: canonical JSON as RFC 8785 has it.

    >>> canonical({"b": 1, "a": [True, None, "ä"]})
    '{"a":[true,null,"ä"],"b":1}'

Keys are in order, nothing stands between the parts, characters are themselves, the text is UTF-8. What programs write
in different ways does not occur: a number is whole, and whatever has a fraction is a text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

from ringgate.domain.secrets import Secret

_THEMSELVES = frozenset({str, bool, int, type(None)})
"""Most values are of these: they are looked at first."""


def canonical(value: object) -> str:
    """The text of a value that `plain` understands."""
    return _text_of(plain(value))


_text_of = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""The text of what is plain."""


def digest_of(value: object) -> str:
    """SHA-256 of the canonical text as hexadecimal digits."""
    return digest_of_text(canonical(value))


def digest_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A value as mappings, lists, texts, whole numbers, true, false and null.

    Times are ISO 8601 in UTC with microseconds, spans are seconds, a secret is its reference. Raises TypeError for what
    has no such form.
    """
    simple = value if type(value) in _THEMSELVES else _simple(value)
    if simple is not NotImplemented:
        return simple
    if isinstance(value, BaseModel):
        return plain(dict(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names_of(type(value))}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=_text_of)
    if isinstance(value, Collection):
        return [plain(each) for each in value]
    raise TypeError(f"evidence cannot hold {type(value).__name__}")


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _simple(value: Any) -> Any:  # noqa: PLR0911 - a table in the form of code
    if isinstance(value, Enum):
        return _simple(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, (Decimal, date, time, tzinfo, PurePath)):
        return str(value)
    return NotImplemented
