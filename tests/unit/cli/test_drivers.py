"""`ringgate drivers`: wrong use is told in one sentence before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringgate import cli
from tests.unit.inventory.test_inventory import SMALLEST, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    paused = 'paused_until = 2999-01-01\npaused_reason = "close"\n'
    offline = '[endpoints]\napi = "http://127.0.0.1:9/offline"\n'
    files = {"acme": "", "paused": paused, "offline": offline}
    return str(write(tmp_path, {f"{name}.toml": SMALLEST.format(id=name) + text for name, text in files.items()}))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["odoo", "--tenant", "acme"], 3, "acme is a tenant of tryton, not of odoo: name a tenant whose erp is odoo"),
        (["tryton", "--tenant", "acne"], 3, 'no tenant is called "acne"; did you mean acme?'),
        (["tryton", "--tenant", "paused"], 3, "paused is paused until 2999-01-01: close: name another tenant"),
        (
            ["tryton", "--tenant", "acme", "--contract", "sign-out"],
            3,
            "no contract is called sign-out; there are",
        ),
        (["tryton", "--tenant", "acme"], 2, "environment variable ACME_ACCOUNTANT is not set"),
    ],
)
def test_what_cannot_work_is_one_sentence(arguments, code, said, folder, capsys, monkeypatch):
    monkeypatch.delenv("ACME_ACCOUNTANT", raising=False)
    assert cli.run(["drivers", "check", *arguments, "--inventory", folder]) == code
    assert said in capsys.readouterr().err


def test_a_tenant_that_does_not_answer_is_told_once(folder, capsys, monkeypatch):
    monkeypatch.setenv("OFFLINE_ACCOUNTANT", "swordfish")
    assert cli.run(["drivers", "check", "tryton", "--tenant", "offline", "--inventory", folder]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "127.0.0.1:9 does not accept connections" in err
    assert "swordfish" not in err


def test_the_installed_drivers_are_listed_with_what_they_can_do(capsys):
    assert cli.run(["drivers", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"tryton.api", "tryton.browser", "odoo.api"} <= set(found)
    assert "direct-calls" in found["tryton.api"]
    assert "direct-calls" not in found["tryton.browser"]
