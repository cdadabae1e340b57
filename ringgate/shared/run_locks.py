"""Who may run where, across machines: `host.run_locks` by rows that end with their process's lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ringgate.domain.model import Tenant
from ringgate.host.run_locks import Crowded, Occupied, RunLocks
from ringgate.shared.database import ALIVE, LeaseLost, SharedError, SharedMember

_ROOMS = 7_464_430
"""Of PostgreSQL's advisory locks, the one under which rooms are given, one at a time."""

LOOK = 0.5
"""Seconds between looks for room, where there is patience."""


class SharedRunLocks(RunLocks):
    """The rooms of a region. `in_all` and `per_host` cap all of them, and those on one ERP server (0: no cap).

    No run begins on a tenant on which a dead process left a journal that nobody has tried yet. `folder` holds this
    machine's own locks, which keep postings in order."""

    def __init__(
        self, member: SharedMember, folder: Path, *, patience: float = 600.0, in_all: int = 0, per_host: int = 0
    ) -> None:
        super().__init__(folder, patience=patience)
        self._member, self._in_all, self._per_host = member, in_all, per_host
        self._given_up: list[tuple[str, str]] = []
        self._alone = threading.Lock()
        member.also(self._clear)

    @contextmanager
    def room(self, tenant: Tenant, scenario: str) -> Iterator[None]:
        """Hold the scenario on this tenant, and a place under each cap. Raises Occupied, Crowded or SharedError."""
        until = time.monotonic() + self._patience
        while why := self._member.database.do(lambda each: self._take(each, tenant, scenario), durable=False):
            if time.monotonic() >= until:
                raise why
            time.sleep(LOOK)
        try:
            yield
        finally:
            self._give(tenant.id, scenario)

    def _take(self, connection: psycopg.Connection[Any], tenant: Tenant, scenario: str) -> Occupied | None:
        """None once the room is ours."""
        if self._member.lost.is_set():
            raise LeaseLost("this process gave no sign of life for too long: it begins nothing")
        host = urlsplit(tenant.api).netloc
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ROOMS])
        connection.execute(f"DELETE FROM ringgate_rooms WHERE member NOT IN {ALIVE}")  # noqa: S608
        (same, ours, there, everywhere, left) = connection.execute(
            "SELECT count(*) FILTER (WHERE tenant = %(tenant)s AND scenario = %(scenario)s), "  # noqa: S608
            "count(*) FILTER (WHERE tenant = %(tenant)s), count(*) FILTER (WHERE host = %(host)s), count(*), "
            f"(SELECT count(*) FROM ringgate_journals WHERE tenant = %(tenant)s AND tried_at IS NULL AND NOT waits "
            f"AND (member IS NULL OR member NOT IN {ALIVE})) FROM ringgate_rooms",
            {"tenant": tenant.id, "scenario": scenario, "host": host},
        ).fetchone() or (0, 0, 0, 0, 0)
        if same:
            return Occupied(f"another run of {scenario} on {tenant.id} is under way")
        if left:
            return Crowded(f"what a run that was killed left on {tenant.id} is taken back first")
        if ours >= tenant.sessions:
            return Crowded(f"all {tenant.sessions} sessions of {tenant.id} are taken")
        if self._per_host and there >= self._per_host:
            return Crowded(f"all {self._per_host} sessions on {host} are taken")
        if self._in_all and everywhere >= self._in_all:
            return Crowded(f"all {self._in_all} sessions in the region are taken")
        connection.execute(
            "INSERT INTO ringgate_rooms (tenant, scenario, host, member) VALUES (%s, %s, %s, %s)",
            [tenant.id, scenario, host, self._member.id],
        )
        return None

    def _give(self, tenant: str, scenario: str) -> None:
        with self._alone:
            self._given_up.append((tenant, scenario))
        with suppress(SharedError):  # with the next sign of life, then
            self._clear()

    def _clear(self) -> None:
        with self._alone:
            rooms = [*self._given_up]
        if not rooms:
            return

        def delete(connection: psycopg.Connection[Any]) -> None:
            for tenant, scenario in rooms:
                connection.execute(
                    "DELETE FROM ringgate_rooms WHERE tenant = %s AND scenario = %s AND member = %s",
                    [tenant, scenario, self._member.id],
                )

        self._member.database.do(delete, durable=False, wait=False)
        with self._alone:
            for each in rooms:
                if each in self._given_up:
                    self._given_up.remove(each)
