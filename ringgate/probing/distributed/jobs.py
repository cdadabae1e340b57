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
from ringgate.probing.plan import Key, Probe
from ringgate.probing.timetable import Tick
from ringgate.shared.database import SharedDatabase

TASK = "probe"

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


def queue_name(region: str, channel: Channel) -> str:
    return f"{region}/{channel.value}"


def job_of(tick: Tick, region: str) -> Job:
    tenant, scenario, channel = tick.probe.key
    fresh = tick.slot + min(STALE_AFTER, tick.probe.every)
    return Job(
        id=None, queue=queue_name(region, channel), task_name=TASK, priority=0, lock=f"{tenant}/{scenario}",
        queueing_lock=None,
        task_kwargs={"tenant": tenant, "scenario": scenario, "channel": channel.value,
                     "slot": tick.slot.isoformat(), "fresh_until": fresh.isoformat()},
    )  # fmt: skip


def wanted_by(job: Job) -> Wanted:
    """Raises ValueError or KeyError for a job that is none of ours."""
    said: Any = job.task_kwargs
    key = (str(said["tenant"]), str(said["scenario"]), Channel(said["channel"]))
    return Wanted(key, datetime.fromisoformat(said["slot"]), datetime.fromisoformat(said["fresh_until"]))


def putting(url: str) -> procrastinate.App:
    """To put jobs in, over connections that are given. Makes the engine's tables where there are none."""
    database = SharedDatabase(url, connections=1)
    try:
        made = database.do(lambda each: each.execute("SELECT to_regclass('procrastinate_jobs')").fetchone())
        app = procrastinate.App(
            connector=procrastinate.SyncPsycopgConnector(conninfo=database.url, min_size=1, max_size=1)
        )
        if made == (None,):
            with app.open():
                database.do(lambda each: _make(each, app))
        return app
    finally:
        database.close()


def _make(connection: Any, app: procrastinate.App) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(7464431)")
    if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
        app.schema_manager.apply_schema()


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
