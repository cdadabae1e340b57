"""What a rollback loses, noted on disk before the books that say so are gone.

aldgate-lost.json     {"lost": [{"kind": "invoice", "name": "37", "amount": "1,080.00 GBP", "again": true, ...}]}
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ringgate.domain.errors import RinggateError
from ringgate.fingerprint import LostDocument, lost_documents
from ringgate.fingerprint.model import Fingerprint
from ringgate.host.atomic_files import write_atomically


def note_losses(folder: Path, tenant: str, before: Fingerprint, now: Callable[[], Fingerprint]) -> None:
    """Notes what `now` reads and the books `before` do not hold; if it cannot be read, why not."""
    rows, unread = list[dict[str, Any]](), ""
    try:
        rows = [{**asdict(each), "amount": shown(each, before.currency)} for each in lost_documents(before, now())]
    except RinggateError as problem:
        unread = f"What was written since the upgrade could not be read: {problem}"
    write_atomically(_file(folder, tenant), json.dumps({"lost": rows, "unread": unread}))


def losses(folder: Path, tenant: str) -> dict[str, Any]:
    """What was noted, nothing if there was no rollback of an upgraded tenant."""
    noted = _file(folder, tenant)
    found: dict[str, Any] = {"lost": [], "unread": ""}
    return json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else found


def shown(lost: LostDocument, currency: str) -> str:
    """`1,080.00 GBP`, `7.5 h`, "" for none."""
    if lost.amount is None:
        return ""
    return f"{lost.amount.normalize():f} h" if lost.kind == "time" else f"{lost.amount:,} {currency}"


def _file(folder: Path, tenant: str) -> Path:
    return folder / f"{tenant}-lost.json"
