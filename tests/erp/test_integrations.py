"""The third layer on a real ERP with real far ends: what is clean passes, each fault is caught with its integration,
tenant and cause, and a run that was killed before its document arrived leaves nothing anywhere.

The estate `integrations` is its own, of two tenants, for everybody else's would be slower by a connector."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringgate.domain.terms import Channel, Outcome, StepKind
from ringgate.estate import Estate
from ringgate.estate.processes import wait_until
from ringgate.execution import setup
from ringgate.execution.run_once import Engine, run_once
from ringgate.integrations import observer_of
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.sweep

INVOICE, HOURS, LEDGER = "invoice-arrives", "hours-arrive", "ledger-arrives"
FAULTS = [
    ("dropped", INVOICE, "customer-mail", "late: it had not arrived"),
    ("registration-lost", LEDGER, "warehouse", "late: it had not arrived"),
    ("doubled", INVOICE, "customer-mail", "doubled: it arrived 2 times"),
    ("restarted", HOURS, "payroll", "doubled: it arrived 2 times"),
    ("loaded-twice", LEDGER, "warehouse", "doubled: it arrived 2 times"),
    ("late", HOURS, "payroll", "late: it had not arrived"),
    ("reordered", LEDGER, "warehouse", "doubled: it arrived 2 times"),
    ("wrong-tenant", INVOICE, "customer-mail", "elsewhere: "),
    ("copied-to-another-tenant", HOURS, "payroll", "elsewhere: "),
    ("wrong-addressee", INVOICE, "customer-mail", "tenant: "),
    ("stale-mapping", LEDGER, "warehouse", "states a net amount of None"),
    ("renamed-field", HOURS, "payroll", "fields: there is no hours at the far end any more"),
    ("rounded", INVOICE, "customer-mail", "amount: "),
    ("currency-lost", LEDGER, "warehouse", "states XXX, not GBP"),
    ("reversal-dropped", INVOICE, "customer-mail", "its reversal had not arrived"),
    ("sftp-full", HOURS, "payroll", "late: it had not arrived"),
    ("wrong-tax", LEDGER, "warehouse", "tax: "),
    ("clock-off", HOURS, "payroll", "clock: "),
]


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    estate = Estate.at("integrations")
    estate.up(tenants=2, integrations=True)
    yield estate
    if not os.environ.get("RINGGATE_KEEP"):
        estate.down()


@pytest.fixture(scope="module")
def inventory(estate: Estate) -> Inventory:
    return estate.inventory()


@pytest.fixture(scope="module")
def engine(inventory: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with setup.engine(list(inventory.tenants), session="integrations") as engine:
        yield engine


@pytest.fixture(scope="module")
def known() -> dict:
    return load_scenarios(Path(__file__).parents[2] / "scenarios")


@pytest.mark.parametrize("scenario", [INVOICE, HOURS, LEDGER])
def test_what_leaves_the_erp_arrives_and_so_does_its_reversal(engine, inventory, known, scenario):
    result = run_once(known[scenario], inventory.tenant("aldgate"), Channel.API, engine)
    assert (result.outcome, result.failure, result.residue) == (Outcome.PASSED, None, ())
    arrivals = [each.name for each in result.steps if each.kind is StepKind.ARRIVAL]
    assert len(arrivals) >= 2
    assert arrivals[-1].endswith(" reversal")


@pytest.mark.parametrize(("fault", "scenario", "integration", "cause"), FAULTS, ids=[each[0] for each in FAULTS])
def test_a_fault_is_caught_with_its_cause(estate, engine, inventory, known, fault, scenario, integration, cause):
    estate.far_ends.break_("aldgate", fault)
    try:
        result = run_once(known[scenario], inventory.tenant("aldgate"), Channel.API, engine)
    finally:
        estate.far_ends.break_("aldgate", "")
    assert result.outcome is Outcome.FAILED
    assert result.failure.message.startswith(f"integration {integration} of aldgate (")
    assert cause in result.failure.message
    assert result.residue == ()


def test_the_warehouse_holds_what_the_books_hold_month_by_month(estate, inventory):
    """Revenue, tax and receivables of invoices, to the cent, against the ERP's own ledger."""
    books = """
        SELECT to_char(m.date, 'YYYY-MM'), a.code, sum(l.debit - l.credit)::numeric(16, 2)
        FROM account_move_line l JOIN account_move m ON m.id = l.move JOIN account_account a ON a.id = l.account
        WHERE m.id IN (SELECT move FROM account_invoice WHERE type = 'out' AND move IS NOT NULL)
        AND a.code = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2
    """
    warehouse = """
        SELECT to_char(day, 'YYYY-MM'), account, sum(debit - credit)::numeric(16, 2) FROM ledger
        WHERE tenant = %s AND account = ANY(%s)
        GROUP BY 1, 2 ORDER BY 1, 2
    """
    estate.far_ends.load_again()  # without what the faults above have left
    for tenant in inventory.tenants:
        accounts = tenant.policy.accounts
        codes = [*accounts.receivable, *accounts.revenue, *accounts.tax]
        with estate.sql(tenant.id) as own, estate.database.connect("warehouse", autocommit=True) as loaded:
            wanted = own.execute(books, [codes]).fetchall()
            told = (warehouse, [tenant.id, codes])
            wait_until(lambda told=told, wanted=wanted: loaded.execute(*told).fetchall() == wanted, within=120)
            assert loaded.execute(*told).fetchall() == wanted
            assert wanted


def test_a_run_that_is_killed_before_its_document_arrives_is_taken_back_everywhere(estate, inventory, tmp_path):
    tenant = inventory.tenant("bleecker")
    environment = {**os.environ, "RINGGATE_STATE": str(tmp_path), "RINGGATE_INVENTORY": str(estate.inventory_path)}
    command = [str(estate.inventory_path), tenant.id, INVOICE]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.erp.killed_arrival", *command], env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    marker = killed.stdout.strip()
    recover = [sys.executable, "-m", "ringgate.cli", "recover", "--settle", "0"]
    recovered = subprocess.run(recover, env=environment, capture_output=True, text=True, check=False)
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    observer = observer_of(tenant.integrations["customer-mail"])
    found = observer.seen(marker, LONG_AGO)
    assert sorted(each.reversal for each in found) == [False, True]
    assert sum(each.amount for each in found) == 0
