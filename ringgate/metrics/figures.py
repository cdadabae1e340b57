"""Figures of runs: what Prometheus is told, added up result by result. No I/O.

Counts only grow. They are kept with the results (`as_plain`), so a restart goes on where it was: a counter that was
rebuilt from the last days alone would fall, and Prometheus would take all that is left of it for new.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from ringgate.domain.integrations import arrival_name
from ringgate.domain.model import Failure, RunResult, Step
from ringgate.domain.terms import Outcome, Source, StepKind

Key = tuple[str, str, str]
"""Tenant, scenario, channel."""
StepKey = tuple[str, str, str, str, str]
"""Scenario, step, channel, ring, release. No tenant: a thousand of them would make a million series."""

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, inf)
"""Upper ends in seconds: from reading a record over the API to a long walk through the browser."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

VERSION = 1
"""Of what `as_plain` gives. Figures of another version are not gone on with."""

AVAILABILITY = frozenset({Source.SUITE, Source.PROBE})
"""What says how available a tenant is. A rehearsal breaks things on purpose, a self-test plants a fault."""


@dataclass(slots=True)
class RunCount:
    """How often something happened, when last, and in which trace."""

    number: int = 0
    at: datetime = LONG_AGO
    trace_id: str = ""

    def add(self, at: datetime, trace_id: str) -> None:
        self.number += 1
        if at >= self.at:
            self.at, self.trace_id = at, trace_id


@dataclass(slots=True)
class DurationSpread:
    """Durations of a step. `numbers` counts each bucket on its own; `exemplars` are its last seconds, trace, moment."""

    numbers: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    exemplars: list[tuple[float, str, datetime] | None] = field(default_factory=lambda: [None] * len(BUCKETS))
    seconds: float = 0.0
    at: datetime = LONG_AGO

    def add(self, seconds: float, at: datetime, trace_id: str) -> None:
        bucket = bisect_left(BUCKETS, seconds)
        self.numbers[bucket] += 1
        self.exemplars[bucket] = (seconds, trace_id, at)
        self.seconds += seconds
        self.at = max(at, self.at)


@dataclass(frozen=True, slots=True)
class Last:
    """The last run of a scenario on a tenant over a channel that was neither skipped nor stopped. `at` is its end."""

    at: datetime
    outcome: Outcome
    seconds: float
    ring: str
    release: str


class Figures:
    """The sums over all results that were taken. Not safe for threads: its follower is."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str, str, str], RunCount] = {}
        self.last: dict[Key, Last] = {}
        self.steps: dict[StepKey, DurationSpread] = {}
        self.failures: dict[tuple[str, str, str, str, str, str], RunCount] = {}
        self.residue: dict[str, RunCount] = {}
        self.arrivals: dict[tuple[str, str, str], RunCount] = {}
        self.lags: dict[tuple[str, str], tuple[float, datetime]] = {}
        self.self_tests: dict[tuple[str, str], RunCount] = {}

    def take(self, result: RunResult) -> None:
        """Adds one result. Whoever calls takes care that each is taken once."""
        at = result.started_at + timedelta(seconds=result.seconds)
        for left in result.residue:
            self.residue.setdefault(left.tenant, RunCount()).add(at, result.trace_id)
        if result.source is Source.SELF_TEST:
            self._take_self_test(result, at)
        elif result.source in AVAILABILITY:
            self._take_run(result, at)

    def _take_self_test(self, result: RunResult, at: datetime) -> None:
        word = caught(result.outcome, result.failure)
        self.self_tests.setdefault((result.ring, word), RunCount()).add(at, result.trace_id)

    def _take_run(self, result: RunResult, at: datetime) -> None:
        key = (result.tenant, result.scenario, result.channel.value)
        self.runs.setdefault((*key, result.outcome.value), RunCount()).add(at, result.trace_id)
        if result.outcome is Outcome.SKIPPED:
            return
        told = result.outcome is not Outcome.STOPPED  # what was before it holds on
        if told and (key not in self.last or at >= self.last[key].at):
            self.last[key] = Last(at, result.outcome, result.seconds, result.ring, result.release)
        where = (result.channel.value, result.ring, result.release)
        for step in result.steps:
            if step.kind is StepKind.ARRIVAL:
                self._take_arrival(result, step, at)
                continue
            if step.outcome is Outcome.PASSED:
                spread = self.steps.setdefault((result.scenario, step.name, *where), DurationSpread())
                spread.add(step.seconds, at, result.trace_id)
        if result.failure:
            reason = result.failure.invariant.value if result.failure.invariant else result.failure.kind
            name = (result.scenario, result.failure.step, *where, reason)
            self.failures.setdefault(name, RunCount()).add(at, result.trace_id)

    def _take_arrival(self, result: RunResult, step: Step, at: datetime) -> None:
        """A step `payroll`, `payroll reversal`, or `payroll: doubled, amount` where that was wrong."""
        integration, wrong = arrival_name(step.name), step.name.partition(": ")[2]
        for word in wrong.split(", ") if wrong else ["arrived"]:
            self.arrivals.setdefault((result.tenant, integration, word), RunCount()).add(at, result.trace_id)
        if step.seconds and at >= self.lags.get((result.tenant, integration), (0.0, LONG_AGO))[1]:
            self.lags[result.tenant, integration] = (step.seconds, at)

    def forget(self, before: datetime) -> None:
        """Drops what nothing was added to since: tenants that left, releases of long ago."""
        kept: tuple[dict[Any, Any], ...] = (
            self.runs, self.failures, self.residue, self.self_tests, self.steps, self.last, self.arrivals
        )  # fmt: skip
        for counts in kept:
            for key in [key for key, value in counts.items() if value.at < before]:
                del counts[key]
        self.lags = {key: lag for key, lag in self.lags.items() if lag[1] >= before}

    # --- kept over a restart ----------------------------------------------------------------------------------------

    def as_plain(self) -> dict[str, Any]:
        """All of it in what JSON knows."""
        return {
            "version": VERSION,
            "buckets": list(BUCKETS[:-1]),
            "runs": _plain(self.runs, _plain_count),
            "failures": _plain(self.failures, _plain_count),
            "residue": [[key, _plain_count(each)] for key, each in self.residue.items()],
            "self_tests": _plain(self.self_tests, _plain_count),
            "arrivals": _plain(self.arrivals, _plain_count),
            "lags": _plain(self.lags, lambda x: [x[0], x[1].timestamp()]),
            "last": _plain(
                self.last, lambda x: [x.at.timestamp(), x.outcome.value, x.seconds, x.ring, x.release]
            ),
            "steps": _plain(
                self.steps,
                lambda x: [
                    x.numbers,
                    [[e[0], e[1], e[2].timestamp()] if e else None for e in x.exemplars],
                    x.seconds,
                    x.at.timestamp(),
                ],
            ),
        }  # fmt: skip

    @classmethod
    def of_plain(cls, kept: Mapping[str, Any]) -> Figures | None:
        """What was kept, or None where it is of another version."""
        if kept.get("version") != VERSION or kept.get("buckets") != list(BUCKETS[:-1]):
            return None
        self = cls()
        for name in ("runs", "failures", "self_tests"):
            getattr(self, name).update({tuple(key): _count(value) for key, value in kept[name]})
        self.arrivals = {tuple(key): _count(value) for key, value in kept.get("arrivals", ())}
        self.lags = {tuple(key): (seconds, _moment(at)) for key, (seconds, at) in kept.get("lags", ())}
        self.residue = {key: _count(value) for key, value in kept["residue"]}
        for key, (at, outcome, seconds, ring, release) in kept["last"]:
            self.last[tuple(key)] = Last(_moment(at), Outcome(outcome), seconds, ring, release)
        for key, (numbers, exemplars, seconds, at) in kept["steps"]:
            shown = [(e[0], e[1], _moment(e[2])) if e else None for e in exemplars]
            self.steps[tuple(key)] = DurationSpread(list(numbers), shown, seconds, _moment(at))
        return self


def caught(outcome: Outcome, failure: Failure | None) -> str:
    """Whether a self-test was `caught` or `missed`, else how it went. Caught is only what failed for want of what the
    scenario expects, as the gate has it."""
    if outcome is Outcome.FAILED and failure and failure.kind == "expectation":
        return "caught"
    return {Outcome.PASSED: "missed"}.get(outcome, outcome.value)


def _plain(values: Mapping[Any, Any], plain: Callable[[Any], Any]) -> list[list[Any]]:
    return [[list(key), plain(value)] for key, value in values.items()]


def _plain_count(count: RunCount) -> list[Any]:
    return [count.number, count.at.timestamp(), count.trace_id]


def _count(kept: Iterable[Any]) -> RunCount:
    number, at, trace_id = kept
    return RunCount(number, _moment(at), trace_id)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
