"""Fingerprint and surface of a real Odoo tenant: alike twice, and what SQL changes is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringgate import fingerprint
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.protocol import Call, Connection
from ringgate.execution.doctor import compare_configuration

TASKS_OF_ONES_OWN = {"tasks: create", "tasks: write", "tasks: delete"}
"""Stock Odoo lets everybody keep a list of what they have to do; a record rule bars the tasks of projects."""
CHANGES = {
    "entries": "UPDATE account_move_line SET credit = credit + 1, balance = balance - 1, "
    "amount_currency = amount_currency - 1 WHERE id = "
    "(SELECT min(id) FROM account_move_line WHERE credit > 0 AND parent_state = 'posted')",
    "settings": "UPDATE res_company SET po_double_validation = 'one_step'",
    "hours": "UPDATE account_analytic_line SET unit_amount = unit_amount + 1 WHERE id = "
    "(SELECT min(id) FROM account_analytic_line WHERE timesheet_invoice_id IS NOT NULL)",
    "users": "UPDATE res_users SET active = false WHERE login = 'synthetic.approver'",
}
"""What to change in the database, and the section of the fingerprint that has to say so."""


@pytest.fixture
def connection(tenants, engine) -> Iterator[Connection]:
    tenant = tenants["allegheny"]
    made = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("reading", "0" * 32))
    yield made
    made.close()


@pytest.fixture
def changed(odoo) -> Iterator[Callable[[str], None]]:
    """Changes the tenant's database behind the ERP's back, and changes it back."""
    with odoo.sql("allegheny") as database:
        database.execute("BEGIN")
        tables = ("account_move_line", "res_company", "account_analytic_line", "res_users")
        kept = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        database.execute("COMMIT")

        def change(statement: str) -> None:
            database.execute(statement)
            odoo.reload()

        yield change
        _restore(database, kept)
    odoo.reload()


def _restore(database: Any, kept: dict[str, list[Any]]) -> None:
    """Each row as it was, by its id."""
    for table, rows in kept.items():
        names = [each.name for each in database.execute(f"SELECT * FROM {table} LIMIT 0").description]
        columns = [
            n
            for n in ("credit", "balance", "amount_currency", "po_double_validation", "unit_amount", "active")
            if n in names
        ]
        for row in rows:
            was = dict(zip(names, row, strict=True))
            values = ", ".join(f"{column} = %s" for column in columns)
            database.execute(f"UPDATE {table} SET {values} WHERE id = %s", [*(was[c] for c in columns), was["id"]])


def test_a_fingerprint_adds_up_and_is_the_same_twice(connection: Connection) -> None:
    books = connection.books()
    before, after = books.fingerprint(), books.fingerprint()
    assert fingerprint.compare(before, after) == []
    sums: dict[str, Any] = {}
    for (account, _), amount in before.trial_balance().items():
        sums[account] = sums.get(account, 0) + amount
    stated = {account: balance.amount for account, balance in books.trial_balance().items()}
    assert {account: amount for account, amount in sums.items() if amount} == stated
    kinds = {each.kind for each in before.documents}
    assert kinds >= {"invoice", "credit note", "order", "request", "payment"}
    assert before.hours
    assert {"Auditor", "Billing of Projects"} <= {role.role for role in before.roles}
    auditor = next(user for user in before.users if user.login == "synthetic.auditor")
    assert {right for right in auditor.rights if not right.endswith(": read")} <= TASKS_OF_ONES_OWN


@pytest.mark.parametrize("section", CHANGES)
def test_what_changes_is_found(section: str, connection: Connection, changed: Callable[[str], None]) -> None:
    before = connection.books().fingerprint()
    changed(CHANGES[section])
    assert section in {each.section for each in fingerprint.compare(before, connection.books().fingerprint())}


def test_the_surface_is_read_alike_twice_and_says_who_may_press_what(connection: Connection) -> None:
    before, again = connection.surface(), connection.surface()
    assert before == again
    invoice, order = before.models["account.move"], before.models["purchase.order"]
    assert "press action_post" in invoice.rights[Role.ACCOUNTANT]
    assert invoice.rights[Role.AUDITOR] == {"read"}
    assert "press button_approve" in order.rights[Role.APPROVER]
    assert "press button_approve" not in order.rights[Role.CONSULTANT]
    assert invoice.fields is not None
    assert "posted" in (invoice.fields["state"].selection or ())
    assert invoice.fields["partner_id"].relation == "res.partner"


def test_what_the_inventory_says_of_each_tenant_is_what_its_erp_says(tenants, engine) -> None:
    for tenant in tenants.values():
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("reading", "0" * 32))
        try:
            books = connection.books().fingerprint()
        finally:
            connection.close()
        assert list(map(str, compare_configuration(tenant, books, books.as_of))) == []
