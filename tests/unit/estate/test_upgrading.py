"""Manual steps that are no SQL, and what is refused before anything is touched."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ringgate.estate import Estate
from ringgate.estate.errors import EstateError
from ringgate.estate.tryton.install import erp_folder
from ringgate.estate.tryton.series import V80
from ringgate.estate.upgrading import ManualStep, Upgrades
from tests.unit.estate.support import noted


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Estate:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    monkeypatch.setattr("ringgate.estate.tools.Tools.install_database", lambda _self: tmp_path)
    return noted("one", {"aldgate": "7.0"})


def steps(estate: Estate, *steps: ManualStep) -> None:
    Upgrades(estate)._run_steps("aldgate", "8.0", steps)


def test_a_command_is_told_what_it_works_on(estate: Estate, tmp_path: Path) -> None:
    told = "import os; print(*(os.environ['RINGGATE_' + name] for name in ('TENANT', 'FROM', 'TO', 'DATABASE')))"
    script = f"{told[:-1]}, file=open({str(tmp_path / 'told')!r}, 'w'))"
    steps(estate, ManualStep("move files", command=[sys.executable, "-c", script]))
    assert (tmp_path / "told").read_text().split() == ["aldgate", "7.0", "8.0", estate.database.url("aldgate")]


def test_a_command_that_fails_is_named_with_what_it_said(estate: Estate) -> None:
    failing = ManualStep("move files", command=[sys.executable, "-c", "raise SystemExit('error: no such folder')"])
    with pytest.raises(EstateError, match=r"the step 'move files' was refused: .*error: no such folder"):
        steps(estate, failing)
    with pytest.raises(EstateError, match=r"the step 'gone' was refused: .*No such file"):
        steps(estate, ManualStep("gone", command=["/no/such/program"]))


def test_a_tool_of_the_erp_gets_its_configuration_and_the_database(estate: Estate) -> None:
    tool = erp_folder(estate.tools(), V80) / "bin" / "trytond-admin"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\necho "$@" > {estate.folder}/called\n')
    tool.chmod(0o755)
    steps(estate, ManualStep("ir", tool="trytond-admin -u ir"))
    called = (estate.folder / "called").read_text().split()
    assert called == ["-c", str(estate.run / "trytond-8.0.conf"), "-d", "aldgate", "-u", "ir"]
    with pytest.raises(EstateError, match=r"the step 'x' was refused: Tryton 8.0 has no tool trytond-magic"):
        steps(estate, ManualStep("x", tool="trytond-magic"))


def test_nobody_is_upgraded_backwards_or_to_what_there_is_not(estate: Estate) -> None:
    with pytest.raises(EstateError, match=r"no series 9\.9 of Tryton: choose of 7\.0, 8\.0"):
        Upgrades(estate).upgrade("aldgate", "9.9", [])
