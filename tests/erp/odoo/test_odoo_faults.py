"""Each of Odoo's own faults makes a process fail in the words that it is said to, and goes away; every process is made
to fail by one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.terms import Channel, Outcome
from ringgate.estate.odoo.faults import OWN_FAULTS
from ringgate.execution.run_once import run_once
from ringgate.scenario.discovery import load_scenarios

SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")
CURRENCIES = {"USD": "hudson", "EUR": "isar", "GBP": "thames"}
FIRST = [(fault, next(iter(fault.says))) for fault in OWN_FAULTS]
TRIED = {scenario for _, scenario in FIRST}
FURTHER = {scenario: fault for fault in OWN_FAULTS for scenario in fault.says if scenario not in TRIED}
"""Processes that no fault is tried on first, and a fault that is tried on them."""
CASES = [*FIRST, *((fault, scenario) for scenario, fault in FURTHER.items())]


@pytest.mark.parametrize(("fault", "scenario"), CASES, ids=[f"{fault.id}-{name}" for fault, name in CASES])
def test_a_fault_is_seen_and_leaves_no_trace(fault, scenario, odoo, tenants, engine, books) -> None:
    tenant, words = tenants[CURRENCIES[fault.currency]], fault.says[scenario]
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
