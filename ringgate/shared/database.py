"""Connections to the database that several machines share, and the lease by which a process is known to live.

A process that has not renewed its lease for `LEASE` seconds, by the database's clock, is dead to all others: what it
held is taken over. One that cannot renew has to end what it runs before that (`SharedMember.lost`).
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from ringgate.domain.errors import OurSideError

LEASE = 30.0
"""Seconds without a sign of life after which a process is dead to others."""

RENEWED = 5.0
"""Seconds between its signs of life."""

LOST = 20.0
"""Seconds without one that got through, after which it begins nothing and ends what it runs."""

PATIENCE = 25.0
"""Seconds for which a database that is away is waited for: a restart takes a few."""

CONNECTIONS = 8
"""Of one process, at most."""

_MADE = 7_464_429
"""Of PostgreSQL's advisory locks, the one under which the tables are made."""

TABLES = """
CREATE TABLE IF NOT EXISTS ringgate_members (
    id text PRIMARY KEY, host text NOT NULL, pid integer NOT NULL, seen_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS ringgate_rooms (
    tenant text NOT NULL, scenario text NOT NULL, host text NOT NULL, member text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant, scenario)
);
CREATE TABLE IF NOT EXISTS ringgate_journals (
    run_id text PRIMARY KEY, tenant text NOT NULL, head text NOT NULL, member text,
    begun_at timestamptz NOT NULL DEFAULT now(), tried_at timestamptz, waits boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS ringgate_journals_by_tenant ON ringgate_journals (tenant);
CREATE TABLE IF NOT EXISTS ringgate_journal_lines (
    run_id text NOT NULL, number integer NOT NULL, line text NOT NULL, PRIMARY KEY (run_id, number)
);
CREATE TABLE IF NOT EXISTS ringgate_dispatchers (
    region text PRIMARY KEY, member text NOT NULL, until timestamptz NOT NULL, dispatched_until timestamptz NOT NULL
);
"""

ALIVE = f"(SELECT id FROM ringgate_members WHERE seen_at > clock_timestamp() - interval '{LEASE} seconds')"  # noqa: S608

T = TypeVar("T")

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a database that is away is told by us, once


class SharedError(OurSideError):
    """The database that machines share cannot be read or written: nothing may be begun."""

    kind = "shared"


class LeaseLost(SharedError):
    """Others take this process for dead: what it held may be theirs by now."""

    kind = "lease"


class SharedDatabase:
    """The pool of one process. Safe for threads."""

    def __init__(self, url: str, connections: int = CONNECTIONS, patience: float = PATIENCE) -> None:
        """`url` as libpq or SQLAlchemy take it. Makes the tables. Raises SharedError."""
        self.url = url.replace("postgresql+psycopg://", "postgresql://")
        if not self.url.startswith(("postgresql://", "postgres://")):
            raise SharedError("what machines share is kept in PostgreSQL: give a URL like postgresql://host/database")
        self._patience = patience
        self._pool = ConnectionPool(
            self.url, min_size=1, max_size=connections, open=False, check=ConnectionPool.check_connection,
            kwargs={"autocommit": True, "connect_timeout": 5, "application_name": "ringgate"}, reconnect_timeout=5,
        )  # fmt: skip
        self._pool.open()
        try:
            self.do(self._make)
        except BaseException:
            self.close()
            raise

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MADE])
        connection.execute(TABLES)

    def do(self, work: Callable[[psycopg.Connection[Any]], T], *, durable: bool = True, wait: bool = True) -> T:
        """What `work` does in one transaction. A database that is away is waited for (not with `wait` off), and
        `work` done again: it must stand being done twice. Raises SharedError. Not `durable`: a crash of the database
        may lose it."""
        until = time.monotonic() + (self._patience if wait else 0.0)
        while True:
            try:
                left = max(1.0, until - time.monotonic()) if wait else 3.0
                with self._pool.connection(timeout=left) as connection, connection.transaction():
                    if not durable:
                        connection.execute("SET LOCAL synchronous_commit = off")
                    return work(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
                if time.monotonic() >= until:
                    raise SharedError(
                        f"the database that machines share cannot be used: {_first_line(error)}"
                    ) from None
                time.sleep(0.2)
            except psycopg.Error as error:
                raise SharedError(f"the database that machines share refused: {_first_line(error)}") from None

    def close(self) -> None:
        self._pool.close(timeout=2.0)


class SharedMember:
    """This process among those that share: it renews its lease by a thread of its own.

    `lost` is set once the lease may have passed to others, and stays set: the process has to end what it runs."""

    def __init__(self, database: SharedDatabase, clock: Callable[[], float] = time.monotonic) -> None:
        self.database, self._clock = database, clock
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.lost = threading.Event()
        self._ended = threading.Event()
        self._chores: list[Callable[[], None]] = []
        self._seen = clock()
        self.database.do(self._sign)
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def also(self, chore: Callable[[], None]) -> None:
        """Done each time the lease was renewed."""
        self._chores.append(chore)

    def renew(self) -> None:
        """Give a sign of life now. A lease that others may have taken is lost, and not renewed."""
        if self._clock() - self._seen > LOST:
            self.lost.set()
        if self.lost.is_set():
            raise LeaseLost("this process gave no sign of life for too long: others take up what it ran")
        asked = self._clock()
        self.database.do(self._sign, durable=False, wait=False)
        self._seen = asked

    def _sign(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            "INSERT INTO ringgate_members VALUES (%s, %s, %s, clock_timestamp()) "
            "ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()",
            [self.id, socket.gethostname(), os.getpid()],
        )

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED if self._clock() - self._seen < 2 * RENEWED else 1.0):
            with suppress(SharedError):
                self.renew()
                for chore in self._chores:
                    chore()

    def close(self) -> None:
        """Others may have at once what it still holds."""
        self._ended.set()
        self._thread.join(5.0)

        def end(connection: psycopg.Connection[Any]) -> None:
            connection.execute("DELETE FROM ringgate_rooms WHERE member = %s", [self.id])
            connection.execute("UPDATE ringgate_journals SET member = NULL WHERE member = %s", [self.id])
            connection.execute("DELETE FROM ringgate_members WHERE id = %s", [self.id])

        with suppress(SharedError):
            self.database.do(end, wait=False)


def forget_the_dead(connection: psycopg.Connection[Any]) -> None:
    """Members that nobody has seen for a day are forgotten; what they held was taken over long ago."""
    connection.execute("DELETE FROM ringgate_members WHERE seen_at < clock_timestamp() - interval '1 day'")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
