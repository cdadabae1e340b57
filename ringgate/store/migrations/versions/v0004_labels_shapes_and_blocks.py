"""Labels and shapes of runs stand once; a run that passed takes a quarter of the space; blocks hold runs as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Text

from ringgate.domain.labels import labels_of, microseconds, shape_of
from ringgate.domain.model import RunResult
from ringgate.store import encoding
from ringgate.store.rows import aware, result_of

revision = "0004"
down_revision = "0003"

_AT_ONCE = 5000
_metadata = sa.MetaData()
_labels = sa.Table("run_labels", _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True), Column("source", String(16), nullable=False),
    Column("release", String(128), nullable=False), Column("scenario", String(128), nullable=False),
    Column("tenant", String(128), nullable=False), Column("ring", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Index("run_labels_once", "tenant", "scenario", "channel", "release", "ring", "source", unique=True))  # fmt: skip
_shapes = sa.Table("run_shapes", _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True), Column("outcome", String(16), nullable=False),
    Column("steps", Text, nullable=False), Column("failure", Text))  # fmt: skip
_sessions = sa.Table("run_sessions", _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("first_at", BigInteger, nullable=False), Column("last_at", BigInteger, nullable=False),
    Column("last_suite_at", BigInteger))  # fmt: skip
_runs = sa.Table("runs", _metadata,
    Column("started_at", BigInteger, nullable=False), Column("recorded_at", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False), Column("undo_seconds", Float, nullable=False),
    Column("labels", Integer, nullable=False), Column("shape", Integer, nullable=False),
    Column("session", Integer, nullable=False), Column("calls", Integer, nullable=False),
    Column("run_id", String(32), primary_key=True), Column("trace_id", LargeBinary, nullable=False),
    Column("steps", LargeBinary), Column("details", Text),
    Index("runs_by_start", "started_at", postgresql_using="brin"),
    Index("runs_by_recording", "recorded_at", postgresql_using="brin"))  # fmt: skip
Index("runs_told_about", _runs.c.started_at, sqlite_where=_runs.c.details.is_not(None),
      postgresql_where=_runs.c.details.is_not(None))  # fmt: skip
_blocks = sa.Table("run_blocks", _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True), Column("ring", String(64), nullable=False),
    Column("release", String(128), nullable=False), Column("recorded_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False), Column("last_at", BigInteger, nullable=False),
    Column("runs", Integer, nullable=False), Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False), Index("run_blocks_by_ring", "ring", "release", "last_at"),
    Index("run_blocks_by_recording", "recorded_at"))  # fmt: skip
_holds = sa.Table("retention_holds", _metadata,
    Column("name", String(128), primary_key=True), Column("reason", Text, nullable=False),
    Column("ring", String(64), nullable=False), Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False), Column("expires", BigInteger))  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    op.rename_table("runs", "runs_3")
    for index in sa.inspect(connection).get_indexes("runs_3"):
        if index["name"] and not index.get("duplicates_constraint"):
            op.drop_index(index["name"], "runs_3")
    if connection.dialect.name == "postgresql":  # its name is taken else
        op.execute("ALTER TABLE runs_3 RENAME CONSTRAINT runs_pkey TO runs_3_pkey")
    _metadata.create_all(connection)
    _Moving(connection).move()
    op.drop_table("runs_3")


class _Moving:
    """Brings the runs of version 3 into the new tables, piece by piece in the order of time."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._keys: dict[Any, int] = {}

    def move(self) -> None:
        sessions: dict[str, list[int | None]] = {}
        for piece in self._pieces():
            rows, blocks = [], defaultdict(list)
            for recorded, result in piece:
                labels = self._key(_labels, labels_of(result), encoding.labels_row)
                shape = self._key(_shapes, shape_of(result), encoding.shape_row)
                session = self._session(sessions, result)
                rows.append(encoding.run_row(result, labels, shape, session, recorded))
                blocks[result.ring, result.release].append((recorded, rows[-1], encoding.record(result, labels, shape)))
            self._connection.execute(sa.insert(_runs), rows)
            self._connection.execute(sa.insert(_blocks), list(_made(blocks)))
        for key, (first, last, suite) in sessions.items():
            change = _sessions.update().where(_sessions.c.name == key)
            self._connection.execute(change.values(first_at=first, last_at=last, last_suite_at=suite))

    def _pieces(self) -> Iterator[list[tuple[int, RunResult]]]:
        """Runs with the moment of their recording: where none was noted, that of their end."""
        old = sa.Table("runs_3", sa.MetaData(), autoload_with=self._connection)
        plain = [column for column in old.c if column.name not in ("failure", "steps", "residue", "attachments")]
        texts = [sa.type_coerce(old.c[n], sa.JSON).label(n) for n in ("failure", "steps", "residue", "attachments")]
        after: tuple[Any, str] | None = None
        while True:
            query = sa.select(*plain, *texts).order_by(old.c.started_at, old.c.run_id).limit(_AT_ONCE)
            if after:
                query = query.where(sa.tuple_(old.c.started_at, old.c.run_id) > sa.tuple_(*map(sa.literal, after)))
            rows = self._connection.execute(query).all()
            if not rows:
                return
            after = (rows[-1].started_at, rows[-1].run_id)
            yield [_result(row) for row in rows]

    def _key(self, table: sa.Table, value: Any, row: Any) -> int:
        if value not in self._keys:
            known = {name: said for name, said in row(value).items() if name in table.c}  # later ones say more
            made = self._connection.execute(sa.insert(table).values(**known))
            self._keys[value] = _new_key(made)
        return self._keys[value]

    def _session(self, sessions: dict[str, list[int | None]], result: RunResult) -> int:
        at = microseconds(result.started_at)
        suite = at if result.source.value not in ("probe", "self-test") else None
        if result.session not in sessions:
            sessions[result.session] = [at, at, suite]
            row = {"name": result.session, "first_at": at, "last_at": at}
            made = self._connection.execute(sa.insert(_sessions).values(**row))
            self._keys["session", result.session] = _new_key(made)
        known = sessions[result.session]
        sessions[result.session] = [known[0], at, suite or known[2]]  # they come in the order of time
        return self._keys["session", result.session]


def _new_key(made: sa.CursorResult[Any]) -> int:
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def _result(row: Any) -> tuple[int, RunResult]:
    try:
        return _recorded(row), result_of(row._mapping)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"run {row.run_id}: {error}") from error


def _recorded(row: Any) -> int:
    ended = aware(row.started_at) + timedelta(seconds=max(0.0, row.seconds) + max(0.0, row.undo_seconds))
    return microseconds(aware(row.recorded_at) if row.recorded_at else ended)


def _made(blocks: dict[tuple[str, str], list[tuple[int, dict[str, Any], bytes]]]) -> Iterable[dict[str, Any]]:
    """One for each ring, release and second in which they were recorded: whoever follows asks by that."""
    for (ring, release), found in sorted(blocks.items()):
        found.sort(key=lambda each: each[0])
        for _, group in groupby(found, key=lambda each: each[0] // 1_000_000):
            whole = list(group)
            starts = [row["started_at"] for _, row, _ in whole]
            yield {
                "ring": ring, "release": release, "recorded_at": whole[-1][0], "first_at": min(starts),
                "last_at": max(starts), "runs": len(whole), "packed": False,
                "data": b"".join(record for *_, record in whole),
            }  # fmt: skip
