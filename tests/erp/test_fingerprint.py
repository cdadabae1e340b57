"""Fingerprints of a real tenant: equal while nothing changes, and each migration fault is one cause, rightly named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ringgate import cli
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.estate.faults.migration import planted
from ringgate.estate.tryton.migration_faults import MIGRATION_FAULTS
from ringgate.execution.run_once import Engine
from ringgate.fingerprint import compare
from ringgate.fingerprint.model import Fingerprint
from tests.support.estate import Leased

Take = Callable[[Tenant], Fingerprint]


@pytest.fixture
def take(engine: Engine) -> Iterator[Take]:
    def take(tenant: Tenant) -> Fingerprint:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("fingerprint", "0" * 32))
        try:
            return connection.books().fingerprint()
        finally:
            connection.close()

    return take


def test_each_migration_fault_is_one_cause_rightly_named(
    estate: Estate, lease: Callable[..., Leased], take: Take
) -> None:
    tenant = lease("GBP").tenant
    before = take(tenant)
    assert compare(before, take(tenant)) == []
    with estate.sql(tenant.id) as database:
        for fault in MIGRATION_FAULTS.values():
            with planted(fault, database):
                found = compare(before, take(tenant))
            told = [(each.signature, each.cause) for each in found]
            assert len(found) == 1, f"{fault.id}: {told}"
            assert fnmatchcase(found[0].signature, fault.signature), f"{fault.id}: {told}"
            assert fault.says in found[0].cause, f"{fault.id}: {told}"
            assert found[0].section == fault.section
    assert compare(before, take(tenant)) == [], "a fault left traces"


def test_a_fingerprint_holds_what_the_books_say(own_tenant: Leased, take: Take, engine: Engine) -> None:
    tenant, found = own_tenant.tenant, take(own_tenant.tenant)
    connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
    try:
        stated = connection.books().trial_balance()
    finally:
        connection.close()
    sums: dict[str, object] = {}
    for (account, _), amount in found.trial_balance().items():
        sums[account] = sums.get(account, 0) + amount  # type: ignore[operator]
    assert {account: amount for account, amount in sums.items() if amount} == {
        account: balance.amount for account, balance in stated.items() if account in sums
    }
    assert {user.login for user in found.users} >= {account.login for account in tenant.users.values()}
    assert not any(right.endswith(("create", "write", "delete")) for user in found.users
                   if user.login == "synthetic.auditor" for right in user.rights)  # fmt: skip
    taxes = {setting.value for setting in found.settings if setting.key == "rate"}
    assert {str(rule.rate.normalize()) for rule in tenant.policy.taxes} <= taxes
    assert found.series


def test_the_commands_take_and_compare(
    own_tenant: Leased, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGGATE_INVENTORY", own_tenant.inventory)
    asked = ["fingerprint", "take", "--tenant", own_tenant.id, "--out", str(tmp_path), "--json"]
    assert cli.run(asked) == 0
    (taken,) = json.loads(capsys.readouterr().out)
    assert cli.run(["fingerprint", "compare", taken["file"], taken["file"]]) == 0
    assert "the same books" in capsys.readouterr().out
    assert cli.run(["fingerprint", "compare", taken["file"], str(tmp_path / "missing.json")]) == 3
    assert "cannot be read" in capsys.readouterr().err
