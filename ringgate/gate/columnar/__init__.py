"""The gate's arithmetic over columns instead of objects: the same numbers, a hundred times as fast.

    baseline = learn_columns(before, samples, "canary", tenants, policy)
    bake = ColumnarBake("canary", "8.0.3", ring, later, starts=starts, baseline=baseline, policy=policy, now=now)
    bake.add_columns(columns, detailed=failures)
    verdict = bake.verdict(now)

`Bake` and `learn` are the definition, one run at a time, and easy to read; over a million runs they take minutes. What
stands here may differ from them in nothing but the last digits of a number, and a property test compares both. It
belongs to the gate, and not to whoever reads a store, because it is the gate's method a second time: whoever changes
one side sees the other beside it. It is as pure as the rest: numpy computes, and nothing is read or asked.
"""

from ringgate.gate.columnar.bake import ColumnarBake
from ringgate.gate.columnar.baseline import learn_columns

__all__ = ["ColumnarBake", "learn_columns"]
