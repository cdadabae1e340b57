"""One worker of the trial: `python -m tests.evaluation.queues.worker ENGINE URL real|nothing CONCURRENCY`.

A real job is `run_once` of a scenario of the benches on a tenant of an inventory in the current folder: signed-in
sessions, undo journal, locks and all. What began and what ended is written to a table of the trial, over a connection
of its own, and tried again until it is there: as a prober's results are.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg

from ringgate.domain.terms import Channel
from ringgate.drivers.registry import Drivers
from ringgate.execution.run_once import Engine, run_once
from ringgate.host import paths
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from ringgate.probing.driver_pool import ApiDriverPool
from ringgate.scenario.discovery import load_scenarios
from tests.evaluation.queues.engines import Job, engine

INTO = "INSERT INTO trial (number, worker, put_at, began_at, ended_at, outcome) VALUES (%s, %s, %s, %s, %s, %s)"


class Notes:
    """What was run, on its way to the database, by a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url, self._rows = url, queue.SimpleQueue[tuple[object, ...]]()
        threading.Thread(target=self._work, daemon=True).start()

    def __call__(self, number: int, put_at: float, began: float, ended: float | None, outcome: str) -> None:
        self._rows.put((number, os.getpid(), put_at, began, ended, outcome))

    def _work(self) -> None:
        connection: psycopg.Connection | None = None
        while True:
            row = self._rows.get()
            while True:
                try:
                    connection = connection or psycopg.connect(self._url, autocommit=True)
                    connection.execute(INTO, row)
                    break
                except psycopg.Error:
                    connection = None
                    time.sleep(0.2)


def nothing(notes: Notes) -> Job:
    def run(number: int, at: float) -> None:
        now = time.time()
        notes(number, at, now, now, "passed")

    return run


def real(notes: Notes, folder: Path) -> Job:
    tenants = Inventory.load(folder / "tenants").tenants
    scenarios = list(load_scenarios(folder / "scenarios").values())
    bare = Engine({}, Journal(paths.journal()), RunLocks(paths.locks(), patience=0), folder / "evidence")
    pool = ApiDriverPool(lambda tenant: Drivers([tenant.erp]))

    def run(number: int, at: float) -> None:
        tenant, scenario = target(number, len(tenants), len(scenarios))
        began = time.time()
        notes(number, at, began, None, "")
        with pool.lease(tenants[tenant]) as drivers:
            done = run_once(scenarios[scenario], tenants[tenant], Channel.API, replace(bare, drivers=drivers))
        kind = done.failure.kind if done.failure else ""
        notes(number, at, began, time.time(), kind if kind in ("occupied", "crowded") else done.outcome.value)

    return run


def target(number: int, tenants: int, scenarios: int) -> tuple[int, int]:
    """Which tenant and scenario a job is of."""
    return number % tenants, number // tenants % scenarios


def main() -> None:
    name, url, kind, concurrency = sys.argv[1:]
    notes = Notes(url)
    job = real(notes, Path.cwd()) if kind == "real" else nothing(notes)
    engine(name).work(url, job, int(concurrency))


if __name__ == "__main__":
    main()
