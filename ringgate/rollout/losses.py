"""What a rollback loses, noted on disk before the books that say so are gone.

aldgate-lost.json     {"lost": [{"kind": "invoice", "name": "37", "amount": "1,080.00 GBP", "again": true, ...}]}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from ringgate.domain.errors import RinggateError
from ringgate.fingerprint import LostDocument, lost_documents
from ringgate.fingerprint.model import Fingerprint
from ringgate.host.atomic_files import write_atomically
from ringgate.rollout.results import LostRow, RollbackResult

_FORM: Final = TypeAdapter(RollbackResult)


def note_losses(folder: Path, tenant: str, before: Fingerprint, now: Callable[[], Fingerprint]) -> None:
    """Notes what `now` reads and the books `before` do not hold; if it cannot be read, why not."""
    rows, unread = list[LostRow](), ""
    try:
        rows = [LostRow(**{**asdict(x), "amount": shown(x, before.currency)}) for x in lost_documents(before, now())]
    except RinggateError as problem:
        unread = f"What was written since the upgrade could not be read: {problem}"
    write_atomically(_file(folder, tenant), _FORM.dump_json(RollbackResult(rows, unread)))


def losses(folder: Path, tenant: str) -> RollbackResult:
    """What was noted, nothing if there was no rollback of an upgraded tenant."""
    noted = _file(folder, tenant)
    return _FORM.validate_json(noted.read_bytes()) if noted.is_file() else RollbackResult()


def shown(lost: LostDocument, currency: str) -> str:
    """`1,080.00 GBP`, `7.5 h`, "" for none."""
    if lost.amount is None:
        return ""
    return f"{lost.amount.normalize():f} h" if lost.kind == "time" else f"{lost.amount:,} {currency}"


def _file(folder: Path, tenant: str) -> Path:
    return folder / f"{tenant}-lost.json"
