"""Work in two phases: what is carried survives the process, nobody undoes what waits, nothing is done twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ringgate.api import PROJECT_MANAGER, PROJECTS, Project, expect, in_flight
from ringgate.domain.documents import Invoice, InvoiceLine, Ref, TaxLine
from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import Channel, Outcome
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.execution.recovery import recover, waiting
from ringgate.execution.run_once import Engine
from ringgate.execution.two_phase import begin_in_flight, finish_in_flight, load_in_flight
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from tests.support.samples import tenant
from tests.unit.execution.support import Heard, Notebook

YEN, POUND = Currency("JPY", 0), Currency("GBP")


def made() -> TwoPhaseScenario:
    """In a function: pytest would run one that stands in a module on the tenants of the inventory."""

    @in_flight(id="sample", needs={PROJECTS}, roles={PROJECT_MANAGER})
    def begin(erp: Any, make: Any, run: Any) -> Project:
        with run.step("begin"):
            return erp.sign_in(PROJECT_MANAGER).create_project(make.project())

    @begin.finish
    def sample(erp: Any, make: Any, run: Any, project: Project) -> None:
        with run.step("finish"):
            second = erp.sign_in(PROJECT_MANAGER).create_project(make.project())
            expect(project.ref.id, equals="1", because="it was the first", what="project")
            expect(second.name != project.name, equals=True, because="markers are not used twice", what="other name")

    return sample


SAMPLES = [made()]
"""In a list, for the same reason."""


@dataclass
class Harness:
    """An engine that another process could have: it shares nothing but the journal's folder."""

    folder: Path
    driver: Notebook
    heard: Heard

    def engine(self) -> Engine:
        return Engine(
            {("sample", Channel.API): self.driver}, Journal(self.folder / "journal"), RunLocks(self.folder / "locks"),
            self.folder / "evidence", sinks=(self.heard,), session="s",
        )  # fmt: skip

    def begin(self, process: Any = None, label: str = "r1") -> list[Outcome]:
        return [
            each.outcome
            for each in begin_in_flight(tenant(), self.engine(), label, processes=[process] if process else SAMPLES)
        ]

    def finish(self, process: Any = None, label: str = "r1") -> list[Any]:
        return finish_in_flight(tenant(), self.engine(), label, processes=[process] if process else SAMPLES)

    def files(self) -> list[Path]:
        return list((self.folder / "journal").iterdir())


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path, Notebook(), Heard())


def test_both_phases_are_taken_back_after_the_second(harness: Harness) -> None:
    assert harness.begin() == [Outcome.PASSED]
    assert harness.driver.undone == []
    (result,) = harness.finish()
    assert result.outcome is Outcome.PASSED, result.failure
    assert harness.driver.undone == list(reversed(harness.driver.projects))
    assert len(harness.driver.projects) == 2
    assert harness.files() == []


def test_what_is_begun_is_not_begun_twice_and_what_is_finished_not_finished_twice(harness: Harness) -> None:
    harness.begin()
    assert harness.begin() == []
    assert len(harness.finish()) == 1
    assert harness.finish() == []


def test_labels_are_kept_apart(harness: Harness) -> None:
    harness.begin(label="r1")
    assert harness.begin(label="r2") == [Outcome.PASSED]
    assert len(harness.finish(label="r2")) == 1
    assert [each.label for each in waiting(harness.engine().journal)] == ["r1"]


def test_recovery_leaves_waiting_work_alone_unless_asked(harness: Harness) -> None:
    harness.begin()
    engine = harness.engine()
    known = {"aldgate": tenant(), tenant().id: tenant()}
    assert recover(engine.journal, known, engine.drivers) == []
    assert [(each.scenario, each.writes) for each in waiting(engine.journal)] == [("sample", 1)]
    (taken,) = recover(engine.journal, known, engine.drivers, in_flight=True)
    assert (taken.undone, taken.left, harness.files()) == (1, (), [])


def test_a_first_phase_that_does_not_pass_is_taken_back_at_once(harness: Harness) -> None:
    @in_flight(id="sample", needs={PROJECTS}, roles={PROJECT_MANAGER})
    def fails(erp: Any, make: Any, run: Any) -> Project:
        erp.sign_in(PROJECT_MANAGER).create_project(make.project())
        raise ZeroDivisionError

    broken = fails.finish(lambda *_: None)
    assert harness.begin(broken) == [Outcome.BROKEN]
    assert harness.driver.undone == harness.driver.projects
    assert harness.files() == []


def test_a_second_phase_that_was_cut_off_is_taken_back_and_proves_nothing(harness: Harness) -> None:
    harness.begin()
    (journal,) = harness.engine().journal.free()
    journal.go_on()
    journal.release()  # as the end of its process does
    (result,) = harness.finish()
    assert (result.outcome, result.failure.kind) == (Outcome.BROKEN, "cut-off")
    assert harness.driver.undone == harness.driver.projects
    assert harness.finish() == []


def test_what_is_carried_comes_back_as_it_was() -> None:
    line = InvoiceLine(Decimal("1.50"), Money("88.88", POUND), Money("133.32", POUND))
    invoice = Invoice(
        Ref("invoice", "7"), "", "draft", "Synthetic Client", date(2026, 11, 24), Money("133.32", POUND),
        Money("26.66", POUND), Money("159.98", POUND), Money(0, YEN), (line,),
        (TaxLine("VAT 20%", Money("133.32", POUND), Money("26.66", POUND)),), (date(2026, 12, 24),),
    )  # fmt: skip
    adapter = TypeAdapter(Invoice)
    again = adapter.validate_json(adapter.dump_json(invoice))
    assert again == invoice
    assert again.open.currency == YEN
    assert str(again.lines[0].quantity) == "1.50"


def test_every_process_in_two_phases_says_what_it_carries() -> None:
    processes = load_in_flight()
    assert len(processes) == 4
    assert all(name.startswith("in-flight-") and TypeAdapter(each.carried) for name, each in processes.items())
