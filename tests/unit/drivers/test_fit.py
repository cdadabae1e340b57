"""What an inventory states that the installed drivers cannot do is told with file, key and rule."""

from __future__ import annotations

from pathlib import Path

from ringgate.drivers.fit import unfit
from tests.unit.inventory.test_inventory import SMALLEST, load

ACME = SMALLEST.format(id="acme")
APPROVER = '[users.approver]\nlogin = "a"\npassword = { env = "A" }\n'
CHAIN = '[policy.approval]\nsteps = 2\napprovers = ["accountant", "approver"]\n'


def told(tmp_path: Path, text: str) -> list[str]:
    return [str(each).replace(f"{tmp_path}/", "") for each in unfit(load(tmp_path, {"acme.toml": ACME + text}))]


def test_an_inventory_that_fits_has_no_problem(tmp_path: Path) -> None:
    assert told(tmp_path, "") == []


def test_a_chain_that_the_driver_cannot_follow_is_refused(tmp_path: Path) -> None:
    rule = "cannot tell one approval of 2 from none: state 1 step, or approvals under lacks"
    assert told(tmp_path, CHAIN + APPROVER) == [
        f"tenants/acme.toml: policy.approval.steps: the {channel} driver for tryton {rule}"
        for channel in ("api", "browser")
    ]
    assert told(tmp_path, 'lacks = ["approvals"]\n' + CHAIN + APPROVER) == []


def test_credentials_that_the_driver_does_not_use_are_refused(tmp_path: Path) -> None:
    text = """
[users.accountant]
api = { key = { env = "KEY" } }
browser = { one_time_codes = { env = "SEED" } }
"""
    assert told(tmp_path, text) == [
        "tenants/acme.toml: users.accountant.api.key: the api driver for tryton signs in with a password: state a "
        "password",
        "tenants/acme.toml: users.accountant.browser.one_time_codes: the browser driver for tryton enters no one-time "
        "codes: use a login that needs none",
    ]
