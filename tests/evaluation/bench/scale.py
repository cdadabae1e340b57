"""A prober of 1,000 tenants x 5 scenarios a minute, against a server that answers after 20 ms: does it keep up?

    make bench-scale
    after 75 s: 83.4 runs/s (83.3 wanted), 6.1 ms CPU a run, 51 % of one core; 0 late, 0 missed, 0 overlapping

The prober is the real one, in processes of its own, as a user would start it; the scenarios are those in
`scenarios/` here. What is measured begins when everybody is signed in. The server's CPU is told apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import psutil

from ringgate.domain.terms import Outcome
from ringgate.store import Store

HERE = Path(__file__).parent
KEPT_UP = 0.99
"""The part of the runs that must have run, and in time."""

DEFAULTS = """
erp = "tryton"
ring = "broad"
sessions = 4
sessions_in_all = 1024
[probes]
api = "off"
browser = "off"
[policy]
currency = "GBP"
product = "Consulting"
customer = "Client"
payment_term = { name = "30 days", days = 30 }
accounts = { receivable = "1100", revenue = "4000", tax = "2200", cash = "1000" }
"""
SCENARIOS = ("audit", "colleagues", "identity", "new-project", "numbering")
"""Those of this folder. The others, which come with Ringgate, ask for more than the stub has."""

ROLES = ("consultant", "project_manager", "accountant", "auditor")


def write_inventory(folder: Path, tenants: int, port: int, every: str = "60 s", more: str = "") -> None:
    """`more` comes before the tables of `defaults.toml`."""
    folder.mkdir()
    probes = "".join(f'[probes.scenarios.{name}]\napi = "{every}"\n' for name in SCENARIOS)
    users = "".join(
        f'[users.{role}]\nlogin = "synthetic.{role}"\npassword = {{ env = "RINGGATE_BENCH_SECRET" }}\n'
        for role in ROLES
    )
    (folder / "defaults.toml").write_text(more + DEFAULTS + probes + users)
    for number in range(tenants):
        name = f"tenant-{number:04d}"
        address = f'[endpoints]\napi = "http://127.0.0.1:{port}/{name}"\n'
        (folder / f"{name}.toml").write_text(f'id = "{name}"\n{address}')


class Family:
    """A process and its children, measured together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._root = psutil.Process(process.pid)

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        times = [each.cpu_times() for each in self._all()]
        return sum(each.user + each.system for each in times)

    def megabytes(self) -> float:
        return sum(each.memory_info().rss for each in self._all()) / 2**20

    def sockets(self) -> int:
        return sum(each.num_fds() for each in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bench.scale",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=120, help="measured, after the time of signing in")
    parser.add_argument("--signing-in", type=int, default=75, help="seconds before")
    parser.add_argument("--workers", type=int, default=24)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--milliseconds", type=float, default=20.0, help="in which the server answers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringgate-bench-") as folder:
        raise SystemExit(0 if _measured(Path(folder), options) else 1)


def _measured(folder: Path, options: argparse.Namespace) -> bool:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.evaluation.bench.stub", str(options.milliseconds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout
    write_inventory(folder / "tenants", options.tenants, int(server.stdout.readline()))
    (folder / "scenarios").symlink_to(HERE / "scenarios")
    url = f"sqlite:///{folder}/results.sqlite"
    lasting = options.signing_in + options.seconds + 5
    prober = subprocess.Popen(
        [sys.executable, "-m", "ringgate.cli", "probe", "--quiet", "--for", f"{lasting} s", "--results", url,
         "--workers", str(options.workers), "--processes", str(options.processes), "--inventory", "tenants"],
        cwd=folder, text=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "RINGGATE_STATE": str(folder / "state"), "RINGGATE_BENCH_SECRET": "x" * 12},
    )  # fmt: skip
    try:
        return _report(url, Family(prober), Family(server), prober, options)
    finally:
        prober.terminate()
        prober.wait()
        assert server.stdin
        server.stdin.close()
        server.wait()


def _report(url: str, ours: Family, theirs: Family, prober: subprocess.Popen[str], options: argparse.Namespace) -> bool:
    store: Store | None = None
    while store is None or not store.probers():  # it has read its inventory, and begins
        assert prober.poll() is None, "the prober did not start"
        time.sleep(0.1)
        store = store or (Store(url) if Path(url.removeprefix("sqlite:///")).exists() else None)
    time.sleep(options.signing_in)
    began, before = datetime.now(UTC), (ours.cpu(), theirs.cpu(), _counters(store))
    wall = time.monotonic()
    time.sleep(options.seconds)
    seconds = time.monotonic() - wall
    cpu, served, counters = ours.cpu() - before[0], theirs.cpu() - before[1], _counters(store) - before[2]
    memory, files = ours.megabytes(), ours.sockets()
    code = prober.wait()
    results = store.results(since=began)
    runs = sum((each.started_at - began).total_seconds() < seconds for each in results)
    wanted = options.tenants * 5 / 60
    passed = sum(each.outcome is Outcome.PASSED for each in results)
    calls = sum(each.calls for each in results) / max(len(results), 1)
    print(
        f"{options.tenants} tenants, {options.workers} workers in {options.processes} process(es), after "
        f"{options.signing_in} s, for {seconds:.0f} s:\n"
        f"  {runs / seconds:.1f} runs/s ({wanted:.1f} wanted), {calls:.1f} calls a run; {len(results) - passed} of "
        f"{len(results)} did not pass\n"
        f"  {cpu / runs * 1000:.2f} ms CPU a run, {cpu / seconds * 100:.0f} % of one core (the server: "
        f"{served / seconds * 100:.0f} %); {memory:.0f} MiB, {files} open files\n"
        f"  {counters['late']} late, {counters['missed']} missed, {counters['overlapping']} overlapping"
    )
    late = counters["late"] + counters["missed"] + counters["overlapping"]
    store.close()
    return code == 0 and runs / seconds >= KEPT_UP * wanted and late <= (1 - KEPT_UP) * runs


def _counters(store: Store) -> Counter[str]:
    found: Counter[str] = Counter()
    for (what, *_), number in store.counters().items():
        found[what] += number
    return found


if __name__ == "__main__":
    main()
