"""What one run says to each signal: yes, no, or nothing at all."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ringgate.domain.errors import ErpTimedOut, IntegrationLate
from ringgate.domain.integrations import is_lag
from ringgate.domain.model import RunResult, SignalSample
from ringgate.domain.terms import Channel, Outcome, Source, StepKind

Probe = tuple[str, str, Channel]
"""A tenant, a scenario and a channel: what is run again and again."""

EVIDENCE = frozenset({Source.SUITE, Source.PROBE})
ENOUGH_FOR_QUANTILES = 20


class Labelled(Protocol):
    """A run, or the labels of many."""

    @property
    def tenant(self) -> str: ...
    @property
    def scenario(self) -> str: ...
    @property
    def channel(self) -> Channel: ...


def probe_of(result: Labelled) -> Probe:
    return result.tenant, result.scenario, result.channel


def kind_of(result: Labelled) -> str:
    """`time-entry over api`: runs of a kind are comparable between tenants."""
    return f"{result.scenario} over {result.channel.value}"


def known_at(result: RunResult) -> datetime:
    """When a run's outcome was known: it was over, and undone."""
    return result.started_at + timedelta(seconds=max(0.0, result.seconds) + max(0.0, result.undo_seconds))


def failed(result: RunResult) -> bool | None:
    """None for what is no evidence: broken is our own fault, skipped was not run."""
    return result.outcome is Outcome.FAILED if result.outcome in (Outcome.PASSED, Outcome.FAILED) else None


PAUSES = frozenset({ErpTimedOut.kind, IntegrationLate.kind, "twin"})
"""Kinds of failure that do not say that the ERP is wrong: who was slow is not known, and another document may be right.
They pause, and never roll back."""


def pauses_at_most(result: RunResult) -> bool:
    """Whether it failed in a way that may only pause."""
    return result.outcome is Outcome.FAILED and result.failure is not None and result.failure.kind in PAUSES


def failed_posting(result: RunResult) -> bool | None:
    """Whether a posting step failed; None for a run that did not come to one, or failed elsewhere."""
    return _failed_at(result, StepKind.POSTING)


def made_otherwise(result: RunResult) -> bool | None:
    """Whether what a run made differs from what runs before it made; None for one that was not compared."""
    return _failed_at(result, StepKind.TWIN)


def _failed_at(result: RunResult, kind: StepKind) -> bool | None:
    those = [step.name for step in result.steps if step.kind is kind]
    if result.outcome is Outcome.FAILED and result.failure is not None:
        return True if result.failure.step in those else None
    return False if those and result.outcome is Outcome.PASSED else None


class SlownessPolicy(Protocol):
    """What of a gate's policy says when a run is slow."""

    @property
    def quantiles(self) -> tuple[float, ...]: ...
    @property
    def slower(self) -> float: ...


POSTING_QUANTILE, POSTING_SLOWER = 0.9, 1.1
REST_QUANTILE, REST_SLOWER = 0.95, 1.25
SHORTEST = 1e-3


@dataclass(frozen=True, slots=True)
class PostingPace:
    """How runs of a kind posted before. A machine that is busy with something else makes posting take longer, and the
    rest of the run with it: what a slow posting changes is how the two compare.

    `ratio`: posting is slow if it takes more seconds than this for each second of the rest. `rest`: the most seconds
    that the rest may take where anything is said; nobody knows how the two compare on a machine that is busier."""

    ratio: float
    rest: float

    @classmethod
    def of(cls, ratios: Sequence[float], rests: Sequence[float]) -> PostingPace:
        """Of the ratios and the seconds of the rest before, each in their order."""
        ratio, rest = at_quantile(ratios, POSTING_QUANTILE), at_quantile(rests, REST_QUANTILE)
        return cls(ratio * POSTING_SLOWER, rest * REST_SLOWER)


def posting_ratio(result: RunResult) -> tuple[float, float] | None:
    """Seconds of posting for each second of the rest of a run that passed, and the seconds of that rest; None for one
    that posted nothing, or of which it is not known."""
    posting = result.posting
    if result.outcome is not Outcome.PASSED or not posting:
        return None
    rest = max(result.seconds - posting / 1e6, SHORTEST)
    return posting / 1e6 / rest, rest


class UsualPace:
    """How long runs of each kind took: the baseline's quantiles, each a value that occurred, times what is allowed."""

    def __init__(self, results: Iterable[RunResult], policy: SlownessPolicy) -> None:
        taken: dict[str, list[float]] = defaultdict(list)
        posted: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for result in results:
            if result.outcome is Outcome.PASSED:
                taken[kind_of(result)].append(result.seconds)
            if (ratio := posting_ratio(result)) is not None:
                posted[kind_of(result)].append(ratio)
        self.limits: Mapping[str, tuple[float, ...]] = {
            kind: limits_of(sorted(seconds), policy)
            for kind, seconds in taken.items()
            if len(seconds) >= ENOUGH_FOR_QUANTILES
        }
        self.posting: Mapping[str, PostingPace] = {
            kind: PostingPace.of(*map(sorted, zip(*both, strict=True)))
            for kind, both in posted.items()
            if len(both) >= ENOUGH_FOR_QUANTILES
        }

    @classmethod
    def of_limits(cls, limits: Mapping[str, tuple[float, ...]], posting: Mapping[str, PostingPace]) -> UsualPace:
        """Of limits that somebody else worked out, by kind of run."""
        pace = cls.__new__(cls)
        pace.limits, pace.posting = limits, posting
        return pace

    def slow(self, result: RunResult) -> tuple[bool, ...] | None:
        """Whether it took longer than each limit. None for a run that did not pass, or of an unknown kind."""
        limits = self.limits.get(kind_of(result))
        if limits is None or result.outcome is not Outcome.PASSED:
            return None
        return tuple(result.seconds > limit for limit in limits)

    def slow_posting(self, result: RunResult) -> tuple[bool] | None:
        """Whether posting took longer than it did before, as measured by the rest of the same run. None where the rest
        says nothing: see `PostingPace`."""
        pace, found = self.posting.get(kind_of(result)), posting_ratio(result)
        if pace is None or found is None or found[1] > pace.rest:
            return None
        return (found[0] > pace.ratio,)


def at_quantile(ordered: Sequence[float], part: float) -> float:
    """The one of these values, in their order, that so large a part of them does not exceed."""
    return float(ordered[max(0, math.ceil(part * len(ordered)) - 1)])


def limits_of(ordered: Sequence[float], policy: SlownessPolicy) -> tuple[float, ...]:
    """What each quantile of these durations, shortest first, allows."""
    return tuple(policy.slower * at_quantile(ordered, part) for part in policy.quantiles)


def concerns(sample: SignalSample, ring: str, tenants: Collection[str]) -> bool:
    """Whether a sample is of a tenant of the ring, of the ring, or of a server that all share."""
    if sample.tenant:
        return sample.tenant in tenants
    return sample.ring in ("", ring)


def over_limit(sample: SignalSample) -> bool | None:
    """None where nobody said what is too much; what is no number is too much."""
    return None if sample.limit is None else not sample.value <= sample.limit


LAG_QUANTILE, LAG_SLOWER, LAG_SECONDS = 0.9, 1.5, 2.0
"""A document took long to arrive if it took longer than this quantile of those before: so many times, and so many
seconds, for a far end is looked at once a second."""


def usual_lags(samples: Iterable[SignalSample], ring: str, tenants: Collection[str]) -> dict[str, float]:
    """The most seconds that a document may take to arrive at an integration, by the samples' signal."""
    taken: dict[str, list[float]] = defaultdict(list)
    for each in samples:
        if is_lag(each.signal) and concerns(each, ring, tenants) and math.isfinite(each.value):
            taken[each.signal].append(each.value)
    usual = {
        signal: at_quantile(sorted(seconds), LAG_QUANTILE)
        for signal, seconds in taken.items()
        if len(seconds) >= ENOUGH_FOR_QUANTILES
    }
    return {signal: max(LAG_SLOWER * most, most + LAG_SECONDS) for signal, most in usual.items()}


def long_on_its_way(sample: SignalSample, lags: Mapping[str, float]) -> bool | None:
    """None for what is no lag, and for an integration of which too little is known; what is no number is too long."""
    if not is_lag(sample.signal) or sample.signal not in lags:
        return None
    return not sample.value <= lags[sample.signal]
