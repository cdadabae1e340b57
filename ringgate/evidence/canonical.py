"""One text for one value, so that its digest means something: canonical JSON as RFC 8785 has it.

    >>> canonical({"b": 1, "a": [True, None, "ä"]})
    '{"a":[true,null,"ä"],"b":1}'

Keys are in order, nothing stands between the parts, characters are themselves, the text is UTF-8. What programs write
in different ways does not occur: a number is whole, and whatever has a fraction is a text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from functools import cache, partial
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
    kind: Any = type(value)
    return value if kind in _THEMSELVES else _maker(kind)(value)


@cache
def _maker(kind: Any) -> Callable[[Any], Any]:
    """What makes values of a type plain, looked for once: of 500 tenants there are 150,000 values of 40 types."""
    for kinds, made in _MAKERS:
        if issubclass(kind, kinds):
            return made
    if is_dataclass(kind):
        return partial(_fields, [each.name for each in fields(kind)])
    for kinds, made in _MAKERS_OF_SEVERAL:
        if issubclass(kind, kinds):
            return made
    raise TypeError(f"evidence cannot hold {kind.__name__}")


def _fields(names: Sequence[str], value: Any) -> dict[str, Any]:
    return {name: plain(getattr(value, name)) for name in names}


_Makers = Sequence[tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Any]]]
"""By type; the first that fits."""

_MAKERS: _Makers = (
    (Enum, lambda value: plain(value.value)),
    ((str, bool, int), lambda value: value),
    (float, repr),
    (timedelta, lambda value: repr(value.total_seconds())),
    (datetime, lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    (Secret, lambda value: value.reference),
    ((Decimal, date, time, tzinfo, PurePath), str),
    (BaseModel, lambda value: plain(dict(value))),
)
_MAKERS_OF_SEVERAL: _Makers = (
    (Mapping, lambda value: {str(plain(key)): plain(each) for key, each in value.items()}),
    ((set, frozenset), lambda value: sorted(map(plain, value), key=_text_of)),
    (Collection, lambda value: [plain(each) for each in value]),
)
