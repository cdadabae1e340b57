"""What a run tells its consumers while it goes on. Frozen values, in the order in which they happen:

RunStarted -> (StepStarted -> StepFinished)* -> RunFinished
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringgate.domain.model import Residue, RunResult, Scenario, Step, Tenant
from ringgate.domain.terms import Channel, Source


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run is about to act. Not sent for a run that is skipped. `started_at` is aware (UTC)."""

    run_id: str
    trace_id: str
    scenario: Scenario
    tenant: Tenant
    channel: Channel
    started_at: datetime
    session: str = ""
    release: str = ""
    source: Source = Source.SUITE


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the run began."""

    run_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not. `message` says why not; it holds no secret."""

    run_id: str
    step: Step
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over and undone. Sent exactly once for every run, skipped ones too."""

    result: RunResult


@dataclass(frozen=True, slots=True)
class RunRecovered:
    """The journal of a run was taken up after its end: `undone` reversals were made, all but `left`. A run's may be
    taken up several times. `at` is aware."""

    run_id: str
    tenant: str
    at: datetime
    undone: int
    left: tuple[Residue, ...] = ()


Event = RunStarted | StepStarted | StepFinished | RunFinished | RunRecovered


class Sink(Protocol):
    """A consumer of events: store, metrics, allure. An error it raises is our own error, and is not hidden."""

    def on(self, event: Event) -> None: ...
