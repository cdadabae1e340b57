"""What happened to tenants, from the evidence: which release ran on whom from when to when, and what went wrong. Pure.

    history = history_of(entries, deployments, members, until=now)
    history.deployments[0].failed        # whether something that it caused had to be taken back or mended

An incident belongs to the release that it names, else to the deployment that was in force on its tenant when it BEGAN.
Never to the one that happened to be the latest when somebody noticed it. Incidents of one deployment are one failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ringgate.domain.model import Deployment
from ringgate.evidence.entry import EvidenceEntry, EvidenceKind


@dataclass(frozen=True, slots=True)
class TenantDeployment:
    """A release reached a tenant. `asked` is when the release was first noted (None: not known), `at` when it ran,
    `gone` when it was rolled back or replaced, None while it runs. `rolled_back` says which of both."""

    release: str
    ring: str
    tenant: str
    at: datetime
    asked: datetime | None = None
    gone: datetime | None = None
    rolled_back: bool = False
    incidents: tuple[Incident, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.incidents)

    @property
    def restored(self) -> datetime | None:
        """When all that it caused was over; None while something is not, or nothing was."""
        ends = [each.ended for each in self.incidents]
        return max((each for each in ends if each), default=None) if ends and all(ends) else None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something was wrong on a tenant from `began` on; `ended` is None while it is. `noticed` is when it was told,
    `source` is rollout, gate or person; `release` is what it is said to come of, "" where nobody says."""

    tenant: str
    began: datetime
    noticed: datetime
    ended: datetime | None
    source: str
    what: str
    release: str = ""
    entry: int = 0


@dataclass(frozen=True, slots=True)
class TenantHistory:
    """Everything between `since` and `until`. `unattributed` incidents belong to no deployment that is known."""

    deployments: tuple[TenantDeployment, ...]
    unattributed: tuple[Incident, ...]
    since: datetime | None
    until: datetime

    @property
    def tenants(self) -> tuple[str, ...]:
        return tuple(sorted({each.tenant for each in self.deployments}))


def history_of(
    entries: Sequence[EvidenceEntry], deployments: Sequence[Deployment], members: Mapping[str, Collection[str]],
    *, until: datetime, rehearsals: bool = False,
) -> TenantHistory:  # fmt: skip
    """`members` says which tenants a ring has, for deployments that name none. Rehearsals are no deployments, unless
    `rehearsals` asks for them alone."""
    sessions = _sessions(entries, rehearsals=rehearsals)
    asked = _asked(entries)
    found = [*_upgrades(entries, sessions, asked)]
    if not rehearsals:
        found += _noted(deployments, members, asked, {(each.release, each.tenant) for each in found})
    ended = _ends(sorted(found, key=lambda each: (each.at, each.tenant)), _rollbacks(entries, sessions))
    incidents = [*_of_rollouts(entries, sessions, ended), *_of_people(entries, until)]
    return attributed(ended, incidents, until)


def attributed(
    deployments: Sequence[TenantDeployment], incidents: Iterable[Incident], until: datetime
) -> TenantHistory:
    """Each incident at the deployment that caused it."""
    caused: dict[int, list[Incident]] = {}
    nobody = []
    for incident in incidents:
        place = _cause(deployments, incident)
        if place is None:
            nobody.append(incident)
        else:
            caused.setdefault(place, []).append(incident)
    told = tuple(
        replace(each, incidents=tuple(sorted(caused.get(number, ()), key=lambda x: x.began)))
        for number, each in enumerate(deployments)
    )
    return TenantHistory(told, tuple(nobody), min((each.at for each in told), default=None), until)


def _cause(deployments: Sequence[TenantDeployment], incident: Incident) -> int | None:
    own = [
        (number, each) for number, each in enumerate(deployments)
        if each.tenant == incident.tenant and each.at <= incident.began
    ]  # fmt: skip
    if incident.release:
        own = [(number, each) for number, each in own if each.release == incident.release]
    else:
        own = [(number, each) for number, each in own if each.gone is None or each.gone > incident.began]
    return max(own, key=lambda pair: pair[1].at)[0] if own else None


# --- from the evidence ------------------------------------------------------------------------------------------------


def _sessions(entries: Sequence[EvidenceEntry], *, rehearsals: bool) -> set[str]:
    return {
        str(each.body.get("session")) for each in entries
        if each.kind is EvidenceKind.START and (each.body.get("led_as") == "rehearsal") is rehearsals
    }  # fmt: skip


def _asked(entries: Sequence[EvidenceEntry]) -> dict[str, datetime]:
    """When a release was first noted in any way."""
    found: dict[str, datetime] = {}
    for each in entries:
        if each.kind in (EvidenceKind.START, EvidenceKind.DEPLOYMENT):
            found.setdefault(each.release, each.at)
    return found


def _stages(entries: Sequence[EvidenceEntry], sessions: set[str], name: str) -> list[EvidenceEntry]:
    return [
        each for each in entries
        if each.kind is EvidenceKind.STAGE and each.body.get("stage") == name and each.body.get("session") in sessions
    ]  # fmt: skip


def _upgrades(
    entries: Sequence[EvidenceEntry], sessions: set[str], asked: Mapping[str, datetime]
) -> list[TenantDeployment]:
    return [
        TenantDeployment(each.release, each.ring, str(each.body["tenant"]), _end(each), asked.get(each.release))
        for each in _stages(entries, sessions, "upgrade")
        if each.body.get("outcome") != "broken"  # the tenant runs what it ran, and nobody blames the release
    ]


def _noted(
    deployments: Sequence[Deployment], members: Mapping[str, Collection[str]], asked: Mapping[str, datetime],
    known: set[tuple[str, str]],
) -> list[TenantDeployment]:  # fmt: skip
    """What was only noted by hand, of tenants that no rollout upgraded to it."""
    return [
        TenantDeployment(each.release, each.ring, tenant, each.at, min(asked.get(each.release, each.at), each.at))
        for each in deployments for tenant in (each.tenants or sorted(members.get(each.ring, ())))
        if (each.release, tenant) not in known and not each.taken_back
    ]  # fmt: skip


def _rollbacks(entries: Sequence[EvidenceEntry], sessions: set[str]) -> dict[tuple[str, str], list[datetime]]:
    found: dict[tuple[str, str], list[datetime]] = {}
    for each in _stages(entries, sessions, "rollback"):
        if each.body.get("outcome") == "passed":
            found.setdefault((each.release, str(each.body["tenant"])), []).append(_end(each))
    return found


def _ends(
    deployments: Sequence[TenantDeployment], back: Mapping[tuple[str, str], Sequence[datetime]]
) -> list[TenantDeployment]:
    """When each was gone: rolled back, or replaced by the next one on its tenant."""
    found = []
    for number, each in enumerate(deployments):
        later = next((x.at for x in deployments[number + 1 :] if x.tenant == each.tenant), None)
        taken = min((at for at in back.get((each.release, each.tenant), ()) if at >= each.at), default=None)
        rolled = taken is not None and (later is None or taken <= later)
        found.append(replace(each, gone=taken if rolled else later, rolled_back=rolled))
    return found


def _of_rollouts(
    entries: Sequence[EvidenceEntry], sessions: set[str], deployments: Sequence[TenantDeployment]
) -> Iterable[Incident]:
    """A stage after the upgrade that failed, or the upgrade itself: what only our own side broke is none."""
    for name in ("upgrade", "fingerprint", "verification"):
        for each in _stages(entries, sessions, name):
            if each.body.get("outcome") != "failed":
                continue
            tenant, at = str(each.body["tenant"]), _end(each)
            own = [x for x in deployments if (x.release, x.tenant) == (each.release, tenant) and x.at <= at]
            if own:
                ran = max(own, key=lambda x: x.at)
                reasons = each.body.get("reasons") or [{}]
                what = f"{name}: {reasons[0].get('sentence', '')}"
                # Whoever could not be upgraded is served as before when the stage ends.
                ended = at if name == "upgrade" else ran.gone
                yield Incident(tenant, ran.at, at, ended, "rollout", what, each.release, each.number)


def _of_people(entries: Sequence[EvidenceEntry], until: datetime) -> Iterable[Incident]:
    """What people noted; what was noted later of the same incident completes it."""
    found: dict[str, Incident] = {}
    for each in entries:
        if each.kind is not EvidenceKind.INCIDENT:
            continue
        body, name = each.body, str(each.body["id"])
        began, ended = _moment(body.get("began")), _moment(body.get("ended"))
        old = found.get(name)
        if old is None:
            at = began or each.at
            noticed = _moment(body.get("noticed")) or each.at
            found[name] = Incident(
                str(body["tenant"]), at, max(at, noticed), ended, "person", str(body.get("what", "")),
                str(body.get("of", "")), each.number,
            )  # fmt: skip
        elif ended:
            found[name] = replace(old, ended=ended)
    return [each for each in found.values() if each.began <= until]


def _end(entry: EvidenceEntry) -> datetime:
    began = _moment(entry.body.get("began")) or entry.at
    try:
        return began + timedelta(seconds=float(entry.body.get("seconds") or 0.0))
    except (TypeError, ValueError):
        return entry.at


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
