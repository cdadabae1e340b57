"""Work in flight on the real ERP: across a killed process and an upgrade, and with what happens to it meanwhile."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Outcome
from ringgate.estate import Estate
from ringgate.execution.recovery import recover, waiting
from ringgate.execution.run_once import Engine
from ringgate.execution.two_phase import begin_in_flight, finish_in_flight, load_in_flight
from ringgate.execution.undo import undo
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from tests.support.estate import STEPS, Books, Leased

PROCESSES = {
    "in-flight-draft-invoice", "in-flight-half-billed-project",
    "in-flight-part-paid-invoice", "in-flight-waiting-request",
}  # fmt: skip


def test_work_begun_by_a_killed_process_is_finished_on_the_next_series(
    own_tenant: Leased, estate: Estate, engine: Engine, environment: dict[str, str],
    books_of: Callable[[Tenant], Books], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = books_of(own_tenant.tenant)
    command = [sys.executable, "-m", "tests.erp.begun_in_flight", own_tenant.inventory, own_tenant.id, "killed"]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "ringgate.cli", "recover"], env=environment, capture_output=True, text=True, check=False
    )
    assert (listed.returncode, listed.stdout.count("waits to be finished")) == (0, 4), listed.stdout
    folder = Path(environment["RINGGATE_STATE"]) / "journal"
    backup = estate.upgrade(own_tenant.id, "8.0", [STEPS])
    kept = shutil.copytree(folder, folder.with_name("kept"))
    try:
        upgraded = Inventory.load(estate.inventory_path).tenant(own_tenant.id)
        monkeypatch.setattr(engine, "journal", Journal(folder))
        results = finish_in_flight(upgraded, engine, "killed")
        assert {each.scenario: each.failure for each in results} == dict.fromkeys(PROCESSES)
        assert {each.outcome for each in results} == {Outcome.PASSED}
        assert all(each.residue == () for each in results)
        assert waiting(engine.journal) == []
        assert books_of(upgraded) == before
    finally:
        estate.roll_back(own_tenant.id, backup)
        # The backup holds the begun work again, and finishing it has used up its journals.
        known = {own_tenant.id: own_tenant.tenant}
        recover(Journal(kept), known, engine.drivers, in_flight=True)
    assert books_of(own_tenant.tenant) == before


# What happens to the work in between, by SQL; `{id}` is that of what was carried over.
FAULTS = {
    "a line of the draft is changed": (
        "in-flight-draft-invoice",
        "UPDATE account_invoice_line SET unit_price = unit_price + 1 WHERE invoice = {id}",
        "UPDATE account_invoice_line SET unit_price = unit_price - 1 WHERE invoice = {id}",
        "amounts of the lines",
    ),
    "hours are marked as billed": (
        "in-flight-half-billed-project",
        "UPDATE timesheet_line SET invoice_line = (SELECT max(id) FROM account_invoice_line) "
        "WHERE invoice_line IS NULL AND work IN (SELECT id FROM timesheet_work WHERE origin = 'project.work,{id}')",
        "UPDATE timesheet_line SET invoice_line = NULL WHERE duration = interval '3.25 hours' "
        "AND work IN (SELECT id FROM timesheet_work WHERE origin = 'project.work,{id}')",
        "hours billed",
    ),
    "a request is approved": (
        "in-flight-waiting-request",
        "UPDATE purchase_requisition SET state = 'approved' WHERE id = {id}",
        "UPDATE purchase_requisition SET state = 'waiting' WHERE id = {id}",
        "state",
    ),
    "the payment is taken off": (
        "in-flight-part-paid-invoice",
        'CREATE TABLE kept AS SELECT * FROM "account_invoice-account_move_line" WHERE invoice = {id}; '
        'DELETE FROM "account_invoice-account_move_line" WHERE invoice = {id}',
        'INSERT INTO "account_invoice-account_move_line" SELECT * FROM kept; DROP TABLE kept',
        "amount to pay",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_happens_to_it_meanwhile_is_told(
    fault: str, lease: Callable[..., Leased], estate: Estate, engine: Engine,
    books_of: Callable[[Tenant], Books], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    scenario, damage, repairing, words = FAULTS[fault]
    tenant = lease("GBP").tenant
    before = books_of(tenant)
    processes = [load_in_flight()[scenario]]
    (begun,) = begin_in_flight(tenant, engine, fault, processes=processes)
    assert begun.outcome is Outcome.PASSED, begun.failure
    (record,) = [each for each in engine.journal.free(frozenset({tenant.id})) if each.label == fault]
    assert record.begun is not None
    carried = record.begun["carried"]
    number = carried.get("tasks", [carried])[0]["ref"]["id"]  # hours are logged on a project's task
    record.release()
    with estate.sql(tenant.id) as database:
        changed = database.execute(damage.format(id=number))
        assert changed.rowcount > 0, "the fault must hit something"

    def repair_first(*arguments, undo=undo, **more):  # type: ignore[no-untyped-def]
        with estate.sql(tenant.id) as database:
            database.execute(repairing.format(id=number))
        return undo(*arguments, **more)

    monkeypatch.setattr("ringgate.execution.undo.undo", repair_first)
    (result,) = finish_in_flight(tenant, engine, fault, processes=processes)
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert words in result.failure.message
    assert result.residue == ()
    assert books_of(tenant) == before
