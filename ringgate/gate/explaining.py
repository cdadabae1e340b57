"""What a bake's gauges say, in the shape and the words of a verdict: evidence over time, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ringgate.gate.baseline import Baseline
from ringgate.gate.facts import Facts, GateState
from ringgate.gate.gauge import Gauge, Mirror
from ringgate.gate.policy import GatePolicy
from ringgate.gate.promotion_forecast import promotion_at, share_of_ticks
from ringgate.gate.rates import RateCount
from ringgate.gate.rules import reasons, state_of
from ringgate.gate.signals import Signal, Strength
from ringgate.gate.silence import Due
from ringgate.gate.verdict import Outlook, Point, SignalEvidence
from ringgate.gate.words import counted, percent, span

POINTS = 200
"""Points of a curve. Where there are more, each stands for several, and is the highest of them."""

WORST = 3

FEW = 10
"""With fewer ticks that had results, how often they come is what is due, not what was seen."""


class JudgedBake(Protocol):
    """What of a bake a verdict explains."""

    @property
    def policy(self) -> GatePolicy: ...
    @property
    def baseline(self) -> Baseline: ...
    @property
    def started(self) -> datetime | None: ...
    @property
    def starts(self) -> Mapping[str, datetime]: ...
    @property
    def due(self) -> Due: ...
    @property
    def alpha(self) -> float: ...
    @property
    def gauges(self) -> Mapping[Signal, Gauge]: ...
    @property
    def mirror(self) -> Mirror: ...


def evidence_of(signal: Signal, gauge: Gauge, bake: JudgedBake) -> SignalEvidence:
    rates = bake.baseline.rates.get(signal, ())
    before = rates[-1].all if rates else RateCount()
    worst = sorted(gauge.sickest.items(), key=lambda each: (-each[1], each[0]))
    assert bake.started is not None
    return SignalEvidence(
        signal=signal,
        alpha=bake.alpha,
        quick=gauge.quick,
        firm=gauge.firm,
        peak=gauge.peak,
        hold_at=1 / bake.alpha,
        pause_at=1 / bake.alpha if signal.definition.most >= Strength.PAUSE else None,
        roll_back_at=bake.alpha**-2 if signal.definition.most >= Strength.ROLL_BACK else None,
        runs=gauge.runs,
        bad=gauge.bad[-1],
        runs_before=before.runs,
        bad_before=before.seen,
        null=gauge.nulls[-1].of_all,
        block=gauge.block * bake.policy.tick,
        tenants=tuple((tenant, units) for tenant, units in worst[:WORST] if round(units, 9) > 1),
        curve=thinned(gauge.curve, bake.started, bake.policy.tick),
        own_nulls=tuple(sorted({**gauge.nulls[-1].tenants, **gauge.nulls[-1].kinds}.items())),
    )


def thinned(curve: Sequence[tuple[int, float, float]], started: datetime, tick: timedelta) -> tuple[Point, ...]:
    """At most POINTS of a curve, first and last kept, and every peak."""
    inner = curve[1:-1]
    size = -(-len(inner) // (POINTS - 2)) if inner else 1
    peaks = [max(inner[at : at + size], key=_height) for at in range(0, len(inner), size)]
    kept = [curve[0], *peaks, *curve[1:][-1:]]
    return tuple(Point(started + number * tick, quick, firm) for number, quick, firm in kept)


def _height(point: tuple[int, float, float]) -> float:
    """To ten digits: of a plateau the first point is taken, however its last digits came about."""
    return float(f"{point[1]:.10g}")


def _share(bake: JudgedBake, seen: float) -> float:
    """The share of ticks that should have results."""
    every = [each for (tenant, *_), each in bake.due.every.items() if tenant in bake.starts]
    return share_of_ticks(every, bake.policy.tick) if every else seen


def _too_seldom(bake: JudgedBake, pace: float) -> list[str]:
    """That results come too seldom to promote it in time, and what would help; nothing if more of them would not."""
    (null,) = bake.gauges[Signal.FAILURES].nulls
    streak = bake.baseline.rates[Signal.FAILURES][0].streak
    every = [each for (tenant, *_), each in bake.due.every.items() if tenant in bake.starts]
    forecast = promotion_at(bake.policy, min(1.0, 1 / pace), usual=null.of_all, streak=streak, intervals=every)
    return [] if forecast.fits else [f"Results come too seldom: {forecast}."]


def outlook_of(bake: JudgedBake, facts: Facts) -> Outlook:
    """What would change the verdict. Runs come in the future as often as they have come so far."""
    state = state_of(reasons(facts))
    if facts.started is None or state in (GateState.PAUSE, GateState.ROLL_BACK):
        return Outlook(
            sentences=("Nothing that comes later changes it: somebody has to decide.",) if facts.started else ()
        )
    gauge, mirror, policy = bake.gauges[Signal.FAILURES], bake.mirror, bake.policy
    passed = max(1, (facts.now - facts.started) // policy.tick)
    ticks = max(1, gauge.settled_ticks)
    pace = passed / ticks if ticks >= FEW else 1 / _share(bake, ticks / passed)  # of the clock, for one with outcomes
    blocks = mirror.until_promoted(facts.fine_at)
    stop = gauge.until_stopped(1 / bake.alpha)
    sentences: list[str] = []
    runs = time = None
    if blocks is None:
        bad = mirror.bad(gauge.nulls[0].of_all)
        sentences.append(
            f"No number of passing runs promotes it: with {counted(bake.baseline.runs, 'run')} of baseline, "
            f"{policy.times:g} times the usual is a failure rate of {percent(min(1.0, bad))}. Take a longer baseline."
        )
    elif blocks:
        runs = round(blocks * mirror.block * max(1, gauge.runs) / ticks)
        time = blocks * mirror.block * pace * policy.tick
        sentences.append(
            f"{counted(runs, 'more run')} without a failure, about {span(time)} as they come now, prove that failures "
            f"are under {percent(mirror.bad(gauge.nulls[0].of_all))}, which promotes it if nothing else is open."
        )
    if time is not None and facts.deadline and facts.now + time > facts.deadline and not facts.over:
        sentences += _too_seldom(bake, pace)
    stops = None if stop is None else stop * gauge.block * pace * policy.tick
    if stops is not None and state is not GateState.HOLD:
        sentences.append(
            f"If every run failed from now on, it would stop after {span(max(stops, policy.tick))} at most."
        )
    if facts.deadline and not facts.over and state is not GateState.PROMOTE:
        sentences.append(f"Time for it: {span(facts.deadline - facts.now)}, then the rollout holds.")
    return Outlook(runs, time, stops, tuple(sentences))
