"""The example platform in docs/examples/ansible, for real: a tenant of the estate is upgraded and taken back."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Outcome
from ringgate.rollout.platforms.command import CommandHosts
from ringgate.rollout.platforms.protocol import PlatformRequest, UpgradeRefused
from ringgate.rollout.release_tables import ManualStepTable
from tests.support.ansible import ansible_bin
from tests.support.estate import NAME, STEPS

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "ansible"


@pytest.mark.sweep
def test_ansible_upgrades_a_tenant_restores_a_copy_beside_it_and_takes_it_back(lease, run, tmp_path, monkeypatch):
    tenant: Tenant = (leased := lease()).tenant
    folder = tmp_path / "ansible"
    shutil.copytree(EXAMPLE, folder)
    shutil.copytree(leased.inventory, folder / "tenants")
    hosts = folder / "hosts.toml"
    hosts.write_text(hosts.read_text().replace('ESTATE = "demo"', f'ESTATE = "{NAME}"'))
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(Path(sys.executable).parent), str(ansible_bin()), os.environ["PATH"]])
    )
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    platform = CommandHosts().open(PlatformRequest(str(hosts)), ["7.0", "8.0"], Console(quiet=True)).platform

    forgotten = [ManualStepTable(name="a step that cannot be done", sql="UPDATE no_such_table SET a = 1")]
    with pytest.raises(UpgradeRefused, match="no_such_table"):
        platform.upgrade(tenant.id, "8.0", forgotten, nullcontext)
    assert platform.series(tenant.id) == "7.0"

    backup = platform.upgrade(tenant.id, "8.0", [ManualStepTable(name=STEPS.name, sql=STEPS.sql)], nullcontext)
    try:
        assert platform.series(tenant.id) == "8.0"
        assert run("sign-in", tenant).outcome is Outcome.PASSED
        with platform.beside(tenant.id, backup.name) as copy:
            assert run("sign-in", copy).outcome is Outcome.PASSED
    finally:
        platform.roll_back(tenant.id, backup.name)
    assert platform.series(tenant.id) == "7.0"
    assert run("sign-in", tenant).outcome is Outcome.PASSED
