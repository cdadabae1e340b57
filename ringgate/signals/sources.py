"""How each kind of source is read: by SQL that can change nothing, by a Prometheus query, or out of a JSON document."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import RowMapping, text

from ringgate.domain.errors import OurSideError
from ringgate.domain.model import SignalSample
from ringgate.domain.secrets import Secret
from ringgate.host import read_only
from ringgate.signals.schema import SignalReading

MOST = 1_000
"""Values of one answer; more would be a query gone wrong."""
LARGEST = 1_000_000
"""Bytes of one answer."""

Answer = tuple[float, Mapping[str, str]]
"""A value, and what it says of itself: `tenant`, `ring`."""


class SourceError(OurSideError):
    """A source could not be read. The message names no secret."""

    kind = "signal"


def read(reading: SignalReading, now: datetime, timeout: float) -> list[SignalSample]:
    """The samples of one reading. Raises SourceTrouble, or SecretMissing."""
    ask: Mapping[str, Callable[[SignalReading, float], Sequence[Answer]]] = {
        "sql": _sql,
        "prometheus": _prometheus,
        "http-json": _json,
    }
    answers = ask[reading.kind](reading, timeout)
    if not answers:
        raise SourceError("the answer holds no value")
    if len(answers) > MOST:
        raise SourceError(f"the answer holds more than {MOST} values")
    whole = SignalSample(now, reading.signal, 0.0, reading.unit, reading.ring, reading.tenant, reading.limit)
    samples = []
    for value, said in answers:
        if math.isnan(value) or math.isinf(value):
            raise SourceError(f"the answer holds {value}, which is no number")
        own = {key: str(said[key])[:64] for key in ("tenant", "ring") if said.get(key)}
        samples.append(replace(whole, value=value, **own))  # type: ignore[arg-type]
    return samples


# --- SQL --------------------------------------------------------------------------------------------------------------


def _sql(reading: SignalReading, timeout: float) -> Sequence[Answer]:
    assert isinstance(reading.target, Secret)
    address = reading.target.reveal().replace("${TENANT}", reading.tenant)
    try:
        with read_only.reading(address, timeout) as connection:
            query = text(reading.question.replace(":", r"\:"))  # a colon is no parameter here
            rows = connection.execute(query).mappings().fetchmany(MOST + 1)
            return [_of_row(row) for row in rows]
    except read_only.DatabaseUnreadable as error:
        raise SourceError(f"{reading.target.reference}: {error}") from None


def _of_row(row: RowMapping) -> Answer:
    """A row's `value`, or its only column; `tenant` and `ring` where it has them."""
    value = row["value"] if "value" in row else next(iter(row.values())) if len(row) == 1 else None
    if "value" not in row and len(row) != 1:
        raise SourceError("name one column of the query `value`")
    if value is None:
        raise SourceError("the value is NULL; say with coalesce() what that means")
    return _number(value), {key: str(row[key]) for key in ("tenant", "ring") if row.get(key)}


# --- HTTP -------------------------------------------------------------------------------------------------------------


def _prometheus(reading: SignalReading, timeout: float) -> Sequence[Answer]:
    answer = _get(reading, timeout, "/api/v1/query", {"query": reading.question, "timeout": f"{timeout:g}s"})
    try:
        data = answer["data"]
        if data["resultType"] == "scalar":
            return [(_number(data["result"][1]), {})]
        return [(_number(each["value"][1]), each["metric"]) for each in data["result"]]
    except (KeyError, IndexError, TypeError):
        raise SourceError("that is no answer of Prometheus to an instant query") from None


def _json(reading: SignalReading, timeout: float) -> Sequence[Answer]:
    found = reading.path().find(_get(reading, timeout))
    return [(_number(each.value), {}) for each in found]


def _get(reading: SignalReading, timeout: float, path: str = "", params: Mapping[str, str] | None = None) -> Any:
    address = f"{str(reading.target).rstrip('/')}{path}" if path else str(reading.target)
    headers = {"Authorization": f"Bearer {reading.token.reveal()}"} if reading.token else {}
    try:
        with httpx.stream("GET", address, params=params or {}, headers=headers, timeout=timeout) as response:
            body, deadline = b"", time.monotonic() + timeout
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > deadline:
                    raise SourceError(f"{reading.target} did not finish its answer within {timeout:g} s")
                if len(body) > LARGEST:
                    raise SourceError(f"the answer has more than {LARGEST} bytes")
        if response.status_code != 200:
            raise SourceError(f"{reading.target} answered {response.status_code}")
        return httpx.Response(200, content=body).json()
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise SourceError(f"{reading.target} cannot be asked: {why}") from None
    except ValueError:
        raise SourceError(f"{reading.target} did not answer with JSON") from None


def _number(value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise SourceError(f"{str(value)[:60]!r} is no number") from None
