"""Follows a store: every result that is recorded in it, by whichever process, is added to the figures exactly once.

    follower = Follower(store)
    follower.follow()         # again and again, every few seconds
    with follower.reading() as (figures, around, read_at): ...

What was added up is kept in the store itself, with the place that was reached. So a restart, also after kill -9, counts
nothing twice and misses nothing that was recorded meanwhile, and the store may be cleared of old results.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ringgate.domain.labels import moment_of
from ringgate.domain.model import Deployment, Residue, RunResult, SignalSample
from ringgate.metrics.bulk import ADDED, newest_of, take_rows
from ringgate.metrics.figures import Figures
from ringgate.metrics.recent import RECENT, Recent
from ringgate.store import LATE, CounterKey, EvidenceRow, ProberState, Store

WINDOW = timedelta(days=7)
"""How far back the first start reads, and after how long without anything new a series is dropped."""

SLICE = timedelta(hours=4)
"""How much is read at a time."""

KEEP = timedelta(minutes=2)
"""How often what was added up is kept: what is read again after a kill."""

FRESH = timedelta(minutes=10)
"""How long a sample may be read at all; the next round of its source ends it sooner."""

NOTE = timedelta(seconds=5)
"""How often what is around the runs is read while these are caught up with."""

NOTES, MOST_NOTES = ("incident", "ticket", "change"), 200
"""Kinds of evidence that are shown beside runs, and how many of it."""

NAME = "metrics"


@dataclass(frozen=True, slots=True)
class Around:
    """What the store holds besides runs, as of one moment: `at`, None before it was read for the first time. `left` is
    what runs left behind and nobody took back, `notes` the latest incidents, tickets and changes."""

    counters: Mapping[CounterKey, int]
    probers: tuple[ProberState, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    samples: tuple[SignalSample, ...] = ()
    left: tuple[Residue, ...] = ()
    notes: tuple[EvidenceRow, ...] = ()
    at: datetime | None = None


class StoreFollower:
    """The figures of a store, and how far it was read. Safe for threads: one follows, others read.

    What is around the runs is known at once. A store that holds much takes some seconds: until it was read to its end,
    what its runs come to is not known, and `read_at` is None."""

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
        """Adds what is new, and returns how many results that were. Raises StoreError; nothing is lost by that."""
        with self._turn:
            now = self._clock()
            self._note()
            if self._place is None:
                self._begin(now)
            added = self._catch_up(now - LATE)
            if self._read_at is None:
                self._show_recent(now)
            added += self._take_latest()
            with self._guard:
                self._read_at = now
            if self._kept_at is None or now - self._kept_at >= KEEP:
                self._keep(now)
            return added

    def note(self) -> None:
        """Reads what is around the runs. Raises StoreError."""
        with self._turn:
            self._note()

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

    def _note(self) -> None:
        now = self._clock()
        around = Around(
            counters=self._store.counters(),
            probers=tuple(self._store.probers()),
            deployments=tuple(self._store.deployments()),
            samples=tuple(self._store.samples(since=now - FRESH)),
            left=tuple(self._store.left_behind()),
            notes=tuple(self._store.evidence_rows(kinds=NOTES, latest=MOST_NOTES)),
            at=now,
        )
        with self._guard:
            self._around = around

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

    def _catch_up(self, horizon: datetime) -> int:
        """Reads, piece by piece, what nobody can add to any more: it was recorded before `horizon`."""
        assert self._place is not None
        added = 0
        while self._place < horizon:
            until = min(self._place + SLICE, horizon)
            with _collection_paused():
                added += self._take_all(self._place, until)
            self._place = until
            self._known = {run_id: at for run_id, at in self._known.items() if at >= until}
            noted = self._around.at
            if noted is None or self._clock() - noted > NOTE:
                self._note()
        return added

    def _take_all(self, after: datetime, until: datetime) -> int:
        added = 0
        named = bool(self._known) or self._read_at is not None  # or else nobody asks which is which
        for found in self._store.rows(after, until, (*ADDED, *(["run_id"] if named else []))):
            rows = [row for row in found if row[-1] not in self._known] if self._known else found
            labels, shapes = self._store.labels(), self._store.shapes()
            with self._guard:
                take_rows(self._figures, rows, labels, shapes)
            if self._read_at is not None:
                key, began = ADDED.index("labels"), ADDED.index("started_at")
                places = self._newest([row[key] for row in rows], [row[began] for row in rows])
                self._show(self._store.of_ids([rows[place][-1] for place in places]))
            added += len(rows)
        return added

    def _show(self, results: Iterable[RunResult]) -> None:
        with self._guard:
            for each in results:
                self._recent.take(each)

    def _show_recent(self, now: datetime) -> None:
        """Once everything is added up: the latest results of each, from the last hours."""
        labels = self._store.labels()
        self._recent.expect(len({(each.tenant, each.scenario, each.channel) for each in labels.values()}))
        columns, _ = self._store.blocks(recorded=now - RECENT)
        key, began = columns.records["labels"], columns.records["started"]
        places = self._newest(key, began)
        self._show(self._store.of_starts(zip(key[places].tolist(), began[places].tolist(), strict=True)))

    def _newest(self, keys: ArrayLike, started: ArrayLike) -> list[int]:
        """The places of those runs that people look at."""
        labels = self._store.labels()
        found = newest_of(np.asarray(keys, np.int64), np.asarray(started, np.int64), labels, self._recent.each)
        return list(found.tolist())

    def _take_latest(self) -> int:
        """What was recorded lately, to which others may still add: each is known by its run id."""
        assert self._place is not None
        recorded = {
            run_id: moment_of(at)
            for found in self._store.rows(self._place, None, ("run_id", "recorded_at"))
            for run_id, at in found
            if run_id not in self._known
        }
        results = self._store.of_ids(recorded)
        with self._guard:
            for result in results:
                self._known[result.run_id] = recorded[result.run_id]
                self._figures.take(result)
                self._recent.take(result)
        return len(results)

    def _keep(self, now: datetime) -> None:
        assert self._place is not None
        with self._guard:
            self._figures.forget(now - self._window)
            plain = self._figures.as_plain()
        known = {run_id: at.isoformat() for run_id, at in self._known.items()}
        data: Mapping[str, Any] = {"place": self._place.isoformat(), "known": known, "figures": plain}
        self._store.keep_figures(NAME, now, data)
        self._kept_at = now


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Without Python's search for cycles: rows hold none, and among a million it takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
