"""What is asked of a gate here: a judgement of a release in a ring, as words, numbers and curves to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Curve:
    """One signal's evidence over time: (moment, odds against the release). `pause` and `roll_back` are the odds at
    which the gate does so."""

    signal: str
    points: tuple[tuple[datetime, float], ...]
    pause: float
    roll_back: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict: `pass`, `fail` or `inconclusive`; and what it means for the rollout: `action`.

    `since` is when the bake began, None where none did. `tested` of `expected` tenants have results of the release.
    `detail` is the gate's own explanation in what JSON knows.
    """

    ring: str
    release: str
    verdict: str
    action: str
    at: datetime
    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    tested: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_plain(self, now: datetime) -> dict[str, Any]:
        """For other programs. `verdict` comes first: that is what they read."""
        return {
            "verdict": self.verdict,
            "action": self.action,
            "ring": self.ring,
            "release": self.release,
            "reasons": list(self.reasons),
            "judged_at": self.at.isoformat(timespec="milliseconds"),
            "age_seconds": round(max(0.0, (now - self.at).total_seconds()), 3),
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
            "tenants_tested": list(self.tested),
            "tenants_expected": list(self.expected),
            "evidence": dict(self.evidence),
            "detail": dict(self.detail),
        }


class Judge(Protocol):
    """Judges a release in a ring from the store. Raises RinggateError where it cannot."""

    def __call__(self, ring: str, release: str, now: datetime) -> Judgement: ...


def inconclusive(ring: str, release: str, at: datetime, *reasons: str) -> Judgement:
    """No verdict, for these reasons: the rollout waits."""
    return Judgement(ring, release, "inconclusive", "wait", at, reasons)
