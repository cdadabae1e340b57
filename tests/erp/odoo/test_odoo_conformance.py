"""The conformance kit on real Odoo, over the API: every contract of the driver protocol is kept."""

from __future__ import annotations

from pathlib import Path

from ringgate.conformance import CONTRACTS, VerbStanding, check_driver
from ringgate.domain.terms import Channel
from ringgate.host.undo_journal import Journal


def test_every_contract_is_kept(tenants, engine, books, tmp_path: Path) -> None:
    tenant = tenants["thames"]
    before = books(tenant)
    driver = engine.drivers[tenant.erp, Channel.API]
    found = list(check_driver(driver, tenant, Journal(tmp_path), neighbours=[tenants["isar"]]))
    assert [str(each) for each in found if each.standing is not VerbStanding.KEPT] == []
    assert {each.contract.id for each in found} == set(CONTRACTS)
    assert books(tenant) == before
