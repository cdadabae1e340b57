"""Workers of a region against one prober, with a server that answers after 20 ms: runs a second, and what a run costs.

    python -m tests.evaluation.bench.region --tenants 1000 --seconds 120

Each row is five scenarios on every tenant every five minutes, by one `ringgate probe` or by so many `ringgate worker`,
all with their results in a throw-away PostgreSQL. Measured is what begins after the time of signing in.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from ringgate.domain.terms import Outcome
from ringgate.estate.postgres import Cluster
from ringgate.estate.tools import Tools
from ringgate.store import Store
from tests.evaluation.bench.scale import HERE, Family, _counters, write_inventory

EVERY = 300.0
COLUMNS = ("tenants", "processes", "wanted, a second", "run, a second", "not passed", "CPU a run", "of PostgreSQL",
           "largest", "late", "missed", "load")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.bench.region", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("--tenants", type=int, action="append", help="may be repeated [default: 1000]")
    parser.add_argument(
        "--workers", type=int, action="append", help="0 for one prober; may be repeated [default: 0, 2]"
    )
    parser.add_argument("--seconds", type=int, default=120, help="measured, after the time of signing in")
    parser.add_argument("--signing-in", type=int, default=60, help="seconds before")
    options = parser.parse_args()
    line(COLUMNS)
    line(["---"] * len(COLUMNS))
    for tenants in options.tenants or [1000]:
        for workers in [0, 2] if options.workers is None else options.workers:
            with tempfile.TemporaryDirectory(prefix="ringgate-region-") as name:
                folder = Path(name)
                folder.chmod(0o755)
                (folder / "postgresql").mkdir()
                at = folder / "postgresql"
                cluster = Cluster(Tools().install_database(), at / "data", at / "run", at / "log")
                cluster.create()
                try:
                    row(folder, cluster, tenants, workers, options.signing_in, options.seconds)
                finally:
                    cluster.stop()


def row(folder: Path, cluster: Cluster, tenants: int, workers: int, signing_in: int, seconds: int) -> None:
    cluster.create_database("region")
    url = cluster.url("region").replace("postgresql://", "postgresql+psycopg://")
    server = subprocess.Popen([sys.executable, "-m", "tests.evaluation.bench.stub", "20"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert server.stdout
    assert server.stdin
    write_inventory(folder / "tenants", tenants, int(server.stdout.readline()), "5 min", 'region = "eu"\n')
    (folder / "scenarios").symlink_to(HERE / "scenarios")
    store = Store(url)
    alone = ["probe", "--workers", "24"]
    shared = ["worker", "--region", "eu", "--browsers", "0", "--workers", "12"]
    started = [start(folder, shared if workers else alone, url, place) for place in range(max(1, workers))]
    try:
        while not store.results(newest=1):  # they have read their inventory, and begin
            assert all(each.poll() is None for each in started), "a process did not start"
            time.sleep(0.5)
        time.sleep(signing_in)
        load = os.getloadavg()[0]
        families, database = [Family(each) for each in started], postmaster(folder)
        before, came = (sum(each.cpu() for each in families), database.cpu()), _counters(store)
        began, wall = datetime.now(UTC), time.monotonic()
        time.sleep(seconds)
        lasted = time.monotonic() - wall
        cpu, theirs = sum(each.cpu() for each in families) - before[0], database.cpu() - before[1]
        counted, memory = _counters(store) - came, max(each.megabytes() for each in families)
        for each in started:  # who has too much to do stores late, and all of it before it ends
            each.terminate()
        for each in started:
            each.wait()
        runs = [each for each in store.results(since=began) if (each.started_at - began).total_seconds() < lasted]
        number = max(len(runs), 1)
        bad = sum(each.outcome is not Outcome.PASSED for each in runs)
        told: Sequence[str] = (
            f"{tenants:,}", f"{workers} workers" if workers else "1 prober", f"{tenants * 5 / EVERY:.1f}",
            f"{len(runs) / lasted:.1f}", str(bad), f"{1000 * cpu / number:.1f} ms", f"{1000 * theirs / number:.1f} ms",
            f"{memory:.0f} MiB", str(counted["late"]), str(counted["missed"]), f"{load:.0f}",
        )  # fmt: skip
        line(told)
    finally:
        for each in started:
            each.terminate()
        for each in started:
            each.wait()
        store.close()
        server.stdin.close()
        server.wait()


def line(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def start(folder: Path, command: Sequence[str], url: str, place: int) -> subprocess.Popen[str]:
    log = (folder / f"{place}.log").open("w")
    return subprocess.Popen(
        [sys.executable, "-m", "ringgate.cli", *command, "--quiet", "--results", url, "--inventory", "tenants"],
        cwd=folder, text=True, stdout=log, stderr=log,
        env={**os.environ, "RINGGATE_STATE": str(folder / f"state-{place}"), "RINGGATE_BENCH_SECRET": "x" * 12},
    )  # fmt: skip


class _Database:
    """PostgreSQL's processes; what those used that have ended is in the postmaster's own times."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu(self) -> float:
        own = self._root.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for each in self._root.children(recursive=True):
            try:
                times = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total


def postmaster(folder: Path) -> _Database:
    return _Database(int((folder / "postgresql" / "data" / "postmaster.pid").read_text().splitlines()[0]))


if __name__ == "__main__":
    main()
