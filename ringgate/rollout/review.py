"""The review after a release: what it cost, how well the gate did, and what to change for the next one.

    review = reviewed("tryton-8-0", sources, now)
    review.dora[2]          # change fail rate: n of N with an interval
    review.proposals[0]     # a diff of gate.toml, with what it would have done on the stored runs

Everything is computed from the store: the evidence, the noted deployments and the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringgate.domain.model import NotedEvent
from ringgate.evidence import EvidenceEntry, EvidenceKind
from ringgate.evidence.history import TenantDeployment, TenantHistory, history_of
from ringgate.evidence.measures import Measure, by, detection, dora, exposure, share
from ringgate.evidence.notes import notes_of
from ringgate.inventory import Inventory
from ringgate.rollout.proposals import ReviewProposal, gate_proposals, runway_proposal
from ringgate.rollout.replay import BakeReplay, Replays
from ringgate.rollout.rollout_tables import RolloutTable
from ringgate.store import Store

STOPS = ("hold", "pause", "roll back")


@dataclass(frozen=True, slots=True)
class FiredRule:
    """The first thing that stopped a release on a ring: the rule in the words of gate or rollout, what it did, when,
    and how many minutes after the ring's first tenant ran the release (None: it never did)."""

    release: str
    ring: str
    rule: str
    action: str
    at: datetime
    minutes: float | None
    entry: int


@dataclass(frozen=True, slots=True)
class TenantUse:
    """What a tenant's part of the release took: calls to its ERP, seconds of its stages, bytes of its backup (None: it
    is not known)."""

    tenant: str
    calls: int
    seconds: float
    backup: int | None


@dataclass(frozen=True, slots=True)
class ReleaseReview:
    """`rehearsed`: no rollout of it is known, so all is about its rehearsals. `dora` is of all releases up to now,
    `of_release` of this one alone; `noted` are incidents, tickets and changes that people noted of its tenants while it
    ran there, or that are said to come of it."""

    release: str
    rehearsed: bool
    until: datetime
    dora: tuple[Measure, ...]
    of_release: tuple[Measure, ...]
    by_tenant: Mapping[str, Sequence[Measure]]
    by_release: Mapping[str, Sequence[Measure]]
    exposure: Measure
    minutes: Mapping[str, float]
    detection: Measure
    false_holds: Measure
    fired: tuple[FiredRule, ...]
    replays: tuple[BakeReplay, ...]
    use: tuple[TenantUse, ...]
    unattributed: int
    proposals: tuple[ReviewProposal, ...] = ()
    remarks: tuple[str, ...] = ()
    noted: tuple[NotedEvent, ...] = ()


@dataclass(frozen=True)
class ReviewSources:
    """`gate` and `release` are the texts of gate.toml and release.toml, "" where nobody gave them; `replays` replays
    the stored runs under a policy, None where that is not wanted; `pace` is what the release says of its rollout."""

    store: Store
    entries: Sequence[EvidenceEntry]
    inventory: Inventory
    gate: str = ""
    release: str = ""
    replays: Replays | None = None
    pace: RolloutTable = field(default_factory=RolloutTable)


def reviewed(release: str, sources: ReviewSources, now: datetime) -> ReleaseReview:
    """Raises StoreError."""
    members = {ring: [x.id for x in sources.inventory.tenants if x.ring == ring] for ring in sources.inventory.rings}
    deployments = sources.store.deployments()
    history = history_of(sources.entries, deployments, members, until=now)
    rehearsed = release not in {each.release for each in history.deployments}
    if rehearsed:
        history = history_of(sources.entries, deployments, members, until=now, rehearsals=True)
    own = _of(history, release)
    places = sorted({(each.ring, each.release) for each in history.deployments})
    bad = {(each.ring, each.release) for each in history.deployments if each.failed}
    told, minutes = exposure(own)
    replays = sources.replays.all(places, bad) if sources.replays else []
    proposals = gate_proposals(sources.replays, places, bad, sources.gate) if sources.replays else []
    proposals += runway_proposal(sources.entries, release, sources.pace, sources.release)
    return ReleaseReview(
        release, rehearsed, now, tuple(dora(history)), tuple(dora(own)), by(history, _tenant), by(history, _release),
        told, minutes, detection(own), _false_holds(sources.entries, history), tuple(_fired(sources.entries, own)),
        tuple(each for each in replays if each.release == release), tuple(_use(sources, release)),
        len(history.unattributed), tuple(proposals), tuple(_remarks(own, sources)),
        tuple(each for each in notes_of(sources.entries) if _belongs(each, release, own)),
    )  # fmt: skip


def _belongs(note: NotedEvent, release: str, own: TenantHistory) -> bool:
    if note.of:
        return note.of == release
    return any(
        note.concerns(each.tenant, each.ring)
        and each.at <= note.began
        and (each.gone is None or note.began < each.gone)
        for each in own.deployments
    )


def _tenant(each: TenantDeployment) -> str:
    return each.tenant


def _release(each: TenantDeployment) -> str:
    return each.release


def _of(history: TenantHistory, release: str) -> TenantHistory:
    own = tuple(each for each in history.deployments if each.release == release)
    return TenantHistory(own, (), min((each.at for each in own), default=None), history.until)


def _false_holds(entries: Sequence[EvidenceEntry], history: TenantHistory) -> Measure:
    """Stops after which the same release was promoted on the same ring although nothing was wrong with it there."""
    verdicts = [each for each in entries if each.kind is EvidenceKind.VERDICT and each.body.get("source") == "gate"]
    bad = {(each.ring, each.release) for each in history.deployments if each.failed}
    places = {(each.ring, each.release) for each in verdicts if each.body.get("action") in STOPS}
    wrong = {
        (each.ring, each.release) for each in verdicts
        if each.body.get("action") == "promote" and (each.ring, each.release) in places - bad
    }  # fmt: skip
    return share("false holds", len(wrong), len(places))


def _fired(entries: Sequence[EvidenceEntry], own: TenantHistory) -> list[FiredRule]:
    found = []
    for ring in dict.fromkeys(each.ring for each in own.deployments):
        here = [each for each in own.deployments if each.ring == ring]
        began = min(each.at for each in here)
        stops = [
            each for each in entries
            if each.kind is EvidenceKind.VERDICT and each.ring == ring and each.release == here[0].release
            and each.body.get("action") in STOPS
        ]  # fmt: skip
        if stops:
            first = stops[0]
            minutes = (first.at - began).total_seconds() / 60
            found.append(
                FiredRule(first.release, ring, _rule(first.body), str(first.body["action"]), first.at,
                          minutes if minutes >= 0 else None, first.number)
            )  # fmt: skip
    return found


def _rule(body: Mapping[str, Any]) -> str:
    document = body.get("document") or {}
    reasons = document.get("reasons") or body.get("reasons") or []
    first = reasons[0] if reasons else {}
    return str(first.get("rule") or first.get("condition") or "unknown").replace("_", " ")


def _use(sources: ReviewSources, release: str) -> list[TenantUse]:
    seconds: dict[str, float] = {}
    backups: dict[str, int] = {}
    for each in sources.entries:
        if each.release == release and each.kind is EvidenceKind.STAGE:
            name, result = str(each.body["tenant"]), each.body.get("result") or {}
            seconds[name] = seconds.get(name, 0.0) + float(each.body.get("seconds") or 0.0)
            if result.get("stage") == "drill":
                backups[name] = int(result["size"])
    calls: dict[str, int] = {}
    for run in sources.store.results(release=release):
        calls[run.tenant] = calls.get(run.tenant, 0) + run.calls
    return [
        TenantUse(name, calls.get(name, 0), seconds.get(name, 0.0), backups.get(name))
        for name in sorted({*seconds, *calls})
    ]


def _remarks(own: TenantHistory, sources: ReviewSources) -> list[str]:
    found = []
    if not own.deployments:
        found.append("no deployment and no rehearsal of it is in the store")
    if sources.replays is None:
        found.append("nothing was replayed")
    elif not sources.gate:
        found.append("no gate.toml was given (--policy): what is proposed is against the built-in defaults")
    return found
