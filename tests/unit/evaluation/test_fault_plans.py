"""The catalogue of faults and its commands, without an ERP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from ringgate.domain.terms import Channel
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.tryton.browser.driver import TrytonBrowserDriver
from ringgate.estate.cli import app
from ringgate.estate.faults.fault import Cause, Sign
from ringgate.estate.tryton.faults import FAULTS
from ringgate.scenario.discovery import load_scenarios

SCENARIOS = load_scenarios(Path("scenarios"))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_it_is_and_who_must_notice_it(fault):
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", fault.id)
    assert fault.title[0].isupper()
    assert not fault.title.endswith(".")
    assert fault.catches
    assert fault.catches <= set(SCENARIOS)
    assert all(fault.says.values())


def test_what_the_whole_estate_suffers_is_of_no_tenant(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    named = CliRunner().invoke(app, ["fault", "on", "outage", "aldgate"])
    unnamed = CliRunner().invoke(app, ["fault", "off", "wrong-tax"])
    assert (named.exit_code, unnamed.exit_code) == (3, 3)
    assert "name no tenant" in named.stderr
    assert "wrong-tax is a fault of one tenant: name it" in unnamed.stderr


def test_every_cause_and_every_sign_has_a_fault():
    assert {fault.cause for fault in FAULTS.values()} == set(get_args(Cause))
    assert {fault.sign for fault in FAULTS.values()} == set(get_args(Sign))


def test_every_walk_through_the_screens_has_a_fault_that_a_browser_alone_sees():
    seen = frozenset().union(*(fault.catches for fault in FAULTS.values() if fault.channel is Channel.BROWSER))
    can = TrytonBrowserDriver.capabilities
    once = {name: each for name, each in SCENARIOS.items() if not isinstance(each, TwoPhaseScenario)}
    # What arrives at an integration is looked at there, whichever way it was entered.
    walks = {name for name, each in once.items() if each.needs <= can and not each.receives}
    assert seen == walks


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
