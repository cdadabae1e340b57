"""How each kind of source is read: by SQL that can change nothing, by a Prometheus query, or out of a JSON document."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Connection, Engine, RowMapping, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ringgate.domain.errors import OurSideError
from ringgate.domain.model import SignalSample
from ringgate.domain.secrets import Secret
from ringgate.host.secrets import hide
from ringgate.signals.schema import SignalReading

MYSQL = ("mysql", "mariadb")
"""Read through PyMySQL, which `ringgate[mysql]` brings."""

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
    try:
        engine = _engine(reading.target.reveal().replace("${TENANT}", reading.tenant), timeout)
        try:
            with engine.connect() as connection:
                _only_read(connection, timeout)
                query = text(reading.question.replace(":", r"\:"))  # a colon is no parameter here
                rows = connection.execute(query).mappings().fetchmany(MOST + 1)
                answers = [_of_row(row) for row in rows]
                connection.rollback()
                return answers
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise SourceError(f"{reading.target.reference}: {_said(error)}") from None


def _said(error: Exception) -> str:
    """The database's own words, in one line; MySQL's come with a number before them."""
    cause = getattr(error, "orig", None) or error
    words = cause.args[1] if len(cause.args) == 2 and isinstance(cause.args[1], str) else str(cause)
    return words.strip().splitlines()[0]


def _engine(address: str, timeout: float) -> Engine:
    url = make_url(address)
    hide(address)
    hide(str(url.password or ""))
    if url.get_backend_name() == "sqlite" and url.database:
        file = f"file:{quote(url.database)}?mode=ro"  # else a misspelt one would be made
        return create_engine(
            "sqlite://", poolclass=NullPool, creator=lambda: sqlite3.connect(file, uri=True, timeout=timeout)
        )
    seconds = max(2, math.ceil(timeout))
    patience = {"connect_timeout": seconds}
    if url.get_backend_name() in MYSQL:
        if url.drivername in MYSQL:
            url = url.set(drivername=f"{url.drivername}+pymysql")
        if url.get_driver_name() != "pymysql":
            raise SourceError(f"{url.drivername} is not known here; use mysql+pymysql")
        if find_spec("pymysql") is None:
            raise SourceError("PyMySQL is not installed: pip install ringgate[mysql]")
        patience |= {"read_timeout": seconds, "write_timeout": seconds}
    elif url.get_backend_name() != "postgresql":
        raise SourceError(
            f"it is not known how to only read from {url.get_backend_name()}; use postgresql, mysql, mariadb or sqlite"
        )
    return create_engine(url, poolclass=NullPool, connect_args=patience)


def _only_read(connection: Connection, timeout: float) -> None:
    """Has the database itself refuse every write, whatever the query says."""
    name = connection.dialect.name
    if name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {int(timeout * 1000)}"))
    elif name == "sqlite":
        connection.execute(text("PRAGMA query_only = ON"))
    else:
        connection.execute(text("SET SESSION TRANSACTION READ ONLY"))
        limit = f"max_statement_time = {timeout}" if connection.dialect.is_mariadb else (  # type: ignore[attr-defined]
            f"max_execution_time = {int(timeout * 1000)}"
        )  # fmt: skip
        connection.execute(text(f"SET SESSION {limit}"))
        connection.rollback()  # the setting holds from the next transaction on


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
