"""`ringgate before` for a program that reads what it says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ringgate import cli
from tests.support.rehearsal import release_file

TENANTS = Path(__file__).parents[3] / "tenants"


def test_what_a_program_reads_is_nothing_but_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What goes on is told beside it. Nobody answers at the tenant's address."""
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    for module in ("ringgate.rollout.controller", "ringgate.rollout.stages.context"):
        monkeypatch.setattr(f"{module}.SECOND_LOOK", 0.0)
    inventory = shutil.copytree(TENANTS, tmp_path / "tenants")
    for file in inventory.glob("*.toml"):
        file.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", file.read_text(encoding="utf-8")), encoding="utf-8")
    release = release_file(tmp_path)
    asked = ["before", str(release), "--tenant", "aldgate", "--inventory", str(inventory), "--settle", "0", "--json"]
    assert cli.run(asked) != 0
    said = capsys.readouterr()
    assert json.loads(said.out)["tenants"] == ["aldgate"]
    assert "baseline" in said.err
