"""What an Odoo estate is made of, and what is said where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.estate.odoo import install
from ringgate.estate.odoo.faults import OWN_FAULTS
from ringgate.estate.odoo.install import PackagesGone
from ringgate.estate.odoo.kind import OdooEstate
from ringgate.estate.odoo.series import SERIES
from ringgate.estate.registry import estate_kind
from ringgate.estate.tools import Tools


@pytest.mark.parametrize("series", SERIES.values(), ids=str)
def test_every_python_package_is_pinned(series) -> None:
    assert all("==" in each for each in series.requirements)
    assert len(series.requirements) > 40


def test_a_changed_pin_or_package_is_installed_beside_the_old_one(tmp_path: Path) -> None:
    places = {install.folder_of(Tools(tmp_path), series) for series in SERIES.values()}
    assert len(places) == len(SERIES)


@pytest.mark.parametrize(
    "text",
    ["URIs: http://mirror.example/debian\nSuites: bookworm\n", "deb http://mirror.example/debian bookworm main\n"],
)
def test_the_machines_own_mirror_is_used(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "sources"
    source.write_text(text)
    monkeypatch.setattr(install, "SOURCES", (source,))
    assert install._mirror() == "http://mirror.example/debian"


def test_a_machine_without_apt_is_told_so_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    with pytest.raises(PackagesGone, match="this machine has no apt-get: use one that has"):
        install._download(Tools(tmp_path), "sid", ["odoo-19"], tmp_path)


def test_the_kind_is_found_by_the_name_that_inventories_have() -> None:
    assert isinstance(estate_kind("odoo"), OdooEstate)
    assert estate_kind("odoo").series == ("14.0", "19.0")


def test_each_fault_has_a_name_of_its_own_and_says_what_must_fail() -> None:
    assert len({fault.id for fault in OWN_FAULTS}) == len(OWN_FAULTS) >= 20
    assert all(fault.says for fault in OWN_FAULTS)
