"""What invoices state beside their amounts, on a real ERP that gets it wrong: each is failed by its own check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome
from ringgate.estate import Estate
from ringgate.estate.faults.switches import Trigger
from tests.support.estate import Leased

OTHER_USER = "(SELECT id FROM res_user WHERE login = 'admin')"
WRONG = {
    "description-cut": (
        Trigger("account_invoice_line", "BEFORE INSERT", "NEW.description := left(NEW.description, 5);"),
        "financial-posting",
        "descriptions of the lines: expected",
    ),
    "entered-by-another": (
        Trigger("account_invoice", "BEFORE INSERT", f"NEW.create_uid := {OTHER_USER};"),
        "financial-posting",
        "entered by: expected accountant",
    ),
    "credit-link-lost": (
        Trigger("account_invoice_line", "BEFORE INSERT", "NEW.origin := NULL;"),
        "credit-and-payment",
        "invoice that is credited: expected",
    ),
}
"""Faults: trigger, the scenario that must fail for it, and how its message begins."""


@pytest.mark.sweep
def test_each_is_failed_by_its_own_check(own_tenant: Leased, estate: Estate, run: Callable[..., RunResult]) -> None:
    for fault, (trigger, scenario, words) in WRONG.items():
        trigger.on(estate, own_tenant.id, fault)
        try:
            result = run(scenario, own_tenant.tenant)
        finally:
            trigger.off(estate, own_tenant.id, fault)
        assert result.outcome is Outcome.FAILED, fault
        assert result.failure is not None
        assert words in result.failure.message, fault
    for scenario in {each for _, each, _ in WRONG.values()}:
        assert run(scenario, own_tenant.tenant).outcome is Outcome.PASSED
