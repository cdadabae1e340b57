"""Each of Odoo's own faults makes the process fail that it is said to, in its words, and goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.terms import Channel, Outcome
from ringgate.estate.odoo.faults import OWN_FAULTS
from ringgate.execution.run_once import run_once
from ringgate.scenario.discovery import load_scenarios

SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")
CURRENCIES = {"USD": "hudson", "EUR": "isar", "GBP": "thames"}


@pytest.mark.parametrize("fault", OWN_FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_seen_and_leaves_no_trace(fault, odoo, tenants, engine, books) -> None:
    tenant = tenants[CURRENCIES[fault.currency]]
    scenario, words = next(iter(fault.says.items()))
    before = books(tenant)
    fault.switch.on(odoo, tenant.id, fault.id)
    try:
        odoo.reload()
        result = run_once(SCENARIOS[scenario], tenant, Channel.API, engine)
    finally:
        fault.switch.off(odoo, tenant.id, fault.id)
        odoo.reload()
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert words in f"{result.failure.message} {result.failure.because}"
    assert books(tenant) == before
