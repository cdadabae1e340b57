"""How often something happened before the release, and how long it lasted: what the bet's odds are made from.

    record = Record(tick=60.0)
    record.add("aldgate", "time-entry over api", at=0.0, seen=False)
    rates = record.rates()
    rates.null(level=0.005).of("aldgate", "time-entry over api")       # p0 for that run

The null is an upper bound, never the plug-in rate, which would pause 10 to 22 % of healthy releases after a short
baseline. One null serves all, but for a tenant, or a scenario and channel, that was worse than the rest already: its
own is held against it, or a rollout would pause for what was always so. Every bet takes the mean null of its runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ringgate.gate.bounds import tail_from, upper_bound

UNUSUAL = 0.3
"""A group whose count, or a higher one, had no more than this probability at the null of all has a null of its own.
Taken as unusual by chance, it is only watched less sharply; not taken as such, it would be paused for what was so."""

STREAKS_MATTER = 1.5
"""How many times longer than by chance streaks must be to be streaks."""

BLOCK = 5
"""A block is this many times as long as a streak, so that what one block says does not depend on the one before."""

BUSY = 0.05
"""The busiest piece counts as busy if it, of all, had no more than this probability."""

PIECE = 3600.0
PIECES = 12
LEAST_IN_A_PIECE = 20
"""A baseline is cut into hours, a short one into twelfths; a piece with fewer runs tells nothing."""


@dataclass(frozen=True, slots=True)
class RateCount:
    """So many of so many runs."""

    seen: int = 0
    runs: int = 0

    def bound(self, level: float) -> float:
        return upper_bound(self.seen, self.runs, level)

    @property
    def rate(self) -> float:
        return self.seen / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class Null:
    """p0: of all runs, and of the tenants and kinds of runs that have one of their own."""

    of_all: float
    tenants: Mapping[str, float] = field(default_factory=dict)
    kinds: Mapping[str, float] = field(default_factory=dict)

    def of(self, tenant: str, kind: str) -> float:
        return max(self.of_all, self.tenants.get(tenant, 0.0), self.kinds.get(kind, 0.0))


@dataclass(frozen=True, slots=True)
class Rates:
    """What a baseline says of one thing that runs may show. `streak` is in ticks, 1 where streaks are single.

    `busiest` is the piece of the baseline with the highest rate, where that is no chance; None where there is none, or
    where nobody asked."""

    all: RateCount = RateCount()
    tenants: Mapping[str, RateCount] = field(default_factory=dict)
    kinds: Mapping[str, RateCount] = field(default_factory=dict)
    streak: int = 1
    busiest: RateCount | None = None

    @property
    def block(self) -> int:
        """Ticks of a block."""
        return BLOCK * self.streak if self.streak > 1 else 1

    def null(self, level: float) -> Null:
        of_all = max(self.all.bound(level), self.busiest.bound(level) if self.busiest else 0.0)

        def own(counts: Mapping[str, RateCount]) -> dict[str, float]:
            odd = {k: c for k, c in counts.items() if tail_from(c.seen, c.runs, of_all) <= UNUSUAL}
            return {key: bound for key, count in odd.items() if (bound := count.bound(level)) > of_all}

        return Null(of_all, own(self.tenants), own(self.kinds))


class OutcomeHistory:
    """Collects what was seen. `tick` is in seconds; `by_hour` looks for busy hours, too."""

    def __init__(self, tick: float, *, by_hour: bool = False) -> None:
        self._tick, self._by_hour = tick, by_hour
        self._seen: list[tuple[float, str, str, bool]] = []

    def add(self, tenant: str, kind: str, at: float, seen: bool) -> None:
        """`at` is in seconds from any moment."""
        self._seen.append((at, tenant, kind, seen))

    def rates(self) -> Rates:
        self._seen.sort()
        tenants, kinds = _counted((t, x) for _, t, _, x in self._seen), _counted((k, x) for _, _, k, x in self._seen)
        everything = RateCount(sum(x for *_, x in self._seen), len(self._seen))
        return Rates(everything, tenants, kinds, self._streak(), self._busiest(everything) if self._by_hour else None)

    def _streak(self) -> int:
        """The longest of: a probe's own streaks, a tenant's, the ring's. What fails together in a tick is one."""
        probes: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
        tenants: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        ring: list[tuple[int, bool]] = []
        for at, tenant, kind, seen in self._seen:
            entry = (int(at // self._tick), seen)
            probes[tenant, kind].append(entry)
            tenants[tenant].append(entry)
            ring.append(entry)
        return max(streak_of(probes.values()), streak_of(tenants.values()), streak_of([ring]))

    def _busiest(self, everything: RateCount) -> RateCount | None:
        """Load comes in hours: the busiest one (of a short baseline: a twelfth) is what the release may be like."""
        if not self._seen:
            return None
        first, last = self._seen[0][0], self._seen[-1][0]
        length = min(PIECE, max((last - first) / PIECES, self._tick))
        pieces = _counted((str(int((at - first) // length)), x) for at, _, _, x in self._seen)
        full = [count for count in pieces.values() if count.runs >= LEAST_IN_A_PIECE]
        worst = max(full, key=lambda count: count.rate, default=None)
        if worst is None or tail_from(worst.seen, worst.runs, everything.rate) > BUSY / len(full):
            return None
        return worst


def _counted(entries: Iterable[tuple[str, bool]]) -> dict[str, RateCount]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, seen in entries:
        sums[key][0] += seen
        sums[key][1] += 1
    return {key: RateCount(*each) for key, each in sums.items()}


def streak_of(series: Iterable[Sequence[tuple[int, bool]]]) -> int:
    """How many ticks the streak lasts that an average failure is part of; 1 if streaks are no longer than by chance.

    Each series is in the order of time, and judged by itself: one that always fails is worse, not stuck. By chance
    alone a failure of rate p is part of a streak of (1 + p) / (1 - p) on average."""
    failures = spans = 0
    for entries in series:
        found = _streaks(entries)
        here = sum(length for length, _ in found)
        rate = here / (len(entries) + 1)
        by_chance = here * (1 + rate) / (1 - rate)
        stuck = sum(length * length for length, _ in found) >= STREAKS_MATTER * by_chance
        failures += here
        spans += sum(length * span for length, span in found) if stuck else here
    return max(1, round(spans / failures)) if failures else 1


def _streaks(entries: Sequence[tuple[int, bool]]) -> list[tuple[int, int]]:
    """Length in runs and in ticks of each row of failures."""
    found, length, first, last = [], 0, 0, 0
    for tick, seen in entries:
        if seen:
            first, last, length = first if length else tick, tick, length + 1
        elif length:
            found.append((length, last - first + 1))
            length = 0
    return [*found, (length, last - first + 1)] if length else found
