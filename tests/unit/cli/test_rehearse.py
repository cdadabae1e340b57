"""A rehearsal that is started again says what came of the last one and whose books are made anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringgate.cli.rehearse import _print_last, _renew
from ringgate.inventory import Inventory
from ringgate.rollout.platforms.protocol import PlatformSite
from ringgate.rollout.record import FORM, RecordKeeper, RehearsalRecord, RingRecord, TenantRecord
from ringgate.rollout.release import Release, load_release
from ringgate.rollout.release_tables import RolloutAction
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return load_release(release_file(tmp_path), Inventory.load(ROOT / "tenants"))


class Place:
    """Which series each tenant runs; who was given fresh books."""

    def __init__(self, **runs: str) -> None:
        self.runs, self.renewed = runs, list[str]()

    def series(self, tenant: str) -> str:
        return self.runs.get(tenant, "7.0")


def site(place: Place) -> PlatformSite:
    return PlatformSite("demo", place, Inventory.load(ROOT / "tenants"), renew=place.renewed.extend)  # type: ignore[arg-type]


def test_who_runs_the_new_series_gets_fresh_books_and_is_named(release, capsys):
    place = Place(kyoto="8.0")
    _renew(release, site(place), every=False)
    assert place.renewed == ["kyoto"]
    assert "kyoto get fresh books of 7.0." in capsys.readouterr().out


def test_after_a_rollback_nobody_needs_fresh_books(release, capsys):
    place = Place()
    _renew(release, site(place), every=False)
    assert (place.renewed, capsys.readouterr().out) == ([], "")


def test_all_get_fresh_books_where_that_was_asked_for(release):
    place = Place()
    _renew(release, site(place), every=True)
    assert place.renewed == ["aldgate", "bleecker", "cologne", "kyoto"]


def test_what_the_last_one_came_to_is_told(tmp_path, capsys):
    keeper = RecordKeeper(tmp_path / "kept")
    _print_last(keeper)
    assert capsys.readouterr().out == ""
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    keeper.begin(
        RehearsalRecord(
            form=FORM, release="r", title="R", before="7.0", after="8.0", risk="low", digest="d", session="s",
            began=noon, ended=noon, tenants={"aldgate": TenantRecord(ring="canary")},
            rings={"canary": RingRecord(decision=RolloutAction.ROLL_BACK)},
        )
    )  # fmt: skip
    _print_last(keeper)
    assert capsys.readouterr().out == "The last rehearsal ended at 2026-11-24 12:00 UTC: Ring canary was rolled back.\n"
    (tmp_path / "kept" / "record.json").write_text("{}")
    _print_last(keeper)
    assert "of another version of Ringgate, and is forgotten" in capsys.readouterr().out
