"""One value that differs between two fingerprints, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringgate.fingerprint.model import DocumentLine, LedgerLine
from ringgate.fingerprint.sections import Section, line_label

LOST, NEW, RENAMED, CHANGED = "lost", "new", "renamed", "changed"


@dataclass(frozen=True, slots=True)
class BookChange:
    """One value of one record. `was` and `is_` are the records (`line_was`, `line_is` the lines) that differ."""

    section: Section
    what: str
    field: str
    before: Any
    after: Any
    was: Any = None
    is_: Any = None
    line_was: LedgerLine | DocumentLine | None = None
    line_is: LedgerLine | DocumentLine | None = None

    @property
    def record(self) -> Any:
        """As it was, unless it is new."""
        return self.was if self.was is not None else self.is_

    @property
    def line(self) -> LedgerLine | DocumentLine | None:
        return self.line_was or self.line_is

    @property
    def label(self) -> str:
        return self.section.label(self.record)

    @property
    def path(self) -> tuple[str, ...]:
        """account -> period -> document -> line for the ledger, document -> line for others."""
        head: tuple[str, ...] = ()
        if self.section.attribute == "entries":
            lines = [self.line] if isinstance(self.line, LedgerLine) else self.record.lines
            head = (", ".join(sorted({line.account for line in lines})), self.record.period)
        tail = (line_label(self.line),) if self.line else ()
        return (*head, self.label, *tail, *([self.field] if self.field and self.what == CHANGED else []))
