"""What stores of versions 1 to 3 have, made whole: they were brought up by adding what was missing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, DateTime, Float, Index, Integer, String, Text

revision = "0003"
down_revision = None

_metadata = sa.MetaData()
_TABLES = (
    sa.Table("runs", _metadata,
             Column("run_id", String(32), primary_key=True), Column("trace_id", String(32), nullable=False),
             Column("session", String(64), nullable=False), Column("release", String(128), nullable=False),
             Column("source", String(16), nullable=False, server_default="suite"),
             Column("scenario", String(128), nullable=False), Column("tenant", String(128), nullable=False),
             Column("ring", String(64), nullable=False), Column("channel", String(16), nullable=False),
             Column("outcome", String(16), nullable=False),
             Column("started_at", DateTime(timezone=True), nullable=False),
             Column("recorded_at", DateTime(timezone=True)), Column("seconds", Float, nullable=False),
             Column("undo_seconds", Float, nullable=False), Column("calls", Integer, nullable=False),
             Column("reason", Text, nullable=False), Column("failure", sa.JSON),
             Column("steps", sa.JSON, nullable=False),
             Column("residue", sa.JSON, nullable=False), Column("attachments", sa.JSON, nullable=False)),
    sa.Table("touches", _metadata,
             Column("scenario", String(128), primary_key=True), Column("channel", String(16), primary_key=True),
             Column("digest", String(64), primary_key=True), Column("touched", sa.JSON, nullable=False),
             Column("runs", Integer, nullable=False), Column("last_at", DateTime(timezone=True), nullable=False)),
    sa.Table("deployments", _metadata,
             Column("id", String(32), primary_key=True), Column("at", DateTime(timezone=True), nullable=False),
             Column("ring", String(64), nullable=False), Column("release", String(128), nullable=False),
             Column("tenants", sa.JSON, nullable=False), Column("note", Text, nullable=False),
             Column("by", String(128), nullable=False), Index("deployments_by_time", "at")),
    sa.Table("samples", _metadata,
             Column("number", Integer, primary_key=True, autoincrement=True),
             Column("at", DateTime(timezone=True), nullable=False), Column("signal", String(64), nullable=False),
             Column("value", Float, nullable=False), Column("unit", String(16), nullable=False),
             Column("ring", String(64), nullable=False), Column("tenant", String(128), nullable=False),
             Column("limit", Float), Index("samples_by_time", "at")),
    sa.Table("tallies", _metadata,
             Column("what", String(32), primary_key=True), Column("tenant", String(128), primary_key=True),
             Column("scenario", String(128), primary_key=True), Column("channel", String(16), primary_key=True),
             Column("count", Integer, nullable=False)),
    sa.Table("probers", _metadata,
             Column("id", String(64), primary_key=True), Column("started_at", DateTime(timezone=True), nullable=False),
             Column("seen_at", DateTime(timezone=True), nullable=False), Column("stopped_at", DateTime(timezone=True)),
             Column("detail", sa.JSON, nullable=False)),
    sa.Table("figures", _metadata,
             Column("name", String(64), primary_key=True), Column("at", DateTime(timezone=True), nullable=False),
             Column("data", sa.JSON, nullable=False)),
)  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    _metadata.create_all(connection)
    there = {column["name"] for column in sa.inspect(connection).get_columns("runs")}
    for name in ("source", "recorded_at"):
        if name not in there:
            op.add_column("runs", _added(name))


def _added(name: str) -> sa.Column[Any]:
    known = _TABLES[0].c[name]
    default = "suite" if name == "source" else None
    return Column(name, known.type, nullable=known.nullable, server_default=default)
