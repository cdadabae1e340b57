"""A verdict over 1,000,000 results of a release and 200,000 before it, of 500 tenants on one ring: how long, how large?

    make bench-gate
    sqlite      180 bytes a run; gate, cold: 1.9 s, 190 MB; again after 700 new results: 0.05 s; serve: ...

Each figure stands beside what it must be. `ringgate gate` and `ringgate serve` are started as a user starts them;
"again" is a judge that has judged before, as `--wait` and `serve` have one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
from pathlib import Path

from sqlalchemy import text

from ringgate.estate.postgres import Cluster
from ringgate.estate.tools import Tools
from ringgate.inventory import Inventory
from ringgate.judging import Judge, load_policy
from ringgate.probing.silence import planned
from ringgate.scenario.discovery import known_scenarios, load_scenarios
from ringgate.store import Store
from tests.evaluation.bench.filling import Filling, fill, result
from tests.evaluation.bench.scale import write_inventory

HERE = Path(__file__).parent
COLD, MEGABYTES, AGAIN, CAUGHT_UP, BYTES = 3.0, 300.0, 0.3, 10.0, 250.0
RING, RELEASE = "broad", "8.0"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.bench.gate", description=__doc__)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--since", type=int, default=1_000_000, help="results of the release")
    parser.add_argument("--before", type=int, default=200_000, help="results before it")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    kinds = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    with tempfile.TemporaryDirectory(prefix="ringgate-bench-") as folder:
        met = [_measured(Path(folder), kind, options) for kind in kinds]
    raise SystemExit(0 if all(met) else 1)


def _measured(folder: Path, kind: str, options: argparse.Namespace) -> bool:
    if not (folder / "tenants").exists():
        write_inventory(folder / "tenants", options.tenants, 1)
        (folder / "tenants" / "defaults.toml").write_text(
            f'rings = ["{RING}"]\n'
            + (folder / "tenants" / "defaults.toml").read_text().replace('api = "60 s"', 'api = "210 s"')
            + _others_off()
        )
        (folder / "scenarios").symlink_to(HERE / "scenarios")
    inventory = Inventory.load(folder / "tenants")
    scenarios = load_scenarios(folder / "scenarios")
    with database(folder, kind) as url:
        began = time.monotonic()
        store = Store(url)
        filling = Filling(
            tuple(each.id for each in inventory.tenants), tuple(scenarios), RING,
            options.before, options.since, datetime.now(UTC) - timedelta(seconds=5),
        )  # fmt: skip
        fill(store, filling)
        bytes_a_run = _size(store, url) / (options.before + options.since)
        print(f"{kind}: {options.since + options.before:,} results in {time.monotonic() - began:.0f} s", flush=True)
        met = [_told("bytes a run", bytes_a_run, BYTES, "")]
        environment = _environment(folder)
        met += _cold(folder, url, environment)
        met += _again(store, url, inventory, folder, filling)
        met += _serving(folder, url, environment, options.since + options.before)
        store.close()
    return all(met)


def _environment(folder: Path) -> dict[str, str]:
    """As a user's, with a state of its own. Python keeps what it compiled, as it does where nobody forbids it: the
    first call of all, which nobody measures, leaves that."""
    kept = {"RINGGATE_STATE": str(folder / "state"), "RINGGATE_BENCH_SECRET": "x" * 12,
            "PYTHONPYCACHEPREFIX": str(folder / "compiled")}  # fmt: skip
    environment = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, **kept}
    command = [sys.executable, "-m", "ringgate.cli", "gate", "--ring", RING, "--release", "none", "--inventory",
               "tenants"]  # fmt: skip
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    return environment


def _others_off() -> str:
    """Of the scenarios that there are only those of the bench are probed."""
    ours = load_scenarios(HERE / "scenarios")
    return "".join(f'[probes.scenarios.{name}]\napi = "off"\n' for name in known_scenarios() if name not in ours)


def _told(what: str, found: float, most: float, unit: str) -> bool:
    word = "met" if found <= most else "NOT MET"
    target = f"(at most {most:g}{unit and ' ' + unit}: {word})" if isfinite(most) else "(no target)"
    print(f"  {what:<46} {found:8.2f} {unit:<3} {target}", flush=True)
    return found <= most


def _size(store: Store, url: str) -> float:
    with store._engine.connect() as connection:
        if url.startswith("sqlite"):
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return float(Path(url.removeprefix("sqlite:///")).stat().st_size)
        analyzed = connection.execution_options(isolation_level="AUTOCOMMIT")
        analyzed.execute(text("VACUUM ANALYZE"))  # as the server does by itself, a minute later
        return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) - 8_000_000


def _cold(folder: Path, url: str, environment: dict[str, str]) -> list[bool]:
    command = [sys.executable, "-m", "ringgate.cli", "gate", "--ring", RING, "--release", RELEASE, "--results", url,
               "--inventory", "tenants"]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    page = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    assert os.waitstatus_to_exitcode(status) in (0, 1, 2), page
    print("  " + page.splitlines()[1])
    return [
        _told("ringgate gate, cold", seconds, COLD, "s"),
        _told("  its memory at most", used.ru_maxrss / 1024, MEGABYTES, "MB"),
        _told("  its CPU", used.ru_utime + used.ru_stime, inf, "s"),
    ]


def _again(store: Store, url: str, inventory: Inventory, folder: Path, filling: Filling) -> list[bool]:
    due = planned(inventory, load_scenarios(folder / "scenarios").values())
    judge = Judge(lambda: Store(url), inventory, load_policy(None, inventory), due=due)
    judge.verdict(RING, RELEASE)
    slowest = 0.0
    for turn in range(5):
        now = datetime.now(UTC)
        new = [
            replace(result(tenant, scenario, RING, RELEASE, now), run_id=f"new-{turn}-{number}")
            for number, (tenant, scenario) in enumerate(
                (t, s) for t in filling.tenants[turn::3] for s in filling.scenarios
            )
        ]
        for start in range(0, len(new), 20):
            store.add(*new[start : start + 20])
        began = time.monotonic()
        verdict = judge.verdict(RING, RELEASE)
        slowest = max(slowest, time.monotonic() - began)
        assert not verdict.facts.unreadable, verdict.facts.unreadable
    judge.close()
    return [_told(f"again after {len(new)} new results, slowest of 5", slowest, AGAIN, "s")]


def _serving(folder: Path, url: str, environment: dict[str, str], runs: int) -> list[bool]:
    command = [sys.executable, "-m", "ringgate.cli", "serve", "--port", "0", "--results", url, "--inventory", "tenants"]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address
        listening = time.monotonic() - began
        wrong, caught_up, judged = 0, None, None
        while time.monotonic() - began < 60 and (caught_up is None or judged is None):
            page = _get(f"{address[0]}/")
            wrong += any(
                lie in page for lie in ("No deployment was noted", "No release noted", "No run has been recorded")
            )
            counted = sum(
                map(float, re.findall(r"^ringgate_runs_total\{[^}]*\} (\S+)", _get(f"{address[0]}/metrics"), re.M))
            )
            if caught_up is None and counted >= runs:
                caught_up = time.monotonic() - began
            verdict = _get(f"{address[0]}/api/v1/verdict?ring={RING}&release={RELEASE}")
            if judged is None and '"samples"' in verdict:
                judged = time.monotonic() - began
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait()
    return [
        _told("serve listens", listening, inf, "s"),
        _told("pages that said what is not so", wrong, 0, ""),
        _told("serve has a verdict", judged or inf, CAUGHT_UP, "s"),
        _told("serve has counted every run", caught_up or inf, CAUGHT_UP, "s"),
    ]


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode())


@contextmanager
def database(folder: Path, kind: str) -> Iterator[str]:
    """The URL of an empty database, which is there as long as the block."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/results.sqlite"
        return
    where = folder / "postgresql"
    where.mkdir()
    cluster = Cluster(Tools().install_database(), where / "data", where / "run", where / "log")
    cluster.create()
    try:
        cluster.execute("CREATE DATABASE results")
        yield cluster.url("results").replace("postgresql://", "postgresql+psycopg://")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
