"""A store with all that it can do."""

from __future__ import annotations

from ringgate.store.evidence import EvidenceRows
from ringgate.store.pruning import Pruning


class Store(Pruning, EvidenceRows):
    """Keeps every finished run exactly once (by its run id), and gives them back. A sink. Safe for threads."""
