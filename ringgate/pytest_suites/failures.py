"""How a failure reads: the business line first, then whose fault it is, what was drawn, and where in the scenario.

    language: expected de, but it is en (the inventory states the tenant's language)
    (the ERP is wrong, expectation)
    scenarios/sign_in.py:34

pytest's own traceback follows where it is asked for (`--tb=long`, `--tb=short`, `--tb=native`, `--showlocals`).
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from ringgate.domain.errors import ErpError, RinggateError
from ringgate.domain.terms import Outcome
from ringgate.pytest_suites.items import ScenarioItem
from ringgate.pytest_suites.redaction import clean

ROOMS = ("scenarios", "suites")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Innermost, so that whoever else looks at the report (Allure, JUnit, xdist) finds no secret in it."""
    report = yield
    if call.excinfo is not None and report.failed and (errors := list(_ours(call.excinfo.value))):
        told = "\n\n".join(_in_words(error) for error in errors)
        if item.config.option.showlocals or item.config.option.tbstyle in ("long", "short", "native"):
            told += f"\n\n{report.longrepr}"
        report.longrepr = told
        if not isinstance(item, ScenarioItem) or call.when != "call":
            outcome = Outcome.FAILED if all(isinstance(each, ErpError) for each in errors) else Outcome.BROKEN
            for properties in (report.user_properties, item.user_properties):  # this report's, and the later ones'
                properties.append(("outcome", outcome.value))
    clean(report)
    return report


def _ours(error: BaseException) -> Iterator[RinggateError]:
    """The error, or those of several that a property found."""
    if isinstance(error, RinggateError):
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _ours(each)


def _in_words(error: RinggateError) -> str:
    whose = "the ERP is wrong" if isinstance(error, ErpError) else "BROKEN: our side, no evidence against the ERP"
    lines = [str(error), f"({whose}, {error.kind})"]
    lines += getattr(error, "__notes__", ())
    frames = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if any(room in Path(frame.filename).parts for room in ROOMS)
    ]
    return "\n".join([*lines, *frames[-1:]])
