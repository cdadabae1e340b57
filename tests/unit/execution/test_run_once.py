"""run_once catches, undoes and reports. The driver here is a notebook: no ERP, only a list of what was called."""

from __future__ import annotations

import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from ringgate.api import POSTING, PROJECT_MANAGER, expect, expect_refusal
from ringgate.domain.diagnostics import ErpLog
from ringgate.domain.documents import Project, Ref
from ringgate.domain.errors import BrowserError, ErpUnavailable, Refused, SecretMissing, StopRequested
from ringgate.domain.events import RunFinished, RunStarted, StepFinished, StepStarted
from ringgate.domain.terms import Capability, Channel, Outcome
from ringgate.execution.run_once import run_once
from ringgate.scenario.test_data import Make
from tests.support.samples import tenant
from tests.unit.execution.support import process, run, two_projects


def test_a_good_run_passes_and_is_undone_newest_first(engine, driver):
    result = run(two_projects, engine)
    assert result.outcome is Outcome.PASSED
    assert driver.undone == driver.projects[::-1]
    assert list(engine.journal.folder.iterdir()) == []
    assert driver.closed == 1


def test_events_come_in_order(engine, heard):
    run(two_projects, engine)
    assert [type(event) for event in heard] == [RunStarted, StepStarted, StepFinished, RunFinished]


def test_steps_have_names_and_times(engine):
    (step,) = run(two_projects, engine).steps
    assert (step.name, step.outcome) == ("create", Outcome.PASSED)
    assert 0 <= step.start <= step.start + step.seconds


def test_a_step_that_writes_to_the_ledger_posts_whatever_it_is_called(engine, driver):
    def refuse(entry):
        raise Refused("post_entry", "the period is closed", "draft")

    driver.post_entry = refuse

    def books(erp, make, run):
        with run.step("post nothing"):
            manager = erp.sign_in(PROJECT_MANAGER)
            manager.create_project(make.project())
        with run.step("look at what was posted", POSTING):
            pass
        with run.step("Buchen"):
            manager.post_entry(SimpleNamespace(marker="RG-1"))

    kinds = {step.name: step.kind for step in run(books, engine).steps}
    assert kinds == {"post nothing": None, "look at what was posted": POSTING, "Buchen": POSTING}


def failing(error):
    def fails(erp, make, run):
        with run.step("create"):
            erp.sign_in(PROJECT_MANAGER).create_project(make.project())
        with run.step("break"):
            raise error

    return fails


@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        (Refused("post_invoice", "period is closed", "draft"), Outcome.FAILED, "refused"),
        (ErpUnavailable("nobody answers"), Outcome.FAILED, "unavailable"),
        (BrowserError("no browser"), Outcome.BROKEN, "browser"),
        (SecretMissing("ALDGATE_PASSWORD is not set"), Outcome.BROKEN, "secret"),
        (ZeroDivisionError("oops"), Outcome.BROKEN, "bug"),
    ],
)
def test_the_class_of_the_error_says_whose_fault_it_is(engine, driver, error, outcome, kind):
    result = run(failing(error), engine)
    assert (result.outcome, result.failure.kind, result.failure.step) == (outcome, kind, "break")
    assert result.error is error
    assert driver.undone == driver.projects
    assert result.attachments[0].path == f"{result.run_id}/page.png"


def test_an_unmet_expectation_tells_expected_actual_and_why(engine):
    def differs(erp, make, run):
        expect(1, equals=2, because="one and one", what="the sum")

    failure = run(differs, engine).failure
    assert (failure.kind, failure.expected, failure.actual, failure.because) == ("expectation", "2", "1", "one and one")


def test_a_write_that_should_be_refused_and_was_not_is_undone_too(engine, driver):
    def allows(erp, make, run):
        expect_refusal(erp.sign_in(PROJECT_MANAGER).create_project, make.project(), because="nobody may")

    result = run(allows, engine)
    assert result.failure.message.startswith("create project was allowed: expected a refusal")
    assert driver.undone == driver.projects != []


def test_what_the_server_says_it_is_comes_with_the_run(engine, driver):
    driver.version = lambda: "8.0.12"
    assert run(two_projects, engine).server == "8.0.12"
    assert run(failing(Refused("post_invoice", "no")), engine).server == "8.0.12"


def test_who_was_not_reached_is_not_asked_what_it_is(engine, driver):
    driver.version = lambda: pytest.fail("it would wait once more")
    assert run(failing(ErpUnavailable("no answer")), engine).server == ""


def test_who_does_not_say_what_it_is_is_no_worse_for_it(engine, driver):
    driver.version = lambda: (_ for _ in ()).throw(ErpUnavailable("HTTP 404"))
    result = run(two_projects, engine)
    assert (result.outcome, result.server) == (Outcome.PASSED, "")


def test_no_secret_comes_out(engine):
    failure = run(failing(ValueError("login with hunter2 failed")), engine).failure
    assert "hunter2" not in failure.message + failure.traceback


def test_an_interruption_is_undone_and_reported_then_raised(engine, driver, heard):
    with pytest.raises(KeyboardInterrupt):
        run(failing(KeyboardInterrupt()), engine)
    assert driver.undone == driver.projects
    result = heard[-1].result
    assert (result.outcome, result.failure, result.steps[-1].outcome) == (Outcome.STOPPED, None, Outcome.STOPPED)
    assert result.reason == (
        'We were asked to stop while it ran in the step "break": what it had written was taken back.'
    )


def test_what_a_stopped_run_left_is_said_to_be_left(engine, driver):
    def stopped(erp, make, run):
        two_projects(erp, make, run)
        driver.cannot_undo.update(driver.projects)
        raise StopRequested("stop")

    result = run(stopped, engine)
    assert (result.outcome, len(result.residue)) == (Outcome.STOPPED, 2)
    assert result.reason == "We were asked to stop while it ran: the next recovery takes back what is left of it."


PIPE = Exception("Connection closed while reading from the driver")


@pytest.mark.parametrize(
    ("error", "channel", "outcome"),
    [
        (StopRequested("stop"), Channel.API, Outcome.STOPPED),
        (PIPE, Channel.BROWSER, Outcome.STOPPED),
        (BrowserError("it crashed"), Channel.BROWSER, Outcome.STOPPED),
        (ErpUnavailable("no answer"), Channel.API, Outcome.STOPPED),
        (Refused("post_invoice", "period is closed"), Channel.API, Outcome.FAILED),
    ],
)
def test_what_ends_because_we_were_asked_to_stop_is_no_evidence(engine, driver, error, channel, outcome):
    driver.channel = channel
    engine.drivers = {("sample", channel): driver}
    engine.stopping = lambda: True
    process_ = process(failing(error), channels=frozenset(Channel))
    result = run_once(process_, tenant(), channel, engine)
    assert (result.outcome, driver.undone) == (outcome, driver.projects)
    assert (result.failure is None, bool(result.reason)) == (outcome is Outcome.STOPPED,) * 2


def test_a_browser_that_dies_a_moment_before_we_hear_of_the_signal_was_stopped_by_it(engine, driver):
    """Both get the signal at once; ours is handled by another thread than the one that runs."""
    answers = [False, True]
    engine.stopping = lambda: answers.pop(0) if len(answers) > 1 else answers[0]
    engine.drivers = {("sample", Channel.BROWSER): driver}
    result = run_once(process(failing(PIPE), channels=frozenset(Channel)), tenant(), Channel.BROWSER, engine)
    assert result.outcome is Outcome.STOPPED


def test_a_browser_that_died_by_itself_is_broken(engine, driver, monkeypatch):
    monkeypatch.setattr("ringgate.execution.run_once.SIGNALLED", 0.0)
    engine.drivers = {("sample", Channel.BROWSER): driver}
    result = run_once(process(failing(PIPE), channels=frozenset(Channel)), tenant(), Channel.BROWSER, engine)
    assert (result.outcome, result.failure.kind) == (Outcome.BROKEN, "bug")


def test_what_goes_wrong_on_closing_hides_nothing_that_came_before(engine, driver):
    driver.close = lambda: (_ for _ in ()).throw(ZeroDivisionError("on closing"))
    result = run(failing(Refused("post_invoice", "no")), engine)
    assert (result.outcome, result.failure.kind, result.residue) == (Outcome.FAILED, "refused", ())
    assert run(two_projects, engine).failure.message == "ZeroDivisionError: on closing"


def test_a_run_with_no_room_is_broken_not_failed(engine):
    with engine.run_locks.room(tenant(), "sample"):
        result = run(two_projects, engine)
    assert (result.outcome, result.failure.kind) == (Outcome.BROKEN, "occupied")


class Turns:
    """Locks of which somebody else holds the one for posting until our run asks for it, a day later."""

    def __init__(self, locks, clock) -> None:
        self._locks, self._clock = locks, clock
        self.held = []

    def room(self, *whose):
        return self._locks.room(*whose)

    @contextmanager
    def posting(self, whose):
        self.held.append(whose)
        self._clock.now += 1000.0
        yield
        self.held.append("free")


def test_two_postings_on_a_tenant_wait_for_each_other_on_our_side_and_not_in_the_erp(engine, driver, monkeypatch):
    """Nor does the wait count as time that the run took, here a thousand seconds for each posting and its undo."""
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr("ringgate.execution.run_once.time", types.SimpleNamespace(monotonic=lambda: clock.now))
    engine.run_locks = turns = Turns(engine.run_locks, clock)
    driver.post_invoice = lambda invoice, on: turns.held.append("posts") or invoice
    invoice = Project(Ref("invoice", "7"), "", "", "", ())

    def posts(erp, make, run):
        with run.step("create"):
            manager = erp.sign_in(PROJECT_MANAGER)
            manager.create_project(make.project())
        with run.step("post"):
            manager.post_invoice(invoice)

    result = run(posts, engine)
    assert result.outcome is Outcome.PASSED
    assert turns.held == ["aldgate", "posts", "free", "aldgate", "free"]
    assert ([each.seconds for each in result.steps], result.seconds) == ([0.0, 0.0], 0.0)


def test_sessions_of_a_tenant_are_capped(engine):
    one = tenant(sessions=1)
    with engine.run_locks.room(one, "another"):
        assert run_once(process(two_projects), one, Channel.API, engine).failure.kind == "crowded"


def test_runs_side_by_side_make_the_data_that_each_makes_alone(engine, driver):
    """Threads share no generator of names: a failure can be repeated by its run id alone."""

    def names(run_id: str) -> list[str]:
        made = Make(tenant(), run_id, date(2026, 11, 22))
        return [made.project().name for _ in range(20)]

    alone = {run_id: names(run_id) for run_id in "abcdefgh"}
    with ThreadPoolExecutor(8) as pool:
        assert dict(zip(alone, pool.map(names, alone), strict=True)) == alone


def test_two_runs_with_one_id_make_the_same_data(engine, driver):
    for _ in range(2):
        run_once(process(two_projects), tenant(), Channel.API, engine, run_id="abc")
    assert driver.projects[:2] == driver.projects[2:]


def test_a_skipped_run_has_its_reason_and_touches_nothing(engine, driver, heard):
    result = run(two_projects, engine, needs=frozenset({Capability.LEDGER}))
    assert (result.outcome, result.reason) == (Outcome.SKIPPED, "the api driver for sample cannot do ledger")
    assert [type(event) for event in heard] == [RunFinished]
    assert driver.closed == 0


def test_what_the_erps_own_log_says_of_a_failed_run_is_kept_redacted(engine, tmp_path):
    def logs(erp, make, run):
        (tmp_path / "erp.log").write_text(f"other\nERROR {make.marker} hunter2\nERROR RG-another\n")
        raise Refused("post_invoice", "period is closed", "draft")

    acme = replace(tenant(), erp_log=ErpLog(file=str(tmp_path / "erp.log")))
    result = run_once(process(logs), acme, Channel.API, engine)
    (kept,) = [each for each in result.attachments if each.kind == "log"]
    assert (engine.evidence / kept.path).read_text() == f"ERROR RG-{result.run_id} ***\n"


def test_a_log_that_cannot_be_read_changes_nothing_of_the_run(engine, driver, tmp_path):
    acme = replace(tenant(), erp_log=ErpLog(file=str(tmp_path / "none.log")))
    result = run_once(process(failing(Refused("post_invoice", "no"))), acme, Channel.API, engine)
    assert (result.outcome, driver.undone) == (Outcome.FAILED, driver.projects)
    (kept,) = [each for each in result.attachments if each.kind == "log"]
    told = (engine.evidence / kept.path).read_text()
    assert told.startswith("It could not be read: ")
    assert told.endswith("none.log cannot be read: No such file or directory\n")
