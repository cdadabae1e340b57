"""Learned twins on disk: one file for each tenant, scenario, channel and series."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringgate.domain.terms import Channel
from ringgate.twins.files import TwinFolder, UnreadableTwin, dump
from ringgate.twins.learning import first
from tests.unit.twins.samples import KEY, twin


def test_what_is_written_is_read(tmp_path):
    folder, learned = TwinFolder(tmp_path), first(twin())
    assert folder.read(KEY, "7.0") is None
    folder.write(learned)
    assert folder.read(KEY, "7.0") == learned


def test_an_earlier_series_is_the_highest_other_one(tmp_path):
    folder, learned = TwinFolder(tmp_path), first(twin())
    for series in ("6.0", "10.0", "8.0"):
        folder.write(replace(learned, series=series))
    earlier = folder.earlier(KEY, "8.0")
    assert earlier is not None
    assert earlier.series == "10.0"
    assert folder.earlier(replace(KEY, channel=Channel.BROWSER), "8.0") is None


def test_forgetting_takes_all_series_of_one_key(tmp_path):
    folder, learned = TwinFolder(tmp_path), first(twin())
    other = replace(KEY, scenario="project-to-cash-twice")
    folder.write(learned)
    folder.write(replace(learned, series="8.0"))
    folder.write(replace(learned, key=other))
    assert folder.forget(KEY) == 2
    assert folder.read(other, "7.0") is not None


def test_a_file_that_is_none_is_named_with_what_to_do(tmp_path):
    folder = TwinFolder(tmp_path)
    folder.write(first(twin()))
    (path,) = folder.all()
    path.write_bytes(b"{")
    with pytest.raises(UnreadableTwin, match=r"7\.0\.json\.gz cannot be read .* remove it"):
        folder.read(KEY, "7.0")


def test_a_run_as_evidence_is_json():
    told = json.loads(dump(twin()))
    assert told["key"] == {"tenant": "aldgate", "scenario": "project-to-cash", "channel": "api"}
    assert told["records"][1]["fields"]["unit"] == [["Hour"]]
