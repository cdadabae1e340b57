"""The page of a release, from the store alone: plan, rings as they move, who is waited for, calendar, evidence, duties,
and afterwards the review. Nothing is approved here: an approval needs its maker's key.

    pages = ReleasePages(url, load)
    pages.index(now)              # every release that the evidence knows, the latest first
    pages.page("tryton-8-0", now) # the page's context; None for a release that is not known
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ringgate.evidence import EvidenceChain, EvidenceEntry, EvidenceKind, this_actor
from ringgate.evidence.chain import ChainReport
from ringgate.evidence.duties import duties
from ringgate.evidence.duties_page import change_view
from ringgate.evidence.measures import Measure
from ringgate.inventory import Inventory
from ringgate.report.text import clean, count, moment, seconds
from ringgate.report.timeline import note_words
from ringgate.rollout.review import ReleaseReview, ReviewSources, reviewed
from ringgate.store import Store

KEPT = timedelta(seconds=5)
"""For how long a page is given again as it is."""

LISTED = 40
"""Entries of evidence that are listed, the latest first."""

_STATES = {"promote": "passed", "pause": "broken", "hold": "broken", "roll back": "failed"}
_WORDS = {"promote": "Promoted", "pause": "Paused", "hold": "Held", "roll back": "Rolled back"}
_MARKS = {"passed": "passed", "failed": "failed", "broken": "broken"}


class ReleasePages:
    """Reads the store for each page, at most once in `KEPT`. Safe for threads."""

    def __init__(self, url: str, load: Callable[[], Inventory]) -> None:
        self._url, self._load = url, load
        self._guard = threading.Lock()
        self._kept: dict[str, tuple[datetime, dict[str, Any] | None]] = {}

    def index(self, now: datetime) -> list[dict[str, str]]:
        """Raises StoreError."""
        store = Store(self._url)
        try:
            entries = EvidenceChain(store, this_actor()).entries()
        finally:
            store.close()
        last = {each.release: each.at for each in entries if each.release}
        return [
            {"release": name, "at": moment(at)} for name, at in sorted(last.items(), key=lambda x: x[1], reverse=True)
        ]  # fmt: skip

    def page(self, release: str, now: datetime) -> dict[str, Any] | None:
        """Raises StoreError."""
        with self._guard:
            at, known = self._kept.get(release, (now - KEPT, None))
            if known is None or now - at >= KEPT:
                known = self._made(release, now)
                if len(self._kept) > LISTED:
                    self._kept.clear()
                self._kept[release] = (now, known)
            return known

    def _made(self, release: str, now: datetime) -> dict[str, Any] | None:
        store = Store(self._url)
        try:
            chain = EvidenceChain(store, this_actor())
            every, report = chain.entries(), chain.verify()
            own = [each for each in every if each.release == release]
            if not own:
                return None
            seen = {(each.release, each.ring) for each in store.labels().values()}
            changes = duties(every, store.deployments(), seen, release)
            review = reviewed(release, ReviewSources(store, every, self._load()), now)
        finally:
            store.close()
        start = _start(own)
        session = str(start.body.get("session")) if start else ""
        here = [each for each in own if each.body.get("session", session) == session]
        rings = _rings(start, here)
        waits = waited_for(start, here)
        state, word, sentence = _headline(start, here, rings, waits)
        return {
            "title": clean(_of(start, "title") or release, 120), "release": clean(release, 100),
            "state": state, "word": word, "sentence": sentence,
            "favicon": {"passed": "pass", "failed": "fail"}.get(state, "inconclusive"),
            "waits": waits, "rings": rings, "stages": _stage_names(here), "facts": _facts(start, own),
            "notes": clean(_of(start, "notes"), 2000), "support": clean(_of(start, "support_impact"), 2000),
            "components": (start.body.get("components") or []) if start else [],
            "calendar": (start.body.get("calendar") or []) if start else [],
            "evidence": _evidence(own), "entries": len(own), "chain": _chain(report),
            "duties": [change_view(each) for each in changes.changes], "review": _review(review),
            "generated": moment(now), "generated_iso": now.isoformat(timespec="seconds"),
        }  # fmt: skip


def _of(start: EvidenceEntry | None, key: str) -> str:
    """What a start says, "" where it does not: earlier versions noted less."""
    return str(start.body.get(key) or "") if start else ""


def _start(own: Sequence[EvidenceEntry]) -> EvidenceEntry | None:
    """The newest start: of a rollout, else of what there is."""
    starts = [each for each in own if each.kind is EvidenceKind.START]
    led = [each for each in starts if each.body.get("led_as") != "rehearsal"]
    return (led or starts or [None])[-1]  # type: ignore[list-item]


def waited_for(start: EvidenceEntry | None, here: Sequence[EvidenceEntry]) -> list[str]:
    """Who must still approve the next ring, by role, in sentences; nobody where it is open or over."""
    if start is None or any(each.kind is EvidenceKind.END and each.at > start.at for each in here):
        return []
    asked = set(start.body.get("approval_rings") or ())
    for each in start.body.get("rings") or ():
        ring = str(each["ring"])
        decisions = {str(x.body.get("action")) for x in here if x.kind is EvidenceKind.DECISION and x.ring == ring}
        if decisions & {"pause", "roll back"}:
            return []
        if "promote" in decisions:
            continue
        if ring not in asked or "open" in decisions:
            return []
        given: dict[str, set[str]] = {}
        for x in here:
            if x.kind is EvidenceKind.APPROVAL and x.ring == ring:
                given.setdefault(str(x.body.get("role")), set()).add(str(x.body.get("person")))
        return [_missing(ring, role, given.get(str(role["role"]), set())) for role in start.body.get("roles") or ()]
    return []


def _missing(ring: str, role: Mapping[str, Any], given: set[str]) -> str:
    left = max(0, int(role["quorum"]) - len(given))
    people = ", ".join(name for name in role["people"] if name not in given)
    so_far = f"; {', '.join(sorted(given))} approved" if given else ""
    need = f"{left} of {people}" if left else "nobody"
    return clean(f"{ring} waits for {need} as {role['role']}{so_far}", 300)


def _headline(
    start: EvidenceEntry | None, here: Sequence[EvidenceEntry], rings: Sequence[Mapping[str, Any]], waits: Sequence[str]
) -> tuple[str, str, str]:
    if start is None:
        return "missing", "Deployed", "No rehearsal and no rollout of it was led from here."
    what = str(start.body.get("led_as", "rollout"))
    for each in rings:
        if each["state"] in ("failed", "broken"):
            return each["state"], each["word"], f"Ring {each['name']}: the {what} stopped."
    if rings and all(each["state"] == "passed" for each in rings):
        return "passed", "Promoted", f"The {what} went through {count(len(rings), 'ring')}."
    if waits:
        return "missing", "Waiting", f"The {what} waits for approvals."
    return "missing", "Under way", f"The {what} is at work, or was cut off."


def _rings(start: EvidenceEntry | None, here: Sequence[EvidenceEntry]) -> list[dict[str, Any]]:
    names = _stage_names(here)
    planned = [(str(x["ring"]), list(x["tenants"])) for x in (start.body.get("rings") or ())] if start else []
    found = []
    for ring, tenants in planned:
        decided = [x for x in here if x.kind is EvidenceKind.DECISION and x.ring == ring and x.body["action"] != "open"]
        action = str(decided[-1].body["action"]) if decided else ""
        stages = [x for x in here if x.kind is EvidenceKind.STAGE and x.ring == ring]
        begun = bool(stages)
        rows = [
            {"tenant": clean(tenant, 60), "cells": [_cell(stages, tenant, stage) for stage in names]}
            for tenant in tenants
        ]
        reasons = [
            {"tenant": clean(str(x.get("tenant", "")), 60), "sentence": clean(str(x.get("sentence", "")), 400)}
            for x in (decided[-1].body.get("reasons") or ())
        ] if decided else []  # fmt: skip
        found.append({
            "name": clean(ring, 60), "state": _STATES.get(action, "missing"),
            "word": _WORDS.get(action, "Under way" if begun else "Not begun"), "rows": rows, "reasons": reasons[:12],
        })  # fmt: skip
    return found


def _stage_names(here: Sequence[EvidenceEntry]) -> list[str]:
    usual = ["baseline", "drill", "upgrade", "fingerprint", "verification"]
    extra = {str(x.body.get("stage")) for x in here if x.kind is EvidenceKind.STAGE} - set(usual)
    return [*usual, *sorted(extra)]


def _cell(stages: Sequence[EvidenceEntry], tenant: str, stage: str) -> dict[str, str]:
    own = [x for x in stages if x.body.get("tenant") == tenant and x.body.get("stage") == stage]
    if not own:
        return {"state": "skipped", "word": "not done", "time": "", "note": ""}
    body = own[-1].body
    outcome = str(body.get("outcome"))
    return {
        "state": _MARKS.get(outcome, "missing"), "word": outcome, "time": seconds(float(body.get("seconds") or 0.0)),
        "note": clean(str(body.get("note", "")), 120),
    }  # fmt: skip


def _facts(start: EvidenceEntry | None, own: Sequence[EvidenceEntry]) -> list[tuple[str, str, str]]:
    body = start.body if start else {}
    tenants = sum(len(x["tenants"]) for x in body.get("rings") or ())
    return [
        ("Release", clean(own[-1].release, 80), f"{body.get('before', '')} to {body.get('after', '')}" if body else ""),
        ("Risk class", clean(str(body.get("risk", "not noted")), 20), ""),
        ("Tenants", str(tenants), ""),
        ("Led as", clean(str(body.get("led_as", "not noted")), 40), ""),
        ("Begun", moment(start.at) if start else "", f"by {start.by.user}@{start.by.host}" if start else ""),
        ("Author", clean(str(body.get("author") or "not stated"), 80), ""),
    ]


def _evidence(own: Sequence[EvidenceEntry]) -> list[dict[str, str]]:
    return [
        {
            "number": str(each.number), "at": moment(each.at), "kind": each.kind.value, "ring": clean(each.ring, 60),
            "what": clean(_what(each), 160), "by": clean(f"{each.by.user}@{each.by.host}", 80),
            "digest": each.digest[:12],
        }
        for each in reversed(own[-LISTED:])
    ]  # fmt: skip


def _what(each: EvidenceEntry) -> str:
    body = each.body
    words = [
        body.get(key)
        for key in ("tenant", "stage", "outcome", "verdict", "action", "role", "person", "sentence", "what")
    ]
    return " ".join(str(x) for x in words if x)


def _chain(report: ChainReport) -> dict[str, Any]:
    head = f"{report.head.number}:{report.head.digest[:16]}..." if report.head else ""
    return {"holds": report.holds, "head": head, "problems": [clean(x, 300) for x in report.problems[:5]]}


def _review(review: ReleaseReview) -> dict[str, Any]:
    def rows(measures: Sequence[Measure]) -> list[dict[str, str]]:
        return [_measure(each) for each in measures]

    return {
        "what": "its rehearsals" if review.rehearsed else "its rollout",
        "own": rows((*review.of_release, review.exposure, review.detection)),
        "all": rows((*review.dora, review.false_holds)),
        "by_tenant": [(clean(name, 60), rows(each)) for name, each in review.by_tenant.items()],
        "fired": [
            {"ring": each.ring, "rule": each.rule, "action": each.action, "at": moment(each.at),
             "after": f"{each.minutes:.0f} min" if each.minutes is not None else "before any upgrade"}
            for each in review.fired
        ],
        "noted": [
            {"at": moment(each.began), "kind": each.kind, "what": clean(each.what, 300), "small": note_words(each),
             "where": clean(", ".join(each.tenants) or f"ring {each.ring}", 200)}
            for each in review.noted
        ],
        "use": [
            {"tenant": clean(each.tenant, 60), "calls": f"{each.calls:,}", "time": seconds(each.seconds),
             "backup": f"{each.backup / 1e6:.1f} MB" if each.backup else "–",  # noqa: RUF001
             "exposed": f"{review.minutes.get(each.tenant, 0.0):.0f} min"}
            for each in review.use
        ],
        "proposals": [
            {"file": each.file, "why": each.why, "diff": each.diff, "replayed": each.replayed}
            for each in review.proposals
        ],
    }  # fmt: skip


def _measure(each: Measure) -> dict[str, str]:
    def told(value: float | None) -> str:
        return "" if value is None else f"{value:.0%}" if not each.unit else f"{value:,.1f} {each.unit}"

    span = f"{told(each.low)} to {told(each.high)}" if each.low is not None and each.high is not None else ""
    return {
        "name": each.name, "value": told(each.value) or "not known", "of": f"{each.n} of {each.of}", "span": span,
        "remark": each.remark,
    }  # fmt: skip
