"""`make rollout-simulation SEEDS=200`: a table, one line for each kind of trouble; ends with 1 if a rule was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.evaluation.simulation.controllers import Simulation
from tests.evaluation.simulation.rules import at_the_end
from tests.evaluation.simulation.world import World


@dataclass(frozen=True)
class Case:
    """`trouble`, `bad`: see World; `kills`, `rivals`, `pauses`: see Simulation."""

    name: str
    trouble: float
    bad: float
    kills: float
    rivals: float
    pauses: float


CASES = (
    Case("all is well", 0.0, 0.0, 0.0, 0.0, 0.0),
    Case("hosts behave badly", 0.02, 0.0, 0.0, 0.0, 0.0),
    Case("killed again and again", 0.005, 0.0, 0.9, 0.0, 0.1),
    Case("two controllers", 0.005, 0.0, 0.2, 0.6, 0.0),
    Case("all of it", 0.02, 0.002, 0.5, 0.3, 0.1),
    Case("too much of it", 0.1, 0.03, 0.5, 0.3, 0.1),
)


@dataclass(frozen=True)
class Outcome:
    case: str
    seed: int
    promoted: int
    rings: int
    counts: Counter[str]
    wrong: tuple[str, ...]
    seconds: float


def simulate(seed: int, size: int, case: Case) -> Outcome:
    began, wrong, promoted, rings = time.process_time(), list[str](), 0, 0
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        world = World(
            Path(folder) / "world", seed, size, case.trouble, case.bad, at_once=max(4, size // 20),
            budget=max(2, size // 50),
        )  # fmt: skip
        simulation = Simulation(world, case.kills, case.rivals, case.pauses)
        try:
            record = simulation.run()
            rings, promoted = len(record.rings), sum(each.decision == "promote" for each in record.rings.values())
            wrong += at_the_end(world, record, simulation.hosts.runs)
        except AssertionError as problem:
            wrong.append(str(problem))
    return Outcome(case.name, seed, promoted, rings, world.counts, (*world.wrong, *wrong), time.process_time() - began)


def simulated(seeds: int, size: int, first: int, workers: int) -> Iterator[Outcome]:
    """The cases in turn, each seed in one of them."""
    with ProcessPoolExecutor(workers) as pool:
        futures = [pool.submit(simulate, seed, size, CASES[seed % len(CASES)]) for seed in range(first, first + seeds)]
        for each in futures:
            yield each.result()


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.evaluation.simulation", description=__doc__)
    asked.add_argument("--seeds", type=int, default=200)
    asked.add_argument("--tenants", type=int, default=500)
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    asked.add_argument("--workers", type=int, default=1)
    told = asked.parse_args()
    done = list[Outcome]()
    for each in simulated(told.seeds, told.tenants, told.first, told.workers):
        done.append(each)
        if sys.stderr.isatty():
            print(f"\r{len(done)} of {told.seeds} seeds", end="", file=sys.stderr, flush=True)
        for sentence in each.wrong[:5]:
            print(f"\rseed {each.seed} ({each.case}): {sentence}", flush=True)
    words = ("starts", "killed", "rivals", "turned away", "refused as outdated", "pauses", "upgrades")
    print(f"\n{told.tenants} tenants in 6 regions")
    print(
        f"{'case':24}{'seeds':>6}{'promoted':>9}{'stopped':>8}"
        + "".join(f"{w:>{len(w) + 2}}" for w in words)
        + "  broken rules"
    )
    for case in CASES:
        own = [each for each in done if each.case == case.name]
        whole = sum(each.promoted == each.rings for each in own)
        counts = sum((each.counts for each in own), Counter[str]())
        numbers = "".join(f"{counts[w]:>{len(w) + 2}}" for w in words)
        print(f"{case.name:24}{len(own):>6}{whole:>9}{len(own) - whole:>8}{numbers}  {sum(len(x.wrong) for x in own)}")
    print(f"{sum(each.seconds for each in done):.0f} s of processor time")
    return 1 if any(each.wrong for each in done) else 0


if __name__ == "__main__":
    sys.exit(main())
