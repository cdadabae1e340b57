"""Every single value that differs between two fingerprints, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from ringgate.fingerprint.pairing import pair
from ringgate.fingerprint.policy import Tolerances
from ringgate.fingerprint.sections import SECTIONS, Section, line_label
from ringgate.fingerprints import DocumentLine, Fingerprint, Line

LOST, NEW, RENAMED, CHANGED = "lost", "new", "renamed", "changed"
UNCOMPARED = {"lines", "roles", "rights"}
"""Values of a record that are compared item by item."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one record. `was` and `is_` are the records (`line_was`, `line_is` the lines) that differ."""

    section: Section
    what: str
    field: str
    before: Any
    after: Any
    was: Any = None
    is_: Any = None
    line_was: Line | DocumentLine | None = None
    line_is: Line | DocumentLine | None = None

    @property
    def record(self) -> Any:
        """As it was, unless it is new."""
        return self.was if self.was is not None else self.is_

    @property
    def line(self) -> Line | DocumentLine | None:
        return self.line_was or self.line_is

    @property
    def label(self) -> str:
        return self.section.label(self.record)

    @property
    def path(self) -> tuple[str, ...]:
        """account -> period -> document -> line for the ledger, document -> line for others."""
        head: tuple[str, ...] = ()
        if self.section.attribute == "entries":
            lines = [self.line] if isinstance(self.line, Line) else self.record.lines
            head = (", ".join(sorted({line.account for line in lines})), self.record.period)
        tail = (line_label(self.line),) if self.line else ()
        return (*head, self.label, *tail, *([self.field] if self.field and self.what == CHANGED else []))


def changes(before: Fingerprint, after: Fingerprint, tolerances: Tolerances) -> Iterator[Change]:
    """In the order of the sections."""
    for section in SECTIONS:
        was, is_ = getattr(before, section.attribute), getattr(after, section.attribute)
        pairs, lost, new = pair(was, is_, section.keys)
        for one, other in pairs:
            yield from _within(section, one, other, tolerances)
        for each in lost:
            yield Change(section, LOST, "", section.label(each), None, was=each)
        for each in new:
            yield Change(section, NEW, "", None, section.label(each), is_=each)


def _within(section: Section, was: Any, is_: Any, tolerances: Tolerances) -> Iterator[Change]:
    for field in fields(was):
        one, other = getattr(was, field.name), getattr(is_, field.name)
        if field.name in UNCOMPARED or _same(one, other, tolerances.of(section.word)):
            continue
        # A number where there was none is not another number: a draft was posted.
        named = field.name == section.numbered and one and other
        yield Change(section, RENAMED if named else CHANGED, field.name, one, other, was, is_)
    if section.line_keys:
        yield from _lines(section, was, is_, tolerances)
    for name in ("roles", "rights"):
        if hasattr(was, name):
            held, holds = set(getattr(was, name)), set(getattr(is_, name))
            for each in sorted(held - holds):
                yield Change(section, LOST, name, each, None, was, is_)
            for each in sorted(holds - held):
                yield Change(section, NEW, name, None, each, was, is_)


def _lines(section: Section, was: Any, is_: Any, tolerances: Tolerances) -> Iterator[Change]:
    pairs, lost, new = pair(was.lines, is_.lines, section.line_keys)
    for one, other in pairs:
        for field in fields(one):
            values = getattr(one, field.name), getattr(other, field.name)
            if not _same(*values, tolerances.of(section.word)):
                yield Change(section, CHANGED, field.name, *values, was, is_, one, other)
    for line in lost:
        yield Change(section, LOST, "line", line_label(line), None, was, is_, line_was=line)
    for line in new:
        yield Change(section, NEW, "line", None, line_label(line), was, is_, line_is=line)


def _same(one: object, other: object, tolerance: Decimal) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= tolerance
    return one == other
