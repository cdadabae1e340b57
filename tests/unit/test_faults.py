"""The catalogue of faults and its commands, without an ERP."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringgate.catalogue import load_scenarios
from ringgate.estate.cli import app
from ringgate.estate.faults import FAULTS

SCENARIOS = load_scenarios(Path("scenarios"))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_it_is_and_who_must_notice_it(fault):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.id)
    assert fault.title[0].isupper()
    assert not fault.title.endswith(".")
    assert fault.catches
    assert fault.catches <= set(SCENARIOS)
    assert all(fault.says.values())


def test_the_list_is_there_for_programs():
    shown = CliRunner().invoke(app, ["fault", "list", "--json"])
    assert shown.exit_code == 0
    rows = {row["id"]: row for row in json.loads(shown.stdout)}
    assert set(rows) == set(FAULTS)
    assert rows["wrong-period"]["catches"] == ["financial-posting"]


def test_a_piped_list_cuts_nothing_off():
    shown = CliRunner().invoke(app, ["fault", "list"])
    line = next(line for line in shown.stdout.splitlines() if line.startswith("consultant-makes-projects"))
    assert line.split()[-1] == "project-creation"


@pytest.mark.parametrize(("name", "hint"), [("wrong-tx", "did you mean wrong-tax?"), ("zzz", "`ringgate estate fault")])
def test_an_unknown_fault_is_one_sentence(name, hint):
    refused = CliRunner().invoke(app, ["fault", "on", name, "aldgate"])
    assert refused.exit_code == 3
    assert hint in refused.stderr


def test_without_an_estate_there_is_nothing_to_break(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    refused = CliRunner().invoke(app, ["fault", "on", "wrong-tax", "aldgate"])
    assert refused.exit_code == 3
    assert "`ringgate estate up` makes it" in refused.stderr
