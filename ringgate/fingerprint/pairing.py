"""Finds the same record in two fingerprints, although its number, its name or another value may have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
Key = Callable[[Any], Hashable]
"""What two records must have in common to be taken for one; None for a record that this cannot be said of."""


def pair(before: Sequence[T], after: Sequence[T], keys: Sequence[Key]) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pairs that differ, what is left of `before`, what is left of `after`.

    Equal records are taken out first. The keys are tried in order, the strictest first; where several records have the
    same key they are paired in their order, each once.
    """
    lost, new = _without_equal(before, after)
    pairs: list[tuple[T, T]] = []
    for key in keys:
        if not lost or not new:
            break
        waiting: dict[Hashable, list[T]] = defaultdict(list)
        for each in reversed(new):
            waiting[key(each)].append(each)
        waiting.pop(None, None)
        left: list[T] = []
        for each in lost:
            if partners := waiting.get(key(each)):
                pairs.append((each, partners.pop()))
            else:
                left.append(each)
        lost, taken = left, {id(found) for _, found in pairs}
        new = [each for each in new if id(each) not in taken]
    return pairs, lost, new


def _without_equal(before: Sequence[T], after: Sequence[T]) -> tuple[list[T], list[T]]:
    there: dict[T, list[int]] = defaultdict(list)
    for index in range(len(after) - 1, -1, -1):
        there[after[index]].append(index)
    lost, gone = [], set()
    for each in before:
        if equal := there.get(each):
            gone.add(equal.pop())
        else:
            lost.append(each)
    return lost, [each for index, each in enumerate(after) if index not in gone]


def by(*names: str) -> Key:
    """All of these values; no key where the first is empty: drafts without a number are not one document."""
    get = attrgetter(*names)

    def key(record: Any) -> Hashable:
        values = get(record)
        first = values[0] if len(names) > 1 else values
        return None if first in ("", None) else (names, values)

    return key


def all_but(kind: type, *names: str) -> Key:
    """Everything except these values."""
    rest = tuple(each.name for each in fields(kind) if each.name not in names)
    get = attrgetter(*rest)
    return lambda record: (rest, get(record))


def each_but_one(kind: type) -> list[Key]:
    """One key for each value that may have changed while all others are the same."""
    return [all_but(kind, each.name) for each in fields(kind)]
