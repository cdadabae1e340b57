"""What a rollout's record says, as evidence: noted whenever the record was written, and caught up with after a kill.

The record comes first. What it says and the store lacks is noted by the next write or the next start, so a store that
cannot be written for a while loses nothing; before a ring is opened everything must have been noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ringgate.domain.errors import OurSideError
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.canonical import digest_of, plain
from ringgate.evidence.verdicts import digest_of_tenants, waiver_evidence
from ringgate.rollout.activation_tables import ACTIVATION
from ringgate.rollout.approval_tables import ApprovalsTable
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import ACTIVATION_STAGES, RehearsalRecord, RingRecord, StageRecord
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.rollout_tables import RolloutTable
from ringgate.store import Store, StoreError

_UNKNOWN: Mapping[str, str] = {}


class EvidenceNotKept(OurSideError):
    """What was done cannot be noted as evidence, so nothing more is done."""

    kind = "evidence"


@dataclass
class RolloutEvidence:
    """Notes one rollout. `open_store` opens the store, which is closed again after each note; `platform` says in a word
    where the tenants live; `led_as` is `rollout`, `rehearsal` or `before and after`. `noted` are keys that are known to
    be in the store. Called by one thread at a time."""

    open_store: Callable[[], Store]
    by: EvidenceActor
    release: Release
    platform: str
    noted: set[str] = field(default_factory=set)
    problem: str = ""
    led_as: str = "rollout"

    def note(self, record: RehearsalRecord) -> None:
        """Notes what is new. Never raises: `problem` says in a sentence what could not be noted, "" if nothing."""
        parts = {ring: digest_of_tenants(tenants) for ring, tenants in self.release.rings}
        if record.activation:
            parts[ACTIVATION] = digest_of_tenants(self.release.tenants)
        wanted = [*self._of_start(record, parts), *entries_of(record, parts)]
        new = [each for each in wanted if each.key not in self.noted]
        if not new:
            return
        try:
            store = self.open_store()
            try:
                EvidenceChain(store, self.by).append(*new)
            finally:
                store.close()
        except StoreError as error:
            self.problem = f"{len(new)} facts are not noted as evidence: {error}"
            return
        self.noted.update(each.key for each in new)
        self.problem = ""

    def settle(self, record: RehearsalRecord) -> None:
        """Notes everything. Raises EvidenceNotKept if that cannot be done."""
        self.note(record)
        if self.problem:
            raise EvidenceNotKept(f"{self.problem}. Start the same command again once the store can be written")

    def _of_start(self, record: RehearsalRecord, parts: Mapping[str, str]) -> list[NewEvidence]:
        """This start, and what the release accepts."""
        if not record.starts:
            return []
        release, table = self.release, self.release.table
        cut_off = sorted(
            f"{stage} of {tenant}" for tenant, kept in record.tenants.items() for stage, each in kept.stages.items()
            if each.outcome == "running"
        )  # fmt: skip
        body = {
            "session": record.session, "starts": record.starts, "began": record.began, "title": table.title,
            "before": table.before, "after": table.after, "risk": table.risk, "platform": self.platform,
            "rings": [
                {"ring": ring, "tenants": [tenant.id for tenant in tenants]} for ring, tenants in release.rings
            ],
            "skipped": record.skipped, "under_way": cut_off, "led_as": self.led_as, "approvers": table.approvers,
            "author": table.approvals.author if table.approvals else "",
            "approval_rings": table.approvals.rings if table.approvals else (), "roles": _roles(table.approvals),
            "notes": table.notes, "support_impact": table.support_impact, "calendar": _calendar(table.rollout),
            "components": [
                {"part": name, "before": part.before, "after": part.after, "note": part.note,
                 "artefacts": part.artefacts}
                for name, part in table.components if part.stated
            ],
            "digests": {"release": record.digest, "inventory": parts, "code": self.by.code},
        }  # fmt: skip
        start = NewEvidence(EvidenceKind.START, f"{record.session}/start/{record.starts}", release.id, body=body)
        accepted = [
            *(("exception", each) for each in table.exceptions), *(("untested", each) for each in table.untested),
            *(("surface", each) for each in release.accepted), *(("books", each) for each in release.policy.waivers),
        ]  # fmt: skip
        return [start, *(waiver_evidence(what, each, release.id) for what, each in accepted)]


def _roles(table: ApprovalsTable | None) -> list[dict[str, object]]:
    """Who may approve, by role; names alone."""
    roles = table.roles if table else ()
    return [{"role": x.name, "quorum": x.quorum, "people": [person.name for person in x.people]} for x in roles]


def _calendar(table: RolloutTable) -> list[str]:
    """Windows and freezes in words."""
    found = []
    for what, each in (*(("window", x) for x in table.windows), *(("freeze", x) for x in table.freezes)):
        times = [*each.times, *each.files, *(["public holidays and days off"] if each.holidays else [])]
        found.append(f"{what} {each.name}: {', '.join(times) or 'never'}")
    return found


def entries_of(record: RehearsalRecord, inventory: Mapping[str, str] = _UNKNOWN) -> list[NewEvidence]:
    """What the record alone says: failed attempts, stages that came to an end, rings that were decided, the end.
    `inventory` has the digest of each ring's part of it."""
    found = []
    for tenant, kept in record.tenants.items():
        for name, stage in kept.stages.items():
            found += _of_stage(record, kept.ring, tenant, name, stage)
    for name, ring in record.rings.items():
        if ring.decision is not None:
            found += _of_ring(record, name, ring, ring.decision, inventory.get(name, ""))
    for name, ring in record.activation.items():
        if ring.decision is not None:
            found.append(_of_activation(record, name, ring))
    if record.ended is not None:
        body = {
            "session": record.session, "ended": record.ended, "succeeded": record.succeeded, "left": record.left,
            "sentence": "promoted everywhere" if record.succeeded else "stopped",
        }  # fmt: skip
        key = f"{record.session}/end/{_when(record.ended)}"
        found.append(NewEvidence(EvidenceKind.END, key, record.release, body=body))
    return found


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%f}" if moment else ""


def _of_stage(record: RehearsalRecord, ring: str, tenant: str, name: str, stage: StageRecord) -> list[NewEvidence]:
    about = {"session": record.session, "tenant": tenant, "stage": name}
    key = f"{record.session}/{tenant}/{name}/{_when(stage.began)}"  # a stage may be done again
    found = [
        NewEvidence(
            EvidenceKind.ATTEMPT, f"{key}/attempt/{number}", record.release, ring, {**about, "problem": problem}
        )
        for number, problem in enumerate(stage.tried, 1)
    ]
    if stage.outcome != "running":
        found.append(NewEvidence(EvidenceKind.STAGE, key, record.release, ring, {**about, **plain(stage)}))
    return found


def _of_ring(
    record: RehearsalRecord, name: str, ring: RingRecord, decision: RolloutAction, inventory: str
) -> list[NewEvidence]:
    stages = {
        tenant: {stage: each for stage, each in kept.stages.items() if stage not in ACTIVATION_STAGES}
        for tenant, kept in record.tenants.items() if kept.ring == name
    }  # fmt: skip
    about = {"session": record.session, "tenants": sorted(stages), "reasons": ring.reasons}
    digests = {"release": record.digest, "inventory": inventory, "results": digest_of(stages)}
    word = verdict_of(ring, decision)
    passed = sorted(f"{tenant} {stage}" for tenant, kept in stages.items() for stage, each in kept.items()
                    if each.outcome == "passed")  # fmt: skip
    verdict = {**about, "source": "rollout", "verdict": word, "action": decision, "digests": digests, "passed": passed}
    key = f"{record.session}/{name}/{_when(ring.ended)}"  # what was promoted may be rolled back later
    return [
        NewEvidence(EvidenceKind.VERDICT, f"{key}/verdict", record.release, name, verdict),
        NewEvidence(EvidenceKind.DECISION, f"{key}/decision", record.release, name,
                    {**about, "action": decision, "began": ring.began, "ended": ring.ended}),
    ]  # fmt: skip


def _of_activation(record: RehearsalRecord, name: str, ring: RingRecord) -> NewEvidence:
    """What a ring's features came to."""
    tenants = sorted(each for each, kept in record.tenants.items() if kept.ring == name)
    body = {
        "session": record.session, "tenants": tenants, "reasons": ring.reasons, "what": ACTIVATION,
        "action": ring.decision, "began": ring.began, "ended": ring.ended, "digests": {"release": record.digest},
    }  # fmt: skip
    key = f"{record.session}/{name}/{ACTIVATION}/{_when(ring.ended)}"
    return NewEvidence(EvidenceKind.DECISION, key, record.release, name, body)


def verdict_of(ring: RingRecord, decision: RolloutAction) -> str:
    """pass, fail, or inconclusive where nothing but our own side spoke against it."""
    if decision is RolloutAction.PROMOTE:
        return "pass"
    ours = all(each.condition is Condition.INCONCLUSIVE for each in ring.reasons)
    return "inconclusive" if ours else "fail"


def unkept(record: RehearsalRecord, store: Store) -> list[str]:
    """What the record says and the store's evidence lacks, in sentences; nothing for a rollout whose start was not
    noted in this store. Raises StoreError."""
    if not store.evidence_rows(keys=[f"{record.session}/start/1"]):
        return []
    wanted = {each.key: each for each in entries_of(record)}
    known = {row.key for row in store.evidence_rows(keys=list(wanted))}
    return [
        f"the record of {record.release} has the {each.kind.value} {key}, and the evidence has not"
        for key, each in wanted.items() if key not in known
    ]  # fmt: skip
