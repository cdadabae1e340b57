"""A store as Ringgate made it before Alembic kept its schema: tables of version 3, and rows as they were written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    insert,
)  # fmt: skip

from ringgate.domain.model import RunResult
from ringgate.store.rows import row_of

METADATA = MetaData()
SCHEMA = Table("ringgate_schema", METADATA, Column("version", Integer, primary_key=True))
RUNS = Table(
    "runs", METADATA,
    Column("run_id", String(32), primary_key=True), Column("trace_id", String(32), nullable=False),
    Column("session", String(64), nullable=False), Column("release", String(128), nullable=False),
    Column("source", String(16), nullable=False, server_default="suite"),
    Column("scenario", String(128), nullable=False), Column("tenant", String(128), nullable=False),
    Column("ring", String(64), nullable=False), Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False), Column("started_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True)), Column("seconds", Float, nullable=False),
    Column("undo_seconds", Float, nullable=False), Column("calls", Integer, nullable=False),
    Column("reason", Text, nullable=False), Column("failure", JSON), Column("steps", JSON, nullable=False),
    Column("residue", JSON, nullable=False), Column("attachments", JSON, nullable=False),
    Index("runs_by_time", "started_at"), Index("runs_by_session", "session"),
    Index("runs_by_ring", "ring", "release", "started_at"), Index("runs_by_recording", "recorded_at"),
)  # fmt: skip
TOUCHES = Table(
    "touches", METADATA,
    Column("scenario", String(128), primary_key=True), Column("channel", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True), Column("touched", JSON, nullable=False),
    Column("runs", Integer, nullable=False), Column("last_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip
DEPLOYMENTS = Table(
    "deployments", METADATA,
    Column("id", String(32), primary_key=True), Column("at", DateTime(timezone=True), nullable=False),
    Column("ring", String(64), nullable=False), Column("release", String(128), nullable=False),
    Column("tenants", JSON, nullable=False), Column("note", Text, nullable=False),
    Column("by", String(128), nullable=False), Index("deployments_by_time", "at"),
)  # fmt: skip
SAMPLES = Table(
    "samples", METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", DateTime(timezone=True), nullable=False), Column("signal", String(64), nullable=False),
    Column("value", Float, nullable=False), Column("unit", String(16), nullable=False),
    Column("ring", String(64), nullable=False), Column("tenant", String(128), nullable=False),
    Column("limit", Float), Index("samples_by_time", "at"),
)  # fmt: skip
TALLIES = Table(
    "tallies", METADATA,
    Column("what", String(32), primary_key=True), Column("tenant", String(128), primary_key=True),
    Column("scenario", String(128), primary_key=True), Column("channel", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)  # fmt: skip
PROBERS = Table(
    "probers", METADATA,
    Column("id", String(64), primary_key=True), Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False), Column("stopped_at", DateTime(timezone=True)),
    Column("detail", JSON, nullable=False),
)  # fmt: skip
FIGURES = Table(
    "figures", METADATA,
    Column("name", String(64), primary_key=True), Column("at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)  # fmt: skip
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make(url: str, results: Iterable[RunResult]) -> None:
    """A store of version 3 with these results, recorded when they ended, a deployment, sample, counter, prober."""
    engine = create_engine(url)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=3))
        for each in results:
            at = {"started_at": each.started_at.astimezone(UTC), "recorded_at": each.started_at.astimezone(UTC)}
            known = {name: said for name, said in row_of(each).items() if name in RUNS.c}
            if known["failure"]:
                known["failure"]["ground"] = known["failure"].pop("basis")  # as it was called then
            connection.execute(insert(RUNS).values(**known | at))
        connection.execute(
            insert(TOUCHES).values(
                scenario="time-entry", channel="api", digest="d", touched=["a", "b"], runs=7, last_at=NOON
            )
        )
        connection.execute(
            insert(DEPLOYMENTS).values(
                id="d1", at=NOON, ring="canary", release="8.0", tenants=["aldgate"], note="by hand", by="ops"
            )
        )
        connection.execute(
            insert(SAMPLES).values(
                at=NOON, signal="backlog", value=3.0, unit="jobs", ring="canary", tenant="", limit=10.0
            )
        )
        connection.execute(insert(TALLIES).values(what="late", tenant="aldgate", scenario="x", channel="api", count=2))
        connection.execute(insert(PROBERS).values(id="p1", started_at=NOON, seen_at=NOON, detail={"probes": 8}))
        connection.execute(insert(FIGURES).values(name="metrics", at=NOON, data={"place": "here"}))
    engine.dispose()
