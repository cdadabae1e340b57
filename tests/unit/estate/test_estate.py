"""What an estate says of itself, and which kind it is of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ringgate.domain.model import Tenant
from ringgate.estate import Estate, registry
from ringgate.estate.errors import EstateError
from ringgate.estate.postgres import Cluster
from ringgate.estate.protocol import READY
from ringgate.estate.tryton.kind import TrytonEstate
from tests.unit.estate.support import noted, running


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def standing(home: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """An estate of two series whose database and front door run; `ready` counts as asked and answered."""
    monkeypatch.setattr(Cluster, "running", True)
    monkeypatch.setattr(TrytonEstate, "ready", lambda _self, _tenant, _series, _base: READY)
    monkeypatch.setattr("ringgate.estate.tools.Tools.install_database", lambda _self: home)
    estate = noted("two", {"aldgate": "7.0", "bleecker": "8.0"})
    (estate.folder / "pg").mkdir()
    (home / "tools").mkdir()
    running(estate.run / "front-door.pid")
    running(estate.run / "erp-7.0.pid")
    running(estate.run / "erp-8.0.pid")
    return estate


def test_a_tenant_is_down_only_if_what_it_needs_is_stopped(standing: Estate) -> None:
    (standing.run / "erp-8.0.pid").unlink()
    report = standing.status()
    assert {row.tenant: row.state for row in report.rows} == {"aldgate": READY, "bleecker": "down"}
    assert report.servers == {
        "PostgreSQL": "running",
        "ERP server 7.0": "running",
        "ERP server 8.0": "stopped",
        "front door": "running",
    }
    assert not report.standing
    (standing.run / "front-door.pid").unlink()
    assert {row.state for row in standing.status().rows} == {"down"}


def test_a_tenant_is_asked_at_its_own_address(standing: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def ready(_self: TrytonEstate, tenant: Tenant, series: str, base: str) -> str:
        asked[tenant.id] = (series, base)
        return "sign-in answers 401"

    monkeypatch.setattr(TrytonEstate, "ready", ready)
    assert {row.state for row in standing.status().rows} == {"sign-in answers 401"}
    assert asked == {"aldgate": ("7.0", "http://127.0.0.1:9001"), "bleecker": ("8.0", "http://127.0.0.1:9002")}


def test_an_estate_keeps_its_kind() -> None:
    noted("one", {"aldgate": "7.0"})
    assert Estate("one").kind.name == "tryton"
    with pytest.raises(EstateError, match=r"has tenants of tryton: choose another --name for other"):
        Estate("one", "other")


def test_new_tenants_begin_only_where_they_can_be_filled() -> None:
    with pytest.raises(EstateError, match=r"No tenant of an estate begins at Tryton 8\.0: choose --series 7\.0\."):
        Estate("later", series="8.0")
    assert Estate("odoo-later", "odoo", series="19.0").first_series == "19.0"


def test_a_kind_is_found_by_its_entry_point() -> None:
    assert "tryton" in registry.names()
    assert registry.estate_kind("tryton").title == "Tryton"
    with pytest.raises(EstateError, match=r'no estate kind "tritton": did you mean tryton'):
        registry.estate_kind("tritton")
    assert registry.series_of({"tryton"}) == ("7.0", "8.0")
    assert registry.series_of({"tryton", "of-another-package"}) == ()


def test_a_full_disk_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**9))
    with pytest.raises(EstateError, match=r"Only 0\.9 GB are free .* RINGGATE_HOME"):
        Estate("full").up()
    assert not (tmp_path / "home" / "tools").exists()


@pytest.mark.parametrize("name", ["", "Demo", "a b", "../x", "-x", "x" * 40])
def test_an_estates_name_is_a_folders_name(name: str) -> None:
    with pytest.raises(EstateError, match="cannot name an estate"):
        Estate(name)


def test_an_estate_that_is_not_there_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    estate = Estate("nowhere")
    with pytest.raises(EstateError, match="ringgate estate up --name nowhere"):
        estate.sql("aldgate")
    assert not estate.status().standing
    estate.down()
    estate.destroy()
