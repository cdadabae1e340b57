"""Ticks as jobs of the engine, Procrastinate: one queue for each region and channel.

The engine's lock is the tenant and scenario: two such jobs are never under way at once. `fresh_until` is when a tick is
too late to be run: it is then dropped, and counted as missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
from procrastinate.jobs import Job

from ringgate.domain.terms import Channel
from ringgate.probing.counters import MISSED
from ringgate.probing.plan import Key, Probe
from ringgate.probing.timetable import Tick
from ringgate.shared.database import SharedDatabase
from ringgate.store import CounterKey

TASK = "probe"

_MADE = 7_464_431
"""Of PostgreSQL's advisory locks, the one under which the engine's tables are made."""

OF_THE_DEAD = 1
"""Priority of a job that a dead worker had begun: it comes first, and may have a result already."""

STALE_AFTER = timedelta(seconds=60)
"""A tick that nobody began so long after it was due is dropped; sooner where its probe is due again sooner."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job asks for."""

    key: Key
    slot: datetime
    fresh_until: datetime

    def tick(self, probes: Mapping[Key, Probe]) -> Tick | None:
        """None if this process does not know such a probe."""
        probe = probes.get(self.key)
        return Tick(probe, self.slot) if probe else None

    @property
    def missed(self) -> CounterKey:
        """What is counted if nobody begins it."""
        tenant, scenario, channel = self.key
        return (MISSED, tenant, scenario, channel.value)


def fresh_until(tick: Tick) -> datetime:
    return tick.slot + min(STALE_AFTER, tick.probe.every)


def queue_name(region: str, channel: Channel) -> str:
    return f"{region}/{channel.value}"


def job_of(tick: Tick, region: str) -> Job:
    tenant, scenario, channel = tick.probe.key
    fresh = fresh_until(tick)
    return Job(
        id=None, queue=queue_name(region, channel), task_name=TASK, priority=0, lock=f"{tenant}/{scenario}",
        queueing_lock=None,
        task_kwargs={"tenant": tenant, "scenario": scenario, "channel": channel.value,
                     "slot": tick.slot.isoformat(), "fresh_until": fresh.isoformat()},
    )  # fmt: skip


def wanted_by(job: Job) -> Wanted:
    """Raises ValueError or KeyError for a job that is none of ours."""
    return wanted_of(job.task_kwargs)


def wanted_of(said: Mapping[str, Any]) -> Wanted:
    """What the arguments of a job ask for. Raises ValueError or KeyError for those of a job that is none of ours."""
    key = (str(said["tenant"]), str(said["scenario"]), Channel(said["channel"]))
    return Wanted(key, datetime.fromisoformat(said["slot"]), datetime.fromisoformat(said["fresh_until"]))


def putting(url: str) -> procrastinate.App:
    """To put jobs in, over connections that are given. Makes the engine's tables where there are none."""
    database = SharedDatabase(url, connections=1)
    try:
        app = procrastinate.App(
            connector=procrastinate.SyncPsycopgConnector(conninfo=database.url, min_size=1, max_size=1)
        )
        database.do(lambda each: _make(each, app))
        return app
    finally:
        database.close()


def _make(connection: Any, app: procrastinate.App) -> None:
    """Whole or not at all, by one process of those that begin at once."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MADE])
    # Not by to_regclass: inside of a transaction that may answer from what this connection knew before the lock.
    there = (
        "SELECT 1 FROM pg_tables WHERE tablename = 'procrastinate_jobs' AND schemaname = ANY(current_schemas(false))"
    )
    if connection.execute(there).fetchone() is None:
        connection.execute(app.schema_manager.get_schema())


def taking(url: str) -> procrastinate.App:
    """To take jobs out, by one thread with a loop of its own."""
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=plain, min_size=1, max_size=3, kwargs={"connect_timeout": 5}, timeout=5.0
        )
    )


def now() -> datetime:
    return datetime.now(UTC)
