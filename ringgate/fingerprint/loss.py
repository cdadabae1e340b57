"""What going back to a backup would lose: the business documents written since, and which must be entered again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ringgate.fingerprint.change import CHANGED, NEW, BookChange
from ringgate.fingerprint.changes import changes
from ringgate.fingerprint.model import Document, Fingerprint, Hours, LedgerEntry, Work
from ringgate.fingerprint.policy import Tolerances
from ringgate.fingerprint.sections import shown

MARKER = "RG-"
SYNTHETIC = "Ringgate Synthetic"
"""What the descriptions of records that Ringgate wrote contain, and the names of its parties begin with."""


@dataclass(frozen=True, slots=True)
class LostDocument:
    """One document that the backup does not hold, or holds in an earlier state.

    `name` is its number, or what it is called; `amount` money in the tenant's currency, hours for time, None where
    there is none; `again` whether somebody must enter it (or its last step) again, and `reason` why or why not.
    """

    kind: str
    name: str
    party: str
    amount: Decimal | None
    state: str
    again: bool
    reason: str


def lost_documents(backup: Fingerprint, now: Fingerprint, synthetic: str = SYNTHETIC) -> list[LostDocument]:
    """What `now` has and `backup` has not, documents first. `synthetic` begins the names of Ringgate's own parties."""
    found = list(changes(backup, now, Tolerances()))
    reversed_ = _reversed_to_nil(found)
    told: set[int] = set()
    lost = []
    # Of a draft that was posted, the state says more than the number that came with it.
    for change in sorted(found, key=lambda change: change.field != "state"):
        if change.is_ is None or id(change.is_) in told or not _counts(change):
            continue
        told.add(id(change.is_))
        lost.append(_lost(change, reversed_, synthetic))
    documents = {each.name for each in lost if each.kind not in ("posting", "time", "project", "task")}
    return [each for each in lost if each.kind != "posting" or not _belongs(each, now, documents)]


def _counts(change: BookChange) -> bool:
    """New records, and steps of business that were taken since; a project is no document while it only changes."""
    record = change.is_
    if isinstance(record, Work):
        return change.what == NEW
    return isinstance(record, Document | LedgerEntry | Hours) and change.what in (NEW, CHANGED)


def _reversed_to_nil(found: list[BookChange]) -> set[str]:
    """Numbers of new documents that others which are as new take back."""
    new = [each.is_ for each in found if each.what == NEW and isinstance(each.is_, Document)]
    numbers = {each.number for each in new if each.number}
    pairs = {(each.number, each.reversed_by) for each in new if each.reversed_by in numbers and each.number}
    return {number for pair in pairs for number in pair}


def _lost(change: BookChange, reversed_: set[str], synthetic: str) -> LostDocument:
    record = change.is_
    kind, name, party, amount, state = _facts(record)
    again, reason = True, "must be entered again"
    if change.what != NEW:
        reason = f"must be done again: {change.field or 'it'} was {shown(change.before)} in the backup"
    if _is_synthetic(record, synthetic):
        again, reason = False, "synthetic: Ringgate wrote it"
    elif isinstance(record, Document) and record.number in reversed_:
        again, reason = (
            False,
            "reversed to nil by its credit note" if record.reversed_by else "takes back a new invoice",
        )
    return LostDocument(kind, name, party, amount, state, again, reason)


def _facts(record: object) -> tuple[str, str, str, Decimal | None, str]:
    if isinstance(record, Document):
        return record.kind, record.number or record.description, record.party, record.total, record.state
    if isinstance(record, LedgerEntry):
        debit = sum((line.debit for line in record.lines), Decimal(0))
        party = next((line.party for line in record.lines if line.party), "")
        return "posting", record.number or f"draft of {record.on}", party, debit, record.state
    if isinstance(record, Hours):
        return (
            "time",
            ": ".join(filter(None, (f"{record.work}, {record.on}", record.description))),
            record.employee,
            record.hours,
            "billed" if record.billed else "open",
        )
    assert isinstance(record, Work)
    return record.kind, record.name, record.customer, None, record.state


def _is_synthetic(record: object, synthetic: str) -> bool:
    return any(MARKER in text or text.startswith(synthetic) for text in _texts(record))


def _texts(record: object) -> Iterator[str]:
    for name in ("description", "party", "customer", "name", "work"):
        if isinstance(text := getattr(record, name, None), str):
            yield text
    for line in getattr(record, "lines", ()):
        yield line.description
        yield getattr(line, "party", "")


def _belongs(posting: LostDocument, now: Fingerprint, documents: set[str]) -> bool:
    """Whether a posting is entered again with its document."""
    origins = {entry.number: entry.origin for entry in now.entries}
    return origins.get(posting.name, "") in documents
