"""Notes what a help desk, an alerting tool or a pipeline says over HTTP of tenants: incidents, tickets, changes.

POST /api/v1/events    {"kind": "ticket", "tenants": ["aldgate"], "what": "no invoice came", "reference": "HD-4711"}
201 {"id": ..., "kind": ..., ...}                noted; 200 where the same Idempotency-Key noted it before
422 {"errors": [{"key": "kind", "rule": ...}]}   all that is wrong with it at once
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from ringgate.domain.model import NotedEvent
from ringgate.evidence import EvidenceActor
from ringgate.evidence.deployments import id_of_key
from ringgate.evidence.notes import keep_note, note_said
from ringgate.execution.run_once import new_run_id
from ringgate.inventory import Inventory
from ringgate.store import Store
from ringgate.web.deployments import refused, wrong_kinds

KEYS = ("kind", "ring", "tenants", "what", "began", "ended", "of", "reference", "by")


class EventNotes:
    """Safe for threads: one is noted after the other."""

    def __init__(self, url: str, load: Callable[[], Inventory], by: EvidenceActor) -> None:
        self._url, self._load, self._by = url, load, by
        self._guard = threading.Lock()

    def note(self, said: Mapping[str, Any], key: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """The answer's code and body. Raises RinggateError where inventory or store cannot be read or written."""
        wrong = wrong_kinds(said, KEYS, ("kind", "what"))
        if wrong:
            return refused(wrong)
        note, wrong = note_said(self._load(), said, now)
        if note is None:
            return refused(wrong)
        note = replace(note, id=id_of_key(key) if key else new_run_id())
        with self._guard:
            store = Store(self._url)
            try:
                known, new = keep_note(store, self._by, note)
            finally:
                store.close()
        if replace(known, began=note.began, ended=note.ended) != note:
            return 409, {"errors": [{"key": "Idempotency-Key", "rule": "was used for another event"}]}
        return 201 if new else 200, _plain(known)


def _plain(note: NotedEvent) -> dict[str, Any]:
    ended = note.ended.isoformat() if note.ended else None
    return {**asdict(note), "tenants": list(note.tenants), "began": note.began.isoformat(), "ended": ended}
