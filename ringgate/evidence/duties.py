"""Who did what for each change: authorisation, test, approval, deployment; and whether its controls are as they were
when they were last tested. From the complete population: every change that evidence, deployments or runs know of.

    report = duties(entries, deployments, seen)
    report.changes[0].gaps        # ("nobody approved it", ...)

Pure. A change is one release on one ring. What is missing is named, never left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringgate.domain.model import Deployment
from ringgate.evidence.entry import EvidenceEntry, EvidenceKind

NOT_NOTED = "not noted"


@dataclass(frozen=True, slots=True)
class DutyDone:
    """One duty of a change: what was done, by whom, when (UTC), and in which entries of evidence. `by` is empty and
    `at` None where nobody did it."""

    what: str
    by: tuple[str, ...] = ()
    at: datetime | None = None
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlState:
    """A control of a change: `state` is `unchanged`, `changed` or `never tested`; `tested` says when and in which entry
    it was last tested, None and 0 for never."""

    name: str
    state: str
    tested: datetime | None = None
    entry: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class ChangeDuties:
    """One release on one ring. `gaps` are sentences, none if nothing is missing."""

    release: str
    ring: str
    led_as: str
    authorisation: DutyDone
    test: DutyDone
    approval: DutyDone
    deployment: DutyDone
    controls: tuple[ControlState, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DutiesReport:
    """All changes, the latest first. `population` counts where they are known from; `unknown` names releases of which
    there are runs and no evidence of a deployment, as (release, ring)."""

    changes: tuple[ChangeDuties, ...]
    population: Mapping[str, int]
    unknown: tuple[tuple[str, str], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.unknown and not any(each.gaps for each in self.changes)


def duties(
    entries: Sequence[EvidenceEntry], deployments: Sequence[Deployment], seen: Collection[tuple[str, str]] = (),
    release: str = "",
) -> DutiesReport:  # fmt: skip
    """`seen` are (release, ring) of all runs in the store; `release` narrows the answer to one."""
    evident = {place for each in entries for place in _places(each)}
    known = {(each.release, each.ring) for each in deployments}
    deployments = [each for each in deployments if not each.taken_back]  # a way back is no change
    noted = {(each.release, each.ring) for each in deployments}
    chosen = [place for place in _ordered(evident | noted, entries, deployments) if release in ("", place[0])]
    changes = [_change(name, ring, entries, deployments) for name, ring in chosen]
    unknown = sorted(
        place for place in seen if place[0] and place not in evident | known and release in ("", place[0])
    )  # fmt: skip
    population = {"evidence": len(evident), "deployments": len(noted), "runs": len({p for p in seen if p[0]})}
    return DutiesReport(tuple(changes), population, tuple(unknown))


def _places(entry: EvidenceEntry) -> list[tuple[str, str]]:
    """The changes that an entry shows to have been made: an upgrade of a tenant, or a deployment to a ring."""
    upgraded = entry.kind is EvidenceKind.STAGE and entry.body.get("stage") == "upgrade"
    looked = entry.kind is EvidenceKind.VERDICT and entry.body.get("source") == "gate"
    after = entry.kind is EvidenceKind.STAGE and entry.body.get("stage") == "verification"
    found = upgraded or looked or after or entry.kind is EvidenceKind.DEPLOYMENT
    return [(entry.release, entry.ring)] if found else []


def _ordered(
    places: Iterable[tuple[str, str]], entries: Sequence[EvidenceEntry], deployments: Sequence[Deployment]
) -> list[tuple[str, str]]:
    last: dict[tuple[str, str], datetime] = {(each.release, each.ring): each.at for each in deployments}
    last |= {(each.release, each.ring): each.at for each in entries}
    return sorted(places, key=lambda place: (last[place], place), reverse=True)


def _change(
    release: str, ring: str, entries: Sequence[EvidenceEntry], deployments: Sequence[Deployment]
) -> ChangeDuties:
    own = [each for each in entries if each.release == release]
    start = _start_of(own, ring)
    session = str(start.body.get("session")) if start else ""
    here = [each for each in own if each.ring == ring and each.body.get("session", session) == session]
    authorisation, approval = _authorisation(start), _approval(here)
    deployment = _deployment(here, [x for x in deployments if (x.release, x.ring) == (release, ring)], start)
    test = _test(own, ring, start, deployment.at)
    required = ring in (start.body.get("approval_rings") or ()) if start else False
    return ChangeDuties(
        release, ring, str(start.body.get("led_as", NOT_NOTED)) if start else NOT_NOTED, authorisation, test, approval,
        deployment, tuple(_controls(entries, own, here, start)),
        tuple(_gaps(authorisation, test, approval, deployment, required=required)),
    )  # fmt: skip


def _start_of(own: Sequence[EvidenceEntry], ring: str) -> EvidenceEntry | None:
    """The newest start that had this ring: a rollout before a rehearsal."""
    starts = [
        each for each in own
        if each.kind is EvidenceKind.START and ring in {x.get("ring") for x in each.body.get("rings", ())}
    ]  # fmt: skip
    led = [each for each in starts if each.body.get("led_as") != "rehearsal"]
    return next(iter([*reversed(led), *reversed(starts)]), None)


def _authorisation(start: EvidenceEntry | None) -> DutyDone:
    if start is None:
        return DutyDone("no definition of the release is in the evidence")
    author = str(start.body.get("author") or "")
    digest = str(start.body.get("digests", {}).get("release", ""))[:16]
    words = f"release {digest}..., risk {start.body.get('risk', 'unknown')}"
    return DutyDone(words, (author,) if author else (), start.at, (start.number,))


def _test(own: Sequence[EvidenceEntry], ring: str, start: EvidenceEntry | None, deployed: datetime | None) -> DutyDone:
    """What had passed of this very text of the release before it was deployed to the ring: a rehearsal, the ring
    before, or, for want of both, what was verified on the ring itself afterwards."""
    digest = start.body.get("digests", {}).get("release") if start else None
    rings = [x.get("ring") for x in start.body.get("rings", ())] if start else []
    before = rings[rings.index(ring) - 1] if ring in rings and rings.index(ring) else ""
    passed = [each for each in own if each.kind is EvidenceKind.VERDICT and each.body.get("verdict") == "pass"]
    same = [each for each in passed if digest and each.body.get("digests", {}).get("release") == digest]
    session = start.body.get("session") if start else None
    early = [each for each in same if deployed is None or each.at <= deployed]
    for words, found in (
        (f"rehearsed on {ring}", [x for x in early if x.ring == ring and x.body.get("session") != session]),
        (f"passed on {before} before", [x for x in early if before and x.ring == before]),
        (f"verified on {ring} itself, afterwards", [x for x in passed if x.ring == ring]),
    ):
        if found:
            return DutyDone(words, (_who(found[-1]),), found[-1].at, (found[-1].number,))
    return DutyDone("nothing of it had passed")


def _approval(here: Sequence[EvidenceEntry]) -> DutyDone:
    opened = [each for each in here if each.kind is EvidenceKind.DECISION and each.body.get("action") == "open"]
    if not opened:
        return DutyDone("no approval opened it")
    by_role: Mapping[str, Sequence[str]] = opened[-1].body.get("by_role", {})
    counted = set(opened[-1].body.get("approvals", ()))
    numbers = [each.number for each in here if each.kind is EvidenceKind.APPROVAL and each.digest in counted]
    words = "; ".join(f"{role}: {', '.join(people)}" for role, people in by_role.items())
    people = tuple(person for each in by_role.values() for person in each)
    return DutyDone(words, people, opened[-1].at, (*numbers, opened[-1].number))


def _deployment(here: Sequence[EvidenceEntry], noted: Sequence[Deployment], start: EvidenceEntry | None) -> DutyDone:
    upgrades = [
        each for each in here
        if each.kind is EvidenceKind.STAGE and each.body.get("stage") == "upgrade"
        and each.body.get("outcome") != "broken"  # our side: the tenant runs what it ran
    ]  # fmt: skip
    told = [each for each in here if each.kind is EvidenceKind.DEPLOYMENT]
    if upgrades:
        failed = {str(each.body.get("tenant")) for each in upgrades if each.body.get("outcome") == "failed"}
        tenants = {str(each.body.get("tenant")) for each in upgrades if each.body.get("outcome") != "failed"}
        words = [f"upgraded {', '.join(sorted(tenants))}"] if tenants else []
        words += [f"failed on {', '.join(sorted(failed - tenants))}"] if failed - tenants else []
        at = min(_moment(each.body.get("began"), each.at) for each in upgrades)
        return DutyDone(
            "; ".join(words), tuple(sorted({_who(each) for each in upgrades})), at,
            tuple(each.number for each in upgrades),
        )  # fmt: skip
    if told:
        by = {str(each.body.get("by")) or _who(each) for each in told}
        return DutyDone("noted by ringgate event deploy", tuple(sorted(by)), told[0].at, tuple(x.number for x in told))
    if noted:
        by = {each.by for each in noted if each.by}
        return DutyDone("noted, and not in the evidence", tuple(sorted(by)), noted[-1].at)
    if start and start.body.get("led_as") == "before and after":
        return DutyDone("upgraded by somebody else, between before and after", (), start.at, (start.number,))
    return DutyDone("no deployment was noted")


# --- controls ---------------------------------------------------------------------------------------------------------


def _controls(
    every: Sequence[EvidenceEntry], own: Sequence[EvidenceEntry], here: Sequence[EvidenceEntry],
    start: EvidenceEntry | None,
) -> list[ControlState]:  # fmt: skip
    return [_release_control(own, start), _program_control(every, here), *_gate_control(every, here)]


def _release_control(own: Sequence[EvidenceEntry], start: EvidenceEntry | None) -> ControlState:
    """Its conditions, steps and waivers are as they were rehearsed."""
    name = "conditions and steps of the release"
    ends = {
        str(each.body.get("session")): each
        for each in own if each.kind is EvidenceKind.END and each.body.get("succeeded")
    }  # fmt: skip
    rehearsed = [
        each for each in own
        if each.kind is EvidenceKind.START and each.body.get("led_as") == "rehearsal"
        and str(each.body.get("session")) in ends
    ]  # fmt: skip
    if start is None or not rehearsed:
        return ControlState(name, "never tested", words="no rehearsal of the release came to a good end")
    last = rehearsed[-1]
    end = ends[str(last.body.get("session"))]
    same = last.body["digests"]["release"] == start.body["digests"]["release"]
    words = "as rehearsed" if same else "the release was changed since it was rehearsed"
    return ControlState(name, "unchanged" if same else "changed", end.at, end.number, words)


def _program_control(every: Sequence[EvidenceEntry], here: Sequence[EvidenceEntry]) -> ControlState:
    """Ringgate and its scenarios are what last caught a planted fault, or stopped a release."""
    name = "Ringgate's code and scenarios"
    verdicts = [each for each in here if each.kind is EvidenceKind.VERDICT]
    if not verdicts:
        return ControlState(name, "never tested", words="no verdict was noted here")
    tested = [each for each in every if each.number <= verdicts[-1].number and _proves(each)]
    if not tested:
        return ControlState(name, "never tested", words="no planted fault was caught, and no release was stopped yet")
    same = tested[-1].by.code == verdicts[-1].by.code
    words = "as when it last caught a fault" if same else "another version caught the last fault"
    return ControlState(name, "unchanged" if same else "changed", tested[-1].at, tested[-1].number, words)


def _gate_control(every: Sequence[EvidenceEntry], here: Sequence[EvidenceEntry]) -> list[ControlState]:
    """The gate's policy is what the last self-test was caught under. Nothing where no gate was asked."""
    asked = [each for each in here if each.kind is EvidenceKind.VERDICT and each.body.get("source") == "gate"]
    if not asked:
        return []
    name, policy = "the gate's policy", asked[-1].body.get("digests", {}).get("policy")
    tested = [each for each in every if each.number <= asked[-1].number and _caught(each)]
    if not tested:
        return [ControlState(name, "never tested", words="no self-test was caught before")]
    same = tested[-1].body.get("digests", {}).get("policy") == policy
    words = "as in the last self-test" if same else "changed since the last self-test"
    return [ControlState(name, "unchanged" if same else "changed", tested[-1].at, tested[-1].number, words)]


def _caught(entry: EvidenceEntry) -> bool:
    document: Any = entry.body.get("document") or {}
    return any(each.get("caught") for each in document.get("self_tests", ()))


def _proves(entry: EvidenceEntry) -> bool:
    stopped = entry.kind is EvidenceKind.VERDICT and entry.body.get("verdict") == "fail"
    return _caught(entry) or stopped


# --- gaps -------------------------------------------------------------------------------------------------------------


def _gaps(
    authorisation: DutyDone, test: DutyDone, approval: DutyDone, deployment: DutyDone, *, required: bool
) -> Iterable[str]:
    if not authorisation.by:
        yield (
            f"nobody is known to have authorised it: {authorisation.what}"
            if not authorisation.entries
            else ("the release does not say who wrote it (approvals.author)")
        )
    if not test.entries:
        yield "it was deployed without a test that passed"
    elif "afterwards" in test.what:
        yield "it was tested only after it was deployed"
    if not approval.by:
        yield (
            "it was opened without the approval that the release asks for"
            if required
            else ("the release asks for no approval of this ring")
        )
    if not deployment.by:
        yield f"nobody is known to have deployed it: {deployment.what}"
    people = {each.casefold() for each in approval.by}
    for whose, names in (("wrote the release", authorisation.by), ("deployed it", deployment.by)):
        for both in sorted(people & {each.casefold().split("@")[0] for each in names}):
            yield f"{both} approved it and {whose}"


def _who(entry: EvidenceEntry) -> str:
    return f"{entry.by.user}@{entry.by.host}"


def _moment(text: Any, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return otherwise
