"""How reading the inventory, the plan, a gate, the metrics and the page grow with the number of tenants.

    make bench-tenants
    tenants  inventory   plan   gate  metrics  scrape   page
        100       0.05   0.09   0.31     0.21    0.02   0.03
      1,000        ...

Seconds of CPU, the least of three where it takes less than a second: what else a machine does says little about it.
Each tenant ran two processes, eight times since the release and twice before it. `metrics` is reading the whole store,
`scrape` and `page` are one answer of `ringgate serve`. Linear is what takes, for each tenant, at most 1.5
times as long at 10,000 tenants as at 1,000.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringgate.cli import COLLECTED
from ringgate.inventory import Inventory
from ringgate.judging import Judge, load_policy
from ringgate.metrics import Recent, StoreFollower, exposition
from ringgate.probing.plan import plan
from ringgate.probing.silence import planned
from ringgate.scenario.discovery import known_scenarios, load_scenarios
from ringgate.store import Store
from ringgate.web import LiveState, Schedule, Server, collector_of
from ringgate.web.filters import TenantFilter
from ringgate.web.gate import judge_of
from tests.evaluation.bench.filling import Filling, fill
from tests.evaluation.bench.gate import HERE, RELEASE, RING, database
from tests.evaluation.bench.scale import write_inventory

READ = 3.0
"""Seconds in which an inventory of 10,000 tenants is to be read."""

LINEAR = 1.5
COLUMNS = ("inventory", "plan", "gate", "metrics", "scrape", "page")
SINCE, BEFORE = 8, 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.bench.tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    os.environ["RINGGATE_BENCH_SECRET"] = "x" * 12
    gc.set_threshold(*COLLECTED)  # as the command line has it
    print("tenants  " + "".join(f"{name:>11}" for name in COLUMNS))
    found: dict[int, dict[str, float]] = {}
    for number in options.tenants:
        with tempfile.TemporaryDirectory(prefix="ringgate-bench-") as folder:
            found[number] = _measured(Path(folder), number, options.database)
        print(f"{number:7,}  " + "".join(f"{found[number][name]:11.2f}" for name in COLUMNS), flush=True)
    raise SystemExit(0 if _told(found) else 1)


def _told(found: dict[int, dict[str, float]]) -> bool:
    """Prints what is met, and returns whether all is."""
    most, met = max(found), True
    if most >= 10_000:
        met = found[most]["inventory"] <= READ
        word = "met" if met else "NOT MET"
        print(f"  {most:,} tenants are read in {found[most]['inventory']:.2f} s (at most {READ:g} s: {word})")
    fewer = [each for each in sorted(found) if each < most]
    if not fewer:
        return met
    for name in COLUMNS:
        growth = found[most][name] / most / (found[fewer[-1]][name] / fewer[-1])
        met &= growth <= LINEAR
        word = "met" if growth <= LINEAR else "NOT MET"
        print(f"  {name}: {growth:.2f} times as long for each tenant as with {fewer[-1]:,} (at most {LINEAR}: {word})")
    return met


def _measured(folder: Path, number: int, kind: str) -> dict[str, float]:
    scenarios = dict(list(load_scenarios(HERE / "scenarios").items())[:2])
    write_inventory(folder / "tenants", number, 1)
    defaults = folder / "tenants" / "defaults.toml"
    defaults.write_text(f'rings = ["{RING}"]\n' + defaults.read_text().replace('api = "60 s"', 'api = "210 s"'))
    found = {"inventory": _cpu(lambda: Inventory.load(folder / "tenants"))}
    inventory = Inventory.load(folder / "tenants")
    every = [*known_scenarios().values(), *scenarios.values()]
    found["plan"] = _cpu(lambda: plan(inventory.tenants, every))
    runs = number * len(scenarios)
    with database(folder, kind) as url:
        store = Store(url)
        names = tuple(each.id for each in inventory.tenants)
        fill(store, Filling(names, tuple(scenarios), RING, BEFORE * runs, SINCE * runs, datetime.now(UTC) - _A_MOMENT))
        due = planned(inventory, scenarios.values())

        def judged() -> None:
            judge = Judge(lambda: Store(url), inventory, load_policy(None, inventory), due=due)
            verdict = judge.verdict(RING, RELEASE)
            assert not verdict.facts.unreadable, verdict.facts.unreadable
            judge.close()

        found["gate"] = _cpu(judged)
        found["metrics"] = _cpu(lambda: StoreFollower(store, Recent()).follow())
        judge = judge_of(url, lambda: inventory, None, list(scenarios.values()))
        board = LiveState(StoreFollower(store, Recent()), lambda: inventory, judge, print)
        board.follow()
        board.judge()
        schedule = Schedule(board, list(scenarios.values()))
        collector = collector_of(board, schedule)
        server = Server(board, collector, schedule)
        found["scrape"] = _cpu(lambda: exposition(collector))
        found["page"] = _cpu(lambda: _page(server))
        store.close()
    return found


_A_MOMENT = timedelta(seconds=5)


def _page(server: Server) -> None:
    server._pages.clear()  # or all who look within a second get the same
    assert "tenant-0000" in server._made("dashboard.html.j2", TenantFilter())


def _cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU, the least of three if it is quick."""
    least = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
        if least > 1:
            break
    return least


if __name__ == "__main__":
    main()
