"""What was approved, as the evidence has it: whether a ring may be opened, and which freezes it may pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ringgate.evidence import EvidenceActor, EvidenceChain
from ringgate.rollout.approval_wait import involved_with, subject_of
from ringgate.rollout.approvals import given_for, judge_approvals
from ringgate.rollout.release import Release
from ringgate.store import Store

FRESH = timedelta(seconds=10)
"""How long an answer is taken again: a calendar asks for many moments at once."""


@dataclass
class NotedApprovals:
    """`RolloutApprovals` of one release. `session` is the rollout's, "" before it has begun: then nothing is approved.

    `missing` raises StoreError where the evidence cannot be read."""

    open_store: Callable[[], Store]
    by: EvidenceActor
    release: Release
    session: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _known: dict[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)

    def missing(self, ring: str, subject: str) -> str:
        """Why it is not approved, in words; "" if it is. `subject` is `ring`, or `freeze NAME`."""
        table, freeze = self.release.table.approvals, subject.removeprefix("freeze ") if subject != "ring" else ""
        if table is None:
            return "the release names nobody who may approve it ([approvals])" if freeze else ""
        if not freeze and ring not in table.rings:
            return ""
        at, told = self._known.get((ring, freeze), (datetime.min.replace(tzinfo=UTC), ""))
        if not at <= self.clock() < at + FRESH:
            told = self._look(ring, freeze)
            self._known[ring, freeze] = self.clock(), told
        return told

    def _look(self, ring: str, freeze: str) -> str:
        table, session = self.release.table.approvals, self.session
        assert table
        store = self.open_store()
        try:
            chain = EvidenceChain(store, self.by)
            entries = chain.entries(release=self.release.id)
            about = subject_of(self.release, session, ring, entries, freeze)
            involved = involved_with(self.release, entries, session)
            state = judge_approvals(table, about, given_for(entries, ring, freeze), involved, self.clock())
            if not session or not state.complete:
                return f"missing: {', '.join(state.missing)}"
            report = chain.verify()
            return "" if report.holds else f"the evidence was changed ({report.problems[0]})"
        finally:
            store.close()
