"""What is forgotten, and what is not because something rests on it: in the store, and on disk by the same rule.

    forgetting = Forgetting(inventory.retention, paths.reports() / "evidence", policy.waivers)
    forgetting.prune(store, now)            # runs, hours and platform signals
    forgetting.prune_evidence(store, now)   # screenshots and traces of runs

What an open bake or the record of a rehearsal rests on stays, and so do failures that a waiver in force accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ringgate.domain.model import RunResult
from ringgate.domain.retention import Retention
from ringgate.domain.waivers import Waiver
from ringgate.gate.waivers import Waivers
from ringgate.host import evidence_files
from ringgate.store import Pruned, Store
from ringgate.store.pruning import LIMIT


@dataclass(frozen=True, slots=True)
class Forgetting:
    """How long what is kept, where evidence lies (a folder for each run, by its id), and the gate's waivers."""

    retention: Retention
    evidence: Path
    waivers: Sequence[Waiver] = ()

    def prune(self, store: Store, now: datetime, limit: int = LIMIT) -> Pruned:
        """Removes at most `limit` rows of each kind. Raises StoreError."""
        return store.prune(self.retention, now, lambda result: self._accepted(result, now), limit)

    def prune_evidence(self, store: Store, now: datetime) -> tuple[int, int]:
        """Says how many folders and bytes were removed. Raises StoreError."""
        spared = store.run_ids(store.protected(now))
        if self.waivers and self.evidence.is_dir():
            there = [each.name for each in self.evidence.iterdir() if each.is_dir() and each.name not in spared]
            spared.update(each.run_id for each in store.of_ids(there) if self._accepted(each, now))
        keep = self.retention
        return evidence_files.prune(self.evidence, now, keep.evidence, keep.evidence_bytes, spared)

    def _accepted(self, result: RunResult, now: datetime) -> bool:
        return Waivers(tuple(self.waivers), result.release, now.date()).accept(result, 0)
