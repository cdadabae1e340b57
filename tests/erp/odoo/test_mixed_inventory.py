"""Tenants of two ERPs in one inventory: each ERP's defaults are a cohort; rings, prober and gate are everybody's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from ringgate.domain.model import Tenant
from ringgate.estate.estate import Estate
from tests.support.estate import Leased

OF_ALL = ("rings", "ring_rules", "sessions_in_all", "store", "slas")
"""Keys that `defaults.toml` alone has."""


@pytest.fixture
def mixed(odoo: Estate, own_tenant: Leased, tmp_path: Path) -> Path:
    """One tenant of Tryton and those of Odoo, without windows in which they are left alone."""
    folder = tmp_path / "tenants"
    (folder / "cohorts").mkdir(parents=True)
    top: dict[str, Any] = {"rings": ["canary", "early", "broad"], "sessions_in_all": 8, "slas": {}}
    for erp, source in (("tryton", Path(own_tenant.inventory)), ("odoo", odoo.inventory_path)):
        given = tomllib.loads((source / "defaults.toml").read_text(encoding="utf-8"))
        top["slas"] |= given.get("slas", {})
        _write(folder / "cohorts" / f"{erp}.toml", {key: given[key] for key in given if key not in OF_ALL})
        for each in (source / "cohorts").glob("*.toml"):
            shutil.copy(each, folder / "cohorts")
        for each in sorted(source.glob("*.toml")):
            if each.name != "defaults.toml":
                own = tomllib.loads(each.read_text(encoding="utf-8"))
                always = {**own.get("probes", {}), "maintenance": []}
                cohorts = [erp, *own.get("cohorts", [])]
                _write(folder / each.name, {**own, "cohorts": cohorts, "ring": "canary", "probes": always})
    _write(folder / "defaults.toml", top)
    return folder


def _write(file: Path, table: Mapping[str, Any]) -> None:
    file.write_text(tomli_w.dumps(table), encoding="utf-8")


def test_one_prober_and_one_gate_serve_both(mixed: Path, tenants: dict[str, Tenant], own_tenant: Leased, environment):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ringgate.cli", *words, "--inventory", str(mixed)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    everybody = {*tenants, own_tenant.id}
    checked = run("tenants", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    noted = run("event", "deploy", "--ring", "canary", "--release", "2026-12")
    assert noted.returncode == 0, noted.stderr
    probed = run("probe", "--once", "--channel", "api", "--scenario", "sign-in", "--scenario", "time-entry")
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert f"{2 * len(everybody)} probes on {len(everybody)} tenants: {2 * len(everybody)} passed" in probed.stdout
    told = run("gate", "--ring", "canary", "--release", "2026-12", "--format", "json")
    verdict = json.loads(told.stdout)
    assert set(verdict["tenants"]["tested"]) == everybody, told.stdout
