"""What load there is when: so many users at once, or so many arrivals a second, whoever is still busy. Pure.

    LoadProfile(users=40, ramp=120, hold=600, think=5).stages()
    -> [LoadStage("8 users", 0.0, 24.0, 8), ..., LoadStage("40 users", 120.0, 720.0, 40)]

Closed (users): each user runs a process, thinks, and runs the next; a slower ERP is asked less. Open (arrivals): they
come as they come, by chance, and a slower ERP is asked as much, by more users at once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

STEPS = 5
"""The ramp goes up in so many steps."""


@dataclass(frozen=True, slots=True)
class LoadStage:
    """A part of a load, in seconds from its beginning. `level` is users, or arrivals a second."""

    name: str
    begins: float
    ends: float
    level: float


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """`users` at once (of an open load: the most that may be busy), or `arrivals` a second (0: closed). `ramp` and
    `hold` are seconds; `think` the mean seconds between two processes of a user. What the ERP did not answer is tried
    again up to `retries` times, as programs do."""

    users: int
    arrivals: float = 0.0
    ramp: float = 60.0
    hold: float = 300.0
    think: float = 5.0
    retries: int = 2
    seed: int = 0

    @property
    def is_open(self) -> bool:
        return self.arrivals > 0

    @property
    def seconds(self) -> float:
        return self.ramp + self.hold

    @property
    def top(self) -> float:
        return self.arrivals if self.is_open else float(self.users)

    def stages(self) -> list[LoadStage]:
        """The steps of the ramp, then what is held."""
        number = min(STEPS, self.users) if not self.is_open else STEPS
        steps = number - 1 if self.ramp else 0
        levels = [self.top * (place + 1) / number for place in range(steps)]
        length = self.ramp / steps if steps else 0.0
        found = [
            LoadStage(self._name(level), place * length, (place + 1) * length, self._level(level))
            for place, level in enumerate(levels)
        ]
        return [*found, LoadStage(self._name(self.top), self.ramp if steps else 0.0, self.seconds, self.top)]

    def _level(self, level: float) -> float:
        return level if self.is_open else float(math.ceil(level))

    def _name(self, level: float) -> str:
        return f"{level:.3g} arrivals/s" if self.is_open else _users(math.ceil(level))

    def wanted(self, at: float) -> float:
        """The level at so many seconds from the beginning; 0 after the end."""
        return next((each.level for each in self.stages() if each.begins <= at < each.ends), 0.0)

    def moments(self) -> Iterator[float]:
        """When somebody arrives, in seconds from the beginning: by chance, the same for one seed."""
        dice = random.Random(self.seed)  # noqa: S311 - no secret
        for stage in self.stages():
            at = stage.begins + dice.expovariate(stage.level)
            while at < stage.ends:
                yield at
                at += dice.expovariate(stage.level)


def _users(number: int) -> str:
    return "1 user" if number == 1 else f"{number} users"
