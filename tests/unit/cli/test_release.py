"""`ringgate release` and what `ringgate rehearse` says of a definition before it sets anything up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.inventory.schema import keys_of
from ringgate.rollout.release_tables import ReleaseTable

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "deploy/releases/tryton-7.0-to-8.0.toml"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RINGGATE_INVENTORY", str(ROOT / "tenants"))
    return tmp_path


def test_the_release_of_the_demo_is_found_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["release", "check", str(DEMO)]) == 0
    out = capsys.readouterr().out
    rings = "canary (aldgate), early (bleecker, cologne), broad (kyoto)"
    assert f"4 tenants through {rings}; risk medium, all is well" in out


def test_all_errors_are_told_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = place / "wrong.toml"
    wrong.write_text('id = "x"\nfrom = "7.0"\nto = "9.9"\n')
    assert cli.run(["release", "check", str(wrong), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    rules = " ".join(told["errors"])
    for words in ("title: is required", "components: is required", "to: is not a series that can be run here"):
        assert words in rules


def test_a_file_that_is_not_there_is_wrong_use(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["release", "check", str(place / "none.toml")]) == 3
    assert "none.toml: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--tenants", "1"]])
def test_a_wrong_definition_is_told_before_anything_is_set_up(place: Path, capsys, more) -> None:
    wrong = place / "wrong.toml"
    wrong.write_text(DEMO.read_text().replace('risk = "medium"', 'risk = "huge"'))
    assert cli.run(["rehearse", str(wrong), "--platform", "estate=none", *more]) == 3
    told = capsys.readouterr().err
    assert "risk: must be one of low, medium, high" in told
    assert "accepted: there is no such file beside this one" in told
    assert not (place / "home").exists()


def test_a_step_that_is_not_there_cannot_be_forgotten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["demo", "--leave-out", "9.9"]) == 3
    assert 'no name begins with "9.9"' in capsys.readouterr().err
    assert not (place / "home").exists()


def test_every_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["release", "keys", "--json"]) == 0
    keys = json.loads(capsys.readouterr().out)
    names = [each["key"] for each in keys]
    for name in (
        "from",
        "manual_steps[].sql",
        "integrations[].uses",
        "conditions.surface_broken",
        "background_load.every",
    ):
        assert name in names
    assert all(each["meaning"] for each in keys)
    assert len(names) == len(list(keys_of(ReleaseTable)))
