"""What an invocation leaves: our report and matrix, CTRF JSON, JUnit put right, the summary of a GitHub job."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome, Source
from ringgate.execution import setup
from ringgate.execution.paces import PaceComparison, compare_paces
from ringgate.host import paths
from ringgate.host.atomic_files import write_atomically
from ringgate.host.secrets import redact
from ringgate.pytest_suites import ctrf, github
from ringgate.pytest_suites.junit import errors_for_broken
from ringgate.pytest_suites.options import option
from ringgate.pytest_suites.outcomes import OutcomeRecorder
from ringgate.pytest_suites.session import SESSION, SuiteSession
from ringgate.store.sessions import SessionStore, session_store

SHOWN = 5
"""Steps that are named where a session was slower than usual."""

_RECORDER: pytest.StashKey[OutcomeRecorder] = pytest.StashKey()
_STARTED: pytest.StashKey[float] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # the process that started the workers hears all reports
    recorder = config.stash[_RECORDER] = OutcomeRecorder()
    config.stash[_STARTED] = time.time()
    config.pluginmanager.register(recorder, "ringgate.recorder")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Outermost, so that JUnit's file is there."""
    yield
    config = session.config
    recorder = config.stash.get(_RECORDER, None)
    if recorder is None:
        return
    about, tests = option(config, "release"), list(recorder.tests.values())
    if junit := getattr(config.option, "xmlpath", None):
        errors_for_broken(Path(junit))
    if target := option(config, "ctrf"):
        told = ctrf.document(tests, start=config.stash[_STARTED], stop=time.time(), release=about)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(target), redact(json.dumps(told, indent=1, ensure_ascii=False)) + "\n")
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page and any("tenant" in test.properties for test in tests):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(redact(github.markdown(tests, release=about)))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    yield
    tests = config.stash[_RECORDER].tests.values() if _RECORDER in config.stash else ()
    if any("scenario" in test.properties for test in tests):
        _summarise(config.stash[SESSION], config, terminalreporter)


def _summarise(session: SuiteSession, config: pytest.Config, terminalreporter: Any) -> None:
    from ringgate.report import build_report, matrix_table

    try:
        store = session_store(setup.results_url(option(config, "results")))
        results = list(store.results(session=session.label))
        deployments = store.deployments()
        pace = _pace(store, results)
        store.close()
    except RinggateError as error:
        terminalreporter.write_line(f"no report: {error}", red=True)
        return
    selection = session.selection
    ran = {result.scenario for result in results}
    planned = [
        replace(scenario, channels=scenario.channels & set(selection.channels_of(scenario)))
        for scenario in selection.scenarios.values()
        if scenario.id in ran
    ]
    out = Path(option(config, "report") or paths.reports() / "report.html")
    build_report(
        results,
        selection.tenants,
        planned,
        title="Business processes",
        generated_at=datetime.now(UTC),
        release=option(config, "release"),
        out=out,
        attachments_root=paths.reports() / "evidence",
        channels=selection.channels,
        deployments=deployments,
    )
    terminalreporter.section("business processes")
    table = matrix_table(results, selection.tenants, planned, channels=selection.channels)
    Console(file=terminalreporter._tw._file).print(table)
    terminalreporter.write_line(f"report: {out}")
    if pace.slower:
        terminalreporter.write_line(f"WARNING: {pace} (or this machine was busy)", yellow=True)
        for each in pace.slow[:SHOWN]:
            terminalreporter.write_line(f"  {each}", yellow=True)


def _pace(store: SessionStore, results: Sequence[RunResult]) -> PaceComparison:
    """This session against what passed on the same tenants before."""
    begun = min((each.started_at for each in results), default=datetime.now(UTC))
    past = store.results(since=begun - timedelta(days=30), until=begun, outcomes=[Outcome.PASSED], newest=5000)
    return compare_paces((each for each in past if each.source in (Source.SUITE, Source.PROBE)), results)
