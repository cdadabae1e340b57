"""The store as one session of a suite needs it: an SQLite file is written and read by Python's own module.

A session keeps a few results and reads them back; to load SQLAlchemy for that takes longer than the rest of its start.
The rows are the same (`tests/unit/store/test_sessions.py` writes both and compares). What goes beyond that is done by
`Store`: making a file or bringing it up, PostgreSQL, what runs could not take back.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from ringgate.domain.events import Event, RunFinished, RunRecovered
from ringgate.domain.labels import labels_of, microseconds, shape_of
from ringgate.domain.model import Deployment, RunResult
from ringgate.domain.terms import Outcome
from ringgate.store import additions, encoding
from ringgate.store.errors import StoreError
from ringgate.store.rows import aware
from ringgate.store.version import SCHEMA_VERSION

SCHEME = "sqlite:///"


class SessionStore(Protocol):
    """Keeps results of a session, and gives results back. A sink. `Store` is one."""

    def on(self, event: Event) -> None: ...
    def results(
        self,
        *,
        session: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcomes: Iterable[Outcome] | None = None,
        newest: int | None = None,
    ) -> list[RunResult]: ...  # oldest first
    def deployments(self) -> list[Deployment]: ...  # oldest first
    def close(self) -> None: ...


def session_store(url: str) -> SessionStore:
    """The store at `url`, as `Store` takes it. Raises StoreError."""
    path = Path(url.removeprefix(SCHEME))
    if url.startswith(SCHEME) and "?" not in url and path.is_file() and _version(path) == SCHEMA_VERSION:
        return SqliteFile(path)
    from ringgate.store.whole import Store

    return Store(url)


def _version(path: Path) -> int | None:
    """None where only `Store` can say what is there."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            newest = connection.execute("SELECT max(version) FROM ringgate_schema").fetchone()[0]
            kept = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0]
            return int(newest) if int(newest) == int(kept) else None
    except (sqlite3.Error, TypeError, ValueError):
        return None


class SqliteFile:
    """A file that is there, with all tables of this version. Safe for threads."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path, self._clock, self._guard = path, clock, threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file = 0

    def close(self) -> None:
        with self._guard:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _at_work(self, what: str) -> Iterator[sqlite3.Connection]:
        """A connection whose transaction is committed at the end, or rolled back. A file that was replaced is opened
        anew: a connection that is kept reads on in the old one, as if nothing had happened."""
        with self._guard:
            try:
                file = self._path.stat().st_ino
                if file != self._file:
                    self._let_go()
                self._connection, self._file = self._connection or _opened(self._path), file
                with self._connection:
                    yield self._connection
            except OSError as error:
                raise self._error(what, f"its file is gone ({error.strerror})") from None
            except sqlite3.Error as error:
                raise self._error(what, error) from None

    def _error(self, what: str, why: object) -> StoreError:
        return StoreError(f"the result store {SCHEME}{self._path} cannot be {what}: {why}")

    # --- kept -----------------------------------------------------------------------------------------------------

    def on(self, event: Event) -> None:
        if isinstance(event, RunRecovered) or (isinstance(event, RunFinished) and event.result.residue):
            from ringgate.store.whole import Store

            with closing(Store(f"{SCHEME}{self._path}", self._clock)) as store:
                store.on(event)
        elif isinstance(event, RunFinished):
            self._add(event.result)

    def _add(self, result: RunResult) -> None:
        with self._at_work("written") as connection:
            connection.execute("BEGIN IMMEDIATE")
            recorded = microseconds(self._clock())
            labels = _key(connection, "run_labels", encoding.labels_row(labels_of(result)))
            shape = _key(connection, "run_shapes", encoding.shape_row(shape_of(result)), ("digest",))
            (row,) = additions.session_rows([result])
            _insert(connection, "run_sessions", row, _WIDER)
            session = _id_of(connection, "run_sessions", {"name": result.session})
            assert session is not None
            _insert(connection, "runs", encoding.run_row(result, labels, shape, session, recorded))
            for row in additions.block_rows([result], [(labels, shape)], recorded):
                _insert(connection, "run_blocks", row)
            for row in additions.sample_rows([result]):
                _insert(connection, "samples", {**row, "at": f"{row['at']:{_MOMENT}}"})
            for row in additions.touch_rows([result]):
                plain = {"touched": json.dumps(row["touched"]), "last_at": f"{row['last_at']:{_MOMENT}}"}
                _insert(connection, "touches", {**row, **plain}, _ONE_MORE)

    # --- what there is --------------------------------------------------------------------------------------------

    def results(
        self,
        *,
        session: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcomes: Iterable[Outcome] | None = None,
        newest: int | None = None,
    ) -> list[RunResult]:
        """As `Store.results`."""
        limits: list[tuple[str, Any]] = []
        if session is not None:
            limits += [(each, session) for each in _OF_SESSION]
        if since is not None:
            limits.append(("started_at >= ?", microseconds(since)))
        if until is not None:
            limits.append(("started_at < ?", microseconds(until)))
        values = [value for _, value in limits]
        words = [word for word, _ in limits]
        if outcomes is not None:
            wanted = [each.value for each in outcomes]
            words.append(f"shape IN (SELECT id FROM run_shapes WHERE outcome IN ({', '.join('?' * len(wanted))}))")  # noqa: S608
            values += wanted
        names, where = ", ".join(encoding.RunRow._fields), " AND ".join(words) or "1"
        query = f"SELECT {names} FROM runs WHERE {where} ORDER BY started_at DESC, run_id DESC LIMIT ?"  # noqa: S608
        with self._at_work("read") as connection:
            rows = connection.execute(query, [*values, -1 if newest is None else newest]).fetchall()
            sessions = dict(connection.execute("SELECT id, name FROM run_sessions").fetchall()) if rows else {}
            labels = {each.id: encoding.labels_from(each) for each in _rows(connection, "run_labels")} if rows else {}
            shapes = {each.id: encoding.shape_from(each) for each in _rows(connection, "run_shapes")} if rows else {}
        found = [encoding.RunRow._make(row) for row in reversed(rows)]
        return [encoding.run_of(row, labels, shapes, sessions[row.session]) for row in found]

    def deployments(self) -> list[Deployment]:
        with self._at_work("read") as connection:
            rows = [vars(row) for row in _rows(connection, "deployments", "ORDER BY at, id")]
        for row in rows:
            row["at"], row["tenants"] = aware(datetime.fromisoformat(row["at"])), tuple(json.loads(row["tenants"]))
        return [Deployment(**row) for row in rows]


_MOMENT = "%Y-%m-%d %H:%M:%S.%f"
_WIDER = """ON CONFLICT (name) DO UPDATE SET first_at = min(first_at, excluded.first_at),
last_at = max(last_at, excluded.last_at), last_suite_at = max(coalesce(last_suite_at, excluded.last_suite_at),
coalesce(excluded.last_suite_at, last_suite_at))"""
_ONE_MORE = f"""ON CONFLICT ({", ".join(additions.TOUCHES_KEY)}) DO UPDATE SET runs = runs + excluded.runs,
last_at = excluded.last_at"""
_OF_SESSION = tuple(
    f"{column} (SELECT {of} FROM run_sessions WHERE name = ?)"  # noqa: S608
    for column, of in (("session =", "id"), ("started_at >=", "first_at"), ("started_at <=", "last_at"))
)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)
    for word in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {word}")
    return connection


def _rows(connection: sqlite3.Connection, table: str, order: str = "") -> list[Any]:
    cursor = connection.execute(f"SELECT * FROM {table} {order}")  # noqa: S608 - names of ours
    names = [each[0] for each in cursor.description]
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor]


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any], conflict: str = "") -> None:
    names, signs = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({signs}) {conflict}", list(row.values()))  # noqa: S608


def _id_of(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int | None:
    words = " AND ".join(f'"{name}" = ?' for name in row)
    found = connection.execute(f"SELECT id FROM {table} WHERE {words}", list(row.values())).fetchone()  # noqa: S608
    return None if found is None else int(found[0])


def _key(connection: sqlite3.Connection, table: str, row: Mapping[str, Any], by: Sequence[str] = ()) -> int:
    """The key of a row that there is once, made where it is missing."""
    named = {name: row[name] for name in by or row}
    key = _id_of(connection, table, named)
    if key is None:
        _insert(connection, table, row, "ON CONFLICT DO NOTHING")
        key = _id_of(connection, table, named)
    assert key is not None
    return key
