"""Results of runs, kept: SQLite in WAL mode by default, PostgreSQL by URL, with the same code.

store = Store("sqlite:////home/qa/.local/state/ringgate/results.sqlite")
store.on(RunFinished(result))
store.results(session="20261122T2300-k3v9x2")
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
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
    insert,
    select,
    text,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from ringgate.errors import OurSideError
from ringgate.events import Event, RunFinished
from ringgate.model import Attachment, Channel, Failure, Outcome, Residue, RunResult, Step

SCHEMA_VERSION = 2
"""1: runs. 2: also `touches`, which is made where it is missing; what version 1 kept stays as it is."""

_metadata = MetaData()
_schema = Table("ringgate_schema", _metadata, Column("version", Integer, primary_key=True))
_runs = Table(
    "runs",
    _metadata,
    Column("run_id", String(32), primary_key=True),
    Column("trace_id", String(32), nullable=False),
    Column("session", String(64), nullable=False),
    Column("release", String(128), nullable=False),
    Column("scenario", String(128), nullable=False),
    Column("tenant", String(128), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
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
)

# One row for each set of touches, not for each run: runs of a scenario nearly always touch the same.
_touches = Table(
    "touches",
    _metadata,
    Column("scenario", String(128), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("touched", JSON, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
)


class StoreTrouble(OurSideError):
    """The store cannot be read or written: no verdict may be based on it."""

    kind = "store"


class Store:
    """A sink that keeps every finished run exactly once (by its run id), and gives them back."""

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's; a PostgreSQL one is `postgresql+psycopg://...`. Creates what is missing."""
        self._engine = _open(url)
        with self._alone(), self._trouble("opened"), self._engine.begin() as connection:
            for table in _metadata.sorted_tables:  # several processes may come here at once
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in sorted(table.indexes, key=lambda each: str(each.name)):
                    connection.execute(CreateIndex(index, if_not_exists=True))
            newest = max(connection.execute(select(_schema.c.version)).scalars(), default=0)
            if newest < SCHEMA_VERSION:  # the tables that it lacked were made above
                made = text("INSERT INTO ringgate_schema (version) VALUES (:version) ON CONFLICT DO NOTHING")
                connection.execute(made, {"version": SCHEMA_VERSION})
        if newest > SCHEMA_VERSION:
            raise StoreTrouble(
                f"the result store is of version {newest}, newer than {SCHEMA_VERSION}: upgrade Ringgate"
            )

    def on(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.add(event.result)

    def add(self, result: RunResult) -> None:
        with self._trouble("written"), self._engine.begin() as connection:
            connection.execute(insert(_runs).values(**_row(result)))
            if result.touched:
                self._count_touches(connection, result)

    def _count_touches(self, connection: Connection, result: RunResult) -> None:
        touched = sorted(result.touched)
        key = {
            "scenario": result.scenario,
            "channel": result.channel.value,
            "digest": hashlib.sha256("\n".join(touched).encode()).hexdigest(),
        }
        row = {**key, "touched": touched, "runs": 1, "last_at": result.started_at.astimezone(UTC)}
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = dialect.insert(_touches).values(**row)
        again = {"runs": _touches.c.runs + 1, "last_at": new.excluded.last_at}
        connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=again))

    def usage(self) -> dict[str, dict[str, int]]:
        """What runs touched: touch -> scenario and channel (`time-entry over api`) -> number of runs."""
        query = select(_touches.c.scenario, _touches.c.channel, _touches.c.touched, _touches.c.runs)
        found: dict[str, dict[str, int]] = {}
        with self._trouble("read"), self._engine.connect() as connection:
            for scenario, channel, touched, runs in connection.execute(query):
                name = f"{scenario} over {channel}"
                for touch in touched:
                    uses = found.setdefault(touch, {})
                    uses[name] = uses.get(name, 0) + runs
        return found

    def results(
        self,
        *,
        session: str | None = None,
        since: datetime | None = None,
        ring: str | None = None,
        release: str | None = None,
    ) -> list[RunResult]:
        """All results that fit, oldest first."""
        query = select(_runs).order_by(_runs.c.started_at, _runs.c.run_id)
        for column, wanted in ((_runs.c.session, session), (_runs.c.ring, ring), (_runs.c.release, release)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(_runs.c.started_at >= since.astimezone(UTC))
        with self._trouble("read"), self._engine.connect() as connection:
            return [_result(row._mapping) for row in connection.execute(query)]

    def last_session(self) -> str | None:
        """The label of the session that finished a run last."""
        query = select(_runs.c.session).where(_runs.c.session != "").order_by(_runs.c.started_at.desc()).limit(1)
        with self._trouble("read"), self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time opens an SQLite file: its change to WAL fails at once if another one is at it, too."""
        file = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or not file or file == ":memory:":
            yield
            return
        try:
            with FileLock(f"{file}.lock", timeout=60):
                yield
        except (Timeout, OSError) as error:
            raise StoreTrouble(f"the result store {file} cannot be opened: {_first_line(error)}") from None

    @contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            where = self._engine.url.render_as_string(hide_password=True)
            raise StoreTrouble(f"the result store {where} cannot be {what}: {_first_line(error)}") from None


def _open(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise StoreTrouble(f"the result store's URL cannot be used: {_first_line(error)}") from None
    if engine.dialect.name == "sqlite":
        if engine.url.database and engine.url.database != ":memory:":
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

        @event.listens_for(engine, "connect")
        def settle(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA busy_timeout=30000")  # first: the next one waits for others too
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _row(result: RunResult) -> dict[str, Any]:
    def plain(values: Sequence[Any]) -> list[dict[str, Any]]:
        return [asdict(value) for value in values]

    return {
        "run_id": result.run_id, "trace_id": result.trace_id, "session": result.session, "release": result.release,
        "scenario": result.scenario, "tenant": result.tenant, "ring": result.ring, "channel": result.channel.value,
        "outcome": result.outcome.value, "started_at": result.started_at.astimezone(UTC), "seconds": result.seconds,
        "undo_seconds": result.undo_seconds, "calls": result.calls, "reason": result.reason,
        "failure": asdict(result.failure) if result.failure else None, "steps": plain(result.steps),
        "residue": plain(result.residue), "attachments": plain(result.attachments),
    }  # fmt: skip


def _result(row: Any) -> RunResult:
    started_at = row["started_at"]
    if started_at.tzinfo is None:  # SQLite keeps no zone; what was written is UTC
        started_at = started_at.replace(tzinfo=UTC)
    return RunResult(
        run_id=row["run_id"], trace_id=row["trace_id"], session=row["session"], release=row["release"],
        scenario=row["scenario"], tenant=row["tenant"], ring=row["ring"], channel=Channel(row["channel"]),
        outcome=Outcome(row["outcome"]), started_at=started_at, seconds=row["seconds"],
        undo_seconds=row["undo_seconds"],
        calls=row["calls"], reason=row["reason"], failure=Failure(**row["failure"]) if row["failure"] else None,
        steps=tuple(Step(**{**step, "outcome": Outcome(step["outcome"])}) for step in row["steps"]),
        residue=tuple(Residue(**each) for each in row["residue"]),
        attachments=tuple(Attachment(**each) for each in row["attachments"]),
    )  # fmt: skip


__all__ = ["SCHEMA_VERSION", "Store", "StoreTrouble"]
