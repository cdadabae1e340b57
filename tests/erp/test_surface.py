"""The surface of a real ERP: read alike twice, a change made by SQL is found, and runs record what they did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome, Role
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.execution.run_once import Engine
from ringgate.surface import compare
from ringgate.surface.encoding import dumps, loads
from ringgate.surface.model import Surface
from tests.support.estate import Leased

RULES = """
    SELECT id FROM ir_model_access WHERE perm_delete
    AND model IN (SELECT id FROM ir_model WHERE model = 'timesheet.line')
"""
SET = "UPDATE ir_model_access SET perm_delete = %s WHERE id = ANY(%s)"


@pytest.fixture
def surface_of(engine: Engine) -> Callable[[Tenant], Surface]:
    """A tenant's surface, read now."""

    def read(tenant: Tenant) -> Surface:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("surface", "0" * 31 + "1"))
        try:
            return connection.surface()
        finally:
            connection.close()

    return read


def test_runs_record_what_they_use_and_a_right_taken_from_it_is_found(
    own_tenant: Leased, estate: Estate, surface_of: Callable[[Tenant], Surface], run: Callable[..., RunResult]
) -> None:
    ran = run("time-entry", own_tenant.tenant)
    assert ran.outcome is Outcome.PASSED
    assert {
        "consultant call model.timesheet.line.create",
        "consultant write timesheet.line duration",
        "consultant read timesheet.line duration",
        "consultant call model.timesheet.line.delete",  # to take it back
    } <= ran.touched

    before, again = surface_of(own_tenant.tenant), surface_of(own_tenant.tenant)
    assert before == again == loads(dumps(before))
    invoice = before.models["account.invoice"]
    assert "post" in invoice.methods
    assert "press post" in invoice.rights[Role.ACCOUNTANT]
    assert "write" not in invoice.rights[Role.AUDITOR]
    assert invoice.fields is not None
    assert "posted" in (invoice.fields["state"].selection or ())
    assert invoice.fields["party"].relation == "party.party"

    with estate.sql(own_tenant.id) as database:
        rules = [row[0] for row in database.execute(RULES)]
        database.execute(SET, [False, rules])
        try:
            estate.reload()  # the ERP keeps rights in its caches
            after = surface_of(own_tenant.tenant)
        finally:
            database.execute(SET, [True, rules])
            estate.reload()
    usage = {touch: {"time-entry over api": 1} for touch in ran.touched}
    first = compare(before, after, usage)[0]
    assert first.signature == "right revoked timesheet.line.consultant delete"
    assert first.used
    assert surface_of(own_tenant.tenant) == before
