"""What is done to an engine, and what is seen of it: throughput, latency, memory, and five faults."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from ringgate.estate.postgres import Cluster
from tests.evaluation.queues.engines import LEASE, engine
from tests.evaluation.queues.worker import target

TENANTS, SCENARIOS = 50, 5
CONCURRENCY = 16
SLOTS = 24
"""Connections that the workers' database user may have."""

WORKERS = 2
FED = 24.0
"""Seconds for which jobs come while something goes wrong."""

RATE = 4
"""Jobs a second meanwhile: less than two workers manage on a busy machine, so that what is late is the fault's."""

AT = 8.0
"""When it goes wrong, after the first job."""

GIVEN_UP = 90.0
"""Seconds after the last job for all of them to be done; what is not, is stuck."""

TABLE = """CREATE TABLE trial (number integer, worker integer, put_at float, began_at float, ended_at float,
outcome text)"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Jobs a second that came (0: all at once), what came of it; seconds from put in to begun."""

    rate: int
    done: float
    p50: float
    p95: float
    p99: float
    cpu_ms: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Faulted:
    """What a fault cost. `recovered`: seconds until a job that came after it was done; `last`: until all that had come
    before it were."""

    fault: str
    jobs: int
    lost: int
    doubled: int
    overlapping: int
    stuck: int
    recovered: float
    last: float
    starts: int


@dataclass
class Bench:
    """One engine on a database of its own, with workers that are started again when they end, as a supervisor does."""

    name: str
    cluster: Cluster
    folder: Path
    python: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    starts: int = 0
    kind: str = "real"
    first: int = 1

    def __post_init__(self) -> None:
        self.queue = engine(self.name)
        self._numbers = itertools.count(1)

    def url(self, user: str = "trial") -> str:
        return self.cluster.url("trial").replace("postgres:@", f"{user}:@")

    def fresh(self) -> None:
        """A new database, of the workers' user."""
        self.cluster.create_database("trial")
        with contextlib.suppress(psycopg.errors.DuplicateObject):
            self.cluster.execute(f"CREATE ROLE trial LOGIN CONNECTION LIMIT {SLOTS}")
        self.cluster.execute("GRANT ALL ON SCHEMA public TO trial", "ALTER DATABASE trial OWNER TO trial", TABLE,
                             "ALTER TABLE trial OWNER TO trial", database="trial")  # fmt: skip
        self.queue = engine(self.name)
        self.queue.__init__()  # type: ignore[misc]
        self.queue.install(self.url())

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.cluster.connect("trial") as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def put(self, number: int) -> None:
        now, jobs = time.time(), []
        for each in itertools.islice(self._numbers, number):
            tenant, scenario = target(each, TENANTS, SCENARIOS)
            jobs.append((each, now, f"{tenant}/{scenario}"))
        self.queue.put(self.url("postgres"), jobs)

    def feed(self, rate: int, seconds: float, meanwhile: Callable[[float], None] = lambda _now: None) -> int:
        """Jobs at a steady rate, in tenths of a second. Returns how many."""
        began, given = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            meanwhile(now)
            if (due := int(now * rate)) > given:
                for patience in itertools.count(1):
                    try:
                        self.put(due - given)
                        break
                    except Exception:  # the database is down; whoever feeds it comes again
                        self.queue.__init__()  # type: ignore[misc]
                        assert patience < 300
                        time.sleep(0.1)
                given = due
            time.sleep(0.05)
        return given

    def start(self, place: int | None = None) -> None:
        command = [str(self.python), "-m", "tests.evaluation.queues.worker", self.name, self.url(), self.kind,
                   str(CONCURRENCY)]  # fmt: skip
        log = (self.folder / f"{self.name}.log").open("ab")
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "RINGGATE_STATE": str(self.folder / "state"),
                       "RINGGATE_BENCH_SECRET": "x" * 12}  # fmt: skip
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        log.close()
        self.starts += 1
        if place is None:
            self.workers.append(process)
        else:
            self.workers[place] = process

    def tend(self) -> None:
        for place, each in enumerate(self.workers):
            if each.poll() is not None:
                self.start(place)

    @contextlib.contextmanager
    def at_work(self, kind: str = "real") -> Iterator[None]:
        """Both workers, ready: a first round of jobs is done, and forgotten."""
        self.fresh()
        self.kind, self.starts, self.workers = kind, 0, []
        for _ in range(WORKERS):
            self.start()
        try:
            self.put(TENANTS if kind == "real" else 10)
            assert self.settled(240), (self.folder / f"{self.name}.log").read_text()[-2000:]
            time.sleep(1.0)
            self.ask("SELECT 1")
            self.cluster.execute("TRUNCATE trial", database="trial")
            self.first = next(self._numbers) + 1
            yield
        finally:
            for each in self.workers:
                each.kill()
                each.wait()

    def settled(self, within: float) -> bool:
        until = time.monotonic() + within
        while time.monotonic() < until:
            with contextlib.suppress(Exception):
                if self.ask(self.queue.left()) == [(0,)]:
                    return True
            self.tend()
            time.sleep(0.1)
        return False

    def cpu(self) -> float:
        times = [psutil.Process(each.pid).cpu_times() for each in self.workers]
        return sum(each.user + each.system for each in times)

    # --- load ---------------------------------------------------------------------------------------------------------

    def loaded(self, rate: int, jobs: int, kind: str = "real") -> Loaded:
        """`jobs` at `rate` a second; 0: all at once."""
        with self.at_work(kind):
            before, began = self.cpu(), time.monotonic()
            if rate:
                self.feed(rate, jobs / rate)
            else:
                for _ in range(jobs // 100):
                    self.put(100)
            assert self.settled(300)
            seconds, cpu = time.monotonic() - began, self.cpu() - before
            memory = max(psutil.Process(each.pid).memory_info().rss for each in self.workers) / 2**20
            time.sleep(1.0)
            (row,) = self.ask(
                "SELECT count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY began_at - put_at) "
                "FROM trial WHERE ended_at IS NOT NULL"
            )
            done, (p50, p95, p99) = row  # type: ignore[misc]
            return Loaded(rate, done / seconds, p50, p95, p99, cpu / max(done, 1) * 1000, memory)  # type: ignore[operator]

    # --- faults -------------------------------------------------------------------------------------------------------

    def faulted(self, fault: str) -> Faulted:
        with self.at_work():
            begun: list[float] = []
            hold: list[psycopg.Connection] = []

            def meanwhile(now: float) -> None:
                again = fault == "worker killed again and again"
                if now >= AT + (4.0 * len(begun) if again else 0.0) and len(begun) < (4 if again else 1):
                    begun.append(time.time())
                    FAULTS[fault](self, hold)
                if hold and now > AT + 10.0:
                    while hold:
                        hold.pop().close()
                self.tend()

            jobs = self.feed(RATE, FED, meanwhile)
            while hold:
                hold.pop().close()
            settled = self.settled(GIVEN_UP)
            time.sleep(2.0)
            return self._judged(fault, jobs, begun[-1], settled)

    def _judged(self, fault: str, jobs: int, at: float, settled: bool) -> Faulted:
        stuck = 0 if settled else int(str(self.ask(self.queue.left())[0][0]))
        ended: dict[int, list[tuple[float, float]]] = {}
        for number, began, finished in self.ask(
            "SELECT number, began_at, ended_at FROM trial WHERE ended_at IS NOT NULL AND outcome <> 'occupied'"
        ):
            ended.setdefault(int(str(number)), []).append((float(str(began)), float(str(finished))))
        came = {
            int(str(number)): float(str(put))
            for number, put in self.ask("SELECT number, min(put_at) FROM trial GROUP BY 1")
        }
        lost = [number for number in range(self.first, self.first + jobs) if number not in ended]
        after = [min(end for _, end in runs) for number, runs in ended.items() if came[number] > at + 0.5]
        before = [max(end for _, end in runs) for number, runs in ended.items() if came[number] <= at]
        (row,) = self.ask(
            "SELECT count(*) FROM trial a JOIN trial b ON a.number = b.number AND a.ctid < b.ctid "
            "WHERE a.ended_at IS NOT NULL AND b.ended_at IS NOT NULL "
            "AND a.began_at < b.ended_at AND b.began_at < a.ended_at"
        )
        return Faulted(
            fault, jobs, len(lost) - min(stuck, len(lost)), sum(len(runs) > 1 for runs in ended.values()),
            int(str(row[0])), stuck, min(after, default=float("nan")) - at, max(before, default=at) - at, self.starts,
        )  # fmt: skip


def _kill(bench: Bench, _hold: list[psycopg.Connection]) -> None:
    bench.workers[bench.starts % WORKERS].send_signal(signal.SIGKILL)


def _end_sessions(bench: Bench, _hold: list[psycopg.Connection]) -> None:
    bench.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'trial'")


def _restart(bench: Bench, _hold: list[psycopg.Connection]) -> None:
    bench.cluster.stop()
    bench.cluster.start()


def _use_up(bench: Bench, hold: list[psycopg.Connection]) -> None:
    """Every connection that the workers' user may have is taken, for ten seconds; they have lost their own."""
    _end_sessions(bench, hold)
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            hold.append(psycopg.connect(bench.url()))


FAULTS: dict[str, Callable[[Bench, list[psycopg.Connection]], None]] = {
    "worker killed": _kill,
    "worker killed again and again": _kill,
    "database sessions ended": _end_sessions,
    "PostgreSQL restarted": _restart,
    "connections used up": _use_up,
}

__all__ = ["FAULTS", "LEASE", "Bench", "Faulted", "Loaded", "sys"]
