"""The engines on trial, each in a file that speaks to it and to nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Protocol, cast

ENGINES = ("procrastinate", "pgqueuer")

LEASE = 30
"""Seconds after which a job of a worker that gave no sign is another's, for both."""

Job = Callable[[int, float], None]
"""Runs a job, given its number and when it was put in (seconds since 1970). Blocks."""


class Queue(Protocol):
    """One engine. `put` is for one process, `work` does not return."""

    def install(self, url: str) -> None: ...
    def put(self, url: str, jobs: Sequence[tuple[int, float, str]]) -> None: ...  # number, when, lock
    def work(self, url: str, job: Job, concurrency: int) -> None: ...
    def left(self) -> str: ...  # a query: how many jobs wait or are under way


def engine(name: str) -> Queue:
    return cast(Queue, importlib.import_module(f"{__name__}.{name}_engine").QUEUE)
