"""`make gate-study`: the gate's table, simulated in full, beside the rules of others. Exits 1 if a number is not met.

case                                          gate     at most   Argo  Flagger  Kayenta   Wald  CUSUM
false pause, 10 tenants, p0 1.0%             0.0028     0.010    1.00     1.00     0.06   ...
"""

from __future__ import annotations

import math
import sys
import time

from tests.evaluation.study.cases import Case, table
from tests.evaluation.study.simulation import compare, measure

RIVALS = ("Argo", "Flagger", "Kayenta", "Wald", "CUSUM")
COMPARED = 300


def shown(case: Case, value: float | None) -> str:
    if value is None:
        return "-"
    if case.judge in ("paused", "promoted"):
        return f"{value:.4f}"
    return "never" if math.isinf(value) else f"{value:.0f} min"


def main() -> int:
    began, missed = time.monotonic(), []
    print(f"{'24 h, 60 s, alpha 1 %':50}{'bakes':>7}{'gate':>10}{'at most':>10}  ", *(f"{name:>9}" for name in RIVALS))
    own = False
    for case in table():
        if case.own and not own:
            own = True
            print("\nwhat the gate promises beyond that")
        found = measure(case, case.full)
        others = compare(case, COMPARED)
        columns = [f"{shown(case, others.get(name)):>9}" for name in RIVALS]
        mark = "  " if found.met else "!!"
        print(f"{case.name:50}{case.full:7}{shown(case, found.value):>10}{shown(case, case.limit):>10}{mark}", *columns,
              flush=True)  # fmt: skip
        missed += [] if found.met else [case.name]
    print(f"\n{len(missed)} of the numbers not met; {time.monotonic() - began:.0f} s")
    for name in missed:
        print(f"  not met: {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
