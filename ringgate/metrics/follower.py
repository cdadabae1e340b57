"""Follows a store: every result that is recorded in it, by whichever process, is added to the figures exactly once.

    follower = Follower(store)
    follower.follow()         # again and again, every few seconds
    with follower.reading() as (figures, around, read_at): ...

What was added up is kept in the store itself, with the place that was reached. So a restart, also after kill -9, counts
nothing twice and misses nothing that was recorded meanwhile, and the store may be cleared of old results.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ringgate.domain.model import Deployment, Residue, RunResult, SignalSample
from ringgate.metrics.figures import Figures
from ringgate.metrics.recent import RECENT, Recent
from ringgate.store import LATE, ProberState, Store, Tally

WINDOW = timedelta(days=7)
"""How far back the first start reads, and after how long without anything new a series is dropped."""

SLICE = timedelta(hours=1)
"""How much is read at a time."""

KEEP = timedelta(minutes=2)
"""How often what was added up is kept: what is read again after a kill."""

FRESH = timedelta(minutes=10)
"""How long a sample may be read at all; the next round of its source ends it sooner."""

NAME = "metrics"


@dataclass(frozen=True, slots=True)
class Around:
    """What the store holds besides runs, as of one moment. `left` is what runs left behind and nobody took back."""

    counters: Mapping[Tally, int]
    probers: tuple[ProberState, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    samples: tuple[SignalSample, ...] = ()
    left: tuple[Residue, ...] = ()


class StoreFollower:
    """The figures of a store, and how far it was read. Safe for threads: one follows, others read."""

    def __init__(
        self,
        store: Store,
        recent: Recent | None = None,
        window: timedelta = WINDOW,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._store, self._recent, self._window = store, recent or Recent(), window
        self._clock = clock or (lambda: datetime.now(UTC))
        self._guard, self._turn = threading.Lock(), threading.Lock()
        self._figures, self._around = Figures(), Around({})
        self._place: datetime | None = None
        self._known: dict[str, datetime] = {}
        self._read_at: datetime | None = None
        self._kept_at: datetime | None = None

    def follow(self) -> int:
        """Adds what is new, and returns how many results that were. Raises StoreTrouble; nothing is lost by that."""
        with self._turn:
            now = self._clock()
            if self._place is None:
                self._begin(now)
            assert self._place is not None
            added = 0
            while True:
                until = self._place + SLICE
                added += self._take(until)
                if until > now:
                    break
                self._place = until
            around = Around(
                counters=self._store.counters(),
                probers=tuple(self._store.probers()),
                deployments=tuple(self._store.deployments()),
                samples=tuple(self._store.samples(since=now - FRESH)),
                left=tuple(self._store.left_behind()),
            )
            with self._guard:
                self._around, self._read_at = around, now
            if self._kept_at is None or now - self._kept_at >= KEEP:
                self._keep(now)
            return added

    def keep(self) -> None:
        """Keeps what was added up so far; for a clean end."""
        with self._turn:
            if self._place is not None:
                self._keep(self._clock())

    @contextmanager
    def reading(self) -> Iterator[tuple[Figures, Around, datetime | None]]:
        """The figures, which stand still meanwhile, what is around them, and when the store was read to its end."""
        with self._guard:
            yield self._figures, self._around, self._read_at

    def recent(self) -> list[RunResult]:
        """The latest results, for people to look at; oldest first."""
        with self._guard:
            return self._recent.results(self._clock())

    def _begin(self, now: datetime) -> None:
        kept = self._store.figures(NAME)
        figures = Figures.of_plain(kept["figures"]) if kept else None
        if kept and figures:
            with self._guard:
                self._figures = figures
            self._place = datetime.fromisoformat(kept["place"])
            self._known = {run_id: datetime.fromisoformat(at) for run_id, at in kept["known"].items()}
        else:
            self._place = now - self._window
        if self._place > now - RECENT:
            for _, result in self._store.recorded(now - RECENT, self._place + LATE):
                self._recent.take(result)

    def _take(self, until: datetime) -> int:
        rows = [(at, each) for at, each in self._store.recorded(self._place, until) if each.run_id not in self._known]
        with self._guard:
            for at, result in rows:
                self._known[result.run_id] = at
                self._figures.take(result)
                self._recent.take(result)
        if rows and self._place is not None:
            # A process whose clock is ahead must not hide what others record meanwhile.
            self._place = max(self._place, min(rows[-1][0], self._clock()))
        return len(rows)

    def _keep(self, now: datetime) -> None:
        assert self._place is not None
        horizon = self._place - 2 * LATE
        self._known = {run_id: at for run_id, at in self._known.items() if at >= horizon}
        with self._guard:
            self._figures.forget(now - self._window)
            plain = self._figures.as_plain()
        known = {run_id: at.isoformat() for run_id, at in self._known.items()}
        data: Mapping[str, Any] = {"place": self._place.isoformat(), "known": known, "figures": plain}
        self._store.keep_figures(NAME, now, data)
        self._kept_at = now
