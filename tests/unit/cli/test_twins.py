"""`ringgate twins`: what was learned is listed and forgotten, by tenant, scenario and series."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringgate.cli import run
from ringgate.host import paths
from ringgate.twins.files import TwinFolder
from ringgate.twins.learning import first
from tests.unit.twins.samples import twin


@pytest.fixture
def learned(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path))
    folder = TwinFolder(paths.twins())
    for tenant, series in (("aldgate", "7.0"), ("aldgate", "8.0"), ("kobe", "7.0")):
        one = first(twin())
        folder.write(replace(one, key=replace(one.key, tenant=tenant), series=series))
    return folder


def listed(capsys, *options: str) -> list[tuple[str, str]]:
    assert run(["twins", "list", "--json", *options]) == 0
    return [(row["tenant"], row["series"]) for row in json.loads(capsys.readouterr().out)]


def test_what_was_learned_is_listed(learned, capsys):
    assert listed(capsys) == [("aldgate", "7.0"), ("aldgate", "8.0"), ("kobe", "7.0")]
    assert listed(capsys, "--tenant", "aldgate", "--series", "8.0") == [("aldgate", "8.0")]
    assert run(["twins", "list"]) == 0
    shown = capsys.readouterr().out
    assert "project-to-cash" in shown
    assert "7.0.59" in shown


def test_an_unreadable_file_is_listed_and_can_be_forgotten(learned, capsys):
    file = next(iter(learned.all()))
    file.write_bytes(b"no")
    assert run(["twins", "list"]) == 0
    assert "unreadable" in capsys.readouterr().out
    assert run(["twins", "forget", "--tenant", "aldgate"]) == 0
    assert "forgot 2 files" in capsys.readouterr().out
    assert listed(capsys) == [("kobe", "7.0")]


def test_forgetting_asks_for_what(learned, capsys):
    assert run(["twins", "forget"]) == 3
    assert "Say what to forget" in capsys.readouterr().err
    assert run(["twins", "forget", "--all"]) == 0
    assert "forgot 3 files" in capsys.readouterr().out
    assert listed(capsys) == []
    assert run(["twins", "list"]) == 0
    assert "Nothing was learned" in capsys.readouterr().out
