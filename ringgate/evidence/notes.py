"""What people and their tools note about tenants: incidents, support tickets, configuration changes. Checked, and
chained as evidence; the same for a command and for a server.

    note = note_said(known, {"kind": "ticket", "tenants": ["aldgate"], "what": "no invoice came"}, now)
    noted(store)[-1].what
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from ringgate.domain.model import NotedEvent
from ringgate.evidence.canonical import plain
from ringgate.evidence.chain import EvidenceChain
from ringgate.evidence.deployments import Wrong, moment_said, wrong_places
from ringgate.evidence.entry import EvidenceActor, EvidenceEntry, EvidenceKind, NewEvidence, entry_of
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.inventory.files import nearest
from ringgate.store import Store

KINDS = (EvidenceKind.INCIDENT, EvidenceKind.TICKET, EvidenceKind.CHANGE)
LONGEST = {"what": 1000, "of": 128, "reference": 300, "by": 128}
"""Characters."""

LATEST = 200
"""So many are shown at most."""


def note_said(known: Inventory, said: Mapping[str, Any], now: datetime) -> tuple[NotedEvent | None, list[Wrong]]:
    """What was said, as a note without an id; None with everything that is wrong with it. `said` has `kind`, `ring`,
    `tenants`, `began`, `ended` and the texts of `LONGEST`, each where somebody said it."""
    kind, ring = str(said.get("kind") or ""), str(said.get("ring") or "")
    tenants = tuple(sorted(set(said.get("tenants") or ())))
    texts = {key: str(said.get(key) or "").strip() for key in LONGEST}
    began, wrong = moment_said(said.get("began"), now, "began")
    ended, more = moment_said(said["ended"], now, "ended") if said.get("ended") else (None, [])
    wrong += more
    if not wrong and ended and ended < began:
        wrong.append(("ended", "is before began"))
    wrong += [
        *_wrong_kind(kind, ring, tenants),
        *wrong_places(known, ring or None, tenants, "tenants"),
        *_wrong_texts(texts),
    ]
    if wrong:
        return None, wrong
    rings = {each.ring for each in known.tenants if each.id in tenants}
    told = {key: redact(text) for key, text in texts.items()}
    where = ring or (rings.pop() if len(rings) == 1 else "")
    return NotedEvent("", kind, tenants, where, began=began, ended=ended, **told), []


def _wrong_kind(kind: str, ring: str, tenants: Sequence[str]) -> Iterator[Wrong]:
    names = [each.value for each in KINDS]
    if kind not in names:
        yield "kind", f'"{kind}" is none; there is {", ".join(names)}{nearest(kind, names)}'
    elif kind == EvidenceKind.CHANGE:
        if not ring and not tenants:
            yield "tenants", "is required, or ring for all of a ring's"
    elif len(tenants) != 1:
        yield "tenants", f"must name one tenant: a {kind} is of one"


def _wrong_texts(texts: Mapping[str, str]) -> Iterator[Wrong]:
    if not texts["what"]:
        yield "what", "must not be empty: say it in a sentence"
    for key, most in LONGEST.items():
        if len(texts[key]) > most:
            yield key, f"has more than {most} characters"


def keep_note(store: Store, by: EvidenceActor, note: NotedEvent) -> tuple[NotedEvent, bool]:
    """Notes it, once for an id: what was noted under it before is returned as it was. And whether it is new. Raises
    StoreError."""
    chain, key = EvidenceChain(store, by), f"{note.kind}/{note.id}/noted"
    if before := chain.entries(keys=[f"{kind.value}/{note.id}/noted" for kind in KINDS]):
        return _note(before[0]), False
    body = plain(asdict(note))
    if note.kind == EvidenceKind.INCIDENT:
        body["tenant"] = note.tenants[0]
    chain.append(NewEvidence(EvidenceKind(note.kind), key, note.of, note.ring, body))
    (kept,) = chain.entries(keys=[key])
    return _note(kept), True


def noted(store: Store, ring: str | None = None, latest: int = LATEST) -> list[NotedEvent]:
    """The latest of them, oldest first by when they began. Raises StoreError or EvidenceUnreadable."""
    rows = store.evidence_rows(kinds=[each.value for each in KINDS], latest=latest)
    found = notes_of([entry_of(row) for row in rows])
    return [each for each in found if ring is None or each.ring == ring]


def notes_of(entries: Sequence[EvidenceEntry]) -> list[NotedEvent]:
    """Those among these entries, oldest first by when they began; what was noted later of one completes it."""
    found: dict[tuple[str, str], NotedEvent] = {}
    for each in entries:
        if each.kind in KINDS:
            note = _note(each)
            old = found.get((note.kind, note.id))
            found[note.kind, note.id] = replace(old, ended=note.ended or old.ended) if old else note
    return sorted(found.values(), key=lambda each: each.began)


def _note(entry: EvidenceEntry) -> NotedEvent:
    body = entry.body
    ended = body.get("ended")
    return NotedEvent(
        id=str(body["id"]), kind=entry.kind.value, ring=entry.ring, what=str(body.get("what", "")),
        tenants=tuple(body["tenants"]) if "tenants" in body else (str(body["tenant"]),),
        began=datetime.fromisoformat(str(body.get("began") or entry.at.isoformat())),
        ended=datetime.fromisoformat(str(ended)) if ended else None,
        of=str(body.get("of", "")), reference=str(body.get("reference", "")), by=str(body.get("by", "")),
    )  # fmt: skip
