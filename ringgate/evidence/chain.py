"""The chain of evidence in a store: added to, read, and verified.

chain = EvidenceChain(store, this_actor())
chain.append(NewEvidence(EvidenceKind.VERDICT, "verdict/x1", "8.0.3", "canary", {"verdict": "pass"}))
chain.verify().problems       # [] or what was changed, in sentences
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ringgate.evidence.canonical import digest_of_text, plain
from ringgate.evidence.entry import (
    FIRST,
    EvidenceActor,
    EvidenceEntry,
    EvidenceKind,
    EvidenceUnreadable,
    NewEvidence,
    entry_of,
)
from ringgate.evidence.witness import ChainHead, ChainWitness
from ringgate.host.secrets import redact
from ringgate.store import EvidenceRow, Store

MOST = 20
"""Problems that are told one by one."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying came to. `problems` speak against the chain; `remarks` say what is missing without a change of
    it: work that was begun and has no end."""

    entries: int
    head: ChainHead | None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.problems


class EvidenceChain:
    """The evidence in one store. Safe for threads and beside other processes."""

    def __init__(
        self,
        store: Store,
        by: EvidenceActor,
        *,
        witness: ChainWitness | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._by, self._clock = store, by, clock
        self.witness = witness or ChainWitness(store.address)

    def append(self, *new: NewEvidence) -> list[EvidenceEntry]:
        """Adds what is not there yet, all of it or nothing, and returns what was added. Raises StoreError."""
        wanted = {each.key: each for each in new}
        added: list[EvidenceEntry] = []

        def make(last: EvidenceRow | None, missing: Collection[str]) -> list[EvidenceRow]:
            number, previous = (last.number, last.digest) if last else (0, FIRST)
            at, rows = self._clock(), list[EvidenceRow]()
            for each in wanted.values():
                if each.key in missing:
                    number += 1
                    entry = self._entry(each, number, previous, at)
                    added.append(entry)
                    rows.append(entry.row)
                    previous = rows[-1].digest
            return rows

        rows = self._store.append_evidence(list(wanted), make)
        if rows and self._still_there(self.witness.last()):
            self.witness.saw(ChainHead(rows[-1].number, rows[-1].digest))
        return added

    def _still_there(self, head: ChainHead | None) -> bool:
        """Whether what this machine saw last is in the chain: else that must be told, and not be overwritten."""
        return head is None or self._store.evidence_digest(head.number) == head.digest

    def _entry(self, new: NewEvidence, number: int, previous: str, at: datetime) -> EvidenceEntry:
        return EvidenceEntry(
            number=number, previous=previous, at=at, kind=new.kind, key=new.key, release=new.release, ring=new.ring,
            by=self._by, body=_redacted(plain(new.body)),
        )  # fmt: skip

    def entries(
        self, *, release: str | None = None, kinds: Collection[EvidenceKind] = (), keys: Collection[str] = ()
    ) -> list[EvidenceEntry]:
        """Those that fit, oldest first. Raises StoreError or EvidenceUnreadable."""
        return [entry_of(row) for row in self._store.evidence_rows(release=release, kinds=kinds, keys=keys)]

    def verify(self, head: ChainHead | None = None) -> ChainReport:
        """Reads every entry and says all that is wrong. `head` is one that somebody noted elsewhere: it must be in the
        chain, as must be what this machine saw. Raises StoreError."""
        return verified(self._store.each_evidence_row(), [each for each in (head, self.witness.last()) if each])


def verified(rows: Iterator[EvidenceRow], seen: Collection[ChainHead] = ()) -> ChainReport:
    """What is wrong with these rows, which must be a chain from its first entry on and hold what was `seen` of it."""
    problems, remarks = list[str](), list[str]()
    begun: dict[str, EvidenceEntry] = {}
    at: dict[int, str] = {}
    last: EvidenceRow | None = None
    count = 0
    for row in rows:
        count += 1
        problems += _wrong_order(row, last)
        wrong, entry = _wrong_entry(row, last)
        problems += wrong
        if any(row.number == each.number for each in seen):
            at[row.number] = row.digest
        if entry is not None:
            remarks += _unfinished(entry, begun)
        last = row
    for each in seen:
        if at.get(each.number) != each.digest:
            words = (
                "another one stands there" if each.number in at else f"the store ends with {last.number if last else 0}"
            )
            problems.append(f"entry {each.number} with the digest {each.digest[:16]}... was seen, and {words}")
    remarks += [f"{_begun(each)} has no end: it was abandoned, or is still at work" for each in begun.values()]
    if len(problems) > MOST:
        problems = [*problems[:MOST], f"and {len(problems) - MOST} more"]
    return ChainReport(count, ChainHead(last.number, last.digest) if last else None, tuple(problems), tuple(remarks))


def _wrong_order(row: EvidenceRow, last: EvidenceRow | None) -> list[str]:
    expected = last.number + 1 if last else 1
    if row.number == expected:
        return []
    gap = f"entries {expected} to {row.number - 1} are" if row.number - expected > 1 else f"entry {expected} is"
    return [f"{gap} missing"] if row.number > expected else [f"entry {row.number} stands after {expected - 1}"]


def _wrong_entry(row: EvidenceRow, last: EvidenceRow | None) -> tuple[list[str], EvidenceEntry | None]:
    if digest_of_text(row.entry) != row.digest:
        return [f"entry {row.number} was changed: its text does not have its digest"], None
    try:
        entry = entry_of(row)
    except EvidenceUnreadable as error:
        return [str(error)], None
    found = []
    if entry.row != row:
        found.append(f"entry {row.number} was changed: what stands beside its text is not what stands in it")
    if entry.previous != (last.digest if last else FIRST):
        before = f"entry {last.number}" if last else "nothing"
        found.append(f"entry {row.number} does not follow {before}: one of them was put there")
    return found, entry


def _unfinished(entry: EvidenceEntry, begun: dict[str, EvidenceEntry]) -> list[str]:
    """Pairs starts with their ends, by the session of both. Says which start was cut off by a later one."""
    session = str(entry.body.get("session", ""))
    if entry.kind is EvidenceKind.END:
        begun.pop(session, None)
    if entry.kind is not EvidenceKind.START:
        return []
    cut, begun[session] = begun.get(session), entry
    return [f"{_begun(cut)} has no end: it was cut off, and gone on with by entry {entry.number}"] if cut else []


def _begun(entry: EvidenceEntry) -> str:
    return f"entry {entry.number}, the start of {entry.release} at {entry.at:%Y-%m-%d %H:%M} UTC by {entry.by.user},"


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): _redacted(each) for key, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value
