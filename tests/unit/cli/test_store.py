"""`ringgate store` on a real store and inventory."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringgate.cli import run as ringgate
from ringgate.store import Store
from tests.unit.store.test_store import result

DEFAULTS = '[store]\nevidence_gigabytes = 1\n[store.keep]\npassed = "5 d"\nfailures = "8 d"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's inventory with `[store]`, and a store of failures of ten days."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    for each in Path("tenants").rglob("*.toml"):
        target = tenants / each.relative_to("tenants")
        target.parent.mkdir(exist_ok=True)
        target.write_text(each.read_text() + (DEFAULTS if each.name == "defaults.toml" else ""))
    monkeypatch.setenv("RINGGATE_RESULTS", f"sqlite:///{tmp_path}/results.sqlite")
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    now = datetime.now(UTC)
    store.add(*(result(f"r{n}", started_at=now - timedelta(days=n, hours=1)) for n in range(10)))
    store.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_there_is_and_what_is_forgotten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ringgate(["store", "stats"]) == 0
    assert "failed             10  from" in capsys.readouterr().out
    assert ringgate(["store", "prune", "--compact"]) == 0
    assert capsys.readouterr().out.startswith("forgotten: 0 passed runs, 2 failures, 0 platform signals, 0 hours")
    assert ringgate(["store", "stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"]["failed"]["runs"] == 8


def test_what_is_wrong_with_it_is_told_with_file_key_and_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    defaults = folder / "tenants" / "defaults.toml"
    defaults.write_text(defaults.read_text().replace('"5 d"', '"1 h"').replace("evidence_gigabytes", "evidence_size"))
    assert ringgate(["store", "prune"]) == 3
    said = capsys.readouterr().err
    assert "tenants/defaults.toml: store.keep.passed: must be at least 2 d" in said
    assert "tenants/defaults.toml: store.evidence_size: is not a known key" in said
