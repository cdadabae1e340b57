"""The tables of a store, and how one is opened and brought up: SQLite in WAL mode, or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    select,
    text,
)  # fmt: skip
from sqlalchemy.exc import DisconnectionError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

from ringgate.domain.errors import OurSideError

SCHEMA_VERSION = 3
"""1: runs. 2: also `touches`. 3: runs say their source and when they were recorded; deployments, samples, counters,
probers and figures. What is missing is made when a store is opened; what earlier versions kept stays as it is."""


class StoreError(OurSideError):
    """The store cannot be read or written: no verdict may be based on it."""

    kind = "store"


_metadata = MetaData()
_schema = Table("ringgate_schema", _metadata, Column("version", Integer, primary_key=True))
runs = Table(
    "runs",
    _metadata,
    Column("run_id", String(32), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("session", String(64), nullable=False),
    Column("release", String(128), nullable=False),
    Column("source", String(16), nullable=False, server_default="suite"),
    Column("scenario", String(128), nullable=False),
    Column("tenant", String(128), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True)),
    Column("seconds", Float, nullable=False),
    Column("undo_seconds", Float, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failure", JSON),
    Column("steps", JSON, nullable=False),
    Column("residue", JSON, nullable=False),
    Column("attachments", JSON, nullable=False),
    Index("runs_by_time", "started_at"),
    Index("runs_by_session", "session"),
    Index("runs_by_ring", "ring", "release", "started_at"),
    Index("runs_by_recording", "recorded_at"),
)

# One row for each set of touches, not for each run: runs of a scenario nearly always touch the same.
touches = Table(
    "touches",
    _metadata,
    Column("scenario", String(128), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("touched", JSON, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
)

deployments = Table(
    "deployments",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("release", String(128), nullable=False),
    Column("tenants", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Index("deployments_by_time", "at"),
)

samples = Table(
    "samples",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("signal", String(64), nullable=False),
    Column("value", Float, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("tenant", String(128), nullable=False),
    Column("limit", Float),
    Index("samples_by_time", "at"),
)

counters = Table(
    "tallies",  # the name in stores of every version
    _metadata,
    Column("what", String(32), primary_key=True),
    Column("tenant", String(128), primary_key=True),
    Column("scenario", String(128), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)

probers = Table(
    "probers",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("stopped_at", DateTime(timezone=True)),
    Column("detail", JSON, nullable=False),
)

# What followers added up so far, so that they need not read everything again: for the metrics, one row.
figures = Table(
    "figures",
    _metadata,
    Column("name", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)


def opened(url: str) -> Engine:
    """The database behind `url`, with all tables of this version. Raises StoreTrouble."""
    engine = _engine(url)
    with _alone(engine), trouble(engine, "opened"), engine.begin() as connection:
        for table in _metadata.sorted_tables:  # several processes may come here at once
            connection.execute(CreateTable(table, if_not_exists=True))
            _add_missing_columns(connection, table)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))
        newest = max(connection.execute(select(_schema.c.version)).scalars(), default=0)
        if newest < SCHEMA_VERSION:  # what it lacked was made above
            made = text("INSERT INTO ringgate_schema (version) VALUES (:version) ON CONFLICT DO NOTHING")
            connection.execute(made, {"version": SCHEMA_VERSION})
    if newest > SCHEMA_VERSION:
        raise StoreError(f"the result store is of version {newest}, newer than {SCHEMA_VERSION}: upgrade Ringgate")
    return engine


def _add_missing_columns(connection: Connection, table: Table) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there:
            kind = column.type.compile(connection.dialect)
            default = f" NOT NULL DEFAULT '{column.server_default.arg}'" if column.server_default else ""  # type: ignore[attr-defined]
            connection.execute(text(f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {kind}{default}'))


@contextmanager
def trouble(engine: Engine, what: str) -> Iterator[None]:
    """Errors of the database as StoreTrouble, in one sentence without its password."""
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"the result store {where} cannot be {what}: {_first_line(error)}") from None


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """One process at a time opens an SQLite file: its change to WAL fails at once if another one is at it, too."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        yield
        return
    try:
        with FileLock(f"{file}.lock", timeout=60):
            yield
    except (Timeout, OSError) as error:
        raise StoreError(f"the result store {file} cannot be opened: {_first_line(error)}") from None


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(f"the result store's URL cannot be used: {_first_line(error)}") from None
    if engine.dialect.name == "sqlite":
        if engine.url.database and engine.url.database != ":memory:":
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

        @event.listens_for(engine, "connect")
        def settle(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA busy_timeout=30000")  # first: the next one waits for others too
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        if engine.url.database and engine.url.database != ":memory:":
            _notice_another_file(engine, Path(engine.url.database))
    return engine


def _notice_another_file(engine: Engine, path: Path) -> None:
    """A connection that is kept reads on in a file that was removed or replaced, as if nothing had happened."""

    @event.listens_for(engine, "connect")
    def remember(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["file"] = path.stat().st_ino

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        try:
            file = path.stat().st_ino
        except OSError as error:
            raise InvalidRequestError(f"its file is gone ({error.strerror})") from None
        if file != record.info["file"]:
            raise DisconnectionError  # the pool opens the new one


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
