"""`gate/observations.UsualPace` over columns: how long runs took before, and which took longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringgate.domain.columns import ResultColumns
from ringgate.domain.terms import Outcome
from ringgate.gate.columnar import evidence as says
from ringgate.gate.columnar.evidence import Array, Bools, Floats
from ringgate.gate.observations import ENOUGH_FOR_QUANTILES, SHORTEST, PostingPace, UsualPace, limits_of
from ringgate.gate.policy import GatePolicy
from ringgate.gate.signals import Signal


def usual_pace(columns: ResultColumns, kinds: Array, names: list[str], policy: GatePolicy) -> UsualPace:
    """Of the runs of a baseline that passed or failed, each with the number of its kind."""
    passed = _passed(columns)
    of_kind, seconds = kinds[passed], columns.records["took"][passed] / 1e6
    limits = {names[n]: limits_of(each, policy) for n, each in _enough(of_kind, seconds)}
    posted = passed & (columns.records["posting"] > 0)
    ratios, rests = _posting(columns, posted)
    of_kind = kinds[posted]
    both = zip(_enough(of_kind, ratios), _enough(of_kind, rests), strict=True)
    posting = {names[n]: PostingPace.of(ratio, rest) for (n, ratio), (_, rest) in both}
    return UsualPace.of_limits(limits, posting)


def _passed(columns: ResultColumns) -> Bools:
    found: Bools = says.outcomes(columns) == list(Outcome).index(Outcome.PASSED)
    return found


def _posting(columns: ResultColumns, rows: Bools) -> tuple[Floats, Floats]:
    """`observations.posting_ratio` of these runs: seconds of posting for each of the rest, and the seconds of that."""
    posting = columns.records["posting"][rows] / 1e6
    rest = np.maximum(columns.records["took"][rows] / 1e6 - posting, SHORTEST)
    return posting / rest, rest


def _enough(kinds: Array, values: Array) -> Iterator[tuple[int, Any]]:
    """The values of each kind that has enough of them, in their order."""
    order = np.lexsort((values, kinds))
    kinds, values = kinds[order], values[order]
    for number in says.distinct(kinds):
        low, high = np.searchsorted(kinds, [number, number + 1])
        if high - low >= ENOUGH_FOR_QUANTILES:
            yield number, values[low:high]


def said_of_pace(
    signal: Signal, columns: ResultColumns, kinds: Array, names: list[str], pace: UsualPace, policy: GatePolicy
) -> tuple[Bools, Bools]:
    """What runs say to a signal that depends on how long they took: a column for each null, and of which runs anything
    is known."""
    if signal.definition.within:
        return _slow_posting(columns, kinds, names, pace)
    limits: NDArray[Any] = np.full((len(names) + 1, signal.definition.parts(policy)), np.inf)
    for place, name in enumerate(names):
        if name in pace.limits:
            limits[place] = pace.limits[name]
    known = _passed(columns) & np.isin(kinds, [place for place, name in enumerate(names) if name in pace.limits])
    over = (columns.records["took"] / 1e6)[:, None] > limits[kinds]
    return over & known[:, None], known


def _slow_posting(columns: ResultColumns, kinds: Array, names: list[str], pace: UsualPace) -> tuple[Bools, Bools]:
    """`UsualPace.slow_posting`."""
    most, longest = np.full(len(names) + 1, np.inf), np.full(len(names) + 1, -np.inf)
    for place, name in enumerate(names):
        if name in pace.posting:
            most[place], longest[place] = pace.posting[name].ratio, pace.posting[name].rest
    known = _passed(columns) & (columns.records["posting"] > 0) & (longest[kinds] > 0)
    over = np.zeros(len(columns), bool)
    ratios, rests = _posting(columns, known)
    over[known] = ratios > most[kinds[known]]
    known[known] = rests <= longest[kinds[known]]
    return (over & known)[:, None], known
