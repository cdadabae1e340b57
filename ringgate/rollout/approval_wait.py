"""Before a ring is opened: everything is noted, nothing of it was changed, and whoever must approve has approved."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceEntry, EvidenceKind, NewEvidence
from ringgate.evidence.verdicts import digest_of_tenants
from ringgate.rollout.activation_tables import ACTIVATION
from ringgate.rollout.approval_tables import ApprovalsTable
from ringgate.rollout.approvals import (
    ApprovalInvolved,
    ApprovalRefused,
    ApprovalState,
    ApprovalSubject,
    given_for,
    involved_in,
    judge_approvals,
    verdict_before,
)
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.store import Store

POLL = 2.0
"""Seconds between two looks at the store."""


@dataclass
class RingApprovals:
    """Waits for the approvals that a release asks for, also for switching its
    features on. `remark` tells people; `pause` waits between two looks.
    `waits` is told what is missing whenever that changes, and "" when nothing is any more."""

    open_store: Callable[[], Store]
    by: EvidenceActor
    release: Release
    remark: Callable[[str], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[], None] = lambda: time.sleep(POLL)
    waits: Callable[[str], None] = lambda sentence: None
    _told: set[str] = field(default_factory=set)

    def wait(self, record: RehearsalRecord, ring: str) -> None:
        """Returns once the ring may be opened; a ring that was opened before may be gone on with. Raises RolloutHeld
        when the time to wait is over, ApprovalRefused where the evidence was changed, and StoreError."""
        table = self.release.table.approvals
        opened = record.activation.values() if ring == ACTIVATION else [record.rings[ring]]
        if table is None or ring not in table.rings or any(each.began is not None for each in opened):
            return
        until, waiting = self.clock() + table.wait, ""
        while not (state := self._look(table, record, ring)).complete:
            for sentence in state.refused:
                self._tell(sentence)
            what = "activation does not begin" if ring == ACTIVATION else f"{ring} is not opened"
            missing = f"{what} without approval; missing: {', '.join(state.missing)}"
            self._tell(f"{missing}. `ringgate approve {self.release.path} --ring {ring}` gives it")
            if missing != waiting:
                self.waits(waiting := missing)
            if self.clock() >= until:
                raise RolloutHeld(f"{missing}. The same command goes on from here")
            self.pause()
        if waiting:
            self.waits("")

    def _look(self, table: ApprovalsTable, record: RehearsalRecord, ring: str) -> ApprovalState:
        store = self.open_store()
        try:
            chain = EvidenceChain(store, self.by)
            entries = chain.entries(release=self.release.id)
            subject = subject_of(self.release, record.session, ring, entries)
            involved = involved_with(self.release, entries, record.session)
            state = judge_approvals(table, subject, given_for(entries, ring), involved, self.clock())
            if state.complete:
                report = chain.verify()
                if not report.holds:
                    raise ApprovalRefused(f"{ring} is not opened: the evidence was changed ({report.problems[0]})")
                approvals = [each.digest for each in state.counted]
                body = {"session": record.session, "action": "open", "by_role": state.given, "approvals": approvals}
                key = f"{record.session}/{ring}/opened"
                chain.append(NewEvidence(EvidenceKind.DECISION, key, self.release.id, ring, body))
            return state
        finally:
            store.close()

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self.remark(sentence)


def involved_with(release: Release, entries: Sequence[EvidenceEntry], session: str) -> ApprovalInvolved:
    """Who had a hand in a release that asks for approvals."""
    table = release.table
    owners = [
        *(each.owner for each in table.exceptions), *(each.owner for each in table.untested),
        *(each.owner for each in release.accepted), *(each.owner for each in release.policy.waivers),
    ]  # fmt: skip
    assert table.approvals
    authors = {table.approvals.author, *authors_of(release.path)}
    return involved_in(entries, session, authors, owners)


def subject_of(
    release: Release, session: str, ring: str, entries: Sequence[EvidenceEntry], freeze: str = ""
) -> ApprovalSubject:
    """What an approval of this ring must be about, as release, inventory and evidence are now."""
    before = ring_before(ring, [name for name, _ in release.rings])
    tenants = release.tenants if ring == ACTIVATION else dict(release.rings)[ring]
    return ApprovalSubject(
        release.id, ring, session, release.digest, digest_of_tenants(tenants),
        verdict_before(entries, session, before) if before else "", freeze,
    )  # fmt: skip


def ring_before(ring: str, names: Sequence[str]) -> str:
    """The ring whose verdict is part of what is approved, "" for none: of activation, the last. Raises ValueError for a
    ring that is not among `names`."""
    if ring == ACTIVATION:
        return names[-1]
    place = names.index(ring)
    return names[place - 1] if place else ""


def authors_of(path: Path) -> set[str]:
    """Names and mail addresses of all who committed to a file; nobody where it is in no repository."""
    words = ["git", "log", "--format=%an%n%ae", "--", path.name]
    try:
        done = subprocess.run(words, cwd=path.resolve().parent, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return set()
    return set(done.stdout.splitlines()) if done.returncode == 0 else set()
