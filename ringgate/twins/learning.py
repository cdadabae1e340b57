"""Passing runs of one key -> what they have in common. What varies between them is known to vary, by evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from ringgate.twins.model import NOTHING, LearnedField, LearnedRecord, LearnedTwin, Readings, Twin, TwinRecord

ENOUGH = 3
"""Runs that a twin is learned from before another is compared with it."""

_EMPTY: Readings = (frozenset({NOTHING}),)


def first(twin: Twin) -> LearnedTwin:
    """What one run alone teaches: that everything is as it was."""
    records = {
        model: tuple(LearnedRecord(model, {n: _learned(v) for n, v in each.fields.items()}) for each in those)
        for model, those in twin.by_model().items()
    }
    return LearnedTwin(
        twin.key, twin.series, twin.version, twin.release, 1, twin.run_id, records, dict(twin.labels)
    )  # fmt: skip


def merged(learned: LearnedTwin, twin: Twin) -> LearnedTwin:
    """With one run more."""
    there = twin.by_model()
    records = {
        model: _merged_records(learned.records.get(model, ()), there.get(model, ()), model)
        for model in {**learned.records, **there}
    }
    return LearnedTwin(
        twin.key, twin.series, twin.version, twin.release, learned.runs + 1, twin.run_id, records,
        {**learned.labels, **twin.labels},
    )  # fmt: skip


def _merged_records(old: Sequence[LearnedRecord], new: Sequence[TwinRecord], model: str) -> tuple[LearnedRecord, ...]:
    """By their places. Those beyond the shorter list are made by some runs only."""
    found = []
    for before, now in zip_longest(old, new):
        if before is None:
            found.append(LearnedRecord(model, {n: _learned(v) for n, v in now.fields.items()}, always=False))
        elif now is None:
            found.append(LearnedRecord(model, before.fields, always=False))
        else:
            found.append(LearnedRecord(model, _merged_fields(before.fields, now.fields), before.always))
    return tuple(found)


def _merged_fields(old: Mapping[str, LearnedField], new: Mapping[str, Readings]) -> dict[str, LearnedField]:
    """A field that only some runs have (a line of a printed document) is empty in the others."""
    absent = LearnedField(_EMPTY, sometimes_empty=True)
    return {name: _merged(old.get(name, absent), new.get(name, _EMPTY)) for name in {**old, **new}}


def _merged(old: LearnedField, new: Readings) -> LearnedField:
    ranks = zip_longest(old.readings, new, fillvalue=frozenset[str]())
    return LearnedField(tuple(mine & other for mine, other in ranks), old.sometimes_empty or is_empty(new))


def _learned(readings: Readings) -> LearnedField:
    return LearnedField(readings, is_empty(readings))


def is_empty(readings: Readings) -> bool:
    return readings == _EMPTY
