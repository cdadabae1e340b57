"""`ringgate suites`, `recover`, `report`: what they put together, and what their exit codes mean."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringgate import cli
from ringgate.domain.events import RunRecovered
from ringgate.domain.model import Failure, RunResult
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Outcome
from ringgate.drivers import registry
from ringgate.estate import estate as estates
from ringgate.estate.errors import EstateError
from ringgate.execution.setup import results_url
from ringgate.host import paths
from ringgate.host.undo_journal import Journal
from ringgate.store import Store
from tests.unit.inventory.test_inventory import SMALLEST, write
from tests.unit.report.sample import all_passed, eight_scenarios, ended, four_tenants


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RINGGATE_RESULTS", raising=False)
    monkeypatch.delenv("RINGGATE_INVENTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme")})
    return tmp_path


# --- suites ----------------------------------------------------------------------------------------------------------


class StandIn:
    """An estate that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.inventory_path = Path("/estate/inventory")

    def up(self, tenants: int, board: object) -> None:
        self.asked.append(tenants)

    def down(self) -> None:
        self.asked.append("down")


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(estates.Estate, "at", classmethod(lambda cls: stand_in))
    return stand_in


@pytest.fixture
def pytest_runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What pytest was called with; `code` is what it answers."""
    seen: dict[str, Any] = {"code": 0}

    def run(command: list[str], cwd: Path, **_: object) -> types.SimpleNamespace:
        seen.update(command=command, cwd=cwd)
        return types.SimpleNamespace(returncode=seen["code"])

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_the_suites_run_on_what_stands(standing: StandIn, pytest_runs: dict[str, Any]) -> None:
    assert cli.run(["suites", "--tenants", "6", "--workers", "auto"]) == 0
    assert standing.asked == [6]
    assert pytest_runs["command"][1:] == [
        "-m", "pytest", "suites", "--ignore", "suites/properties", "-n", "auto", "--inventory", "/estate/inventory",
        "--smoke",
    ]  # fmt: skip
    assert (pytest_runs["cwd"] / "suites").is_dir()


def test_they_can_leave_nothing_running(standing: StandIn, pytest_runs: dict[str, Any]) -> None:
    assert cli.run(["suites", "--down", "--channel", "api"]) == 0
    assert standing.asked == [4, "down"]
    assert pytest_runs["command"][-3:] == ["--channel", "api", "--smoke"]


def test_they_run_everything_if_asked(standing: StandIn, pytest_runs: dict[str, Any]) -> None:
    assert cli.run(["suites", "--all"]) == 0
    assert "--smoke" not in pytest_runs["command"]


@pytest.mark.parametrize(("pytests", "ours"), [(0, 0), (1, 1), (2, 130), (3, 2), (4, 3), (5, 3), (-9, 2)])
@pytest.mark.usefixtures("standing")
def test_pytests_exit_code_becomes_ours(pytest_runs: dict[str, Any], pytests: int, ours: int) -> None:
    pytest_runs["code"] = pytests
    assert cli.run(["suites"]) == ours


def test_an_estate_that_does_not_stand_is_one_sentence_and_3(
    standing: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(*_: object) -> None:
        raise EstateError("Port 8071 is taken by another program: stop it.")

    monkeypatch.setattr(standing, "up", up)
    assert cli.run(["suites"]) == 3
    assert capsys.readouterr().err == "ringgate: Port 8071 is taken by another program: stop it.\n"


# --- recover ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoDrivers(dict[Any, Any]):
        def __init__(self, _: object) -> None:
            super().__init__()

        def close(self) -> None: ...

    monkeypatch.setattr(registry, "Drivers", NoDrivers)


@pytest.mark.usefixtures("no_drivers")
def test_nothing_to_recover_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["recover"]) == 0
    assert "Nothing to recover" in capsys.readouterr().out


@pytest.mark.usefixtures("no_drivers")
def test_what_cannot_be_taken_back_is_listed_and_1(capsys: pytest.CaptureFixture[str]) -> None:
    crash()
    assert cli.run(["recover", "--json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["tenant"], told["scenario"], told["undone"]) == ("acme", "time-entry", 0)
    assert told["left"][0]["reason"] == "there is no api driver for tryton"


@pytest.mark.usefixtures("no_drivers")
def test_begun_work_that_waits_is_no_contradiction_to_nothing_to_recover(capsys: pytest.CaptureFixture[str]) -> None:
    run = Journal(paths.journal()).begin("r1", "acme", "invoicing-across", "api")
    run.register(Reversal("enter_time", "consultant", "RG-r1-1"))
    run.wait("tryton-8.0", {})
    run.release()
    assert cli.run(["recover"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "Nothing to recover: no run that has ended left anything here.",
        "acme: invoicing-across, run r1, waits to be finished (tryton-8.0); --in-flight takes its 1 write back",
    ]


@pytest.mark.usefixtures("no_drivers")
def test_what_was_left_is_known_to_the_store_until_it_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    crash()
    assert cli.run(["recover"]) == 1
    store = Store(results_url())
    assert [(each.run_id, each.marker) for each in store.left_behind()] == [("r1", "RG-r1-1")]
    for journal in paths.journal().glob("*.jsonl"):
        journal.unlink()  # as on another machine
    assert cli.run(["recover"]) == 0
    assert "acme: left behind by run r1: enter_time RG-r1-1: its journal is not here" in capsys.readouterr().out
    store.on(RunRecovered("r1", "acme", datetime.now(UTC), undone=1))
    store.close()
    assert cli.run(["recover"]) == 0
    assert "every run has taken back what it wrote" in capsys.readouterr().out


@pytest.mark.usefixtures("no_drivers")
def test_a_store_that_cannot_be_opened_hinders_no_recovery(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash()
    monkeypatch.setenv("RINGGATE_RESULTS", "nonsense://")
    assert cli.run(["recover"]) == 1
    told = capsys.readouterr()
    assert "enter_time RG-r1-1" in told.out
    assert "what is taken back cannot be noted there" in told.err


def test_recover_refuses_an_unknown_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["recover", "--tenant", "acne"]) == 3
    assert 'no tenant is called "acne"; did you mean acme?' in capsys.readouterr().err


@pytest.mark.usefixtures("no_drivers")
def test_a_file_that_is_no_journal_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    paths.journal().mkdir(parents=True)
    (paths.journal() / "x.jsonl").write_text("no journal\n")
    assert cli.run(["recover"]) == 3
    assert "x.jsonl is not a journal; move it away" in capsys.readouterr().err


def crash() -> None:
    """Leaves the journal of a run that noted one write and was killed."""
    code = (
        "import os; from pathlib import Path; from ringgate.host.undo_journal import Journal; "
        "from ringgate.drivers.protocol import Reversal; "
        f"run = Journal(Path({str(paths.journal())!r})).begin('r1', 'acme', 'time-entry', 'api'); "
        "run.register(Reversal('enter_time', 'consultant', 'RG-r1-1')); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)


# --- report ----------------------------------------------------------------------------------------------------------


def keep(results: list[RunResult], session: str) -> None:
    store = Store(f"sqlite:///{paths.results()}")
    for number, result in enumerate(results):
        store.add(replace(result, session=session, run_id=f"{session}-{number}"))
    store.close()


def test_the_last_session_is_reported_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "scenarios").mkdir()
    results = all_passed(four_tenants(), eight_scenarios())
    keep(results, "s1")
    assert cli.run(["report", "--out", "out/again.html"]) == 0
    out = capsys.readouterr().out
    assert "project-to-cash" in out
    assert "[green]" not in out
    assert "report: out/again.html" in out
    assert (place / "out/again.html").read_text().startswith("<!doctype html>")


def test_a_session_that_failed_is_1_and_one_that_proves_nothing_2(place: Path) -> None:
    (place / "scenarios").mkdir()
    good, *_ = all_passed(four_tenants(), eight_scenarios())
    keep([ended(good, Outcome.FAILED, Failure("refused", "no"))], "bad")
    keep([ended(good, Outcome.BROKEN, Failure("secret", "gone"))], "ours")
    assert cli.run(["report", "--session", "bad"]) == 1
    assert cli.run(["report", "--session", "ours"]) == 2


def test_an_unknown_session_is_one_sentence_and_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "--session", "none"]) == 3
    assert capsys.readouterr().err.startswith('ringgate: the session "none" has no results: run ')
