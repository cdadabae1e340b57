"""How the time of a rehearsal splits into the ERP's own work and ours.

python -m tests.evaluation.bench.rehearsal --estate demo

The ERP's is what a stage waits for: answers over HTTP, the database, the ERP's own programs (migration, dump, restore),
its web client in the browser, and until a server is ready again. Ours is the rest of the stage: our Python, journal,
store, comparisons, reports. Beside it stands the processor time of this whole process, which also holds what is hidden
in waiting for a browser and the load on the neighbours.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ringgate.cli.rehearse import run
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.record import RehearsalRecord, StageRecord
from ringgate.rollout.stages import beside
from ringgate.rollout.view import RolloutDisplay
from tests.evaluation.bench.waits import Waits

PERCENT_AT_MOST = 10.0
RELEASE = Path(__file__).parents[3] / "deploy" / "releases" / "tryton-7.0-to-8.0.toml"


class Meter:
    """Listens to the stages as they begin and end, each in its own thread, and to the whole around them."""

    def __init__(self) -> None:
        self.waits = Waits()
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.waited: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.whole = self.cpu = 0.0
        self._guard = threading.Lock()
        self._began: dict[tuple[str, str], tuple[float, Counter[str]]] = {}

    def began(self, tenant: str, stage: str) -> None:
        self._began[tenant, stage] = time.perf_counter(), self.waits.of_this_thread()

    def ended(self, tenant: str, stage: str) -> None:
        self._add(stage, *self._began.pop((tenant, stage)))

    def _add(self, stage: str, began: float, before: Counter[str]) -> None:
        """What this thread did since. The threads that it waited for are counted themselves."""
        now = self.waits.of_this_thread()
        waited = Counter({kind: now[kind] - before[kind] for kind in now})
        threads = waited.pop("threads", 0.0)
        with self._guard:
            self.wall[stage] += time.perf_counter() - began - threads
            self.waited[stage] += waited

    def threads(self) -> Any:
        """The threads that work on a stage beside its own."""
        meter = self

        class Metered(ThreadPoolExecutor):
            def submit(self, work: Any, /, *arguments: Any, **more: Any) -> Any:
                def measured() -> Any:
                    began, before = time.perf_counter(), meter.waits.of_this_thread()
                    try:
                        return work(*arguments, **more)
                    finally:
                        meter._add(self._thread_name_prefix.partition("-")[0], began, before)

                return super().submit(measured)

        return patch.object(beside, "ThreadPoolExecutor", Metered)

    def rehearsed(self, real: Any) -> Any:
        def measured(rehearsal: Rehearsal) -> RehearsalRecord:
            with self.waits.watched():
                began, cpu = time.perf_counter(), _cpu()
                record: RehearsalRecord = real(rehearsal)
                self.whole, self.cpu = time.perf_counter() - began, _cpu() - cpu
            return record

        return measured

    def listening(self) -> Any:
        """The board, and what it is told."""
        meter, began, ended = self, RolloutDisplay.began, RolloutDisplay.ended

        def heard(board: RolloutDisplay, ring: str, tenant: str, stage: str) -> None:
            meter.began(tenant, stage)
            began(board, ring, tenant, stage)

        def over(board: RolloutDisplay, ring: str, tenant: str, stage: str, record: StageRecord) -> None:
            meter.ended(tenant, stage)
            ended(board, ring, tenant, stage, record)

        return patch.multiple(RolloutDisplay, began=heard, ended=over)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def told(meter: Meter) -> bool:
    """Prints the split, and says whether ours is small enough."""
    kinds = [kind for kind, _ in sum(meter.waited.values(), Counter[str]()).most_common()]
    print(
        "\n" + f"{'seconds of all threads':24}{'stage':>9}" + "".join(f"{kind:>13}" for kind in kinds) + f"{'ours':>9}"
    )
    for stage, wall in meter.wall.items():
        waited = meter.waited[stage]
        ours = wall - waited.total()
        print(f"{stage:24}{wall:9.1f}" + "".join(f"{waited[kind]:13.1f}" for kind in kinds)
              + f"{ours:9.1f}  {100 * ours / wall:4.1f} %")  # fmt: skip
    wall, waited = sum(meter.wall.values()), sum(each.total() for each in meter.waited.values())
    share, ours_of_cpu = 100 * (wall - waited) / wall, 100 * meter.cpu / meter.whole
    print(f"ours: {wall - waited:.1f} of {wall:.1f} s of the stages, {share:.1f} % (at most {PERCENT_AT_MOST:.0f} %)")
    print(f"processor time of this process: {meter.cpu:.1f} s in {meter.whole:.1f} s, {ours_of_cpu:.1f} % of one core")
    return share <= PERCENT_AT_MOST


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bench.rehearsal",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--estate", default="demo", help="its tenants get fresh books")
    parser.add_argument("--release", type=Path, default=RELEASE)
    parser.add_argument("--tenants", type=int, default=4)
    options = parser.parse_args()
    meter = Meter()
    with meter.listening(), meter.threads(), patch.object(Rehearsal, "run", meter.rehearsed(Rehearsal.run)):
        code = run(options.release, f"estate={options.estate}", tenants=options.tenants, anew=True)
    kept = told(meter)
    raise SystemExit(0 if kept and not code else 1)


if __name__ == "__main__":
    main()
