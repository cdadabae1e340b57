"""What many runs have in common: what ran where and what for, and how it went. Said once, it need not be said again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Channel, Outcome, Source, StepKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RunLabels:
    """What ran, where and what for; `server` is what the server said it is."""

    source: Source
    release: str
    scenario: str
    tenant: str
    ring: str
    channel: Channel
    server: str = ""


@dataclass(frozen=True, slots=True)
class RunShape:
    """How a run went: its outcome, the names, outcomes and kinds of its steps, and what kind of failure it had.

    `failure` has no texts: its kind, step, basis and invariant alone."""

    outcome: Outcome
    steps: tuple[tuple[str, Outcome, StepKind | None], ...] = ()
    failure: Failure | None = None


def labels_of(result: RunResult) -> RunLabels:
    return RunLabels(
        result.source, result.release, result.scenario, result.tenant, result.ring, result.channel, result.server
    )


def shape_of(result: RunResult) -> RunShape:
    failure = result.failure
    if failure is not None:
        failure = Failure(failure.kind, "", failure.step, basis=failure.basis, invariant=failure.invariant)
    return RunShape(result.outcome, tuple((step.name, step.outcome, step.kind) for step in result.steps), failure)


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def span_of(seconds: float) -> int:
    """Microseconds, as columns hold them: 0 for what is negative, and 4,294 s for what is longer."""
    return min(max(0, round(1e6 * seconds)), 2**32 - 1)


def moment_of(at: int) -> datetime:
    """The aware moment of so many microseconds since 1970."""
    return _EPOCH + int(at) * _MICROSECOND
