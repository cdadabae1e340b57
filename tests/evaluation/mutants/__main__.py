"""`make mutants N=200 SEED=1`: faults planted by rule into the running ERP, and which of them the processes see.

Each column that a process writes, in each table that its documents touch, is a place for faults: value lost, replaced
by another record's, off by one, scaled, sign, earlier or later, truncated, flipped, swapped with a neighbour, a write
that does nothing; on insert or on update; in all rows or in some. A sample of them, drawn by the seed, is planted one
at a time by a trigger that notes each row it changed; the processes that write there are run with their own checks and
with twins; then all that was written is put back.

Exits 1 if fewer than 90 % of those that were active and could be seen are caught, fewer than 85 % of these name the
field, or a run failed without one. The table lies in reports/out/mutants.md, and as JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from ringgate.estate import Estate
from ringgate.host import paths
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios
from tests.evaluation.mutants import report
from tests.evaluation.mutants.rules import Mutant, mutants, sample
from tests.evaluation.mutants.trials import PROCESSES, TenantTrials, Trial, without_state

ESTATE, TENANTS = "mutants", 2
CLEAN_EVERY = 10
"""After so many mutants of a tenant, one run with nothing planted."""


class Course:
    """The tenants' trials, which go on side by side, and what came of them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.trials, self.clean_runs = options, list[Trial](), 0
        self.until = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
        self._lock = Lock()

    def run(self, tenants: Sequence[TenantTrials]) -> None:
        """Raises what a tenant's trials do."""
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(self._learn, tenants))
            everything = [frozenset(mutants(each.everything())) for each in tenants]
            drawn = sample(frozenset[Mutant]().union(*everything), self.options.number, self.options.seed)
            shares: list[list[Mutant]] = [[] for _ in tenants]
            for mutant in drawn:
                able = [share for share, those in zip(shares, everything, strict=True) if mutant in those]
                min(able, key=len).append(mutant)
            print(f"{len(frozenset().union(*everything))} mutants can be planted, {len(drawn)} are drawn", flush=True)
            list(pool.map(self._try_out, tenants, shares))

    def _learn(self, trials: TenantTrials) -> None:
        runs = sum(1 for _ in trials.learn())
        with self._lock:
            self.clean_runs += runs
            print(f"{trials.tenant.id}: {runs} runs learned from", *trials.false, sep="\n  ", flush=True)

    def _try_out(self, trials: TenantTrials, share: Sequence[Mutant]) -> None:
        for number, mutant in enumerate(share, start=1):
            if time.monotonic() > self.until:
                break
            trial = trials.try_out(mutant)
            clean = number % CLEAN_EVERY == 0 and trials.clean() is not None
            with self._lock:
                self.trials.append(trial)
                self.clean_runs += clean
                print(report.line(trial), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    folder = paths.state() / "mutants"
    without_state(folder)
    estate, course, began = Estate.at(options.estate), Course(options), time.monotonic()
    estate.up(tenants=options.tenants)
    known, scenarios = Inventory.load(estate.inventory_path), load_scenarios(Path("scenarios"))
    with ExitStack() as stack:
        tenants = [
            stack.enter_context(
                TenantTrials(estate, tenant, known.tenants, folder, options.scenarios, scenarios, options.keep)
            )
            for tenant in known.tenants[: options.tenants]
        ]
        course.run(tenants)
    false = [f"{each.tenant.id}: {told}" for each in tenants for told in each.false]
    out = paths.reports()
    report.write(out, options.seed, course.trials, false, course.clean_runs)
    print(*report.summary(course.trials, false, course.clean_runs), sep="\n")
    print(f"{time.monotonic() - began:.0f} s; {out / 'mutants.md'}")
    return 0 if report.good(course.trials, false) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.mutants", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--number", type=int, default=200, metavar="N", help="mutants to plant (default 200)")
    parser.add_argument("--seed", type=int, default=1, metavar="SEED", help="which are drawn (default 1)")
    parser.add_argument("--minutes", type=float, default=0, metavar="M", help="plant none after so long (default: all)")
    parser.add_argument("--estate", default=ESTATE, metavar="NAME", help=f"of its own (default {ESTATE})")
    parser.add_argument("--tenants", type=int, default=TENANTS, metavar="T", help="side by side (default 2)")
    parser.add_argument(
        "--scenarios", type=lambda text: tuple(text.split(",")), default=PROCESSES, metavar="ID,...",
        help="processes that are run (default: all that write documents)",
    )  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="use the twins that the last start learned on this estate")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.scenarios if name not in PROCESSES]:
        parser.error(
            f"no process that writes documents is called {', '.join(unknown)}: there is {', '.join(PROCESSES)}"
        )
    if options.number < 1 or options.tenants < 1:
        parser.error("at least one mutant and one tenant are needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
