"""Results as columns: what a judge or a statistic reads of a million runs, 28 bytes each, instead of an object each.

    columns.records["started"]               # numpy: microseconds since 1970, UTC
    columns.labels[record["labels"]]         # RunLabels("probe", "8.0.3", "time-entry", "aldgate", "canary", "api")
    columns.shapes[record["shape"]]          # RunShape(Outcome.PASSED, (("enter time", Outcome.PASSED, None),))

What many runs have in common is said once: their labels, and how they went. Only times are of each run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringgate.domain.labels import RunLabels, RunShape, labels_of, microseconds, shape_of, span_of
from ringgate.domain.model import RunResult

RECORD = np.dtype(
    [("labels", "<u4"), ("shape", "<u4"), ("started", "<i8"), ("took", "<u4"), ("undoing", "<u4"), ("posting", "<u4")]
)  # fmt: skip
"""One run: keys of its labels and its shape, its start in microseconds since 1970, and the microseconds (`span_of`)
that it took, that undoing it took, and that its steps took that post: 0 where there are none, and in what was stored
before they were noted."""


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

    def in_order(self) -> ResultColumns:
        """By the start of each."""
        started = self.records["started"]
        if len(started) < 2 or (started[1:] >= started[:-1]).all():
            return self
        return ResultColumns(self.records[np.argsort(started, kind="stable")], self.labels, self.shapes)

    def newest(self, number: int) -> ResultColumns:
        """So many of them at most, those that started last."""
        if len(self) <= number:
            return self
        rows = np.argpartition(self.records["started"], len(self) - number)[-number:]
        return ResultColumns(self.records[rows], self.labels, self.shapes)

    def keys(self, of: str) -> list[int]:
        """The keys of the labels, or of the shapes, that occur: `of` is "labels" or "shape"."""
        found: list[int] = np.flatnonzero(np.bincount(self.records[of])).tolist()
        return found

    @classmethod
    def of(cls, results: Iterable[RunResult]) -> ResultColumns:
        """ResultColumns of results, in their order."""
        labels, shapes = dict[RunLabels, int](), dict[RunShape, int]()
        rows = [
            (
                labels.setdefault(labels_of(each), len(labels)),
                shapes.setdefault(shape_of(each), len(shapes)),
                microseconds(each.started_at),
                span_of(each.seconds),
                span_of(each.undo_seconds),
                span_of(each.posting / 1e6),
            )
            for each in results
        ]
        return cls(np.array(rows, RECORD), {n: each for each, n in labels.items()}, {n: s for s, n in shapes.items()})
