"""kill -9 in the middle of each process, then `ringgate recover`: the books are as before."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys

import pytest

from ringgate.domain.terms import Channel
from ringgate.estate.faults.switches import FrontDoorFault
from ringgate.estate.frontdoor import NetworkFault as Rule
from ringgate.execution.recovery import recover
from ringgate.execution.run_once import run_once
from ringgate.execution.undo import AT_ONCE

# scenario, number of the write at which it dies, whether the ERP got that write
MOMENTS = [
    ("project-creation", 1, "sent"),
    ("time-entry", 2, "sent"),
    ("time-entry", 1, "unsent"),
    ("procurement-approval", 1, "sent"),
    ("procurement-approval", 3, "unsent"),
    ("invoicing-from-time", 4, "sent"),
    ("invoicing-from-time", 5, "sent"),
    ("financial-posting", 4, "unsent"),
    ("financial-posting", 4, "sent"),
    ("credit-and-payment", 5, "sent"),
    ("credit-and-payment", 6, "sent"),
    ("credit-and-payment", 11, "sent"),
    ("project-to-cash", 3, "unsent"),
    ("supplier-invoice", 1, "sent"),
    ("supplier-invoice", 3, "sent"),
    ("project-to-cash", 5, "sent"),
]
CASES = [(*moment, "api") for moment in MOMENTS] + [("project-to-cash", 4, "sent", "browser")]


@pytest.mark.parametrize(("scenario", "write", "moment", "channel"), CASES)
def test_a_killed_run_is_recovered(own_tenant, books_of, environment, scenario, write, moment, channel):
    before = books_of(own_tenant.tenant)
    command = [own_tenant.inventory, own_tenant.id, channel, scenario, str(write), moment]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.erp.killed_run", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    recover = [sys.executable, "-m", "ringgate.cli", "recover", "--settle", "0"]
    recovered = subprocess.run(recover, env=environment, capture_output=True, text=True, check=False)
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert books_of(own_tenant.tenant) == before
    again = subprocess.run(recover, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout[:18]) == (0, "Nothing to recover")


def test_what_cannot_be_taken_back_now_is_kept_for_later(own_tenant, estate, engine, scenarios, books_of):
    """While a payment stands, the invoice that it pays cannot be credited, and must not be forgotten either."""
    before, tenant = books_of(own_tenant.tenant), own_tenant.tenant
    unread = FrontDoorFault(lambda _, name: Rule(tenant=name, rpc=r"^model\.account\.move\.search_read$", status=502))
    unread.on(estate, tenant.id, "ledger-unread")
    try:
        impatient = dataclasses.replace(engine, patience=AT_ONCE)
        result = run_once(scenarios["project-to-cash"], tenant, Channel.API, impatient)
    finally:
        unread.off(estate, tenant.id, "ledger-unread")
    assert {each.verb for each in result.residue} >= {"pay_invoice", "post_invoice"}
    recovered = recover(engine.journal, {tenant.id: tenant}, engine.drivers, settle=0)
    assert [each.left for each in recovered] == [()]
    assert books_of(tenant) == before
