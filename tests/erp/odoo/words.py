"""What came of a run, as a failing test shows it."""

from __future__ import annotations

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome

PASSED = "passed"


def in_words(result: RunResult) -> str:
    """PASSED, or why not: the step, the failure with what was expected and found, and what could not be undone."""
    told = [result.outcome.value, result.reason]
    if failure := result.failure:
        told += [
            f"in step {failure.step!r}: {failure.kind}: {failure.message}",
            failure.because and f"because {failure.because}",
            (failure.expected or failure.actual) and f"expected {failure.expected}, got {failure.actual}",
        ]
        if result.outcome is Outcome.BROKEN:
            told.append(failure.traceback)
    told += [f"left behind: {each.verb} {each.marker}: {each.reason}" for each in result.residue]
    return "\n".join(each for each in told if each)
