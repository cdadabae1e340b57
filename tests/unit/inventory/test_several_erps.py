"""An inventory of several ERPs: each tenant is planned, skipped and paired by what its own driver can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.terms import Capability, Channel
from ringgate.drivers.fit import unfit
from ringgate.drivers.registry import Drivers, capabilities, why_not
from ringgate.execution.applicability import not_applicable, others
from ringgate.inventory import Inventory
from ringgate.probing.plan import plan
from ringgate.scenario.discovery import load_scenarios
from tests.unit.inventory.test_inventory import SMALLEST, TODAY, load

SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")
PEOPLE = "".join(
    f'[users.{role}]\nlogin = "{role}"\npassword = {{ env = "X" }}\n'
    for role in ("consultant", "project_manager", "approver", "auditor")
)


@pytest.fixture
def mixed(tmp_path: Path) -> Inventory:
    ids = {"acme": "tryton", "bolt": "tryton", "oslo": "odoo"}
    files = {f"{name}.toml": SMALLEST.format(id=name) + f'erp = "{erp}"\n' + PEOPLE for name, erp in ids.items()}
    return load(tmp_path, files)


def test_it_fits_and_every_erp_has_its_drivers(mixed: Inventory) -> None:
    assert unfit(mixed) == []
    keys = set(Drivers([tenant.erp for tenant in mixed.tenants]))
    assert {("tryton", Channel.API), ("tryton", Channel.BROWSER), ("odoo", Channel.API)} <= keys


def test_each_tenant_is_probed_with_what_its_driver_can_do(mixed: Inventory) -> None:
    planned = {each.key for each in plan(mixed.tenants, SCENARIOS.values()) if not each.never}
    for tenant in mixed.tenants:
        for channel in Channel:
            able = capabilities(tenant.erp, channel)
            for name in ("sign-in", "project-to-cash", "tenant-isolation"):
                said = not_applicable(SCENARIOS[name], tenant, channel, able, TODAY, mixed.tenants)
                assert ((tenant.id, name, channel) in planned) == (said == ""), (tenant.id, name, channel, said)
    assert ("oslo", "sign-in", Channel.API) in planned


def test_only_tenants_of_one_erp_are_tried_on_each_other(mixed: Inventory) -> None:
    acme, oslo = mixed.tenant("acme"), mixed.tenant("oslo")
    assert [each.id for each in others(acme, mixed.tenants, TODAY)] == ["bolt"]
    assert others(oslo, mixed.tenants, TODAY) == ()


def test_what_one_driver_lacks_is_told_for_its_tenants_alone(mixed: Inventory) -> None:
    assert why_not(mixed.tenant("acme"), Channel.API, Capability.FINGERPRINT) == ""
    assert why_not(mixed.tenant("oslo"), Channel.API, Capability.APPROVAL_CHAINS) == (
        "the api driver for odoo cannot do approval-chains"
    )
