"""What Ringgate adds: project-to-cash by `run_once` beside a bare httpx script, in one process, in interleaved pairs.

    make bench
    pairs  wall run_once  wall bare  ratio   CPU run_once  CPU bare  ratio

CPU is this process's own: the ERP's is the same on both sides. The median of the pairs' ratios counts, so that noise
which hits one pair does not decide. Memory: what 100 more runs leave in this process.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel, InvoiceMethod, Outcome
from ringgate.estate import Estate
from ringgate.execution import setup
from ringgate.execution.run_once import Engine, run_once
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios
from tests.evaluation.bench.bare import Bare

WALL_AT_MOST, CPU_AT_MOST, GROWTH_AT_MOST_MIB = 1.05, 1.15, 4.0


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of this process's CPU."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def overhead(scenario: Scenario, tenant: Tenant, engine: Engine, pairs: int) -> bool:
    bare = Bare(tenant)

    def ours() -> None:
        result = run_once(scenario, tenant, Channel.API, engine)
        assert result.outcome is Outcome.PASSED, result.failure
        assert not result.residue, result.residue

    ours(), bare.project_to_cash()  # sign in, and fill what both keep
    rows = []
    for number in range(pairs):
        order = (ours, bare.project_to_cash) if number % 2 == 0 else (bare.project_to_cash, ours)
        first, second = measured(order[0]), measured(order[1])
        mine, theirs = (first, second) if number % 2 == 0 else (second, first)
        rows.append((mine[0] / theirs[0], mine[1] / theirs[1]))
        print(f"pair {number + 1:2}  wall {mine[0]:6.3f} s / {theirs[0]:6.3f} s = {rows[-1][0]:.3f}   "
              f"CPU {mine[1] * 1000:6.1f} ms / {theirs[1] * 1000:6.1f} ms = {rows[-1][1]:.3f}")  # fmt: skip
    bare.close()
    wall, cpu = (statistics.median(row[index] for row in rows) for index in (0, 1))
    print(f"median of {pairs} pairs: wall {wall:.3f} (at most {WALL_AT_MOST}), CPU {cpu:.3f} (at most {CPU_AT_MOST})")
    return wall <= WALL_AT_MOST and cpu <= CPU_AT_MOST


def memory(scenario: Scenario, tenant: Tenant, engine: Engine, runs: int) -> bool:
    process, sizes = psutil.Process(), []
    for number in range(runs + 1):
        if number % max(runs // 4, 1) == 0:
            gc.collect()
            sizes.append(process.memory_info().rss / 2**20)
        result = run_once(scenario, tenant, Channel.API, engine)
        assert result.outcome is Outcome.PASSED, result.failure
    growth = sizes[-1] - sizes[1]
    told = " ".join(f"{size:.1f}" for size in sizes)
    print(
        f"memory at each quarter of {runs} runs: {told} MiB; "
        f"growth after the first {growth:.1f} (at most {GROWTH_AT_MOST_MIB})"
    )
    return growth <= GROWTH_AT_MOST_MIB


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--inventory", type=Path, help="default: that of the demo estate")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--runs", type=int, default=100, help="of the memory measurement")
    options = parser.parse_args()
    tenants = Inventory.load(options.inventory or Estate.at().inventory_path).tenants
    tenant = next(each for each in tenants if each.policy.invoice_method is InvoiceMethod.TIMESHEET)
    scenarios = load_scenarios(Path("scenarios"))
    with setup.engine([tenant], session="bench") as engine:
        kept = [
            overhead(scenarios["project-to-cash"], tenant, engine, options.pairs),
            memory(scenarios["time-entry"], tenant, engine, options.runs),
        ]
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
