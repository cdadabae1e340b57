"""Everything that outlives a controller: tenants, hosts, files, the time; and what went wrong."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringgate.domain.schedules import window
from ringgate.inventory import Inventory
from ringgate.rollout.calendars import CalendarRule, RolloutCalendar
from ringgate.rollout.release import load_release
from ringgate.rollout.rollout_tables import RolloutTable
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]
ZONES = ("Europe/London", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Australia/Sydney", "America/Sao_Paulo")
RINGS = ("canary", "early", "broad")
SHARES = (0.02, 0.2)
"""Of all tenants, how many are in the first ring and in the second."""

NIGHTS = RolloutCalendar(
    (CalendarRule("nights", stretches=(window("Mon-Sun 22:00-04:00"),)),),
    (CalendarRule("month end", stretches=(window("2026-11-30 00:00 to 2026-12-02 00:00"),)),),
)
START = datetime(2026, 11, 28, tzinfo=UTC)
_USUAL = Inventory.load(ROOT / "tenants")


class Killed(BaseException):
    """What SIGKILL is to a process: nothing catches it."""


@dataclass
class Life:
    """One process of the controller. Once it is dead, none of its threads does anything more. `last` is the transition
    at which it is killed, `stopped` the one at which it stands still and another controller takes its lease; 0: never.
    `number` is that of its lease."""

    last: int = 0
    stopped: int = 0
    number: int = 0
    seen: int = 0
    dead: bool = False


@dataclass
class World:
    """`trouble` is how often a host behaves badly, at each action, `bad` how many tenants do not work after the
    upgrade. `failed` says when something first spoke against a tenant, `paused` whether a person paused the rollout.
    All chance is the seed's, tenant by tenant, so that threads do not decide it."""

    folder: Path
    seed: int
    size: int
    trouble: float = 0.0
    bad: float = 0.0
    at_once: int = 4
    budget: int = 2
    paused: bool = False
    failed: dict[str, datetime] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.latest = self._base = START
        self._own, self._guard = threading.local(), threading.RLock()
        self._asked = Counter[str]()
        one = _USUAL.tenants[0]
        first, second = (max(2, round(self.size * share)) for share in SHARES)
        self.all = tuple(
            replace(one, id=f"t{n}", name=f"T{n}", ring=RINGS[0 if n < first else 1 if n < first + second else 2],
                    region=f"r{n % 6}", timezone=ZONES[n % 6], api=f"http://host-{n % 25}.invalid/t{n}")
            for n in range(self.size)
        )  # fmt: skip
        self.pace = RolloutTable(
            at_once=self.at_once, at_once_region=max(1, self.at_once // 2), at_once_host=2, budget=self.budget
        )
        self.inventory = replace(_USUAL, tenants=self.all)
        self.record_folder = self.folder / "record"
        definition = self.folder / "definition"
        definition.mkdir(parents=True)
        self.release = load_release(release_file(definition, "low"), self.inventory)

    def chance(self, *about: str) -> random.Random:
        """The next one of this matter."""
        matter = "/".join(about)
        with self._guard:
            self._asked[matter] += 1
            return random.Random(f"{self.seed}/{matter}/{self._asked[matter]}")

    def fixed(self, *about: str) -> float:
        """From 0 to 1, always the same for this matter."""
        return random.Random(f"{self.seed}/{'/'.join(about)}").random()

    def accuse(self, sentence: str) -> None:
        with self._guard:
            self.wrong.append(sentence)

    # --- time: each thread of a stage has its own, and all began at the same moment -----------------------------------

    @contextmanager
    def leading(self) -> Iterator[None]:
        """While entered, the calling thread is a controller's first one."""
        before = getattr(self._own, "leads", False)
        self._own.leads = True
        try:
            yield
        finally:
            self._own.leads = before

    def clock(self) -> datetime:
        with self._guard:
            if getattr(self._own, "leads", False):
                self._base = self.latest
                return self.latest
            if getattr(self._own, "at", None) is None:
                self._own.at = self._base
            at: datetime = self._own.at
            return at

    def tick(self, seconds: float) -> None:
        now = self.clock() + timedelta(seconds=seconds)
        with self._guard:
            if not getattr(self._own, "leads", False):
                self._own.at = now
            self.latest = max(self.latest, now)

    def later(self, passed: timedelta) -> None:
        """Nobody does anything for so long."""
        self.latest += passed
