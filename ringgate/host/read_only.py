"""Databases that are only read: the database itself refuses every write, whatever a query says."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ringgate.domain.errors import OurSideError
from ringgate.host.secrets import hide

MYSQL = ("mysql", "mariadb")
"""Read through PyMySQL, which `ringgate[mysql]` brings."""


class DatabaseUnreadable(OurSideError):
    """A database cannot be read. The message names no secret."""

    kind = "database"


@contextmanager
def reading(address: str, timeout: float) -> Iterator[Connection]:
    """A connection to the database at this SQLAlchemy URL (PostgreSQL, MySQL, MariaDB, SQLite) that can change nothing.
    `timeout` is in seconds, of connecting and of each question. Raises DatabaseUnreadable."""
    try:
        engine = _engine(address, timeout)
        try:
            with engine.connect() as connection:
                _only_read(connection, timeout)
                yield connection
                connection.rollback()
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise DatabaseUnreadable(_said(error)) from None


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
            raise DatabaseUnreadable(f"{url.drivername} is not known here; use mysql+pymysql")
        if find_spec("pymysql") is None:
            raise DatabaseUnreadable("PyMySQL is not installed: pip install ringgate[mysql]")
        patience |= {"read_timeout": seconds, "write_timeout": seconds}
    elif url.get_backend_name() != "postgresql":
        raise DatabaseUnreadable(
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
