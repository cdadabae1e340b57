"""Moves a tenant of the estate to another series of its ERP, and back from a backup.

While a tenant is moved its record says so (`Place.upgrade`), from before anything is touched until all is done. A
process that dies in between leaves that note; whoever comes next calls `repair` and has the tenant as it was.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import psycopg

from ringgate.estate.backups import BackupFile
from ringgate.estate.base import EstateBase
from ringgate.estate.errors import EstateError, in_one_sentence
from ringgate.estate.processes import Daemon, wait_until
from ringgate.estate.protocol import READY, ErpServer
from ringgate.estate.record import Upgrading
from ringgate.estate.tools import lock, run

DRAIN = 30.0
"""Seconds that requests under way may take to end when a tenant is closed."""

Stages = Callable[[str], AbstractContextManager[object]]
"""Called with the name of each part of the work, and entered while it lasts."""


@dataclass(frozen=True, slots=True)
class ManualStep:
    """A step that the ERP's makers tell operators to do by hand before the migration: exactly one of three.

    `sql` runs in one transaction on the tenant's database. `command` is a program of the operator's own, with the
    variables RINGGATE_TENANT, RINGGATE_DATABASE (a libpq URL), RINGGATE_FROM and RINGGATE_TO (series). `tool` is a call
    of the ERP's own command line tool of the series after; the estate adds its configuration and the database.
    """

    name: str
    sql: str = ""
    command: Sequence[str] = ()
    tool: str = ""


class UpgradeFailed(EstateError):
    """The upgrade did not succeed and the tenant is served as it was, from its backup. `at` names the part."""

    kind = "upgrade"

    def __init__(self, tenant: str, at: str, reason: str) -> None:
        super().__init__(f"Tenant {tenant} stays as it was, restored from its backup: {at}: {reason}")
        self.tenant, self.at, self.reason = tenant, at, reason


class Upgrades:
    """Upgrades and rollbacks of one estate's tenants. Several tenants may be moved at the same time."""

    def __init__(self, estate: EstateBase) -> None:
        self._estate = estate

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStep], stages: Stages = nullcontext) -> BackupFile:
        """Closes the tenant, backs it up, runs the manual steps, migrates, serves and verifies. Returns the backup.

        Raises UpgradeFailed if it could not be done; then the tenant is served as before. `stages` sees `close`,
        `backup`, `manual steps`, `migration`, `serve`, `verify`, and `restore` if it comes to that.
        """
        with self._alone_with(tenant):
            self._repair(tenant)
            place = self._estate.place(tenant)
            known = self._estate.kind.series
            if to not in known:
                raise EstateError(
                    f"There is no series {to} of {self._estate.kind.title}: choose of {', '.join(known)}."
                )
            if known.index(to) < known.index(place.series):
                raise EstateError(f"Tenant {tenant} runs {place.series}: it can be rolled back, not upgraded to {to}.")
            self._estate.install(to)
            at = "close"
            try:
                with stages(at):
                    self._close(tenant, to)
                at = "backup"
                with stages(at):
                    backup = self._estate.backups.take(tenant, place.series)
                    self._estate.change_place(tenant, upgrade=Upgrading(to=to, backup=backup.name))
                parts: list[tuple[str, Callable[[], None]]] = [
                    ("manual steps", partial(self._run_steps, tenant, to, steps)),
                    ("migration", partial(self._migrate, tenant, to)),
                    ("serve", partial(self._serve, tenant, to)),
                    ("verify", partial(self._verify, tenant, to)),
                ]
                for at, work in parts:
                    with stages(at):
                        work()
            except (EstateError, psycopg.Error, OSError) as problem:
                with stages("restore"):
                    self._repair(tenant)
                raise UpgradeFailed(tenant, at, _first_line(problem)) from problem
            self._estate.change_place(tenant, series=to, upgrade=None, came_from=backup.name)
            return backup

    def roll_back(self, tenant: str, backup: BackupFile, stages: Stages = nullcontext) -> None:
        """Restores the tenant from a backup and serves it from that backup's series. What came later is lost."""
        with self._alone_with(tenant), stages("restore"):
            to = self._estate.place(tenant).series
            self._close(tenant, to)
            self._estate.change_place(tenant, upgrade=Upgrading(to=to, backup=backup.name))
            self._repair(tenant)

    def repair(self, tenant: str) -> bool:
        """Takes back an upgrade or rollback that was cut off, from its backup. Says whether there was one."""
        with self._alone_with(tenant):
            return self._repair(tenant)

    def repair_all(self) -> list[str]:
        """Takes back what was cut off, for every tenant. Returns their names."""
        cut_off = [name for name, place in self._estate.record.tenants.items() if place.upgrade]
        return [name for name in cut_off if self.repair(name)]

    # --- parts ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone_with(self, tenant: str) -> Iterator[None]:
        guard = self._estate.folder.parent / f".{self._estate.name}.{tenant}.lock"
        with in_one_sentence(), lock(guard, lambda _: None, f"tenant {tenant}"):
            yield

    def _close(self, tenant: str, to: str) -> None:
        """Under maintenance: nobody gets in, and what is under way comes to its end."""
        self._estate.change_place(tenant, upgrade=Upgrading(to=to, backup=""))
        busy = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' "
            "AND state <> 'idle' AND pid <> pg_backend_pid()"
        )
        with self._estate.database.connect(autocommit=True) as database:

            def idle() -> bool:
                return database.execute(busy, [tenant]).fetchone() == (0,)

            if not wait_until(idle, DRAIN):
                raise EstateError(f"requests on tenant {tenant} do not come to an end")

    def _run_steps(self, tenant: str, to: str, steps: Sequence[ManualStep]) -> None:
        for step in steps:
            try:
                self._run_step(tenant, to, step)
            except (EstateError, psycopg.Error, OSError) as problem:
                raise EstateError(f"the step {step.name!r} was refused: {_first_line(problem)}") from problem

    def _run_step(self, tenant: str, to: str, step: ManualStep) -> None:
        if step.sql:
            with self._estate.sql(tenant) as database, database.transaction():
                database.execute(step.sql)  # an operator's own text
        elif step.command:
            told = {"TENANT": tenant, "DATABASE": self._estate.database.url(tenant), "TO": to}
            told["FROM"] = self._estate.place(tenant).series
            env = {**os.environ, **{f"RINGGATE_{name}": value for name, value in told.items()}}
            run(step.command, "the command failed", env=env, remedy="repair it and upgrade again")
        else:
            server = self._estate.serving.server(to)
            server.configure()
            server.call(shlex.split(step.tool), tenant)

    def _migrate(self, tenant: str, to: str) -> None:
        server = self._estate.serving.server(to)
        server.configure()
        self._end_migrations(tenant)
        server.migrate(tenant, self._migration(tenant))

    def _migration(self, tenant: str) -> Daemon:
        run, logs = self._estate.run, self._estate.logs
        return Daemon(f"migration of {tenant}", run / f"migration-{tenant}.pid", logs / f"migration-{tenant}.log")

    def _end_migrations(self, tenant: str) -> None:
        self._migration(tenant).stop()
        for server in self._estate.serving.servers:
            server.end_migrations(tenant)

    def _serve(self, tenant: str, to: str) -> None:
        with self._estate.alone() as record:
            others = [name for name in record.served_from(to) if name != tenant]
            self._take_up(self._estate.serving.server(to), [*others, tenant])

    def _take_up(self, server: ErpServer, databases: list[str]) -> None:
        if server.running:
            server.load(databases)
        else:
            self._estate.serving.check_ports([server.port])
            server.start(databases)

    def _verify(self, tenant: str, series: str) -> None:
        """At the server itself: the public address stays closed until all is well."""
        base = self._estate.serving.server(series).url
        found = self._estate.kind.ready(self._estate.tenant(tenant), series, base)
        if found != READY:
            raise EstateError(f"the tenant is not ready: {found}")

    def _repair(self, tenant: str) -> bool:
        under_way = self._estate.place(tenant).upgrade
        if under_way is None:
            return False
        self._end_migrations(tenant)
        if not under_way.backup:  # nothing was changed yet
            self._estate.change_place(tenant, upgrade=None)
            return True
        backup = self._estate.backups.find(tenant, under_way.backup)
        with self._estate.alone():
            for server in self._estate.serving.servers:
                if server.series != backup.series:
                    server.let_go(tenant)
        beside = f"new_{tenant}"
        self._estate.backups.restore(backup, beside)
        self._estate.data.rename(beside, tenant)
        with self._estate.alone() as record:
            after = record.with_place(tenant, series=backup.series, upgrade=None, came_from="")
            self._take_up(self._estate.serving.server(backup.series), after.served_from(backup.series))
            self._estate.note(after)
        return True


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


__all__ = ["ManualStep", "UpgradeFailed", "Upgrades"]
