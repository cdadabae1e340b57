"""What a migration may do to the books of a real Odoo tenant is found by its fingerprint, and rightly named."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.estate.faults.migration import planted
from ringgate.estate.odoo.migration_faults import MIGRATION_FAULTS
from ringgate.fingerprint import compare
from tests.erp.odoo.conftest import SERIES


@pytest.mark.skipif(SERIES != "19.0", reason="they are planted in what an upgrade has made")
def test_each_migration_fault_is_rightly_named(odoo: Estate, tenants, engine) -> None:
    tenant = tenants["hudson"]
    connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("faults", "0" * 32))
    try:
        before = connection.books().fingerprint()
        with odoo.sql(tenant.id) as database:
            for fault in MIGRATION_FAULTS.values():
                with planted(fault, database):
                    odoo.reload()
                    found = compare(before, connection.books().fingerprint())
                told = [(each.signature, each.cause) for each in found]
                assert {each.section for each in found} == {fault.section}, f"{fault.id}: {told}"
                assert fnmatchcase(found[0].signature, fault.signature), f"{fault.id}: {told}"
                assert fault.says in found[0].cause, f"{fault.id}: {told}"
        odoo.reload()
        assert compare(before, connection.books().fingerprint()) == [], "a fault left traces"
    finally:
        connection.close()
