"""What must be taken back of a run: written down before the write is sent, and carried out by a driver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

NOTHING_TO_UNDO = "nothing to undo"
"""What `Connection.undo` answers when the ERP has no such record."""


POSTING = frozenset({"post_invoice", "credit_invoice", "pay_invoice", "post_entry"})
"""Verbs that write to the ledger. A step that does is a posting step, whatever it is called."""

IN_TURN = POSTING | {"draft_invoice"}
"""Verbs that wait for each other inside the ERP: they draw numbers, or write the one customer that all runs of ours
bill. Two at once can make an ERP begin one of them again, and say then that there is nothing to invoice."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """What must be undone, written down before it is done: JSON-safe, so that another process can take it up.

    `verb` is the writing verb; `role` who did it; `marker` what the record carries; `target` the id of the record the
    verb acted on ("" when it creates one); `ref` the id of what came of it, "" while unknown (a crash in between).
    """

    verb: str
    role: str
    marker: str
    target: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class MarkedRecord:
    """A record that carries a run's marker and is still open: what takes it back, found without any journal.

    `record` says in words which one it is. `ours`: one of the tenant's synthetic users made it; what others made may be
    a copy, and is theirs. `reversals` are in the order of the writes, each with the id of the record."""

    run_id: str
    record: str
    marker: str
    made_at: datetime
    ours: bool
    reversals: tuple[Reversal, ...]
