"""CTRF, the Common Test Report Format (ctrf.io): one JSON file that dashboards and CI actions of many kinds read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from uuid import uuid4

from ringgate.pytest_suites.outcomes import RecordedAttempt, Status, TestOutcome

SPECIFICATION: Final = "1.0.0"
STATUS: Final[Mapping[Status, str]] = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "failed",
    Status.SKIPPED: "skipped",
    Status.BROKEN: "other",  # neither passed nor evidence against the ERP; `rawStatus` says so
}
LABELS: Final = ("scenario", "tenant", "channel")


def document(tests: Iterable[TestOutcome], *, start: float, stop: float, release: str = "") -> dict[str, Any]:
    """The report of one session. `start` and `stop` are seconds since the epoch."""
    cases = [_case(test) for test in tests]
    counts = Counter(case["status"] for case in cases)
    summary = {status: counts[status] for status in ("passed", "failed", "skipped", "pending", "other")}
    summary |= {"tests": len(cases), "flaky": sum(case["flaky"] for case in cases)}
    environment: dict[str, Any] = {"reportName": "Business processes", "osPlatform": sys.platform}
    if release:
        environment["appVersion"] = release
    return {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "reportId": str(uuid4()),
        "timestamp": datetime.fromtimestamp(stop, UTC).isoformat(),
        "generatedBy": "ringgate",
        "results": {
            "tool": {"name": "ringgate", "version": version("ringgate")},
            "summary": {**summary, "start": _ms(start), "stop": _ms(stop), "duration": _ms(stop - start)},
            "tests": cases,
            "environment": environment,
        },
    }


def _case(test: TestOutcome) -> dict[str, Any]:
    last = test.last
    labels = {key: test.properties[key] for key in LABELS if key in test.properties}
    extra = {key: value for key, value in test.properties.items() if key not in LABELS}
    case: dict[str, Any] = {
        "name": test.name,
        "status": STATUS[last.status],
        "rawStatus": last.status.value,
        "duration": _ms(last.seconds),
        "start": _ms(last.start),
        "stop": _ms(last.start + last.seconds),
        "suite": list(PurePath(test.file).parts) or ["."],
        "filePath": test.file,
        "line": test.line,
        "type": "e2e",
        "retries": len(test.attempts) - 1,
        "flaky": len(test.attempts) > 1 and last.status is Status.PASSED,
    }
    if last.text:
        case |= {"message": last.message, "trace": last.text}
    if labels:
        case["labels"] = labels
    if extra:
        case["extra"] = extra
    if test.output:
        case["stdout"] = test.output
    if len(test.attempts) > 1:
        case["retryAttempts"] = [_attempt(number, each) for number, each in enumerate(test.attempts[:-1], start=1)]
    return case


def _attempt(number: int, attempt: RecordedAttempt) -> dict[str, Any]:
    told = {"attempt": number, "status": STATUS[attempt.status], "duration": _ms(attempt.seconds)}
    return told | ({"message": attempt.message, "trace": attempt.text} if attempt.text else {})


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
