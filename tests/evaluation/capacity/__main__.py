"""What 100,000 tenants in 12 regions need: workers, cores, memory and database of each, simulated with measured costs.

    make region-capacity
    python -m tests.evaluation.capacity --tenants 100000 --regions 12 --worker 0.030 --database 0.006

Every tenant runs five processes every five minutes. Costs are those that docs/workers.md has from `make bench-region`;
give yours. In the simulated hour of each region a worker is killed every ten minutes and PostgreSQL is away twice.
"""

from __future__ import annotations

import argparse

from tests.evaluation.capacity.model import Costs, fewest, fleet, simulate

MEASURED = Costs(worker=0.040, database=0.007, takes=0.30, megabytes=180.0)
"""As docs/workers.md has them."""

COLUMNS = ("region", "tenants", "runs a second", "workers", "cores in the busiest minute", "of PostgreSQL", "memory",
           "stored a day", "late", "missed")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.capacity", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("--tenants", type=int, default=100_000)
    parser.add_argument("--regions", type=int, default=12)
    parser.add_argument("--worker", type=float, default=MEASURED.worker, help="seconds of CPU a run, of workers")
    parser.add_argument("--database", type=float, default=MEASURED.database, help="the same, of PostgreSQL")
    parser.add_argument("--takes", type=float, default=MEASURED.takes, help="seconds that a run takes")
    parser.add_argument("--megabytes", type=float, default=MEASURED.megabytes, help="MiB of a worker")
    options = parser.parse_args()
    costs = Costs(options.worker, options.database, options.takes, options.megabytes)
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    totals = [0.0] * 5
    for region in fleet(options.tenants, options.regions):
        workers = fewest(region, costs)
        course = simulate(region, costs, workers)
        row = [workers, course.busiest, region.rate * costs.database, workers * costs.megabytes / 1024,
               region.rate * costs.stored * 86_400 / 1e9]  # fmt: skip
        totals = [total + each for total, each in zip(totals, row, strict=True)]
        print(f"| {region.name} | {region.tenants:,} | {region.rate:.0f} | {_cells(row)} | "
              f"{course.late / course.due:.2%} | {course.missed / course.due:.2%} |")  # fmt: skip
    rate = options.tenants * 5 / 300
    print(f"| all | {options.tenants:,} | {rate:.0f} | {_cells(totals)} | | |")


def _cells(row: list[float]) -> str:
    workers, cores, database, memory, stored = row
    return f"{workers:.0f} | {cores:.1f} | {database:.1f} | {memory:.1f} GiB | {stored:.1f} GB"


if __name__ == "__main__":
    main()
