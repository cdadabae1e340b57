"""The kinds of values that inventory files hold, each with its rule in words."""

from __future__ import annotations

import re
import zoneinfo
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ringgate.domain.money import Currency
from ringgate.domain.terms import Effect

_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_NO_DIGITS = "CLP ISK JPY KRW PYG UGX VND XAF XOF XPF"
_TWO_DIGITS = """
AED ALL AMD ARS AUD AZN BAM BBD BDT BGN BMD BOB BRL BSD BWP CAD CHF CNY COP CRC CZK DKK DOP DZD EGP ETB EUR FJD GBP GEL
GHS GTQ HKD HNL HUF IDR ILS INR JMD KES KHR KZT LKR MAD MDL MKD MOP MUR MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
PHP PKR PLN QAR RON RSD RWF SAR SEK SGD THB TRY TTD TWD TZS UAH USD UYU UZS ZAR ZMW
"""
CURRENCIES = {
    code: Currency(code, digits)
    for codes, digits in ((_THREE_DIGITS, 3), (_NO_DIGITS, 0), (_TWO_DIGITS, 2))
    for code in codes.split()
}
"""ISO 4217 with the decimals that amounts are booked in."""

SLUG = r"[a-z0-9][a-z0-9_-]{0,62}"


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG, value):
        raise ValueError("must be lower-case letters, digits, - and _, at most 63, starting with a letter or digit")
    return value


def _digest(value: str) -> str:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise ValueError('must be a digest as "sha256:" and 64 hexadecimal digits in lower case')
    return value


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError(f'must be in quotes, as "{value}": without them it is a float, and not exact')
    if isinstance(value, bool):
        raise ValueError('must be a number as text, such as "120.00"')
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError("must be a currency by its ISO 4217 code, such as EUR")
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/London") from None
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or re.search(r"\s", value):
        raise ValueError("must be a URL with http or https and a host, such as https://erp.example.com/acme")
    if parts.username or parts.password:
        raise ValueError("must not carry a user or a password; those belong into [users]")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}([_-][A-Z][A-Za-z]+)?", value):
        raise ValueError("must be a language code, such as en or pt_BR")
    return value


def _effect(value: Any) -> Any:
    words = [effect.word for effect in Effect]
    if value not in words:
        raise ValueError(f"must be one of {', '.join(words)}")
    return value


_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def duration(value: Any) -> timedelta:
    """`30 min` as a span of time. Raises ValueError with the rule."""
    found = re.fullmatch(r"(\d+) ?(s|min|h|d)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time with its unit (s, min, h, d), such as "30 min"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def as_list(value: Any) -> Any:
    """A single table where a list of them may stand."""
    return [value] if isinstance(value, dict) else value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or len(set(value)) < len(value):
        raise ValueError("must be a name, or a list of different names")
    return value


Slug = Annotated[str, AfterValidator(_slug)]
Digest = Annotated[str, AfterValidator(_digest)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
Exact = Annotated[Decimal, BeforeValidator(_exact)]
Url = Annotated[str, AfterValidator(_url)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
                  AfterValidator(_some)]  # fmt: skip
"""One name, or a list of them."""
OptionalNames = Annotated[
    tuple[Name, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
"""One name, a list of them, or none."""
CurrencyCode = Annotated[str, AfterValidator(_currency)]
Zone = Annotated[str, AfterValidator(_zone)]
Language = Annotated[str, AfterValidator(_language)]
EffectWord = Annotated[str, BeforeValidator(_effect)]


class StrictTable(BaseModel):
    """A TOML table in which an unknown key is an error and `"4"` is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)
