"""Background load: while a ring is migrated, the scenarios keep running on its neighbours, who must not notice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.execution.run_once import Engine, run_once


@dataclass
class BackgroundLoad:
    """Runs one scenario after another over the API, on one neighbour after another, every `every` seconds.

    What was run least is next, by `done`, which all surges of a rehearsal share: so each neighbour gets to see all of
    them, those first that come first in `neighbours`. There is no waiting until all were seen once by those that
    `wait` for their own turn: what they show now is their baseline.
    It runs in a thread of its own inside the `with` block; after it `results` are complete.
    `error` is what kept it from running at all.
    """

    neighbours: Sequence[Tenant]
    scenarios: Sequence[Scenario]
    engine: Callable[[], AbstractContextManager[Engine]]
    every: float
    wait: frozenset[str] = frozenset()
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    results: list[RunResult] = field(default_factory=list)
    error: str = ""

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background_load")

    def __enter__(self) -> BackgroundLoad:
        if self.neighbours:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self.neighbours:
            self._thread.join()

    def _run(self) -> None:
        try:
            with self.engine() as engine:
                pairs = [(scenario, tenant) for scenario in self.scenarios for tenant in self.neighbours]
                while pairs and not self._over.is_set():
                    scenario, tenant = min(pairs, key=lambda pair: self.done[pair[0].id, pair[1].id])
                    self.results.append(run_once(scenario, tenant, Channel.API, engine))
                    self.done[scenario.id, tenant.id] += 1
                    if all(self.done[one.id, other.id] for one, other in pairs if other.id in self.wait):
                        self._over.wait(self.every)
        except Exception as problem:
            self.error = f"{type(problem).__name__}: {problem}"

    @property
    def failures(self) -> list[RunResult]:
        return [result for result in self.results if result.outcome is Outcome.FAILED]

    @property
    def broken(self) -> list[RunResult]:
        return [result for result in self.results if result.outcome is Outcome.BROKEN]
