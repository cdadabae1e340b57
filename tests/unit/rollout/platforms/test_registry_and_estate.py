"""Platforms are found by entry point; the estate backs its tenants up as often as it promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from ringgate.domain.model import Recovery
from ringgate.rollout.platforms import registry
from ringgate.rollout.platforms.estate import BackupSchedule, EstatePlatforms, demo_name, demo_release
from ringgate.rollout.platforms.protocol import PlatformRequest
from ringgate.rollout.platforms.registry import PlatformError, platform_kind, series_on, split
from tests.support.samples import tenant

GOLD = replace(tenant(), recovery=Recovery(point=timedelta(minutes=15), time=timedelta(minutes=5)))


class Hosting:
    """A platform of somebody's own."""

    def foreseen(self, request: PlatformRequest) -> tuple[None, tuple[str, ...]]:
        return None, ("7.0", request.where)


@pytest.fixture
def hosting(monkeypatch):
    point = EntryPoint("hosting", f"{__name__}:Hosting", registry.GROUP)
    broken = EntryPoint("broken", "no_such_package:Kind", registry.GROUP)
    points = {"hosting": point, "broken": broken}

    def entry_points(*, group: str, name: str = "") -> list[EntryPoint]:
        return [each for each in points.values() if name in ("", each.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    platform_kind.cache_clear()
    yield
    platform_kind.cache_clear()


def test_the_estate_is_one_kind_of_several():
    assert registry.names() == ("command", "estate", "http")
    assert isinstance(platform_kind(registry.DEFAULT), EstatePlatforms)


def test_a_kind_of_ones_own_is_told_what_stands_after_its_name(hosting):
    assert (split("hosting=8.2"), split("hosting")) == (("hosting", "8.2"), ("hosting", ""))
    assert series_on("hosting=8.2") == ("7.0", "8.2")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hostin", 'There is no platform "hostin"; did you mean hosting?'),
        ("broken", r"The platform broken \(no_such_package:Kind\) cannot be loaded"),
    ],
)
def test_one_that_is_not_there_is_told_in_a_sentence(hosting, name, says):
    with pytest.raises(PlatformError, match=says):
        platform_kind(name)


class Estate:
    """Keeps the ages of a tenant's backups in minutes."""

    def __init__(self, *ages: float, upgrade: object = None, came_from: str = "") -> None:
        self.ages, self.taken = list(ages), 0
        self.backups = SimpleNamespace(of=lambda _: [SimpleNamespace(taken_at=_ago(each)) for each in self.ages])
        self.here = SimpleNamespace(upgrade=upgrade, came_from=came_from)

    def place(self, _: str) -> SimpleNamespace:
        return self.here

    def backup(self, _: str) -> None:
        self.ages.append(0)
        self.taken += 1


def _ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("estate", "taken"),
    [
        (Estate(), 1),
        (Estate(60, 8), 1),
        (Estate(60, 5), 0),
        (Estate(60, upgrade=object()), 0),
        (Estate(60, came_from="what its upgrade would be taken back to"), 0),
    ],
    ids=["none", "half of the promise is over", "young", "being upgraded", "upgraded"],
)
def test_the_estate_backs_up_whoever_is_due(estate, taken):
    schedule = BackupSchedule(estate, [GOLD, tenant("nothing-promised")])
    for _ in range(2):
        schedule.catch_up()
    assert estate.taken == taken


def test_an_inventory_of_ones_own_is_not_that_of_an_estate(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    with pytest.raises(PlatformError, match="An estate has an inventory of its own"):
        EstatePlatforms().foreseen(PlatformRequest("mine", tmp_path / "tenants"))


def test_each_erp_that_comes_with_ringgate_has_a_demo_of_its_own():
    assert {erp: (demo_name(erp), demo_release(erp).name) for erp in ("tryton", "odoo")} == {
        "tryton": ("demo", "tryton-7.0-to-8.0.toml"),
        "odoo": ("demo-odoo", "odoo-14-to-19.toml"),
    }
    assert demo_release("") == demo_release("tryton")


def test_an_estate_is_made_of_the_release_s_own_erp(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    inventory, series = EstatePlatforms().foreseen(PlatformRequest("mine", tenants=2, erp="odoo"))
    assert ({tenant.erp for tenant in inventory.tenants}, series) == ({"odoo"}, ("14.0", "19.0"))
