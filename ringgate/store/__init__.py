"""What was run and what happened around it, kept: SQLite in WAL mode by default, PostgreSQL by URL, the same code.

store = Store("sqlite:////home/qa/.local/state/ringgate/results.sqlite")
store.on(RunFinished(result))
store.results(session="20261122T2300-k3v9x2")
store.columns(ring="canary", release="8.0.3")        # of a million runs in a tenth of a second
"""

from ringgate.store.database import StoreError
from ringgate.store.evidence import EvidenceRow, EvidenceRows
from ringgate.store.notes import CounterKey, ProberState
from ringgate.store.pruning import Pruned, Pruning
from ringgate.store.runs import LATE
from ringgate.store.tables import SCHEMA_VERSION


class Store(Pruning, EvidenceRows):
    """Keeps every finished run exactly once (by its run id), and gives them back. A sink. Safe for threads."""


__all__ = ["LATE", "SCHEMA_VERSION", "CounterKey", "EvidenceRow", "ProberState", "Pruned", "Store", "StoreError"]
