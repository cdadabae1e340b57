"""The same load before and after a change: what became slower, or goes wrong more often. Pure.

A process is slower if more of its runs take longer than 95 of 100 took before than chance makes, and its 95th
percentile grew by more than a tenth. It goes wrong more often if chance does not make it so. Each says so wrongly of
at most one process in a hundred that is as before, where runs are independent; a machine that was busier with something
else shows the same, so compare loads of a quiet hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringgate.gate.bounds import no_more_often
from ringgate.load.outcome import LoadOutcome, LoadRun, quantile

LEVEL = 0.01
BY_A_TENTH = 1.1
LEAST = 20
"""Runs of a process on each side, below which nothing is said."""


@dataclass(frozen=True, slots=True)
class ProcessChange:
    """One process under both loads; 95th percentiles in seconds, None where none passed. `unknown` says why nothing can
    be said."""

    scenario: str
    runs: tuple[int, int]
    p95: tuple[float | None, float | None]
    wrong: tuple[int, int]
    slower: bool = False
    worse: bool = False
    unknown: str = ""


def unlike(before: LoadOutcome, after: LoadOutcome) -> list[str]:
    """Why the two cannot be compared: they are not of the same load."""
    found = []
    one, other = replace(before.profile, seed=0), replace(after.profile, seed=0)
    for name in one.__slots__:
        if getattr(one, name) != getattr(other, name):
            found.append(f"{name} is {getattr(one, name):g} before and {getattr(other, name):g} after")
    for name in ("scenarios", "tenants"):
        if set(getattr(before, name)) != set(getattr(after, name)):
            found.append(f"the {name} are not the same")
    found += [f"the load {when} was cut short: {each.stopped}"
              for when, each in (("before", before), ("after", after)) if each.stopped]  # fmt: skip
    return found


def compared(before: LoadOutcome, after: LoadOutcome) -> list[ProcessChange]:
    """Of each process, of what came while the load was held."""
    ours, theirs = before.by_scenario(), after.by_scenario()
    return [_change(each, ours[each], theirs.get(each, [])) for each in before.scenarios]


def _change(scenario: str, before: Sequence[LoadRun], after: Sequence[LoadRun]) -> ProcessChange:
    well = [[run.taken for run in runs if not run.kind] for runs in (before, after)]
    wrong = tuple(sum(1 for run in runs if run.kind) for runs in (before, after))
    p95 = (quantile(well[0], 0.95), quantile(well[1], 0.95))
    made = ProcessChange(scenario, (len(before), len(after)), p95, (wrong[0], wrong[1]))
    if min(made.runs) < LEAST:
        return replace(made, unknown=f"fewer than {LEAST} runs")
    worse = not no_more_often(wrong[1], len(after), wrong[0], len(before), LEVEL)
    slower = False
    if p95[0] is not None and p95[1] is not None and p95[1] > BY_A_TENTH * p95[0]:
        over = [sum(1 for each in some if each > p95[0]) for some in well]
        slower = not no_more_often(over[1], len(well[1]), over[0], len(well[0]), LEVEL)
    return replace(made, slower=slower, worse=worse)
