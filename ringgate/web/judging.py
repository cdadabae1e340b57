"""What is asked of a gate here: a judgement of a release in a ring, as words, numbers and curves to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Curve:
    """One signal's evidence over time: (moment, units against the release). At `hold` the gate holds, at `pause` it
    pauses, at `roll_back` it rolls back; None for a signal that cannot."""

    signal: str
    points: tuple[tuple[datetime, float], ...]
    hold: float
    pause: float | None = None
    roll_back: float | None = None


@dataclass(frozen=True, slots=True)
class GateJudgement:
    """A verdict: `pass`, `fail` or `inconclusive`; and what it means for the rollout: `action`.

    `since` is when the bake began, None where none did. `tested` of `expected` tenants have results of the release.
    `outlook` says what would change the verdict. `detail` is the gate's own answer, as `ringgate gate --format json`
    has it.
    """

    ring: str
    release: str
    verdict: str
    action: str
    at: datetime
    reasons: tuple[str, ...] = ()
    outlook: tuple[str, ...] = ()
    since: datetime | None = None
    tested: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> Mapping[tuple[str, str], float]:
        """At how much evidence of a signal the gate does what: (signal, action) -> units."""
        found = {}
        for each in self.curves:
            for action, limit in (("hold", each.hold), ("pause", each.pause), ("roll back", each.roll_back)):
                if limit is not None:
                    found[each.signal, action] = limit
        return found

    def as_plain(self, now: datetime) -> dict[str, Any]:
        """For other programs: what `ringgate gate --format json` says, and how old that is."""
        return {
            "verdict": self.verdict,
            "action": self.action,
            "ring": self.ring,
            "release": self.release,
            "at": self.at.isoformat(timespec="seconds"),
            "reasons": [{"rule": "server", "state": self.verdict, "sentence": each} for each in self.reasons],
            **self.detail,
            "age_seconds": round(max(0.0, (now - self.at).total_seconds()), 3),
        }


class VerdictSource(Protocol):
    """Judges a release in a ring from the store. Raises RinggateError where it cannot."""

    def __call__(self, ring: str, release: str, now: datetime) -> GateJudgement: ...


def inconclusive(ring: str, release: str, at: datetime, *reasons: str, action: str = "hold") -> GateJudgement:
    """No verdict, for these reasons: the rollout holds."""
    return GateJudgement(ring, release, "inconclusive", action, at, reasons)
