"""What was run and what happened around it, kept: SQLite in WAL mode by default, PostgreSQL by URL, the same code.

store = Store("sqlite:////home/qa/.local/state/ringgate/results.sqlite")
store.on(RunFinished(result))
store.results(session="20261122T2300-k3v9x2")
store.columns(ring="canary", release="8.0.3")        # of a million runs in a tenth of a second

with session_store(url) as store: ...                # for one session of a suite, which does without SQLAlchemy

What is named here is loaded when it is asked for: SQLAlchemy takes a third of a session's start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ringgate.store.errors import StoreError
from ringgate.store.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from ringgate.store.evidence import EvidenceRow, EvidenceRows
    from ringgate.store.notes import CounterKey, ProberState
    from ringgate.store.pruning import Pruned, Pruning
    from ringgate.store.runs import LATE
    from ringgate.store.sessions import SessionStore, session_store
    from ringgate.store.whole import Store

_WHERE: Final = {
    "LATE": "runs", "CounterKey": "notes", "EvidenceRow": "evidence", "EvidenceRows": "evidence",
    "ProberState": "notes", "Pruned": "pruning", "Pruning": "pruning", "SessionStore": "sessions", "Store": "whole",
    "session_store": "sessions",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


__all__ = [
    "LATE",
    "SCHEMA_VERSION",
    "CounterKey",
    "EvidenceRow",
    "EvidenceRows",
    "ProberState",
    "Pruned",
    "Pruning",
    "SessionStore",
    "Store",
    "StoreError",
    "session_store",
]
