"""Approvals: who lets a ring be opened, by their own key, on exactly what they saw.

An approval is an in-toto statement about the release, the ring's part of the inventory and the verdict of the ring
before, each by its digest. Its signature is its maker's own. It ends, and it counts for nothing else: another text,
another tenant, another verdict, another rollout.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ringgate.domain.errors import OurSideError
from ringgate.evidence import EvidenceEntry, EvidenceKind, NewEvidence
from ringgate.evidence.canonical import digest_of, plain
from ringgate.evidence.signing import SignatureWrong, SigningKey, VerifyingKey, statement
from ringgate.rollout.approval_tables import ApprovalsTable, ApproverTable

APPROVAL = "urn:ringgate:approval:v1"
"""The predicate type of an approval."""

AHEAD = timedelta(minutes=5)
"""How far the clock of an approver may be before ours."""


class ApprovalRefused(OurSideError):
    """An approval is not accepted, or one that is needed was not given; the sentences say why."""

    kind = "approval"


@dataclass(frozen=True, slots=True)
class ApprovalSubject:
    """What is approved: a ring of a release, in one rollout (`session`), by the digests of the release, of the ring's
    part of the inventory, and of the verdict on the ring before ("" for the first ring). `freeze` names the freeze that
    the ring may pass; "": the ring may be opened."""

    release: str
    ring: str
    session: str
    release_digest: str
    inventory_digest: str
    verdict_digest: str
    freeze: str = ""

    @property
    def digests(self) -> dict[str, str]:
        found = {
            f"release {self.release}": _sha256(self.release_digest), f"inventory of {self.ring}": self.inventory_digest,
            "verdict on the ring before": self.verdict_digest,
        }  # fmt: skip
        return {name: digest for name, digest in found.items() if digest}


@dataclass(frozen=True, slots=True)
class ApprovalInvolved:
    """Who may not approve, by their names: who wrote the release, who deployed or leads it, who waived something."""

    authors: Collection[str] = ()
    deployers: Collection[str] = ()
    waivers: Collection[str] = ()

    def objection(self, person: ApproverTable) -> str:
        for names, what in (
            (self.authors, "wrote the release"), (self.deployers, "deploys it"),
            (self.waivers, "waived something of it"),
        ):  # fmt: skip
            if person.names & {each.casefold() for each in names if each}:
                return f"{person.name} {what}, and may not approve it"
        return ""


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Who approved (by role), what was refused and why, and what is missing still, in sentences."""

    given: Mapping[str, Sequence[str]]
    refused: Sequence[str] = ()
    missing: Sequence[str] = ()
    counted: Sequence[EvidenceEntry] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.missing


def judge_approvals(
    table: ApprovalsTable, subject: ApprovalSubject, given: Sequence[EvidenceEntry], involved: ApprovalInvolved,
    now: datetime,
) -> ApprovalState:  # fmt: skip
    """Which of the approvals that were noted count for `subject`. Pure."""
    by_role: dict[str, list[str]] = {role.name: [] for role in table.roles}
    refused, counted = list[str](), list[EvidenceEntry]()
    for entry in given:
        found = _read(table, subject, entry, involved, now)
        if isinstance(found, str):
            refused.append(f"approval {entry.number}: {found}")
        elif any(found.person.name in people for people in by_role.values()):
            refused.append(f"approval {entry.number}: {found.person.name} has approved already, and counts once")
        else:
            by_role[found.role].append(found.person.name)
            counted.append(entry)
    missing = [
        f"{role.quorum - len(by_role[role.name])} of {role.name} ({', '.join(left)})"
        for role in table.roles if len(by_role[role.name]) < role.quorum
        for left in [[each.name for each in role.people if each.name not in by_role[role.name]]]
    ]  # fmt: skip
    return ApprovalState(by_role, refused, missing, counted)


@dataclass(frozen=True, slots=True)
class _Approval:
    person: ApproverTable
    role: str


def _read(  # noqa: PLR0911 - one return for each reason
    table: ApprovalsTable, subject: ApprovalSubject, entry: EvidenceEntry, involved: ApprovalInvolved, now: datetime
) -> _Approval | str:
    """The approval, or why it does not count."""
    envelope = entry.body.get("envelope")
    try:
        key = VerifyingKey.read(str(entry.body.get("key")))
        person = table.of_key(key.fingerprint)
        if person is None:
            return f"the key {key.fingerprint} is nobody's who may approve"
        said = json.loads(key.verify(envelope if isinstance(envelope, dict) else {}))
        predicate, digests = said["predicate"], {each["name"]: each["digest"]["sha256"] for each in said["subject"]}
        role, given, ends = predicate["role"], _moment(predicate["given"]), _moment(predicate["ends"])
    except SignatureWrong as error:
        return f"it {error}"
    except Exception as error:  # whatever stands there, it is no approval
        return f"it cannot be read: {type(error).__name__}"
    if said["predicateType"] != APPROVAL or predicate["release"] != subject.release:
        return f"it is of {predicate.get('release')}, and not of {subject.release}"
    if predicate["ring"] != subject.ring:
        return f"it is for ring {predicate['ring']}, and not for {subject.ring}"
    if (freeze := predicate.get("freeze", "")) != subject.freeze:
        return f"it is for {_what(freeze)}, and not for {_what(subject.freeze)}"
    if predicate["session"] != subject.session:
        return f"it was given to another rollout ({predicate['session']})"
    if changed := sorted(name for name in digests.keys() | subject.digests.keys()
                         if digests.get(name) != subject.digests.get(name)):  # fmt: skip
        return f"{' and '.join(changed)} changed after {person.name} approved"
    if role not in table.roles_of(person.name):
        return f"{person.name} has not the role {role}"
    if given > now + AHEAD or ends - given > table.valid:
        span = f"from {given:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
        return f"it is said to hold {span}, which the release does not let"
    if now >= ends:
        return f"it ended at {ends:%Y-%m-%d %H:%M} UTC"
    return involved.objection(person) or _Approval(person, role)


def approve(
    table: ApprovalsTable, subject: ApprovalSubject, key: SigningKey, now: datetime, *, role: str = "",
    lasting: timedelta | None = None,
) -> NewEvidence:  # fmt: skip
    """An approval by the owner of the key. Raises ApprovalRefused if they have no such role."""
    person = table.of_key(key.public.fingerprint)
    if person is None:
        raise ApprovalRefused(f"the key {key.public.fingerprint} is nobody's who may approve {subject.release}")
    roles = table.roles_of(person.name)
    if role and role not in roles:
        raise ApprovalRefused(f"{person.name} has not the role {role}, but {' and '.join(roles)}")
    ends = now + min(lasting or table.valid, table.valid)
    predicate = {
        "release": subject.release, "ring": subject.ring, "session": subject.session, "person": person.name,
        "role": role or roles[0], "given": now, "ends": ends, **({"freeze": subject.freeze} if subject.freeze else {}),
    }  # fmt: skip
    envelope = key.sign(statement(subject.digests, APPROVAL, plain(predicate)))
    body = {"person": person.name, "role": role or roles[0], "key": key.public.line, "ends": ends, "envelope": envelope}
    if subject.freeze:
        body["freeze"] = subject.freeze
    label = digest_of(envelope)[:32]
    return NewEvidence(EvidenceKind.APPROVAL, f"approval/{label}", subject.release, subject.ring, body)


def given_for(entries: Sequence[EvidenceEntry], ring: str, freeze: str = "") -> list[EvidenceEntry]:
    """The approvals among these that say they are of a ring, or of a freeze that it may pass."""
    return [
        each for each in entries
        if each.kind is EvidenceKind.APPROVAL and each.ring == ring and each.body.get("freeze", "") == freeze
    ]  # fmt: skip


def _what(freeze: str) -> str:
    return f'passing the freeze "{freeze}"' if freeze else "opening the ring"


ROLL_BACK = "roll back"
"""What stands for the ring in the decision that everything is taken back."""


def decide_roll_back(
    table: ApprovalsTable, release: str, digest: str, session: str, key: SigningKey, now: datetime
) -> NewEvidence:
    """The decision of a person whom the release names, signed with their own key. Whoever wrote or leads the release
    may decide it, too: going back must not wait. Raises ApprovalRefused."""
    person = table.of_key(key.public.fingerprint)
    roles = [each for each in table.roles_of(person.name) if each in table.roll_back] if person else []
    if person is None or not roles:
        who = "nobody's" if person is None else f"{person.name}'s"
        raise ApprovalRefused(
            f"the key {key.public.fingerprint} is {who}, who may not decide that it is rolled back: that is for "
            f"{' or '.join(table.roll_back)}"
        )
    return approve(table, ApprovalSubject(release, ROLL_BACK, session, digest, "", ""), key, now, role=roles[0])


def involved_in(
    entries: Sequence[EvidenceEntry], session: str, authors: Collection[str], owners: Collection[str]
) -> ApprovalInvolved:
    """Who had a hand in a release, by its evidence, its authors and the owners of what it accepts."""
    deployers, waivers = set[str](), set(owners)
    for each in entries:
        if each.kind is EvidenceKind.START and each.body.get("session") == session:
            deployers.add(each.by.user)
        elif each.kind is EvidenceKind.DEPLOYMENT:
            deployers.update((str(each.body.get("by", "")), each.by.user))
        elif each.kind is EvidenceKind.WAIVER and isinstance(waiver := each.body.get("waiver"), dict):
            waivers.add(str(waiver.get("owner", "")))
    return ApprovalInvolved(frozenset(authors), frozenset(deployers), frozenset(waivers))


def verdict_before(entries: Sequence[EvidenceEntry], session: str, ring: str) -> str:
    """The digest of the verdict that a rollout came to on a ring; "" if there is none."""
    found = [
        each.digest for each in entries
        if each.kind is EvidenceKind.VERDICT and each.ring == ring and each.body.get("session") == session
    ]  # fmt: skip
    return found[-1] if found else ""


def _moment(text: Any) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _sha256(text: str) -> str:
    """A digest as it is; of a text that is none its own."""
    return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else digest_of(text)
