"""Every single value that differs between two fingerprints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Any

from ringgate.fingerprint.change import CHANGED, LOST, NEW, RENAMED, BookChange
from ringgate.fingerprint.model import Fingerprint
from ringgate.fingerprint.pairing import Key, pair
from ringgate.fingerprint.patterns import most_common
from ringgate.fingerprint.policy import Tolerances
from ringgate.fingerprint.sections import SECTIONS, Section, line_label

UNCOMPARED = {"lines", "roles", "rights"}
"""Values of a record that are compared item by item."""


def changes(before: Fingerprint, after: Fingerprint, tolerances: Tolerances) -> Iterator[BookChange]:
    """In the order of the sections."""
    for section in SECTIONS:
        was, is_ = getattr(before, section.attribute), getattr(after, section.attribute)
        if was != is_:
            readings = [list(_read(section, keys, was, is_, tolerances)) for keys in section.readings]
            yield from min(readings, key=_causes)


def _read(section: Section, keys: list[Key], was: Any, is_: Any, tolerances: Tolerances) -> Iterator[BookChange]:
    pairs, lost, new = pair(was, is_, keys)
    for one, other in pairs:
        yield from _within(section, one, other, tolerances)
    for each in lost:
        yield BookChange(section, LOST, "", section.label(each), None, was=each)
    for each in new:
        yield BookChange(section, NEW, "", None, section.label(each), is_=each)


def _causes(found: list[BookChange]) -> tuple[int, int]:
    """How many causes a reading needs: where records have no number, several readings of one change are possible."""
    patterns = most_common(found)
    alone = sum(not pattern for pattern in patterns)
    kinds = {(change.field, pattern) for change, pattern in zip(found, patterns, strict=True) if pattern}
    return alone + len(kinds), len(found)


def _within(section: Section, was: Any, is_: Any, tolerances: Tolerances) -> Iterator[BookChange]:
    for field in fields(was):
        one, other = getattr(was, field.name), getattr(is_, field.name)
        if field.name in UNCOMPARED or _same(one, other, tolerances.of(section.word)):
            continue
        # A number where there was none is not another number: a draft was posted.
        named = field.name == section.numbered and one and other
        yield BookChange(section, RENAMED if named else CHANGED, field.name, one, other, was, is_)
    if section.line_keys:
        yield from _lines(section, was, is_, tolerances)
    for name in ("roles", "rights"):
        if hasattr(was, name):
            held, holds = set(getattr(was, name)), set(getattr(is_, name))
            for each in sorted(held - holds):
                yield BookChange(section, LOST, name, each, None, was, is_)
            for each in sorted(holds - held):
                yield BookChange(section, NEW, name, None, each, was, is_)


def _lines(section: Section, was: Any, is_: Any, tolerances: Tolerances) -> Iterator[BookChange]:
    pairs, lost, new = pair(was.lines, is_.lines, section.line_keys)
    for one, other in pairs:
        for field in fields(one):
            values = getattr(one, field.name), getattr(other, field.name)
            if not _same(*values, tolerances.of(section.word)):
                yield BookChange(section, CHANGED, field.name, *values, was, is_, one, other)
    for line in lost:
        yield BookChange(section, LOST, "line", line_label(line), None, was, is_, line_was=line)
    for line in new:
        yield BookChange(section, NEW, "line", None, line_label(line), was, is_, line_is=line)


def _same(one: object, other: object, tolerance: Decimal) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= tolerance
    return one == other
