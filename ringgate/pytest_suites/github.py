"""The summary on the page of a GitHub Actions job (`GITHUB_STEP_SUMMARY`): what did not pass, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from ringgate.pytest_suites.outcomes import Status, TestOutcome

MOST: Final = 50
"""Tests that are named. GitHub refuses more than 1 MiB for each step."""
LONGEST: Final = 300
WORDS: Final = {
    Status.FAILED: "the ERP is wrong",
    Status.BROKEN: "our side: no evidence against the ERP",
    Status.ERROR: "could not be carried out",
}


def markdown(tests: Iterable[TestOutcome], *, release: str = "") -> str:
    """A heading with counts, and a table of what did not pass."""
    tests = list(tests)
    counts = Counter(test.last.status for test in tests)
    told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status]) or "nothing was run"
    about = f" of release {_cell(release)}" if release else ""
    lines = [f"### Business processes{about}: {told}", ""]
    wrong = [test for test in tests if test.last.status in WORDS]
    if wrong:
        lines += ["| test | what it came to | why |", "|---|---|---|"]
        lines += [f"| {_cell(t.name)} | {WORDS[t.last.status]} | {_cell(t.last.message)} |" for t in wrong[:MOST]]
    if len(wrong) > MOST:
        lines += ["", f"and {len(wrong) - MOST} more"]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    cut = text if len(text) <= LONGEST else text[:LONGEST] + " ..."
    for sign in "\\`*_{}[]<>|#":
        cut = cut.replace(sign, f"\\{sign}")
    return cut.replace("\n", " ")
