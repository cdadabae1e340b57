"""The tables of a store, as they are now; `migrations/` brings up what earlier versions made.

What many runs have in common stands once, in `run_labels` and `run_shapes`; of a run that passed there are its ids, its
times and those of its steps. Moments are whole microseconds since 1970, UTC. What only few runs have (a failure, a
reason, residue, attachments) is JSON in `details`, and NULL for the rest.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)  # fmt: skip

metadata = MetaData()

run_labels = Table(
    "run_labels",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String(16), nullable=False),
    Column("release", String(128), nullable=False),
    Column("scenario", String(128), nullable=False),
    Column("tenant", String(128), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("server", String(32), nullable=False, server_default=""),
    Index("run_labels_once", "tenant", "scenario", "channel", "release", "ring", "source", "server", unique=True),
)

# `steps` is a list of [name, outcome]; `failure` has the kind, step, basis and invariant, and no texts.
run_shapes = Table(
    "run_shapes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("outcome", String(16), nullable=False),
    Column("steps", Text, nullable=False),
    Column("failure", Text),
)

run_sessions = Table(
    "run_sessions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("last_suite_at", BigInteger),  # of what is neither a probe nor a self-test
)

# `steps` are start and length of each step of the shape, in microseconds: see encoding.py.
runs = Table(
    "runs",
    metadata,
    Column("started_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("undo_seconds", Float, nullable=False),
    Column("labels", Integer, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("session", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("run_id", String(32), primary_key=True),
    Column("trace_id", LargeBinary, nullable=False),
    Column("steps", LargeBinary),
    Column("details", Text),
)

INDEXES = (
    # Runs come in the order of time, so PostgreSQL needs no more than the range of each piece of the table.
    "CREATE INDEX runs_by_start ON runs {brin}(started_at)",
    "CREATE INDEX runs_by_recording ON runs {brin}(recorded_at)",
    "CREATE INDEX runs_told_about ON runs (started_at) WHERE details IS NOT NULL",
    "CREATE INDEX residue_left ON residue (tenant) WHERE recovered_at IS NULL",
)
"""In words of the database: SQLAlchemy's options for them would load every driver of PostgreSQL with this module."""

# The same runs as columns, for who has to read them all: one row for each transaction, later one for each hour.
run_blocks = Table(
    "run_blocks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ring", String(64), nullable=False),
    Column("release", String(128), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),  # of their starts
    Column("last_at", BigInteger, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("run_blocks_by_ring", "ring", "release", "last_at"),
    Index("run_blocks_by_recording", "recorded_at"),
)

# What must not be forgotten, and why: a verdict that was stored rests on it, somebody asked for it.
retention_holds = Table(
    "retention_holds",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("ring", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("expires", BigInteger),
)

# What runs could not take back. `recovered_at` says when it was taken back after all. A row with an empty verb says
# that the journal of that run was taken up: its run may come to be known later.
residue = Table(
    "residue",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("verb", String(64), primary_key=True),
    Column("marker", String(128), primary_key=True),
    Column("tenant", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("left_at", BigInteger, nullable=False),
    Column("recovered_at", BigInteger),
)

# One row for each set of touches, not for each run: runs of a scenario nearly always touch the same.
touches = Table(
    "touches",
    metadata,
    Column("scenario", String(128), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("touched", JSON, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("release", String(128), nullable=False),
    Column("tenants", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("version", String(64), nullable=False, server_default=""),
    Index("deployments_by_time", "at"),
)

samples = Table(
    "samples",
    metadata,
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
    metadata,
    Column("what", String(32), primary_key=True),
    Column("tenant", String(128), primary_key=True),
    Column("scenario", String(128), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)

probers = Table(
    "probers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("stopped_at", DateTime(timezone=True)),
    Column("detail", JSON, nullable=False),
)

# What followers added up so far, so that they need not read everything again: for the metrics, one row.
figures = Table(
    "figures",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)

# What was decided, by whom, on what. Rows are added and never changed: `entry` is canonical JSON, `digest` its SHA-256;
# the other columns repeat what stands in it, for who looks for something.
evidence = Table(
    "evidence",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String(255), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("release", String(128), nullable=False),
    Column("ring", String(64), nullable=False),
    Column("entry", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Index("evidence_by_release", "release", "number"),
)

_REFUSED = "evidence is only added to"
TRIGGERS = {
    "sqlite": tuple(
        f"CREATE TRIGGER evidence_no_{word} BEFORE {word.upper()} ON evidence "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        for word in ("update", "delete")
    ),
    "postgresql": (
        "CREATE FUNCTION evidence_only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
        "CREATE TRIGGER evidence_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION evidence_only_added_to()",
    ),
}
"""What keeps a mistake from changing evidence. Whoever may remove them can change it still: the chain then shows it."""
