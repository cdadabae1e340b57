"""`ringgate init` makes a project that can be used at once, tells every mistake at once, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate import cli
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import known_scenarios

RIGHT = (
    "--tenant", "acme-uk", "--erp", "tryton", "--api", "https://erp.example.com/acme", "--currency", "gbp",
    "--timezone", "Europe/London",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


def init(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["init", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_what_it_makes_can_be_read(capsys, tmp_path):
    code, out, err = init(capsys, str(tmp_path), *RIGHT)
    assert (code, err) == (0, "")
    tenant = Inventory.load(tmp_path / "tenants").tenant("acme-uk")
    assert (tenant.erp, tenant.policy.currency.code, tenant.timezone, tenant.web) == (
        "tryton", "GBP", "Europe/London", "",
    )  # fmt: skip
    assert {str(account.password) for account in tenant.users.values()} >= {
        "environment variable ACME_UK_ACCOUNTANT_PASSWORD"
    }
    assert "ringgate = true" in (tmp_path / "pyproject.toml").read_text()
    assert (tmp_path / "suites" / "platform" / "test_sign_in.py").is_file()
    assert (tmp_path / ".github" / "workflows" / "release-gate.yml").is_file()
    assert "ringgate tenants doctor" in out


def test_nothing_is_overwritten(capsys, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    init(capsys, str(tmp_path), *RIGHT)
    (tmp_path / "tenants" / "acme-uk.toml").write_text("mine")
    code, out, _ = init(capsys, str(tmp_path), *RIGHT, "--ci", "gitlab")
    assert code == 0
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\nname = 'mine'\n"
    assert (tmp_path / "tenants" / "acme-uk.toml").read_text() == "mine"
    assert (tmp_path / ".gitlab-ci.yml").is_file()
    assert f"kept     {tmp_path / 'pyproject.toml'}" in out
    assert "ringgate = true" in out, "what must be added is printed"


def test_what_is_missing_is_one_sentence(capsys, tmp_path):
    code, _, err = init(capsys, str(tmp_path), "--currency", "GBP")
    assert code == 3
    assert "--tenant, " in err
    assert err.endswith("must be given, since there is no terminal to ask at.\n")
    assert list(tmp_path.iterdir()) == []


def test_every_mistake_is_told_and_nothing_is_written(capsys, tmp_path):
    wrong = ("--tenant", "acme", "--erp", "tryton", "--api", "nonsense", "--currency", "GB", "--timezone", "Mars")
    code, _, err = init(capsys, str(tmp_path), *wrong)
    assert code == 3
    for words in ("acme.toml: timezone: must be", "acme.toml: endpoints.api: must be", "policy.currency: must be"):
        assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "Große Firma"])
def test_a_tenant_id_that_is_none_is_refused(capsys, tmp_path: Path, name):
    code, _, err = init(capsys, str(tmp_path / "in"), *RIGHT[2:], "--tenant", name)
    assert code == 3
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("*.toml"))


def test_a_projects_own_scenario_takes_the_place_of_one_that_comes_with_ringgate(tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "sign_in.py").write_text(
        "from ringgate.api import *\n"
        "def own(erp, make, run): ...\n"
        "mine = scenario(id='sign-in', effect=READ, needs={SIGN_IN}, roles={AUDITOR})(own)\n"
    )
    found = known_scenarios(tmp_path)
    assert found["sign-in"].function.__name__ == "own"
    assert "project-to-cash" in found
