"""What each test came to, put together from pytest's reports: those of its phases, and of each attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest

from ringgate.domain.terms import Outcome


class Status(StrEnum):
    """As `Outcome`; `error` is anything else that kept a test from being carried out (a fixture, a collection)."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass
class RecordedAttempt:
    """One execution of a test. `start` is in seconds since the epoch, `seconds` the time of all phases."""

    status: Status = Status.PASSED
    start: float = 0.0
    seconds: float = 0.0
    text: str = ""

    @property
    def message(self) -> str:
        """The line that says what is wrong."""
        return next((line for line in self.text.splitlines() if line.strip()), "")


@dataclass
class TestOutcome:
    """A test of one session. `attempts` has more than one entry where a plugin repeated it; the last one counts."""

    __test__ = False  # for pytest, whose classes are called Test..., too

    nodeid: str
    file: str
    line: int
    attempts: list[RecordedAttempt] = field(default_factory=lambda: [RecordedAttempt()])
    properties: dict[str, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.nodeid.rpartition("::")[2] or self.nodeid

    @property
    def last(self) -> RecordedAttempt:
        return self.attempts[-1]


class OutcomeRecorder:
    """Listens to the reports of one session, in the process that receives all of them."""

    def __init__(self) -> None:
        self.tests: dict[str, TestOutcome] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, line, _ = report.location
        test = self.tests.setdefault(report.nodeid, TestOutcome(report.nodeid, file, (line or 0) + 1))
        if report.when == "setup" and test.last.start:
            test.attempts.append(RecordedAttempt())
        attempt = test.last
        attempt.start = attempt.start or getattr(report, "start", 0.0)
        attempt.seconds += report.duration
        test.properties.update({key: str(value) for key, value in report.user_properties})
        status = _status(report, test.properties)
        if status is not Status.PASSED and attempt.status is Status.PASSED:
            attempt.status, attempt.text = status, _text(report)
        test.output += [line for name, text in report.sections if name.startswith("run ") for line in text.splitlines()]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            attempt = RecordedAttempt(Status.ERROR, text=report.longreprtext)
            self.tests[report.nodeid] = TestOutcome(report.nodeid, str(report.fspath), 1, [attempt])


def _status(report: pytest.TestReport, properties: dict[str, str]) -> Status:
    outcome: Any = report.outcome  # a plugin that repeats says "rerun"
    if outcome == "passed":
        return Status.PASSED
    if outcome == "skipped":
        return Status.SKIPPED
    if properties.get("outcome") == Outcome.BROKEN:
        return Status.BROKEN
    return Status.FAILED if report.when == "call" or properties.get("outcome") == Outcome.FAILED else Status.ERROR


def _text(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # (file, line, reason) of what was skipped
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr or "")  # `longreprtext` would begin with the worker's name
