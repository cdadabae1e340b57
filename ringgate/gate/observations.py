"""What one run says to each signal: yes, no, or nothing at all."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ringgate.domain.errors import ErpTimedOut, IntegrationLate
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


class UsualPace:
    """How long runs of each kind took: the baseline's quantiles, each a value that occurred, times what is allowed."""

    def __init__(self, results: Iterable[RunResult], policy: SlownessPolicy) -> None:
        taken: dict[str, list[float]] = defaultdict(list)
        for result in results:
            if result.outcome is Outcome.PASSED:
                taken[kind_of(result)].append(result.seconds)
        self.limits: Mapping[str, tuple[float, ...]] = {
            kind: limits_of(sorted(seconds), policy)
            for kind, seconds in taken.items()
            if len(seconds) >= ENOUGH_FOR_QUANTILES
        }

    @classmethod
    def of_limits(cls, limits: Mapping[str, tuple[float, ...]]) -> UsualPace:
        """Of limits that somebody else worked out, by kind of run."""
        pace = cls.__new__(cls)
        pace.limits = limits
        return pace

    def slow(self, result: RunResult) -> tuple[bool, ...] | None:
        """Whether it took longer than each limit. None for a run that did not pass, or of an unknown kind."""
        limits = self.limits.get(kind_of(result))
        if limits is None or result.outcome is not Outcome.PASSED:
            return None
        return tuple(result.seconds > limit for limit in limits)


def limits_of(ordered: Sequence[float], policy: SlownessPolicy) -> tuple[float, ...]:
    """What each quantile of these durations, shortest first, allows."""
    places = (max(0, math.ceil(part * len(ordered)) - 1) for part in policy.quantiles)
    return tuple(policy.slower * float(ordered[place]) for place in places)


def concerns(sample: SignalSample, ring: str, tenants: Collection[str]) -> bool:
    """Whether a sample is of a tenant of the ring, of the ring, or of a server that all share."""
    if sample.tenant:
        return sample.tenant in tenants
    return sample.ring in ("", ring)


def over_limit(sample: SignalSample) -> bool | None:
    """None where nobody said what is too much; what is no number is too much."""
    return None if sample.limit is None else not sample.value <= sample.limit
