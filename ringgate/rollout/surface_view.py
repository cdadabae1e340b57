"""The surface on the page of a rehearsal: one row for each change that matters, whichever tenants it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringgate.domain.terms import Channel
from ringgate.report.text import CHANNEL_WORDS, clean, humanise, listed
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.results import SurfaceResult, VerificationResult
from ringgate.rollout.surface import HEADINGS
from ringgate.surface import Severity

USERS_NAMED = 3


@dataclass
class _Row:
    sentence: str
    breaking: bool
    users: dict[str, None] = field(default_factory=dict)
    tenants: list[str] = field(default_factory=list)
    accepted: dict[str, None] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    expired: str = ""


def surface_view(record: RehearsalRecord, lists: Mapping[str, str]) -> dict[str, Any] | None:
    """What the template reads; None where no surface was compared. `lists` are addresses of full lists by tenant."""
    details: dict[str, SurfaceResult] = {}
    for kept in record.tenants.values():
        if verified := kept.result(VerificationResult):
            details |= verified.surface
    if not details:
        return None
    first, detail = next(iter(details.items()))
    return {
        "rows": [_shown(row, len(details)) for row in _rows(details)],
        "rest": _rest(dict(detail.counts)),
        "of": first,
        "read": listed(dict.fromkeys(each.read_of for each in details.values())),
        "touches": detail.touches,
        "users": len(detail.users),
        "lists": [(name, lists[name]) for name in details if name in lists],
        "idle": list(dict.fromkeys(words for each in details.values() for words in each.idle)),
    }


def _rest(counts: Mapping[str, int]) -> str:
    """`112 changes break and 82 may break what nothing known uses, and 824 are compatible`"""
    breaks, may, fine = (counts[words] for klass, used, words in HEADINGS if not used)
    return f"{breaks:,} changes break and {may:,} may break what nothing known uses, and {fine:,} are compatible"


def _rows(details: Mapping[str, SurfaceResult]) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for tenant, detail in details.items():
        for each in detail.used:
            row = rows.setdefault(each.signature, _Row(clean(each.sentence, 400), each.klass == Severity.BREAKING))
            row.users |= dict.fromkeys(each.users)
            row.tenants.append(tenant)
            row.expired = row.expired or each.expired
            if each.accepted:
                row.accepted[each.accepted] = None
            else:
                row.open.append(tenant)
    return sorted(rows.values(), key=lambda row: (not row.breaking, not row.open))


def _shown(row: _Row, tenants: int) -> dict[str, str]:
    state, word = ("failed", "breaks") if row.breaking else ("broken", "may break")
    if not row.open:
        state, word = "passed", "accepted"
    partly = [f"not on {listed(row.open)}"] if row.accepted and row.open else []
    return {
        "state": state,
        "word": word,
        "sentence": row.sentence,
        "users": listed(map(_user, row.users), USERS_NAMED),
        "tenants": "" if len(row.tenants) == tenants else listed(row.tenants),
        "accepted": clean("; ".join([*row.accepted, *partly]), 400),
        "expired": row.expired,
    }


def _user(name: str) -> str:
    """`time-entry over api` -> `Time entry (API)`; an integration by its name."""
    scenario, over, channel = name.rpartition(" over ")
    return f"{humanise(scenario)} ({CHANNEL_WORDS[Channel(channel)]})" if over else clean(name, 60)
