"""Rehearses the clean upgrade beside programs that keep the machine busy: it must never be rolled back.

python -m tests.evaluation.busy --rounds 3
round 1, 1 burner and a busy disk    promoted       412 s, 1 at the second look, 0 left behind
...
9 of 9 seeded migration faults stopped beside 4 burners and a busy disk
"""

from __future__ import annotations

import argparse

from ringgate.cli.common import console
from ringgate.estate import Estate
from ringgate.estate.progress import ProgressDisplay
from tests.evaluation.busy.load import load
from tests.evaluation.busy.rounds import migration_faults, rehearse

LOADS = (1, 2, 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.busy", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--estate", default="busy", help="its first tenant gets fresh books in each round")
    parser.add_argument("--rounds", type=int, default=10, help="rehearsals, beside 1, 2 and 4 burners in turn")
    parser.add_argument("--risk", default="medium", choices=["low", "medium", "high"], help="how much is verified")
    parser.add_argument("--no-faults", action="store_true", help="leave the seeded migration faults out")
    options = parser.parse_args()
    estate = Estate.at(options.estate)
    with ProgressDisplay(console()) as board:
        estate.up(2, board, also=["8.0"])
    tenant = estate.inventory().tenants[0].id
    unfair = missed = 0
    try:
        for number in range(options.rounds):
            burners = LOADS[number % len(LOADS)]
            with load(burners):
                came = rehearse(estate, tenant, options.risk, alone=False)
            unfair += not came.fair
            words = f"round {number + 1}, {burners} burner{'s' if burners > 1 else ''} and a busy disk"
            print(f"{words:36} {came}", flush=True)
        if not options.no_faults:
            with load(LOADS[-1]):
                faults = migration_faults(estate, tenant)
            missed = len(faults.missed)
            every = len(faults.stopped) + missed
            told = f": missed {', '.join(faults.missed)}" if missed else ""
            words = f"stopped beside {LOADS[-1]} burners and a busy disk{told}"
            print(f"{len(faults.stopped)} of {every} seeded migration faults {words}")
    finally:
        estate.down()
    print(f"{options.rounds - unfair} of {options.rounds} clean upgrades were promoted or, at worst, inconclusive")
    raise SystemExit(1 if unfair or missed else 0)


if __name__ == "__main__":
    main()
