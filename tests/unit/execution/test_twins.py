"""The twin of a run in run_once: learned while all is well, compared after, and undone either way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringgate.domain.terms import Capability, Channel, Outcome, Source, StepKind
from ringgate.execution.run_once import Engine, RunResult, run_once
from ringgate.execution.twins import Twins
from ringgate.execution.undo import AT_ONCE
from ringgate.gate.observations import made_otherwise
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from ringgate.scenario.expectations import expect
from ringgate.twins.files import TwinFolder
from ringgate.twins.learning import ENOUGH
from ringgate.twins.records import RecordLink, RunRecords
from tests.support.samples import tenant
from tests.unit.execution.support import Notebook, process, two_projects
from tests.unit.twins.samples import made

DAY = {"unit": RecordLink("product.uom", "8", "Day")}


class Ledger(Notebook):
    """A notebook that also says what a run made."""

    capabilities = Notebook.capabilities | {Capability.TWINS}

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[str, Any] = {}
        self.served, self.asked = "7.0.59", 0

    def records_of_run(self, run_id: str) -> RunRecords:
        self.asked += 1
        return replace(made(100 + self.asked, run_id, **self.changed), series=self.served[:3])

    def version(self) -> str:
        return self.served

    def basis_of(self, _refusal: object) -> None:
        return None


@pytest.fixture
def driver():
    return Ledger()


@pytest.fixture
def engine(driver, tmp_path):
    return Engine(
        drivers={("sample", Channel.API): driver}, journal=Journal(tmp_path / "journal"),
        run_locks=RunLocks(tmp_path / "locks"), evidence=tmp_path / "evidence", patience=AT_ONCE,
        twins=Twins(TwinFolder(tmp_path / "twins")),
    )  # fmt: skip


def run(engine, times=1) -> RunResult:
    for _ in range(times):
        result = run_once(process(two_projects), tenant(), Channel.API, engine)
    return result


def test_runs_teach_before_they_are_compared(engine, driver):
    learning = run(engine, ENOUGH)
    assert learning.outcome is Outcome.PASSED
    assert made_otherwise(learning) is None
    compared = run(engine)
    assert compared.outcome is Outcome.PASSED
    assert made_otherwise(compared) is False
    assert compared.steps[-1].kind is StepKind.TWIN


def test_a_difference_fails_the_run_in_words_and_what_it_wrote_is_undone(engine, driver, tmp_path):
    run(engine, ENOUGH)
    driver.changed = {"line": DAY}
    undone = len(driver.undone)
    result = run(engine)
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert result.failure.kind == "twin"
    assert result.failure.step == "compare with runs before"
    assert 'Invoice Line 1: Unit is "Day", in 3 runs before it was "Hour"' in result.failure.message
    assert (result.failure.expected, result.failure.actual) == ('"Hour"', '"Day"')
    assert made_otherwise(result) is True
    assert len(driver.undone) == undone + 2
    kept = {each.name: (tmp_path / "evidence" / each.path).read_text() for each in result.attachments}
    assert "value account.invoice.line.unit" in kept["twin-findings.txt"]
    assert "twin.json" in kept


def test_a_run_that_fails_an_expectation_has_as_evidence_what_else_differs(engine, driver, tmp_path):
    def refused(erp, make, run):
        two_projects(erp, make, run)
        with run.step("look"):
            expect(1, equals=2, because="there are two", what="number")

    run(engine, ENOUGH)
    driver.changed = {"line": DAY}
    result = run_once(process(refused), tenant(), Channel.API, engine)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.step) == ("expectation", "look")
    assert made_otherwise(result) is None
    kept = {each.name: (tmp_path / "evidence" / each.path).read_text() for each in result.attachments}
    assert 'Unit is "Day"' in kept["twin-findings.txt"]
    driver.changed = {}
    result = run_once(process(refused), tenant(), Channel.API, engine)
    assert "twin-findings.txt" not in {each.name for each in result.attachments}


def test_a_run_that_differs_teaches_nothing(engine, driver):
    run(engine, ENOUGH)
    driver.changed = {"line": DAY}
    assert run(engine, 3).outcome is Outcome.FAILED


@pytest.mark.parametrize(("release", "version"), [("r2", "7.0.59"), ("", "7.0.60"), ("", "8.0.12")])
def test_another_release_version_or_series_is_compared_and_never_learned_from(engine, driver, release, version):
    run(engine, ENOUGH)
    engine.release, driver.served = release, version
    driver.changed = {"invoice": {"comment": "new"}}
    for _ in range(ENOUGH + 1):
        assert run(engine).outcome is Outcome.FAILED
    driver.changed = {}
    assert run(engine).outcome is Outcome.PASSED


def test_one_run_of_so_many_has_its_twin_taken(engine, driver):
    engine.twins.every = 3
    run(engine, 7)
    assert driver.asked == 3


def test_runs_without_twins_are_as_they_were(engine, driver):
    for changed in ({"twins": None}, {"source": Source.SELF_TEST}):
        assert run(replace(engine, **changed)).outcome is Outcome.PASSED
    driver.capabilities = Notebook.capabilities
    assert run(engine).outcome is Outcome.PASSED
    assert driver.asked == 0
