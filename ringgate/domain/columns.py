"""Results as columns: what a judge or a statistic reads of a million runs, 32 bytes each, instead of an object each.

    columns.records["started"]               # numpy: microseconds since 1970, UTC
    columns.labels[record["labels"]]         # RunLabels("probe", "8.0.3", "time-entry", "aldgate", "canary", "api")
    columns.shapes[record["shape"]]          # RunShape(Outcome.PASSED, (("enter time", Outcome.PASSED),))

What many runs have in common is said once: their labels, and how they went. Only times are of each run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringgate.domain.model import Channel, Failure, Outcome, RunResult, Source

RECORD = np.dtype(
    [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8"), ("seconds", "<f8"), ("undo", "<f8")]
)  # fmt: skip
"""One run: keys of its labels and its shape, its start in microseconds since 1970, and its two durations in seconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RunLabels:
    """What ran, where and what for."""

    source: Source
    release: str
    scenario: str
    tenant: str
    ring: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class RunShape:
    """How a run went: its outcome, the names and outcomes of its steps, and what kind of failure it had.

    `failure` has no texts: its kind, step, basis and invariant alone."""

    outcome: Outcome
    steps: tuple[tuple[str, Outcome], ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """Runs in the order in which they were read. `records` is of the type RECORD."""

    records: NDArray[Any] = field(default_factory=lambda: np.empty(0, RECORD))
    labels: Mapping[int, RunLabels] = field(default_factory=dict)
    shapes: Mapping[int, RunShape] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)

    def where(self, wanted: Callable[[RunLabels], bool]) -> ResultColumns:
        """Those with fitting labels."""
        table = np.zeros(max(self.labels, default=-1) + 1, bool)
        for key, labels in self.labels.items():
            table[key] = wanted(labels)
        return self.only(table[self.records["labels"]])

    def only(self, rows: NDArray[np.bool_]) -> ResultColumns:
        """Those of a mask. Nothing is copied where it is all of them."""
        return self if rows.all() else ResultColumns(self.records[rows], self.labels, self.shapes)

    @classmethod
    def of(cls, results: Iterable[RunResult]) -> ResultColumns:
        """ResultColumns of results, in their order."""
        labels, shapes = dict[RunLabels, int](), dict[RunShape, int]()
        rows = [
            (
                labels.setdefault(labels_of(each), len(labels)),
                shapes.setdefault(shape_of(each), len(shapes)),
                microseconds(each.started_at),
                each.seconds,
                each.undo_seconds,
            )
            for each in results
        ]
        return cls(np.array(rows, RECORD), {n: each for each, n in labels.items()}, {n: s for s, n in shapes.items()})


def labels_of(result: RunResult) -> RunLabels:
    return RunLabels(result.source, result.release, result.scenario, result.tenant, result.ring, result.channel)


def shape_of(result: RunResult) -> RunShape:
    failure = result.failure
    if failure is not None:
        failure = Failure(failure.kind, "", failure.step, ground=failure.ground, invariant=failure.invariant)
    return RunShape(result.outcome, tuple((step.name, step.outcome) for step in result.steps), failure)


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """The aware moment of so many microseconds since 1970."""
    return _EPOCH + int(at) * _MICROSECOND
