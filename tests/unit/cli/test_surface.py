"""`ringgate surface compare`: exit codes, what it prints, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.terms import Role
from ringgate.drivers.tryton.touches import Touches
from ringgate.host import paths
from ringgate.store import Store
from ringgate.surface.encoding import dumps
from ringgate.surface.model import reading
from tests.unit.store.test_store import result
from tests.unit.surface.test_surface import BEFORE, CASES, WAIVER


@pytest.fixture
def compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RINGGATE_RESULTS", raising=False)
    monkeypatch.chdir(tmp_path)

    def compared(after=CASES["field removed"], *options: str, use: str = "number") -> int:
        Path("a.json").write_text(dumps(BEFORE))
        Path("b.json").write_text(dumps(after))
        if use:
            store = Store(f"sqlite:///{paths.results()}")
            store.add(result(touched=frozenset({reading("auditor", "bill", use)})))
            store.close()
        return cli.run(["surface", "compare", "a.json", "b.json", *options])

    return compared


def test_a_used_change_that_breaks_fails_and_comes_first(compared, capsys):
    assert compared() == 1
    out = capsys.readouterr().out
    assert "breaks what your scenarios use (1)" in out
    assert "bill.number is gone" in out
    assert "time-entry over api, 1 run" in out


def test_an_unused_change_that_breaks_is_counted(compared, capsys):
    assert compared(use="state") == 0
    assert "bill: 1 breaking" in capsys.readouterr().out


def test_without_any_use_a_break_proves_nothing(compared):
    assert compared(use="") == 2


def test_without_any_use_what_is_compatible_is_well(compared):
    assert compared(CASES["field added"], use="") == 0


def test_an_accepted_change_does_not_fail(compared, capsys):
    Path("w.toml").write_text(WAIVER.replace("2026-12-31", "2999-12-31"))
    assert compared(CASES["field removed"], "--accepted", "w.toml") == 0
    assert "field removed bill.number: the driver knows (qa, through 2999-12-31)" in capsys.readouterr().out


def test_json_carries_signature_and_uses(compared, capsys):
    assert compared(CASES["field removed"], "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "failed"
    assert told["changes"][0]["signature"] == "field removed bill.number"
    assert told["changes"][0]["uses"] == {"time-entry over api": 1}


def test_two_tenants_are_not_compared(compared, capsys):
    assert compared(replace(BEFORE, tenant="other")) == 3
    assert "compare two of one tenant" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(compared, capsys):
    assert cli.run(["surface", "compare", "none.json", "none.json"]) == 3
    assert "none.json cannot be read" in capsys.readouterr().err


def test_a_file_that_is_no_surface_gives_no_verdict(compared, capsys):
    Path("x.json").write_text("{}")
    assert cli.run(["surface", "compare", "x.json", "x.json"]) == 2
    assert "x.json is not a surface" in capsys.readouterr().err


def test_calls_leave_the_fields_that_they_name():
    touches = Touches()
    touches.note(
        Role.AUDITOR, "model.bill.search_read", [["OR", [("a.b", "=", 1)], [["c", "in", [2]]]], 0, 1, None, ["n"]]
    )
    touches.note(Role.ACCOUNTANT, "model.bill.create", [[{"d": 1, "lines": [("create", [{"amount": 2}])]}]])
    touches.note(Role.ACCOUNTANT, "wizard.bill.pay.execute", [1, {"start": {"x": 1}}, "pay"])
    touches.note(Role.ACCOUNTANT, "model.bill.write", [None])
    assert touches.all == {
        "auditor call model.bill.search_read", "auditor read bill a.b", "auditor read bill c", "auditor read bill n",
        "accountant call model.bill.create", "accountant write bill d", "accountant write bill lines",
        "accountant write bill lines.amount", "accountant call wizard.bill.pay.execute",
        "accountant call model.bill.write",
    }  # fmt: skip
