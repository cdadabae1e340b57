"""One region, second by second: slots that fall due, workers that take them, workers that die, a database that is away.

    simulate(RegionSize("eu-west", 21_000), Costs(), workers=12)
    -> RegionCourse(due=1_260_000, run=1_259_870, late=410, missed=130, busiest=9.4, ...)

Slots are spread over their interval by chance, as `ringgate.probing.plan` spreads them by a hash. A worker is a process
of Python, so it has one core at most. A slot that nobody has begun a minute after it fell due is missed; one that
begins more than `LATE` seconds after it is late. What a dead worker held is put back after 30 s.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

LATE = 5.0
MISSED = 60
ALIVE = 30
"""Seconds until what a dead worker held is given to others."""

STARTED_AGAIN = 90
"""Seconds until a worker that died takes slots again: its container starts and it reads its inventory."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured (`python -m tests.evaluation.bench.region`), on cores like those: seconds of CPU of workers and
    of PostgreSQL for a run, seconds that a run takes in all, MiB of a worker, and bytes that are stored for a run."""

    worker: float
    database: float
    takes: float
    megabytes: float
    stored: float = 240.0


@dataclass(frozen=True, slots=True)
class RegionSize:
    """`kills`: at which seconds a worker is killed; `away`: from when until when PostgreSQL is away."""

    name: str
    tenants: int
    scenarios: int = 5
    every: int = 300
    kills: Sequence[int] = ()
    away: Sequence[tuple[int, int]] = ()

    @property
    def rate(self) -> float:
        """Slots a second."""
        return self.tenants * self.scenarios / self.every


@dataclass(frozen=True, slots=True)
class RegionCourse:
    """What came of it. `busiest` is the most cores that workers took in a minute, `oldest` the longest that a slot
    waited, in seconds."""

    due: int
    run: int
    late: int
    missed: int
    busiest: float
    oldest: int

    @property
    def well(self) -> bool:
        """At most one slot in a thousand missed, and one in fifty late: some are while PostgreSQL is away."""
        return self.missed <= self.due / 1_000 and self.late <= self.due / 50


def simulate(region: RegionSize, costs: Costs, workers: int, seconds: int = 3_600, seed: int = 0) -> RegionCourse:
    """An hour unless told otherwise. Every slot that fell due is run, missed, or still waits at the end."""
    dice = random.Random(seed)
    offsets = [0] * region.every
    for _ in range(region.tenants * region.scenarios):
        offsets[dice.randrange(region.every)] += 1
    queue: deque[list[int]] = deque()  # second that it fell due, how many
    back: dict[int, list[int]] = {}  # second at which workers come back, and what they held then
    due = run = late = missed = oldest = 0
    alive, cores = workers, deque[float](maxlen=60)
    busiest = carried = 0.0
    for now in range(seconds):
        if now in region.kills and alive:
            alive -= 1
            held = min(run, round(region.rate * costs.takes / workers))
            back.setdefault(now + ALIVE, []).append(held)
            run -= held  # what it had begun is begun again by another
            back.setdefault(now + STARTED_AGAIN, []).append(-1)
        for each in back.pop(now, ()):
            alive += each == -1
            if each > 0:
                queue.appendleft([now - ALIVE, each])
        fallen = offsets[now % region.every]
        due += fallen
        if fallen:
            queue.append([now, fallen])
        is_away = any(begin <= now < end for begin, end in region.away)
        room = 0.0 if is_away else alive / costs.worker + carried
        taken = 0
        while queue and room - taken >= 1:
            since, number = queue[0]
            some = min(number, math.floor(room - taken))
            waited = now - since
            if waited >= MISSED:
                missed += number
                queue.popleft()
                continue
            late += some if waited > LATE else 0
            oldest = max(oldest, waited)
            taken += some
            queue[0][1] -= some
            if not queue[0][1]:
                queue.popleft()
        while queue and now - queue[0][0] >= MISSED:
            missed += queue.popleft()[1]
        carried = min(room - taken, 1.0) if not is_away else 0.0
        run += taken
        cores.append(taken * costs.worker)
        busiest = max(busiest, sum(cores) / len(cores) if len(cores) == cores.maxlen else 0.0)
    return RegionCourse(due, run, late, missed, busiest, oldest)


def fewest(region: RegionSize, costs: Costs, spare: float = 0.7) -> int:
    """The fewest workers with which all goes well, none of them busier than `spare` of a core on average, whatever the
    three seeds."""
    least = max(2, math.ceil(region.rate * costs.worker / spare))
    while not all(simulate(region, costs, least, seed=seed).well for seed in range(3)):
        least += 1
    return least


def fleet(tenants: int, regions: int) -> list[RegionSize]:
    """Regions of unlike size: the largest has some six times as many tenants as the smallest. In each a worker is
    killed every ten minutes, and PostgreSQL is away for twenty seconds twice an hour."""
    weights = [1.0 / (place + 2) for place in range(regions)]
    sizes = [round(tenants * weight / sum(weights)) for weight in weights]
    sizes[0] += tenants - sum(sizes)
    return [
        RegionSize(f"region-{place + 1}", size, kills=range(300, 3_600, 600), away=((900, 920), (2_700, 2_720)))
        for place, size in enumerate(sizes)
    ]
