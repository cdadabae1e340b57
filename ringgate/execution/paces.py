"""A tenant's usual pace, from what passed there before: how long an answer may take, and whether a session was slower.

**Time limits.** Where the slowest steps of a tenant usually take long, each of its answers may: three times the 99th
percentile of its steps over a channel, if that is more than what drivers wait anyway. `time_limit` in the inventory
says it instead.

**Slower than usual.** Of each step its last runs that passed are its baseline, 19 of them at most and 4 at least. A
step is slow that took longer than all of them, and by more than a tenth. At the usual pace that is so for one in n + 1,
whatever the distribution of its times is; `slower` warns where there are so many more that chance does not explain it:
more than four standard deviations, and at least five. A tenth of all calls three times slower, or a web client that
comes three seconds later, shows so; a machine that is busy with something else does, too.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome

TIMES = 3.0
"""An answer may take so many times as long as the tenant's slowest steps usually do."""

USUAL = 30.0
"""Seconds that drivers wait for an answer where nobody says anything."""

ENOUGH = 50
"""Steps that must have passed before a time limit follows them."""

MOST, LEAST = 19, 4
"""Runs of a step that are its baseline."""

BEYOND = 1.1
"""So many times the slowest of its baseline a step must have taken to be slow."""

Key = tuple[str, str, Channel, str]
"""Tenant, scenario, channel, step."""


def time_limits(results: Iterable[RunResult]) -> Mapping[tuple[str, Channel], float]:
    """Seconds for each answer of a tenant over a channel, only where that is more than drivers wait anyway."""
    taken: dict[tuple[str, Channel], list[float]] = defaultdict(list)
    for result in results:
        if result.outcome is Outcome.PASSED:
            taken[result.tenant, result.channel] += [step.seconds for step in result.steps]
    limits = {key: TIMES * _percentile(sorted(each), 0.99) for key, each in taken.items() if len(each) >= ENOUGH}
    return {key: limit for key, limit in limits.items() if limit > USUAL}


class TimeLimits:
    """The time limits of all tenants, looked up when the first is asked for. `history` gives what ran before; it may
    fail, then nothing is known. Safe for threads."""

    def __init__(self, history: Callable[[], Iterable[RunResult]]) -> None:
        self._history, self._guard = history, threading.Lock()
        self._known: Mapping[tuple[str, Channel], float] | None = None

    def __call__(self, tenant: Tenant, channel: Channel) -> float | None:
        """Seconds; None for what the driver waits anyway."""
        if tenant.time_limit is not None:
            return tenant.time_limit.total_seconds()
        with self._guard:
            if self._known is None:
                self._known = time_limits(self._history())
        return self._known.get((tenant.id, channel))


@dataclass(frozen=True, slots=True)
class SlowStep:
    """A step that took longer than ever in its baseline. Seconds."""

    key: Key
    usual: float
    seconds: float

    def __str__(self) -> str:
        tenant, scenario, channel, step = self.key
        return f'{scenario} on {tenant} over {channel}, "{step}": {self.seconds:.1f} s, usually {self.usual:.1f} s'


@dataclass(frozen=True, slots=True)
class PaceComparison:
    """`slow` of `steps` that have a baseline were slow, the worst first; `expected` is how many chance makes."""

    steps: int
    expected: float
    slow: tuple[SlowStep, ...]

    @property
    def slower(self) -> bool:
        return len(self.slow) >= max(5.0, self.expected + 4 * math.sqrt(self.expected))

    def __str__(self) -> str:
        return (
            f"slower than usual: {len(self.slow)} of {self.steps} steps took longer than ever before, "
            f"where {self.expected:.0f} would be chance"
        )


def compare_paces(before: Iterable[RunResult], now: Iterable[RunResult]) -> PaceComparison:
    """Those that passed `now` against those that passed `before`; both oldest first."""
    baseline: dict[Key, deque[float]] = defaultdict(lambda: deque(maxlen=MOST))
    for key, seconds in _steps(before):
        baseline[key].append(seconds)
    steps, expected, slow = 0, 0.0, list[SlowStep]()
    for key, seconds in _steps(now):
        seen = baseline.get(key, ())
        if len(seen) >= LEAST:
            steps, expected = steps + 1, expected + 1 / (len(seen) + 1)
            if seconds > BEYOND * max(seen):
                slow.append(SlowStep(key, median(seen), seconds))
    slow.sort(key=lambda each: each.usual - each.seconds)
    return PaceComparison(steps, expected, tuple(slow))


def _steps(results: Iterable[RunResult]) -> Iterable[tuple[Key, float]]:
    for result in results:
        if result.outcome is Outcome.PASSED:
            for step in result.steps:
                yield (result.tenant, result.scenario, result.channel, step.name), step.seconds


def _percentile(ordered: list[float], part: float) -> float:
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
