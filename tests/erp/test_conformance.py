"""The conformance kit on the real ERP: our drivers keep every contract, and drivers that break some do not pass."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringgate.conformance import CONTRACTS, Finding, VerbStanding, check_driver
from ringgate.conformance.suite import DriverContracts
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call, Driver
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.execution.run_once import Engine
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from tests.support.broken_drivers import EchoingDriver, ForgetfulDriver
from tests.support.estate import NEIGHBOUR, Books, Leased


def tried(driver: Driver, tenant: Tenant, folder: Path, neighbours: Any = (), only: Any = ()) -> dict[str, Finding]:
    return {
        each.contract.id: each
        for each in check_driver(driver, tenant, Journal(folder), neighbours=neighbours, only=only)
    }


def not_kept(findings: dict[str, Finding]) -> list[str]:
    return [str(each) for each in findings.values() if each.standing is not VerbStanding.KEPT]


class TestOverTheApi(DriverContracts):
    """As the tests of a driver of one's own import it."""

    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> Iterator[TrytonApiDriver]:
        driver = TrytonApiDriver()
        yield driver
        driver.close()

    @pytest.fixture
    def tenant(self, own_tenant: Leased) -> Tenant:
        return own_tenant.tenant

    @pytest.fixture
    def neighbours(self, inventory: Inventory) -> tuple[Tenant, ...]:
        return (inventory.tenant(NEIGHBOUR),)


def test_the_next_series_keeps_every_contract(
    upgraded_tenant: Leased, inventory: Inventory, engine: Engine, tmp_path: Path, books_of: Any
) -> None:
    tenant = upgraded_tenant.tenant
    before: Books = books_of(tenant)
    found = tried(engine.drivers[tenant.erp, Channel.API], tenant, tmp_path, [inventory.tenant(NEIGHBOUR)])
    assert not_kept(found) == []
    assert set(found) == set(CONTRACTS)
    assert books_of(tenant) == before


@pytest.mark.sweep  # minutes for each series; what the browser does is tested verb by verb elsewhere
@pytest.mark.parametrize("which", ["own_tenant", "upgraded_tenant"])
def test_the_browser_keeps_every_contract_of_what_it_can_do(
    which: str, request: pytest.FixtureRequest, engine: Engine, tmp_path: Path, books_of: Any
) -> None:
    tenant = request.getfixturevalue(which).tenant
    before: Books = books_of(tenant)
    found = tried(engine.drivers[tenant.erp, Channel.BROWSER], tenant, tmp_path)
    assert [each for each in not_kept(found) if not each.startswith("isolation: missing")] == []
    assert found["isolation"].how == "the browser driver for tryton cannot do outsiders"
    assert books_of(tenant) == before


def test_a_driver_that_echoes_is_told_by_each_contract_that_it_breaks(
    own_tenant: Leased, tmp_path: Path, books_of: Any
) -> None:
    tenant, real = own_tenant.tenant, TrytonApiDriver()
    before: Books = books_of(tenant)
    kept = ["sign-in", "create-project"]
    broken = ["read-project", "correct-time", "refuse-negative-hours", "submit-request", "post-invoice",
              "refuse-double-posting"]  # fmt: skip
    try:
        driver: Any = EchoingDriver(real)
        found = tried(driver, tenant, tmp_path, only=[*kept, *broken])
    finally:
        real.close()
    assert {name for name, each in found.items() if each.standing is VerbStanding.BROKEN} == set(broken), not_kept(
        found
    )
    assert "'RG-ECHO'" in found["post-invoice"].how
    assert "post_invoice was not refused" in found["refuse-double-posting"].how
    assert "enter_time was not refused" in found["refuse-negative-hours"].how
    assert books_of(tenant) == before


def test_a_driver_that_forgets_is_told_by_each_contract_that_it_breaks(
    own_tenant: Leased, tmp_path: Path, books_of: Any
) -> None:
    tenant, real = own_tenant.tenant, TrytonApiDriver()
    before: Books = books_of(tenant)
    kept = ["sign-in", "wrong-password"]
    broken = ["sign-out-ends", "enter-time", "undo-draft-invoice", "undo-post-entry"]
    try:
        forgetful = ForgetfulDriver(real)
        driver: Any = forgetful
        found = tried(driver, tenant, tmp_path, only=[*kept, *broken])
        connection = real.connect(tenant, Call("forgotten", "0" * 32))
        for reversal in reversed(list(dict.fromkeys(reversed(forgetful.forgotten)))):
            connection.undo(reversal)
        connection.close()
    finally:
        real.close()
    assert {name for name, each in found.items() if each.standing is VerbStanding.BROKEN} == set(broken), not_kept(
        found
    )
    assert found["sign-out-ends"].how == "who_am_i was not refused"
    assert "hours is a float, not a Decimal of hours" in found["enter-time"].how
    assert "undone by id, there is left open" in found["undo-draft-invoice"].how
    assert "the trial balance differs on" in found["undo-post-entry"].how
    assert books_of(tenant) == before


def test_the_command_says_what_is_kept_and_ends_with_0(own_tenant: Leased, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ringgate.cli", "drivers", "check", "tryton", "--tenant", own_tenant.id]
    some = ["--contract", "sign-in", "--contract", "sign-out-ends", "--json"]
    done = subprocess.run([*command, *some], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["contracts"]
    assert [(each["contract"], each["standing"]) for each in told] == [("sign-in", "kept"), ("sign-out-ends", "kept")]
