"""`ringgate tenants`: what people and programs read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ringgate import cli
from tests.unit.inventory.test_inventory import SMALLEST, write

ROOT = Path(__file__).parents[3]

FLAG = '[features.grid]\non = true\nowner = "team"\nexpires = 2020-01-01\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RINGGATE_INVENTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        {
            "cohorts/emea.toml": 'description = "Europe"\n',
            "acme.toml": 'id = "acme"\nring = "canary"\ncohorts = ["emea"]\n'
            '[policy]\ntax = { name = "VAT 20%", rate = "0.20", rounding = "line" }\n'
            'approval = { steps = 1, threshold = "500.00" }\n',
            "beta.toml": 'id = "beta"\nring = "broad"\npaused_until = 2999-01-01\npaused_reason = "year-end close"\n',
        },
    )
    return tmp_path / "tenants"


def tenants(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["tenants", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.usefixtures("folder")
def test_list_shows_one_row_for_each_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = tenants(capsys, "list")
    assert (code, err) == (0, "")
    lines = [line.split("  ") for line in out.splitlines()]
    rows = {line[0]: [cell.strip() for cell in line if cell.strip()] for line in lines if line[0]}
    assert rows["acme"][1:7] == ["canary", "GBP", "20% by line", "1 above 500.00", "any", "emea"]
    assert rows["beta"][1:] == ["broad", "GBP", "none", "none", "any"]
    assert "beta is paused until 2999-01-01: year-end close" in out
    assert "2 tenants in tenants" in out


@pytest.mark.usefixtures("folder")
def test_list_narrows(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = tenants(capsys, "list", "--cohort", "emea")
    assert "beta" not in out
    assert "1 of 2 tenants" in out


@pytest.mark.usefixtures("folder")
def test_list_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = tenants(capsys, "list", "--json")
    listed = json.loads(out)
    assert [each["id"] for each in listed] == ["acme", "beta"]
    assert listed[0]["taxes"] == [{"name": "VAT 20%", "rate": "0.20"}]
    assert listed[1]["paused"] == "paused until 2999-01-01: year-end close"


@pytest.mark.usefixtures("folder")
def test_an_unknown_name_is_one_sentence_and_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert tenants(capsys, "list", "--ring", "canry") == (
        3,
        "",
        'ringgate: tenants: no ring is called "canry"; did you mean canary?\n',
    )


def test_the_inventory_can_be_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    moved = folder.rename(folder.with_name("elsewhere"))
    code, _, err = tenants(capsys, "list")
    assert (code, "tenants: is not a folder" in err) == (3, True)
    assert tenants(capsys, "list", "--inventory", str(moved))[0] == 0


def test_an_inventory_with_errors_is_3_for_those_who_need_it(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "acme.toml").write_text(SMALLEST.format(id="acme") + "colour = 1\n")
    code, out, err = tenants(capsys, "list")
    assert (code, out, err) == (3, "", "ringgate: tenants/acme.toml: colour: is not a known key\n")


@pytest.mark.usefixtures("folder")
def test_check_is_0_when_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert tenants(capsys, "check") == (0, "tenants: 2 tenants, all is well\n", "")


def test_check_is_1_and_lists_every_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "acme.toml").write_text(SMALLEST.format(id="acme") + "colour = 1\nsessions = 0\n")
    (folder / "beta.toml").write_text("id =\n")
    code, out, _ = tenants(capsys, "check")
    assert code == 1
    assert out.splitlines() == [
        "error: tenants/acme.toml: sessions: must be at least 1 (got 0)",
        "error: tenants/acme.toml: colour: is not a known key",
        "error: tenants/beta.toml: is not valid TOML: Invalid value (at line 1, column 5)",
        "tenants: 3 errors",
    ]


def test_a_warning_is_0_and_with_strict_1(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "acme.toml").write_text(SMALLEST.format(id="acme") + FLAG)
    code, out, _ = tenants(capsys, "check")
    assert code == 0
    assert "warning: tenants/acme.toml: features.grid: expired on 2020-01-01" in out
    assert "tenants: 2 tenants, 1 warning" in out
    assert tenants(capsys, "check", "--strict")[0] == 1


def test_check_warns_of_rings_in_which_a_promotion_would_come_too_late(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "tenants", tmp_path / "seldom")
    defaults = tmp_path / "seldom" / "defaults.toml"
    defaults.write_text(
        re.sub(r"probes = .*", "", defaults.read_text()).replace(
            '[probes]\napi = "5 min"\nbrowser = "30 min"', '[probes]\napi = "6 h"\nbrowser = "off"'
        )
    )
    code, out, _ = tenants(capsys, "check", "--inventory", str(tmp_path / "seldom"))
    told = " ".join(out.split())
    assert code == 0
    assert "warning: canary: a promotion takes" in told
    assert "and the deadline is after 24 h. It fits with probes" in told
    assert "and no newest result may be older than 30 min" in told
    rules = tmp_path / "gate.toml"
    rules.write_text('[bake]\nfreshness = "12 h"\n[promote]\nleast_rate = 0.3\n')
    assert "all is well" in tenants(capsys, "check", "--inventory", str(tmp_path / "seldom"), "--policy", str(rules))[1]


@pytest.mark.usefixtures("folder")
def test_check_reads_the_secrets_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_ACCOUNTANT", "hunter22")
    monkeypatch.delenv("BETA_ACCOUNTANT", raising=False)
    code, out, _ = tenants(capsys, "check", "--secrets")
    assert code == 1
    assert "error: beta: users.accountant: environment variable BETA_ACCOUNTANT is not set" in out
    assert "acme" not in out
    monkeypatch.setenv("BETA_ACCOUNTANT", "swordfish")
    assert tenants(capsys, "check", "--secrets")[0] == 0


def test_check_for_programs(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "beta.toml").write_text("id =\n")
    code, out, _ = tenants(capsys, "check", "--json")
    answer = json.loads(out)
    assert (code, answer["ok"], len(answer["errors"])) == (1, False, 1)


def test_check_of_a_folder_that_is_not_there_is_3(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert tenants(capsys, "check", "--inventory", str(tmp_path / "none"))[0] == 3


@pytest.mark.usefixtures("folder")
def test_show_says_where_each_value_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_ACCOUNTANT", "hunter22")
    code, out, _ = tenants(capsys, "show", "acme", "--origin")
    rows = {line.split()[0]: line.split() for line in out.splitlines()}
    assert code == 0
    assert rows["policy.tax.rate"] == ["policy.tax.rate", "0.20", "tenants/acme.toml"]
    assert rows["policy.currency"] == ["policy.currency", "GBP", "tenants/defaults.toml"]
    assert rows["sla"] == ["sla", "standard", "built-in", "default"]
    assert "environment variable ACME_ACCOUNTANT" in out
    assert "hunter22" not in out


@pytest.mark.usefixtures("folder")
def test_show_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = tenants(capsys, "show", "acme", "--origin", "--json")
    assert {"key": "ring", "value": "canary", "origin": "tenants/acme.toml"} in json.loads(out)


def test_check_looks_for_scenarios_and_holidays_that_there_are_not(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    probes = '[probes]\nholidays = "DE-QQ"\n[probes.scenarios.time-enrty]\napi = "1 h"\n'
    (folder / "gamma.toml").write_text(SMALLEST.format(id="gamma") + probes)
    code, out, _ = tenants(capsys, "check")
    assert code == 1
    assert 'error: gamma: probes.scenarios.time-enrty: no scenario is called "time-enrty"' in out
    assert 'error: gamma: probes.holidays: "DE-QQ" is not known' in out


@pytest.mark.usefixtures("folder")
def test_show_of_an_unknown_tenant_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert tenants(capsys, "show", "acne")[2].endswith('no tenant is called "acne"; did you mean acme?\n')


def test_every_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = tenants(capsys, "keys", "--json")
    keys = json.loads(out)
    assert code == 0
    assert len(keys) > 50
    for row in keys:
        assert row["meaning"].endswith("."), row
        holds_others = any(other["key"].startswith(f"{row['key']}.") for other in keys)
        assert row["example"] or holds_others, row
