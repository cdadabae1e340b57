"""kill -9 in the middle of each process on real Odoo, then `ringgate recover`: the books are as before."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# scenario, number of the write at which it dies, whether the ERP got that write
MOMENTS = [
    ("project-creation", 1, "sent"),
    ("time-entry", 1, "unsent"),
    ("time-entry", 2, "sent"),
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
    ("project-to-cash", 5, "sent"),
    ("authority", 5, "sent"),  # the first four may not, and are refused
    ("authority", 12, "unsent"),
]


@pytest.mark.parametrize(("scenario", "write", "moment"), MOMENTS)
def test_a_killed_run_is_recovered(odoo, tenants, books, environment, scenario, write, moment) -> None:
    tenant = tenants["thames"]
    before = books(tenant)
    killed = _run("tests.erp.killed_run", environment, str(odoo.inventory_path), tenant.id, "api", scenario,
                  str(write), moment)  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    recovered = _run("ringgate.cli", environment, "recover", "--settle", "0")
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert books(tenant) == before
    again = _run("ringgate.cli", environment, "recover", "--settle", "0")
    assert (again.returncode, again.stdout[:18]) == (0, "Nothing to recover")


def _run(module: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
