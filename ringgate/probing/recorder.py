"""Brings results and counters into the store: many in one transaction, by one thread, so that no run waits for it.

What is handed over is in the spool already. While the store cannot be written it waits there, and here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ringgate.domain.events import RunRecovered
from ringgate.domain.model import RunResult
from ringgate.store import CounterKey, Store, StoreError

EVERY = 0.25
"""Seconds for which results are gathered."""

MOST = 500
"""Results in one transaction."""

PAUSES = (1.0, 2.0, 5.0, 15.0)
"""Seconds between attempts while the store cannot be written."""

Chore = Callable[[Store], None]
"""Something else that is done with the store now and then, by the same thread."""


class Recorder:
    """`stored` is told what is in the store, `failing` what keeps the store from being written ("" once it can be)."""

    def __init__(
        self,
        store: Store,
        stored: Callable[[Sequence[RunResult]], None],
        failing: Callable[[str], None],
        chores: Mapping[Chore, float] | None = None,
    ) -> None:
        """`chores` are done every so many seconds, and at once."""
        self._store, self._stored, self._failing = store, stored, failing
        self._chores = dict(chores or {})
        self._next = dict.fromkeys(self._chores, 0.0)
        self._changed = threading.Condition()
        self._results: list[RunResult] = []
        self._counters: Counter[CounterKey] = Counter()
        self._recovered: list[RunRecovered] = []
        self._closing = False
        self._failed = 0
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def keep(self, result: RunResult) -> None:
        with self._changed:
            self._results.append(result)

    def recovered(self, event: RunRecovered) -> None:
        """What a run had left was taken up."""
        with self._changed:
            self._recovered.append(event)

    def count(self, counters: Mapping[CounterKey, int]) -> None:
        with self._changed:
            self._counters.update(counters)

    def close(self, patience: float) -> bool:
        """Brings in what there is, for up to `patience` seconds. Says whether that is all."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(patience)
        return not self._thread.is_alive() and not (self._results or self._counters or self._recovered)

    # --- its thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing, self._pause)
                closing = self._closing
            done = self._attempt()
            if closing and (done or self._failed > 1):
                return

    @property
    def _pause(self) -> float:
        return PAUSES[min(self._failed, len(PAUSES)) - 1] if self._failed else EVERY

    def _attempt(self) -> bool:
        """One round. Says whether the store took everything."""
        try:
            while self._round():
                pass
            for chore, every in self._chores.items():
                if time.monotonic() >= self._next[chore]:
                    chore(self._store)
                    self._next[chore] = time.monotonic() + every
        except Exception as problem:  # whatever it is, what was handed over is tried again
            if not self._failed:
                self._failing(str(problem) if isinstance(problem, StoreError) else repr(problem))
            self._failed += 1
            return False
        if self._failed:
            self._failed = 0
            self._failing("")
        return True

    def _round(self) -> bool:
        with self._changed:
            results, counters = self._results[:MOST], Counter(self._counters)
            recovered = list(self._recovered)
        if results:
            # After an error it is not known whether the last transaction got through.
            self._store.add(*results, known=bool(self._failed))
            with self._changed:
                del self._results[: len(results)]
            self._stored(results)
        for event in recovered:
            self._store.on(event)
            with self._changed:
                self._recovered.remove(event)
        if counters:
            self._store.count(counters)
            with self._changed:
                self._counters -= counters  # what has become nil is gone
        return len(results) == MOST
