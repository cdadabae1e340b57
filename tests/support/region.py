"""A region on a PostgreSQL of its own: members of it, and whole workers against a server that answers from memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from ringgate.estate.postgres import Cluster
from ringgate.estate.tools import Tools
from ringgate.inventory import Inventory
from ringgate.probing.counters import MISSED, OVERLAPPING
from ringgate.probing.setup import ProbeSelection, chosen
from ringgate.scenario.discovery import known_scenarios
from ringgate.shared.database import SharedDatabase, SharedMember
from ringgate.store import Store, StoreError
from tests.evaluation.bench.scale import HERE, write_inventory

TENANTS = 3


@pytest.fixture(scope="module")
def region_cluster():
    # Not in pytest's own folder: another pytest on this machine closes that to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="ringgate-region-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Cluster(Tools().install_database(), folder / "data", folder / "run", folder / "log")
        made.create()
        yield made
        made.stop()


@pytest.fixture
def region_url(region_cluster):
    region_cluster.create_database("region")
    return region_cluster.url("region")


def until(condition, within: float = 90.0):
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)
    return found


@pytest.fixture
def members(region_url):
    made = []

    def make() -> SharedMember:
        made.append(SharedMember(SharedDatabase(region_url)))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.database.close()


class Region:
    """Workers in processes of their own, as on machines of their own: each has its own state folder."""

    def __init__(self, folder: Path, cluster: Cluster, url: str) -> None:
        self.folder, self.cluster = folder, cluster
        self.url = url.replace("postgresql://", "postgresql+psycopg://")
        self.workers: list[subprocess.Popen[str]] = []
        self.server = subprocess.Popen([sys.executable, "-m", "tests.evaluation.bench.stub", "20", "1500"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        self.port = int(self.server.stdout.readline())
        write_inventory(folder / "tenants", TENANTS, self.port, "20 s", 'region = "eu"\n')
        (folder / "scenarios").symlink_to(HERE / "scenarios")
        self.store = Store(self.url)
        with closing(SharedDatabase(url)) as database:
            (self.began,) = database.do(lambda each: each.execute(
                "INSERT INTO ringgate_dispatchers VALUES ('eu', 'nobody', clock_timestamp(), clock_timestamp()) "
                "RETURNING dispatched_until").fetchone())  # fmt: skip

    def start(self, name: str = "eu", *options: str, results: str = "", **environment: str) -> subprocess.Popen[str]:
        """A worker of the region of that name; its results are in this region's database unless told otherwise."""
        machine = f"machine-{len(self.workers)}"
        log = (self.folder / f"{machine}.log").open("w")
        command = [sys.executable, "-m", "ringgate.cli", "worker", "--region", name, "--workers", "4",
                   "--browsers", "0", "--results", results or self.url, "--inventory", "tenants", *options]  # fmt: skip
        self.workers.append(
            subprocess.Popen(
                command, cwd=self.folder, text=True, stdout=log, stderr=log,
                env={**os.environ, "RINGGATE_STATE": str(self.folder / machine), "RINGGATE_BENCH_SECRET": "x" * 12,
                     **environment},
            )
        )  # fmt: skip
        return self.workers[-1]

    def ask(self, query: str):
        with self.cluster.connect("region") as connection:
            return connection.execute(query).fetchall()

    def dispatcher(self) -> int:
        """The process that is elected, 0 while none is."""
        rows = self.ask("SELECT m.pid FROM ringgate_dispatchers d JOIN ringgate_members m ON m.id = d.member "
                        "WHERE d.until > clock_timestamp()")  # fmt: skip
        return rows[0][0] if rows else 0

    def stored(self) -> int:
        """How many results there are; 0 while the database is restarted."""
        try:
            return len(self.store.results())
        except StoreError:
            return 0

    def left_in_the_erp(self) -> list[int]:
        call = {"id": 1, "method": "stub.projects", "params": []}
        return httpx.post(f"http://127.0.0.1:{self.port}/", json=call).json()["result"]

    def holds_journal(self, worker: subprocess.Popen[str]) -> bool:
        """Whether it has written to the ERP, and not yet taken it back."""
        return self.ask("SELECT count(*) FROM ringgate_journals j JOIN ringgate_members m ON m.id = j.member "
                        f"WHERE m.pid = {worker.pid}") != [(0,)]  # fmt: skip

    def slots(self) -> Counter[tuple[str, str]]:
        """How often each probe was due since this began, up to when the last dispatcher put in."""
        ((until,),) = self.ask("SELECT dispatched_until FROM ringgate_dispatchers")
        probes = chosen(Inventory.load(self.folder / "tenants"), ProbeSelection(), known_scenarios(self.folder))
        return Counter({(each.tenant.id, each.scenario.id): each.number_at(until) - each.number_at(self.began)
                        for each in probes if not each.never})  # fmt: skip

    def accounted(self) -> Counter[tuple[str, str]]:
        """What there is of each probe: its results, what was counted, and what still waits."""
        found = Counter((each.tenant, each.scenario) for each in self.store.results())
        for (what, where, scenario, _), number in self.store.counters().items():
            if what in (MISSED, OVERLAPPING):
                found[where, scenario] += number
        found.update(self.ask("SELECT args->>'tenant', args->>'scenario' FROM procrastinate_jobs"))
        return found

    def end(self) -> None:
        for each in self.workers:
            each.kill()
            each.wait()
        self.store.close()
        self.server.stdin.close()
        self.server.wait()


@pytest.fixture
def region(tmp_path, region_cluster, region_url):
    made = Region(tmp_path, region_cluster, region_url)
    yield made
    made.end()
