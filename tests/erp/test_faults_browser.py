"""Faults seen through the web client: those that programs see, too, and those that a browser alone can see."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.drivers.tryton.browser.driver import TrytonBrowserDriver
from ringgate.estate import Estate
from ringgate.estate.faults import Fault
from ringgate.estate.tryton.faults import FAULTS
from ringgate.execution.run_once import Engine, run_once
from tests.support.estate import Books, Leased

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


ON_THE_SCREEN = [fault for fault in FAULTS.values() if fault.channel is Channel.BROWSER]
COSTLY = ("invoicing-from-time", "financial-posting", "credit-and-payment")
"""Walked to their middle before they see that an amount is wrong: `make faults` does all of them."""


@pytest.mark.parametrize("fault", ON_THE_SCREEN, ids=lambda fault: fault.id)
def test_what_a_browser_alone_can_see_is_noticed_there_alone(
    fault: Fault,
    estate: Estate,
    lease: Callable[..., Leased],
    run: Callable[..., RunResult],
    engine: Engine,
    scenarios: dict[str, Scenario],
    books_of: Callable[[Tenant], Books],
) -> None:
    tenant = lease(currency=fault.currency).tenant
    before = books_of(tenant)
    driver = TrytonBrowserDriver()  # a window that is open already shows what it was given before
    fresh = dataclasses.replace(engine, drivers={**engine.drivers, ("tryton", Channel.BROWSER): driver})
    meant = sorted(fault.catches if fault.id != "screen-amount" else fault.catches - set(COSTLY))
    fault.on(estate, tenant.id)
    try:
        seen = {name: run_once(scenarios[name], tenant, Channel.BROWSER, fresh) for name in meant}
        beside = run(meant[0], tenant)
    finally:
        fault.off(estate, tenant.id)
        driver.close()
    for name, result in seen.items():
        assert result.failure is not None, f"{name} {result.outcome}: {result.reason}"
        reason = f"{result.failure.kind}: {result.failure.message}"
        assert result.outcome is Outcome.FAILED, reason
        assert fault.says[name] in reason
        assert not result.residue
    assert beside.outcome is Outcome.PASSED, beside.failure
    assert books_of(tenant) == before
