"""The rollout, ring by ring: the release each has, what the gate says of it, and the evidence over time as a curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringgate.domain.model import Deployment
from ringgate.inventory import Inventory
from ringgate.report.text import clean, count, humanise, listed
from ringgate.web import cells
from ringgate.web.judging import Curve, GateJudgement
from ringgate.web.times import Age, age, span

WORDS = {
    "promote": ("passed", "May go on"),
    "hold": ("broken", "Hold"),
    "pause": ("failed", "Pause"),
    "roll back": ("failed", "Roll back"),
    "wait": ("missing", "No verdict yet"),
}
SAID = {"roll back": "must be rolled back", "pause": "is paused", "hold": "is on hold", "wait": "has no verdict yet"}
SEVERITY = ("roll back", "pause", "hold", "wait", "promote")

LOWEST = 0.1
"""Units at the foot of a curve; what lies below is drawn there."""
MOST_POINTS = 240
MOST_UNITS = 1_000_000
"""More than this is told as more than this: nobody reads on."""


@dataclass(frozen=True, slots=True)
class CurveView:
    """A signal's curve: `points` for an SVG of 100 by 100, `now` its last value in words."""

    signal: str
    points: str
    now: str
    high: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """All curves of a ring over one axis. `lines` are (height in percent from the top, words)."""

    curves: tuple[CurveView, ...]
    lines: tuple[tuple[float, str, str], ...]
    length: str


@dataclass(frozen=True, slots=True)
class RingView:
    """A ring. `release` is "" where none was noted; `action` is "" where nothing was judged."""

    name: str
    release: str
    since: Age | None
    state: str
    word: str
    action: str
    reasons: tuple[str, ...]
    tenants: tuple[str, ...]
    untested: tuple[str, ...]
    failing: tuple[str, ...]
    tested_words: str
    judged: Age | None
    chart: Chart | None
    outlook: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The page's first words."""

    state: str
    word: str
    sentence: str
    because: str = ""


def views(
    inventory: Inventory,
    deployments: Sequence[Deployment] | None,
    judgements: Mapping[str, GateJudgement],
    failing: frozenset[str],
    now: datetime,
) -> list[RingView]:
    """One for each ring, in the order of the rollout. `deployments` is None while nobody knows of any."""
    latest = {each.ring: each for each in deployments or ()}
    none = ("skipped", "No release noted") if deployments is not None else ("missing", "Not known yet")
    return [
        _view(
            ring,
            [each.id for each in inventory.tenants if each.ring == ring],
            latest.get(ring),
            judgements.get(ring),
            failing,
            now,
            none,
        )
        for ring in inventory.rings
    ]


def _view(
    ring: str,
    tenants: Sequence[str],
    deployed: Deployment | None,
    judgement: GateJudgement | None,
    failing: frozenset[str],
    now: datetime,
    none: tuple[str, str],
) -> RingView:
    state, word = none if deployed is None else ("missing", "Not judged yet")
    if judgement:
        state, word = WORDS.get(judgement.action, ("missing", humanise(judgement.action)))
    was_tested = set(judgement.tested) if judgement else set()
    untested = [each for each in judgement.expected if each not in was_tested] if judgement else []
    tested = ""
    if judgement and judgement.expected:
        tested = f"{len(judgement.tested)} of {count(len(judgement.expected), 'tenant')} tested"
    return RingView(
        name=clean(ring, 60),
        release=clean(deployed.release, 80) if deployed else "",
        since=age(deployed.at, now) if deployed else None,
        state=state,
        word=word,
        action=judgement.action if judgement else "",
        reasons=tuple(clean(each, 400) for each in judgement.reasons[:6]) if judgement else (),
        tenants=tuple(clean(each, 60) for each in tenants),
        untested=tuple(clean(each, 60) for each in untested),
        failing=tuple(sorted(each for each in tenants if each in failing)),
        tested_words=tested,
        judged=age(judgement.at, now) if judgement else None,
        chart=chart(judgement.curves) if judgement and judgement.curves else None,
        outlook=tuple(clean(each, 400) for each in judgement.outlook[:4]) if judgement else (),
    )


def headline(rings: Sequence[RingView], error: str, table: cells.LiveTable) -> Headline:
    """What a release manager must know first: blindness, then the most severe action, then that all is well."""
    if error:
        return Headline("broken", "Cannot see", "Nothing is known of now.", f"{clean(error, 300)}.")
    judged = [each for each in rings if each.action]
    if not judged:
        sentence = "No deployment has been noted, so there is nothing to judge yet."
        if any(each.release for each in rings):
            sentence = "A deployment was noted and has not been judged yet."
        return Headline("missing", "No verdict", sentence)
    worst = min(judged, key=lambda each: SEVERITY.index(each.action) if each.action in SEVERITY else 0)
    if worst.action == "promote":
        return Headline("passed", "May go on", f"{_names(judged)} may go on: the evidence is in.")
    because = worst.reasons[0] if worst.reasons else ""
    return Headline(worst.state, worst.word, f"Ring {worst.name} {SAID.get(worst.action, worst.action)}.", because)


def _names(rings: Sequence[RingView]) -> str:
    return f"{'Ring' if len(rings) == 1 else 'Rings'} {listed(each.name for each in rings)}"


# --- curves -----------------------------------------------------------------------------------------------------------


def chart(curves: Sequence[Curve]) -> Chart | None:
    """Curves on a logarithmic axis of units, from the bake's start to now."""
    moments = [at for curve in curves for at, _ in curve.points]
    if not moments:
        return None
    first, last = min(moments), max(moments)
    limits = {"hold": min(curve.hold for curve in curves)}
    for name, found in (("pause", [c.pause for c in curves]), ("roll back", [c.roll_back for c in curves])):
        if known := [each for each in found if each is not None]:
            limits[name] = min(known)
    top = max(limits.values()) * 3

    def height(value: float) -> float:
        place = math.log(max(value, LOWEST) / LOWEST) / math.log(top / LOWEST)
        return round(100 - 100 * min(1.0, place), 2)

    def across(at: datetime) -> float:
        length = (last - first).total_seconds()
        return round(100 * (at - first).total_seconds() / length, 2) if length else 100.0

    def drawn(curve: Curve) -> CurveView:
        points = _thinned(curve.points)
        value = curve.points[-1][1] if curve.points else 1.0
        text = " ".join(f"{across(at)},{height(each)}" for at, each in points)
        return CurveView(humanise(curve.signal), text, _units(value), value >= curve.hold)

    lines = [(height(1.0), "even", "1")]
    for limit in dict.fromkeys(limits.values()):
        names = [name for name, each in limits.items() if each == limit]
        lines.append((height(limit), names[-1].replace(" ", "-"), f"{' and '.join(names)} at {_units(limit)}"))
    return Chart(tuple(drawn(each) for each in curves if each.points), tuple(lines), span(last - first))


def _thinned(points: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """At most `MOST_POINTS`: of each stretch the highest, for a peak must not be lost; and the last as it is."""
    if len(points) <= MOST_POINTS:
        return list(points)
    width = math.ceil(len(points) / MOST_POINTS)
    stretches = [points[at : at + width] for at in range(0, len(points), width)]
    return [*(max(each, key=lambda point: point[1]) for each in stretches[:-1]), points[-1]]


def _units(value: float) -> str:
    if value > MOST_UNITS:
        return f"over {MOST_UNITS:,}"
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"
