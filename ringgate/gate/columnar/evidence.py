"""What each run says to each signal (see `gate/observations.py`), as arrays: by labels, by shape, and by times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringgate.domain.columns import ResultColumns
from ringgate.domain.labels import RunLabels, RunShape, moment_of
from ringgate.domain.model import RunResult, Step
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.gate.baseline import Signature
from ringgate.gate.observations import UsualPace, failed, pauses_at_most
from ringgate.gate.signals import Signal
from ringgate.gate.waivers import Waivers

Array = NDArray[Any]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NOTHING, NO, YES = -1, 0, 1
"""What a run says to a signal, as a number."""

_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def as_result(labels: RunLabels, shape: RunShape) -> RunResult:
    """A run of these labels and this shape, as far as rules and waivers look at one. Its times are made up."""
    return RunResult(
        run_id="", trace_id="", scenario=labels.scenario, tenant=labels.tenant, ring=labels.ring,
        channel=labels.channel, outcome=shape.outcome, started_at=moment_of(0), seconds=0.0,
        failure=shape.failure, source=labels.source, release=labels.release,
    )  # fmt: skip


def signature_of(labels: RunLabels, shape: RunShape) -> Signature:
    """What `baseline.signature_of` says of such a run."""
    failure = shape.failure
    if failure is None:
        return labels.scenario, "", "", ""
    return labels.scenario, failure.step, failure.kind, failure.basis.value if failure.basis else ""


class Lookup:
    """A number for each key that occurs in columns: `Lookup(columns.labels, of)[columns.records["labels"]]`."""

    def __init__(self, keys: Iterable[int], dtype: Any = np.int64, rest: Any = NOTHING) -> None:
        self.values = np.full(max(keys, default=-1) + 1, rest, dtype)

    def set(self, key: int, value: Any) -> None:
        self.values[key] = value

    def __getitem__(self, keys: Array) -> Array:
        found: Array = self.values[keys]
        return found


def numbered(columns: ResultColumns, key: Mapping[int, str]) -> tuple[Array, list[str]]:
    """Each run's number in the alphabetical list of what `key` says of its labels, and that list."""
    names = sorted(set(key.values()))
    places = {name: number for number, name in enumerate(names)}
    lookup = Lookup(columns.labels)
    for label, name in key.items():
        lookup.set(label, places[name])
    return lookup[columns.records["labels"]], names


def failing(columns: ResultColumns) -> Array:
    """`signals.failed`: YES, NO or NOTHING."""
    lookup = Lookup(columns.shapes, np.int8)
    for key, shape in columns.shapes.items():
        said = failed(_bare(shape))
        lookup.set(key, NOTHING if said is None else int(said))
    return lookup[columns.records["shape"]]


def doubtful(columns: ResultColumns) -> Bools:
    """`observations.pauses_at_most`."""
    lookup = Lookup(columns.shapes, bool, False)
    for key, shape in columns.shapes.items():
        lookup.set(key, pauses_at_most(_bare(shape)))
    found: Bools = lookup[columns.records["shape"]]
    return found


def by_shape(columns: ResultColumns, signal: Signal) -> Array:
    """What each run says to a signal that does not ask how long it took: YES, NO or NOTHING."""
    lookup, of_run, pace = Lookup(columns.shapes, np.int8), signal.definition.of_run, UsualPace.of_limits({}, {})
    for key, shape in columns.shapes.items():
        said = of_run(_bare(shape), pace) if of_run else None
        lookup.set(key, NOTHING if said is None else int(said[0]))
    return lookup[columns.records["shape"]]


def _bare(shape: RunShape) -> RunResult:
    """A run of this shape, with its steps."""
    result = as_result(RunLabels(Source.SUITE, "", "", "", "", Channel.API), shape)
    return replace(result, steps=tuple(Step(name, 0.0, 0.0, outcome, kind) for name, outcome, kind in shape.steps))


def timed(result: RunResult, record: Any) -> RunResult:
    """The result with the times of a record."""
    seconds, undo = int(record["took"]) / 1e6, int(record["undoing"]) / 1e6
    return replace(result, started_at=datetime_of(record["started"]), seconds=seconds, undo_seconds=undo)


def outcomes(columns: ResultColumns) -> Array:
    """Each run's outcome, as its place in `Outcome`."""
    lookup = Lookup(columns.shapes, np.int8)
    places = {outcome: number for number, outcome in enumerate(Outcome)}
    for key, shape in columns.shapes.items():
        lookup.set(key, places[shape.outcome])
    return lookup[columns.records["shape"]]


def known_at(columns: ResultColumns) -> Ints:
    """`signals.known_at` in microseconds."""
    at: Ints = columns.records["started"] + columns.records["took"] + columns.records["undoing"]
    return at


def accepted(columns: ResultColumns, failed_ones: Bools, waivers: Waivers) -> Bools:
    """Which failed runs a waiver accepts; each is counted as used."""
    found = np.zeros(len(columns), bool)
    if not waivers.any:
        return found
    rows = np.flatnonzero(failed_ones)
    pairs = columns.records["labels"][rows].astype(np.int64) << 32 | columns.records["shape"][rows]
    keys, first, inverse, counts = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    takes = np.zeros(len(keys), bool)
    for at in np.argsort(first, kind="stable"):  # in the order in which they came
        result = as_result(columns.labels[int(keys[at]) >> 32], columns.shapes[int(keys[at]) & 0xFFFFFFFF])
        takes[at] = waivers.accept(result, int(counts[at]))
    found[rows] = takes[inverse]
    return found


def exempted(columns: ResultColumns, asked: Bools, waivers: Waivers, covers: str) -> Bools:
    """Of the runs that are asked for, those whose tenant and scenario a waiver of this signal exempts."""
    if not waivers.any or not asked.any():
        return np.zeros(len(columns), bool)
    lookup = Lookup(columns.labels, bool, False)
    for key, count in zip(*np.unique(columns.records["labels"][asked], return_counts=True), strict=True):
        labels = columns.labels[int(key)]
        lookup.set(int(key), waivers.exempt(covers, labels.tenant, labels.scenario, int(count)))
    found: Bools = lookup[columns.records["labels"]] & asked
    return found


def distinct(values: Array) -> list[int]:
    """The distinct ones of whole numbers that are not negative, in their order."""
    found: list[int] = np.flatnonzero(np.bincount(values)).tolist() if len(values) else []
    return found


def in_order_of_coming(values: Array) -> Array:
    """The distinct ones (whole numbers, not negative), in the order in which they come first."""
    if not len(values):
        return values
    first = np.full(int(values.max()) + 1, len(values))
    first[values[::-1]] = np.arange(len(values))[::-1]  # of several the last assignment stays: the first in order
    found = np.flatnonzero(first < len(values))
    ordered: Array = found[np.argsort(first[found])]
    return ordered


def span_of(time: timedelta) -> int:
    """In microseconds."""
    return time // _MICROSECOND


def datetime_of(at: Any) -> datetime:
    return moment_of(int(at))
