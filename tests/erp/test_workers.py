"""Workers of a region on a real PostgreSQL: one dispatcher, no run twice, no run lost, whoever is killed.

The ERP is a server that answers at once, from memory: what is tried is who runs what, and who takes over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Outcome
from ringgate.estate.postgres import Cluster
from ringgate.estate.tools import Tools
from ringgate.host.run_locks import Crowded, Occupied
from ringgate.shared.database import LeaseLost, Member, SharedDatabase
from ringgate.shared.journal import SharedJournal
from ringgate.shared.run_locks import SharedRunLocks
from ringgate.store import Store
from tests.evaluation.bench.scale import HERE, write_inventory
from tests.support.samples import tenant

TENANTS = 3


def reversal(marker: str) -> Reversal:
    return Reversal("create_project", "project_manager", marker)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    made = Cluster(Tools().install_database(), folder / "data", folder / "run", folder / "log")
    made.create()
    yield made
    made.stop()


@pytest.fixture
def url(cluster):
    cluster.create_database("region")
    return cluster.url("region")


def until(condition, within: float = 90.0):
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)
    return found


@pytest.fixture
def members(url):
    made = []

    def make() -> Member:
        made.append(Member(SharedDatabase(url)))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.database.close()


def die(cluster, member: Member) -> None:
    """As after kill -9 and the time of its lease: it gives no sign of life, and holds what it held."""
    member._ended.set()
    member._thread.join()
    cluster.execute(f"UPDATE ringgate_members SET seen_at = seen_at - interval '1 minute' WHERE id = '{member.id}'",
                    database="region")  # fmt: skip


def test_two_runs_of_a_scenario_never_overlap_on_a_tenant_and_the_caps_hold_across_machines(members, tmp_path):
    one, other = (SharedRunLocks(members(), tmp_path, patience=0, in_all=3, per_host=2) for _ in range(2))
    here, there = tenant(sessions=2), tenant("other", api="http://elsewhere/x", sessions=2)
    with one.room(here, "a"):
        with pytest.raises(Occupied, match="another run of a"), other.room(here, "a"):
            pass
        with other.room(here, "b"):
            with pytest.raises(Crowded, match="2 sessions"), one.room(here, "c"):
                pass
            with other.room(there, "a"), pytest.raises(Crowded, match="in the region"), one.room(there, "b"):
                pass
    with other.room(here, "a"):
        pass


def test_what_a_dead_process_held_is_another_s_once_its_lease_is_over(members, tmp_path, cluster):
    dead, living = members(), members()
    journal = SharedJournal(dead).begin("run1", "sample", "a", "api")
    journal.register(reversal("RG-run1-1"))
    room = SharedRunLocks(dead, tmp_path, patience=0).room(tenant("sample"), "a")
    room.__enter__()
    assert SharedJournal(living).tenants_hit(frozenset({"sample"})) == set()

    die(cluster, dead)
    locks = SharedRunLocks(living, tmp_path, patience=0)
    with pytest.raises(Crowded, match="taken back first"), locks.room(tenant("sample"), "b"):
        pass
    (found,) = SharedJournal(living).crashed()
    assert [entry.marker for _, entry in found.pending()] == ["RG-run1-1"]
    assert [*SharedJournal(members()).crashed()] == []  # it has one holder
    with pytest.raises(LeaseLost):  # it is not dead after all, and writes nothing more
        journal.register(reversal("RG-run1-2"))
    found.undone(1, "deleted")
    found.close()
    with locks.room(tenant("sample"), "a"):
        pass
    assert [*SharedJournal(living).free()] == []


def test_a_journal_survives_that_the_database_is_restarted(members, cluster):
    journal = SharedJournal(members()).begin("run2", "sample", "a", "api")
    journal.register(reversal("RG-run2-1"))
    cluster.stop()
    cluster.start()
    assert journal.register(reversal("RG-run2-2")) == 2
    journal.release()
    (found,) = SharedJournal(members()).crashed()
    assert [entry.marker for _, entry in found.pending()] == ["RG-run2-2", "RG-run2-1"]
    found.release()


class Region:
    """Workers in processes of their own, as on machines of their own: each has its own state folder."""

    def __init__(self, folder: Path, cluster: Cluster, url: str) -> None:
        self.folder, self.cluster = folder, cluster
        self.url = url.replace("postgresql://", "postgresql+psycopg://")
        self.workers: list[subprocess.Popen[str]] = []
        self.server = subprocess.Popen([sys.executable, "-m", "tests.evaluation.bench.stub", "20"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        write_inventory(folder / "tenants", TENANTS, int(self.server.stdout.readline()))
        defaults = folder / "tenants" / "defaults.toml"
        text = defaults.read_text().replace('api = "60 s"', 'api = "6 s"')
        defaults.write_text(f'region = "eu"\n{text}')
        (folder / "scenarios").symlink_to(HERE / "scenarios")
        self.store = Store(self.url)

    def start(self) -> subprocess.Popen[str]:
        name = f"machine-{len(self.workers)}"
        log = (self.folder / f"{name}.log").open("w")
        self.workers.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "ringgate.cli",
                    "worker",
                    "--region",
                    "eu",
                    "--workers",
                    "4",
                    "--browsers",
                    "0",
                    "--results",
                    self.url,
                    "--inventory",
                    "tenants",
                    "--health",
                    "0",
                ],
                cwd=self.folder,
                text=True,
                stdout=log,
                stderr=log,
                env={**os.environ, "RINGGATE_STATE": str(self.folder / name), "RINGGATE_BENCH_SECRET": "x" * 12},
            )
        )
        return self.workers[-1]

    def ask(self, query: str):
        with self.cluster.connect("region") as connection:
            return connection.execute(query).fetchall()

    def dispatcher(self) -> int:
        """The process that is elected, 0 while none is."""
        rows = self.ask("SELECT m.pid FROM ringgate_dispatchers d JOIN ringgate_members m ON m.id = d.member "
                        "WHERE d.until > clock_timestamp()")  # fmt: skip
        return rows[0][0] if rows else 0

    def own(self):
        return [each for each in self.store.results() if each.scenario in SCENARIOS]

    def end(self) -> None:
        for each in self.workers:
            each.kill()
            each.wait()
        self.store.close()
        self.server.stdin.close()
        self.server.wait()


SCENARIOS = {"audit", "colleagues", "identity", "new-project", "numbering"}


@pytest.fixture
def region(tmp_path, cluster, url):
    made = Region(tmp_path, cluster, url)
    yield made
    made.end()


def overlaps(results) -> list[tuple[str, str]]:
    """Runs of one scenario on one tenant that were under way at once."""
    found, last = [], {}
    for each in sorted(results, key=lambda each: each.started_at):
        key = (each.tenant, each.scenario)
        if key in last and each.started_at.timestamp() < last[key]:
            found.append(key)
        last[key] = each.started_at.timestamp() + each.seconds
    return found


def test_workers_share_the_probes_and_survive_that_the_dispatcher_is_killed(region):
    first, second = region.start(), region.start()
    until(lambda: len(region.own()) >= 10)
    leading = region.dispatcher()
    assert leading in (first.pid, second.pid)
    victim, other = (first, second) if leading == first.pid else (second, first)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    killed = time.time()

    until(lambda: region.dispatcher() == other.pid)
    before = len(region.own())
    until(lambda: len(region.own()) >= before + 10)
    # What the dead one had under way is free again, and its rooms with it.
    until(lambda: region.ask("SELECT count(*) FROM procrastinate_jobs j JOIN procrastinate_workers w "
                             "ON w.id = j.worker_id WHERE j.status = 'doing' "
                             "AND w.last_heartbeat < now() - interval '30 s'") == [(0,)])  # fmt: skip
    until(lambda: time.time() > killed + 31 and region.ask(
        "SELECT count(*) FROM ringgate_journals") == [(0,)])  # fmt: skip

    other.send_signal(signal.SIGTERM)
    assert other.wait(60) == 0
    results = region.own()
    assert len({each.run_id for each in results}) == len(results)
    assert overlaps(results) == []
    assert {each.outcome for each in results} <= {Outcome.PASSED, Outcome.BROKEN, Outcome.STOPPED}
    assert sum(each.outcome is Outcome.PASSED for each in results) >= 20
    assert region.ask("SELECT count(*) FROM ringgate_rooms WHERE member LIKE '%' || "
                      f"'-{other.pid}-%'") == [(0,)]  # fmt: skip
    assert region.ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(0,)]
