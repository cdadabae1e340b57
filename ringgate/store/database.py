"""The database behind a store: SQLite in WAL mode, or PostgreSQL by URL; opened, brought up, written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from ringgate.store.errors import StoreError
from ringgate.store.tables import INDEXES, TRIGGERS, metadata
from ringgate.store.version import SCHEMA_VERSION

_LOCK = 7_464_428
"""Of PostgreSQL's advisory locks, the one under which a store is made or brought up."""


class Database:
    """Where a store's tables lie. Safe for threads."""

    def __init__(self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`url` is SQLAlchemy's; a PostgreSQL one is `postgresql+psycopg://...`. Creates what is missing, and brings up
        what an earlier version made. Raises StoreError."""
        self._engine, self._clock = opened(url), clock

    def close(self) -> None:
        self._engine.dispose()

    def _writing(self) -> AbstractContextManager[Connection]:
        return self._at_work("written", self._engine.begin)

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._at_work("read", self._engine.connect)

    @contextmanager
    def _at_work(self, what: str, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        with store_errors(self._engine, what), begin() as connection:
            yield connection


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what happens on a conflict, in the dialect of either database."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as into_postgresql

        return into_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as into_sqlite

    return into_sqlite(table)


def raw(connection: Connection, query: Select[Any], together: int = 5_000) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as the driver gives them, in lists: for who reads many of them. Plain columns only."""
    assert connection.dialect.dbapi
    try:
        with _cursor(connection, query) as cursor:
            while part := cursor.fetchmany(together):
                yield part
    except connection.dialect.dbapi.Error as error:
        raise DBAPIError(None, None, error) from None


@contextmanager
def _cursor(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    if connection.dialect.name == "sqlite":
        yield connection.execute(query).cursor
        return
    said = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection.driver_connection
    with driver.cursor("parts", binary=True) as cursor:  # PostgreSQL then sends part by part, and no hexadecimal text
        cursor.execute(str(said), said.params)
        yield cursor


def opened(url: str) -> Engine:
    """The database behind `url`, with all tables of this version. Raises StoreError."""
    engine = _engine(url)
    try:
        # SQLite's change to WAL, with the first connection, fails at once if another process is at it, too.
        with _alone(engine), store_errors(engine, "opened"):
            _bring_up(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _version(engine: Engine) -> int | None:
    """Of the schema; 0 where there is none yet, None where it was made before Alembic kept its version."""
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        if "ringgate_schema" not in there:
            return 0
        newest = connection.execute(text("SELECT max(version) FROM ringgate_schema")).scalar() or 0
        if "alembic_version" in there:
            kept = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or 0
            return max(int(kept), int(newest))
        return int(newest) if newest > SCHEMA_VERSION else None


def _bring_up(engine: Engine) -> None:
    version = _version(engine)
    if version == SCHEMA_VERSION:  # another process was faster
        return
    if version is not None and version > SCHEMA_VERSION:
        raise StoreError(f"the result store is of version {version}, newer than {SCHEMA_VERSION}: upgrade Ringgate")
    if version == 0:
        with engine.begin() as connection:
            metadata.create_all(connection)
            brin = "USING brin " if connection.dialect.name == "postgresql" else ""
            for index in INDEXES:
                connection.execute(text(index.format(brin=brin)))
            for trigger in TRIGGERS[connection.dialect.name]:
                connection.exec_driver_sql(trigger)
            _sign(connection)
        return
    from ringgate.store.migrations import upgrade  # Alembic is loaded only where it is needed

    try:
        upgrade(engine)
    except ValueError as error:  # a row that no version of Ringgate wrote
        where = engine.url.render_as_string(hide_password=True)
        what = f"the result store {where} cannot be brought up to version {SCHEMA_VERSION}"
        raise StoreError(f"{what}: {_first_line(error)}; it was left as it was") from None
    with engine.begin() as connection:
        _sign(connection)


def _sign(connection: Connection) -> None:
    """Notes the version, for Alembic and for earlier versions of Ringgate, which must leave the store alone."""
    connection.execute(
        text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": f"{SCHEMA_VERSION:04}"})
    connection.execute(text("CREATE TABLE IF NOT EXISTS ringgate_schema (version INTEGER NOT NULL PRIMARY KEY)"))
    made = "INSERT INTO ringgate_schema (version) VALUES (:version) ON CONFLICT DO NOTHING"
    connection.execute(text(made), {"version": SCHEMA_VERSION})


@contextmanager
def store_errors(engine: Engine, what: str) -> Iterator[None]:
    """Errors of the database as StoreError, in one sentence without its password."""
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"the result store {where} cannot be {what}: {_first_line(error)}") from None


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """One process at a time opens a store: it may have to be made, or brought up."""
    if engine.dialect.name == "postgresql":
        with store_errors(engine, "opened"), engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        return
    file = engine.url.database
    if not file or file == ":memory:":
        yield
        return
    try:
        with FileLock(f"{file}.lock", timeout=600):
            yield
    except (Timeout, OSError) as error:
        raise StoreError(f"the result store {file} cannot be opened: {_first_line(error)}") from None


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(f"the result store's URL cannot be used: {_first_line(error)}") from None
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise StoreError(f"the result store cannot be kept in {engine.dialect.name}: use sqlite or postgresql")
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
