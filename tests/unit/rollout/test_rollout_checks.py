"""What is wrong with `[rollout]` of a release is told at once, with file, key and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.inventory import Inventory
from ringgate.rollout.release import ReleaseError, load_release
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]


def loaded(folder: Path, text: str):
    file = release_file(folder)
    file.write_text(f"{file.read_text()}\n{text}")
    return load_release(file, Inventory.load(ROOT / "tenants"))


def test_a_calendar_is_part_of_the_release_and_of_its_digest(tmp_path):
    text = '[[rollout.windows]]\nname = "nights"\ntimes = ["Sun 00:00-04:00"]\nfiles = ["a.ics"]\n'
    lines = "BEGIN:VCALENDAR VERSION:2.0 BEGIN:VEVENT UID:1 DTSTART:20991101T220000 END:VEVENT END:VCALENDAR"
    events = "\r\n".join([*lines.split(), ""])
    (tmp_path / "a.ics").write_text(events)
    before = loaded(tmp_path, text)
    assert [each.name for each in before.calendar.windows] == ["nights"]
    (tmp_path / "a.ics").write_text(events.replace("UID:1", "UID:2"))
    assert loaded(tmp_path, text).digest != before.digest


def test_all_that_is_wrong_is_told(tmp_path):
    text = """
[rollout]
bake = "gate.toml"
[rollout.rings.canry]
[[rollout.windows]]
name = "nights"
tenants = ["kyotto"]
regions = ["eu-weest"]
files = ["a.ics"]
[[rollout.freezes]]
name = "year end"
[[rollout.freezes]]
name = "year end"
times = ["2026-12-20 00:00 to 2027-01-06 00:00"]
"""
    with pytest.raises(ReleaseError) as raised:
        loaded(tmp_path, text)
    told = [(each.key, each.rule.split(";")[0], each.got) for each in raised.value.problems]
    assert told == [
        ("rollout.rings.canry", "is not a ring", ""),
        ("rollout.bake", "there is no such file beside this one", '"gate.toml"'),
        ("rollout.windows[0].tenants", "is not in the inventory", "kyotto"),
        ("rollout.windows[0].regions", "no tenant is there", "eu-weest"),
        ("rollout.windows[0].files", "cannot be read: No such file or directory", '"a.ics"'),
        ("rollout.freezes[0]", "says nothing: give times, files or holidays", ""),
        ("rollout.freezes[0].name", "is the name of another one, too", "year end"),
        ("rollout.freezes[1].name", "is the name of another one, too", "year end"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[[rollout.windows]]\nname = "gone"\ntimes = ["2020-01-01 00:00 to 2020-01-02 00:00"]\n',
        '[rollout.runway]\nupgrade = "5 h"\n[[rollout.windows]]\nname = "short"\ntimes = ["Sun 00:00-04:00"]\n',
    ],
)
def test_a_window_that_never_comes_is_told(tmp_path, text):
    with pytest.raises(ReleaseError, match=r"rollout: no moment within a year has \d+ min for \w+ \((gone|short)\)"):
        loaded(tmp_path, text)
