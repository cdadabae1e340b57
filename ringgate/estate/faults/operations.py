"""Faults of the platform itself: a server that is stopped, a database that lets nobody in, a lock that nobody releases.

None of them needs a process that stays: what is stopped, closed or prepared stays so until somebody ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ringgate.estate.errors import EstateError

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate


class StoppedServers:
    """The ERP's servers are stopped; the front door and the database go on."""

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        with estate.alone():
            running = [server for server in estate.serving.servers if server.running]
            for server in running:
                server.stop()
        return bool(running)

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        with estate.alone() as record:
            used = sorted({place.series for place in record.tenants.values()})
            ran = [estate.serving.start(record, series) for series in used]
        return not all(ran)

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        used = {place.series for place in estate.record.tenants.values()}
        servers = [server for server in estate.serving.servers if server.series in used]
        return estate.serving.door.running and not all(server.running for server in servers)


class ClosedDatabase:
    """The tenant's database lets nobody in any more."""

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        was_off = not self.is_on(estate, tenant, fault)
        self._admit(estate, tenant, admit=False)
        estate.database.execute(
            sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(tenant)
        )
        return was_off

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        was_on = self.is_on(estate, tenant, fault)
        self._admit(estate, tenant, admit=True)
        if was_on:
            estate.reload()  # else the server goes on with connections that were cut
        return was_on

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        estate.place(tenant)
        with estate.database.connect() as database:
            row = database.execute("SELECT datallowconn FROM pg_database WHERE datname = %s", [tenant]).fetchone()
        return row == (False,)

    def _admit(self, estate: Estate, tenant: str, *, admit: bool) -> None:
        change = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        estate.database.execute(change.format(sql.Identifier(tenant), sql.SQL("true" if admit else "false")))


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock in the tenant's database that its holder never lets go: they prepared to commit, and did not.

    `lock` is the statement that takes it. The transaction lives in the database, without a session."""

    lock: str

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        if self.is_on(estate, tenant, fault):
            return False
        try:
            with estate.sql(tenant) as database:
                database.execute("BEGIN")
                database.execute("SET LOCAL lock_timeout = '20s'")
                database.execute(sql.SQL(self.lock))
                database.execute(sql.SQL("PREPARE TRANSACTION {}").format(_name(tenant, fault)))
        except psycopg.errors.ObjectNotInPrerequisiteState as problem:
            raise EstateError(
                f"The estate's database was started without prepared transactions: `ringgate estate down` and "
                f"`ringgate estate up` start it with them ({problem})."
            ) from problem
        except psycopg.Error as problem:
            words = str(problem).partition("\n")[0]
            raise EstateError(f"The database of tenant {tenant} could not be locked ({words}): try again.") from problem
        return True

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        stood = self.is_on(estate, tenant, fault)
        if stood:
            with estate.sql(tenant) as database:
                database.execute(sql.SQL("ROLLBACK PREPARED {}").format(_name(tenant, fault)))
        return stood

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        estate.place(tenant)
        with estate.database.connect() as database:
            name = f"ringgate {tenant} {fault}"
            return database.execute("SELECT FROM pg_prepared_xacts WHERE gid = %s", [name]).fetchone() is not None


def _name(tenant: str, fault: str) -> sql.Literal:
    return sql.Literal(f"ringgate {tenant} {fault}")
