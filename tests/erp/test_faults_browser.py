"""The same faults seen through the web client: a scenario fails over the browser for the same reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.estate import Books, Leased
from ringgate.estate import Estate
from ringgate.estate.faults import FAULTS
from ringgate.model import Channel, Outcome, RunResult, Tenant

# fault, the scenario that must fail over the browser, words of its reason there
SEEN = [
    ("any-password", "sign-in", "nobody has this password"),
    ("rate-raised", "project-creation", "this rate was agreed"),
    ("correction-lost", "time-entry", "correct_time was refused"),
    ("requester-approves", "procurement-approval", "need somebody else's approval"),
    ("wrong-rounding", "invoicing-from-time", "tax is rounded by line"),
    ("double-posting", "financial-posting", "an invoice reaches the ledger once"),
    ("payment-unlinked", "credit-and-payment", "pay_invoice was refused"),
    ("wrong-tax", "project-to-cash", "screen states tax"),
]


@pytest.mark.parametrize(("name", "scenario", "words"), SEEN, ids=[f"{name}-{scenario}" for name, scenario, _ in SEEN])
def test_a_fault_is_noticed_over_the_browser(
    estate: Estate,
    lease: Callable[..., Leased],
    run: Callable[..., RunResult],
    books_of: Callable[[Tenant], Books],
    name: str,
    scenario: str,
    words: str,
) -> None:
    fault = FAULTS[name]
    tenant = lease(currency=fault.currency).tenant
    before = books_of(tenant)
    fault.on(estate, tenant.id)
    try:
        result = run(scenario, tenant, Channel.BROWSER)
    finally:
        fault.off(estate, tenant.id)
    assert result.failure is not None, f"{scenario} {result.outcome}: {result.reason}"
    reason = f"{result.failure.kind}: {result.failure.message}"
    assert result.outcome is Outcome.FAILED, reason
    assert words in reason
    assert not result.residue
    assert books_of(tenant) == before
