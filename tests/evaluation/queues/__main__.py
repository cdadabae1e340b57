"""Procrastinate and PgQueuer with our own jobs: throughput, latency, memory, and what five faults cost.

    make bench-queues

Each engine gets a database of its own in a throw-away PostgreSQL, and two workers in processes of their own, which are
started again when they end. A job is a run of a scenario against a server that answers after 20 ms. The engines live in
an environment of their own that this command makes: Ringgate itself does not need both. PostgreSQL does not sync to the
disk here, so that what is measured is the engines and not the disk.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ringgate.estate.postgres import Cluster
from ringgate.estate.tools import Tools, python_environment
from ringgate.host import paths

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("procrastinate==3.10.0", "pgqueuer==1.6.0", "asyncpg==0.32.0", "psycopg[binary,pool]==3.3.9")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.queues", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("--engine", action="append", help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer jobs, and two of the faults")
    parser.add_argument("--part", choices=["load", "faults"], help="only this part")
    options = parser.parse_args()
    there = paths.tools() / "queues-procrastinate-3.10.0-pgqueuer-1.6.0"
    python = there / "bin" / "python"
    if Path(sys.prefix) != there:
        if not python.exists():
            python_environment(there, [*PACKAGES, "-e", str(ROOT)])
        raise SystemExit(
            subprocess.run([str(python), "-m", "tests.evaluation.queues", *sys.argv[1:]], cwd=ROOT, check=False,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ringgate-queues-") as folder:
        measured(Path(folder), python, options)


def measured(folder: Path, python: Path, options: argparse.Namespace) -> None:
    from tests.evaluation.bench.scale import HERE, write_inventory
    from tests.evaluation.queues.engines import ENGINES
    from tests.evaluation.queues.trial import FAULTS, TENANTS, Bench

    server = subprocess.Popen(
        [sys.executable, "-m", "tests.evaluation.bench.stub", "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert server.stdout
    assert server.stdin
    folder.chmod(0o755)
    os.environ["RINGGATE_BENCH_SECRET"] = "x" * 12
    write_inventory(folder / "tenants", TENANTS, int(server.stdout.readline()))
    (folder / "scenarios").symlink_to(HERE / "scenarios")
    (folder / "postgresql").mkdir()
    where = folder / "postgresql"
    cluster = Cluster(Tools().install_database(), where / "data", where / "run", where / "log")
    cluster.create()
    faults = list(FAULTS)[::3] if options.quick else list(FAULTS)
    try:
        for name in options.engine or ENGINES:
            bench = Bench(name, cluster, folder, python)
            print(f"\n{name}", flush=True)
            if options.part != "faults":
                print(f"\n{LOADS}", flush=True)
            jobs = 300 if options.quick else 600
            rows = [("nothing", 0, 2 * jobs), ("real", 0, jobs)]
            rows += [("real", rate, rate * (5 if options.quick else 10)) for rate in (10, 50, 100)]
            for kind, rate, number in rows if options.part != "faults" else []:
                got = bench.loaded(rate, number, kind)
                asked = f"{rate} a second" if rate else "all at once"
                waits = [f"{1000 * each:.0f} ms" for each in (got.p50, got.p95, got.p99)]
                costs = [f"{got.cpu_ms:.1f} ms", f"{got.megabytes:.0f} MiB"]
                line([kind, asked, f"{got.done:.0f}", *waits, *costs])
            if options.part == "load":
                continue
            print(f"\n{FAULTED}", flush=True)
            for fault in faults:
                cost = bench.faulted(fault)
                line([fault, str(cost.jobs), str(cost.lost), str(cost.doubled), str(cost.overlapping), str(cost.stuck),
                      f"{cost.recovered:.1f} s", f"{cost.last:.1f} s", str(cost.starts)])  # fmt: skip
    finally:
        cluster.stop()
        server.stdin.close()
        server.wait()


def line(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


LOADS = """\
| job | jobs come | done a second | begun after, median | 95 % | 99 % | CPU of the workers a job | largest worker |
|---|---|---|---|---|---|---|---|"""
FAULTED = """\
| fault | jobs | lost | done twice | overlapping | stuck, 90 s | next job done after | all earlier ones after | starts |
|---|---|---|---|---|---|---|---|---|"""

if __name__ == "__main__":
    main()
