"""What is written for others to read: CTRF JSON, JUnit with errors for what is broken, the summary of a GitHub job."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ringgate.pytest_suites.ctrf import document
from ringgate.pytest_suites.github import markdown
from ringgate.pytest_suites.junit import errors_for_broken
from ringgate.pytest_suites.outcomes import OutcomeRecorder, RecordedAttempt, Status, TestOutcome

AT = 1_700_000_000.0


def outcome(name: str, *attempts: RecordedAttempt, **properties: str) -> TestOutcome:
    said = {"scenario": "time-entry", "tenant": "acme", "channel": "api", **properties}
    return TestOutcome(f"suites/processes/t.py::{name}", "scenarios/time_entry.py", 20, list(attempts), said)


TESTS = [
    outcome("good", RecordedAttempt(Status.PASSED, AT, 2.0), run="r1"),
    outcome("wrong", RecordedAttempt(Status.FAILED, AT, 1.0, "hours: expected 7.5, but it is 7\n(the ERP is wrong)")),
    outcome("ours", RecordedAttempt(Status.BROKEN, AT, 1.0, "no route | <b>\n(BROKEN)")),
    outcome("elsewhere", RecordedAttempt(Status.SKIPPED, AT, 0.0, "not applicable: acme does not have approvals")),
    outcome("again", RecordedAttempt(Status.FAILED, AT, 1.0, "down"), RecordedAttempt(Status.PASSED, AT + 1, 1.5)),
]


def test_ctrf_has_the_shape_that_its_schema_asks_for() -> None:
    told = document(TESTS, start=AT, stop=AT + 9, release="8.0")
    assert (told["reportFormat"], told["specVersion"]) == ("CTRF", "1.0.0")
    summary = told["results"]["summary"]
    assert {name: summary[name] for name in ("tests", "passed", "failed", "skipped", "pending", "other", "flaky")} == {
        "tests": 5, "passed": 2, "failed": 1, "skipped": 1, "pending": 0, "other": 1, "flaky": 1,
    }  # fmt: skip
    assert (summary["start"], summary["stop"], summary["duration"]) == (AT * 1000, (AT + 9) * 1000, 9000)
    good, wrong, ours, _, again = told["results"]["tests"]
    assert (good["status"], good["duration"], good["labels"]["tenant"], good["extra"]) == (
        "passed",
        2000,
        "acme",
        {"run": "r1"},
    )
    assert (wrong["status"], wrong["message"]) == ("failed", "hours: expected 7.5, but it is 7")
    assert (ours["status"], ours["rawStatus"]) == ("other", "broken")
    assert again["flaky"]
    assert again["retryAttempts"] == [
        {"attempt": 1, "status": "failed", "duration": 1000, "message": "down", "trace": "down"}
    ]
    assert json.loads(json.dumps(told)) == told


def test_the_summary_of_a_github_job_names_what_did_not_pass() -> None:
    told = markdown(TESTS, release="8.0").splitlines()
    assert told[0] == "### Business processes of release 8.0: 2 passed, 1 failed, 1 broken, 1 skipped"
    assert "| wrong | the ERP is wrong | hours: expected 7.5, but it is 7 |" in told
    assert "| ours | our side: no evidence against the ERP | no route \\| \\<b\\> |" in told
    assert not any("| good" in line or "| again" in line for line in told)


def test_a_summary_that_is_too_long_says_so() -> None:
    wrong = [outcome(f"w{n}", RecordedAttempt(Status.FAILED, AT, 1.0, "x" * 5000)) for n in range(300)]
    told = markdown(wrong)
    assert len(told) < 2**20
    assert "and 250 more" in told


def test_a_summary_of_nothing_is_no_pass() -> None:
    assert "nothing was run" in markdown([])


JUNIT = """<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="0" tests="3">
<testcase name="ours"><properties><property name="outcome" value="broken"/></properties>
<failure message="no route">t</failure></testcase>
<testcase name="wrong"><properties><property name="outcome" value="failed"/></properties>
<failure message="7">t</failure></testcase>
<testcase name="fixture"><error message="down">t</error></testcase>
</testsuite></testsuites>"""


def test_what_is_broken_is_an_error_in_junit(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(JUNIT)
    assert errors_for_broken(file) == 1
    suite = next(ET.parse(file).iter("testsuite"))
    assert (suite.get("errors"), suite.get("failures")) == ("2", "1")
    told = {case.get("name"): [child.tag for child in case if child.tag != "properties"] for case in suite}
    assert told == {"ours": ["error"], "wrong": ["failure"], "fixture": ["error"]}
    assert errors_for_broken(file) == 0


@pytest.mark.parametrize("content", [None, "", "no xml"])
def test_a_junit_file_that_cannot_be_read_is_left_alone(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "junit.xml"
    if content is not None:
        file.write_text(content)
    assert errors_for_broken(file) == 0
    assert not file.exists() if content is None else file.read_text() == content


def test_attempts_of_a_test_are_kept() -> None:
    recorder = OutcomeRecorder()

    def report(when: str, outcome: str, start: float, text: str = "") -> pytest.TestReport:
        made = pytest.TestReport("t.py::x", ("t.py", 4, "x"), {}, "passed", text or None, when, start=start)  # type: ignore[arg-type]
        made.outcome, made.duration = outcome, 1.0  # type: ignore[assignment]
        return made

    for when, came, at, text in (
        ("setup", "passed", 1.0, ""), ("call", "rerun", 2.0, "down"), ("teardown", "passed", 3.0, ""),
        ("setup", "passed", 4.0, ""), ("call", "passed", 5.0, ""), ("teardown", "passed", 6.0, ""),
    ):  # fmt: skip
        recorder.pytest_runtest_logreport(report(when, came, at, text))
    (test,) = recorder.tests.values()
    assert [(each.status, each.text, each.seconds) for each in test.attempts] == [
        (Status.FAILED, "down", 3.0), (Status.PASSED, "", 3.0),
    ]  # fmt: skip


def test_the_command_line_writes_both(tmp_path: Path) -> None:
    """One failure that is the ERP's and one that is ours, of tests without any ERP."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\nringgate = true\n")
    (tmp_path / "test_it.py").write_text(
        "from ringgate.domain.errors import ErpUnavailable, NoRoute\n"
        "def test_theirs(): raise ErpUnavailable('down')\n"
        "def test_ours(): raise NoRoute('no route')\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "--ctrf=c.json",
        "--junitxml=j.xml",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    cases = {
        case["name"]: case["rawStatus"] for case in json.loads((tmp_path / "c.json").read_text())["results"]["tests"]
    }
    assert cases == {"test_theirs": "failed", "test_ours": "broken"}
    told = {
        case.get("name"): [child.tag for child in case][-1] for case in ET.parse(tmp_path / "j.xml").iter("testcase")
    }
    assert told == {"test_theirs": "failure", "test_ours": "error"}
