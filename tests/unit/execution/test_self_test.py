"""A self-test tells a scenario lies about the ERP, and the ERP nothing but the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ringgate.api import ACCOUNTANT, AUDITOR, PROJECT_MANAGER, PROJECTS, REVERSIBLE, expect, expect_isolation, scenario
from ringgate.domain.documents import (
    Identity,
    Invoice,
    Posting,
    PostingLine,
    Project,
    PurchaseRequest,
    Ref,
    Task,
    TimeEntry,
)
from ringgate.domain.errors import Refused
from ringgate.domain.model import Attachment, RunResult
from ringgate.domain.money import Money
from ringgate.domain.terms import Capability, Channel, Outcome, Source
from ringgate.execution.run_once import Engine
from ringgate.execution.self_test import LIES, Falsification, falsified, self_test
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from ringgate.isolation.model import Attempt, AttemptKind, AttemptOutcome, PrivateRecord
from tests.support.samples import GBP, tenant

TEN = Money("10.00", GBP)
DAY = date(2026, 11, 24)
PROJECT = Project(Ref("project", "7"), "p", "c", "open", (Task(Ref("task", "8"), "t", TEN, Decimal(4)),))
ENTRY = TimeEntry(Ref("entry", "9"), PROJECT.task.ref, Decimal("7.5"), DAY, "x [RG-1]", "e")
INVOICE = Invoice(Ref("invoice", "1"), "7", "posted", "c", DAY, TEN, TEN, TEN, TEN)
LINES = (PostingLine("1100", TEN, Money(0, GBP)), PostingLine("4000", Money(0, GBP), TEN))
POSTING = Posting(Ref("move", "2"), "2", DAY, "2026-11", DAY, DAY, "posted", GBP, LINES)
REQUEST = PurchaseRequest(Ref("request", "3"), "3", "waiting", TEN, "d", "r")


class Outsider:
    name, barred, ways = "a stranger", True, frozenset({AttemptKind.READ})

    def attempt(self, way: AttemptKind, things: Any) -> Attempt:
        return Attempt(way, tuple(things), AttemptOutcome.REFUSED, by="401")


class Truth:
    """Driver, connection, actor and books in one: always answers right, and notes what it is asked with."""

    channel = Channel.API
    capabilities = frozenset({Capability.PROJECTS, Capability.UNDO, Capability.OUTSIDERS})

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.undone: list[str] = []
        self.calls, self.touched = 0, frozenset[str]()

    def connect(self, *_: Any) -> Truth:
        return self

    def sign_in(self, role: Any, **how: Any) -> Truth:
        if how.get("password"):
            raise Refused("sign_in", "no")
        self.role = role
        return self

    def books(self) -> Truth:
        return self

    def who_am_i(self) -> Identity:
        return Identity("synthetic", "S", "Aldgate Ltd", "en")

    def create_project(self, draft: Any) -> Project:
        return PROJECT

    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry:
        self.asked.append(task)
        return ENTRY

    def read_project(self, project: Project) -> Project:
        self.asked.append(project)
        return PROJECT

    def hours_on(self, project: Project) -> Decimal:
        self.asked.append(project)
        return Decimal("7.5")

    def read_invoice(self, invoice: Invoice) -> Invoice:
        self.asked.append(invoice)
        return INVOICE

    def invoice(self, ref: Ref) -> Invoice:
        return INVOICE

    def posting_of(self, ref: Ref) -> Posting:
        return POSTING

    def postings_of(self, ref: Ref) -> tuple[Posting, ...]:
        return (POSTING, POSTING)

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return REQUEST

    def outsiders(self, *_: Any) -> list[Outsider]:
        return [Outsider()]

    def insider(self, role: Any) -> Any:
        class Insider(Outsider):
            def attempt(self, way: AttemptKind, things: Any) -> Attempt:
                return Attempt(way, tuple(things), AttemptOutcome.NOTHING, told="Aldgate Ltd RG-1")

        return Insider()

    def undo(self, reversal: Any) -> str:
        self.undone.append(reversal.ref)
        return "deleted"

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        return ()

    def close(self) -> None: ...


@pytest.fixture
def driver() -> Truth:
    return Truth()


@pytest.fixture
def engine(tmp_path: Path, driver: Truth) -> Engine:
    return Engine(
        drivers={("sample", Channel.API): driver}, journal=Journal(tmp_path / "journal"),
        run_locks=RunLocks(tmp_path / "locks"), evidence=tmp_path / "evidence", neighbours=(tenant(), tenant("kyoto")),
    )  # fmt: skip


def tell_lies(function: Any, engine: Engine, *lies: Falsification) -> RunResult:
    needs = {PROJECTS, Capability.OUTSIDERS}
    made = scenario(id="sample", effect=REVERSIBLE, needs=needs, roles={PROJECT_MANAGER})(function)
    return self_test(made, tenant(), Channel.API, engine, *([frozenset(lies)] if lies else []))


def looks_at_rates(erp, make, run) -> None:
    """Rates."""
    with run.step("read"):
        manager = erp.sign_in(PROJECT_MANAGER)
        project = manager.create_project(make.project())
        expect(manager.read_project(project).task.rate, equals=TEN, because="it was agreed", what="rate")


def looks_at_hours(erp, make, run) -> None:
    """Hours."""
    manager = erp.sign_in(PROJECT_MANAGER)
    entry = manager.enter_time(manager.create_project(make.project()), "7.5")
    expect(entry.hours, equals=Decimal("7.5"), because="they were logged", what="hours")


def looks_at_hours_in_the_books(erp, make, run) -> None:
    """Hours in the books."""
    project = erp.sign_in(PROJECT_MANAGER).create_project(make.project())
    expect(erp.books.hours_on(project), equals=Decimal("7.5"), because="they were logged", what="hours")


def looks_at_an_invoice(erp, make, run) -> None:
    """Invoice."""
    expect(erp.sign_in(ACCOUNTANT).read_invoice(INVOICE).net, equals=TEN, because="it was billed", what="net")


def looks_at_a_posting(erp, make, run) -> None:
    """Posting."""
    for posting in (erp.books.posting_of(INVOICE.ref), *erp.books.postings_of(INVOICE.ref)):
        expect(posting.debit, equals=posting.credit, because="a posting balances", what="debit")


def looks_at_a_request(erp, make, run) -> None:
    """Request."""
    expect(erp.sign_in(ACCOUNTANT).read_request(REQUEST).total, equals=TEN, because="it was asked for", what="total")


def looks_at_who_it_is(erp, make, run) -> None:
    """Identity."""
    expect(erp.sign_in(ACCOUNTANT).who_am_i().login, equals="synthetic", because="it signed in", what="login")


def looks_at_outsiders(erp, make, run) -> None:
    """Isolation."""
    things = [PrivateRecord(INVOICE.ref, ("Aldgate Ltd",))]
    expect_isolation(erp.insider(AUDITOR), erp.outsiders(), things, because="it is nobody else's business")


LOOKS = {
    Falsification.PROJECTS: looks_at_rates,
    Falsification.HOURS: looks_at_hours,
    Falsification.INVOICES: looks_at_an_invoice,
    Falsification.POSTINGS: looks_at_a_posting,
    Falsification.REQUESTS: looks_at_a_request,
    Falsification.IDENTITY: looks_at_who_it_is,
    Falsification.REFUSALS: looks_at_outsiders,
}


def test_every_lie_has_a_scenario_that_looks() -> None:
    assert set(LOOKS) == set(Falsification)


@pytest.mark.parametrize("lie", Falsification)
def test_who_looks_notices_and_is_told_which_lie(engine: Engine, lie: Falsification) -> None:
    for lies in ((lie,), ()):
        result = tell_lies(LOOKS[lie], engine, *lies)
        assert result.failure is not None
        assert (result.outcome, result.failure.kind, result.source) == (
            Outcome.FAILED, "expectation", Source.SELF_TEST,
        )  # fmt: skip
        assert lie in falsified(result)


def test_hours_in_the_books_are_falsified_too(engine: Engine) -> None:
    assert tell_lies(looks_at_hours_in_the_books, engine, Falsification.HOURS).outcome is Outcome.FAILED


@pytest.mark.parametrize("lie", Falsification)
def test_who_is_told_another_lie_passes(engine: Engine, lie: Falsification) -> None:
    for other in set(Falsification) - {lie}:
        result = tell_lies(LOOKS[lie], engine, other)
        assert result.outcome is Outcome.PASSED, (lie, other, result.failure)


def test_who_does_not_look_passes_which_is_what_a_self_test_is_for(engine: Engine) -> None:
    def looks_away(erp, make, run) -> None:
        """Nothing is looked at."""
        manager = erp.sign_in(PROJECT_MANAGER)
        manager.read_project(manager.create_project(make.project()))

    result = tell_lies(looks_away, engine)
    assert (result.outcome, falsified(result)) == (Outcome.PASSED, (Falsification.PROJECTS,))


def test_the_erp_is_asked_with_the_truth_and_what_was_written_is_undone(engine: Engine, driver: Truth) -> None:
    tell_lies(looks_at_rates, engine)
    tell_lies(looks_at_hours, engine)
    tell_lies(looks_at_hours_in_the_books, engine)
    assert driver.asked == [PROJECT, PROJECT.task, PROJECT]
    assert driver.undone == ["7", "9", "7", "7"]
    assert list(engine.journal.folder.iterdir()) == []


def test_the_engine_itself_stays_as_it_is(engine: Engine, driver: Truth) -> None:
    tell_lies(looks_at_rates, engine)
    assert engine.source is Source.SUITE
    assert engine.drivers["sample", Channel.API] is driver


def test_a_figure_is_off_by_the_smallest_amount() -> None:
    shown = LIES[Invoice][1](INVOICE)
    assert shown.net == shown.open == Money("10.01", GBP)
    assert replace(shown, net=TEN, total=TEN, open=TEN) == INVOICE
    assert LIES[Posting][1](POSTING).debit == Money("10.01", GBP)
    assert LIES[Posting][1](replace(POSTING, lines=())).lines == ()


def test_without_a_driver_it_is_skipped_as_any_run(engine: Engine) -> None:
    made = scenario(id="sample", effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER})(looks_at_rates)
    assert self_test(made, tenant(), Channel.BROWSER, engine).outcome is Outcome.SKIPPED
