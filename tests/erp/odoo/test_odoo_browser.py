"""What Odoo's web client is driven for, by the scenario files that serve other ERPs; the books stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.terms import Channel
from ringgate.execution.run_once import run_once
from ringgate.scenario.discovery import load_scenarios
from tests.erp.odoo.words import PASSED, in_words

SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")


@pytest.mark.parametrize("tenant", ["hudson", "isar"])
@pytest.mark.parametrize("scenario", ["sign-in", "procurement-approval"])
def test_a_process_passes_on_the_screens(scenario, tenant, tenants, engine, books) -> None:
    before = books(tenants[tenant])
    result = run_once(SCENARIOS[scenario], tenants[tenant], Channel.BROWSER, engine)
    assert in_words(result) == PASSED
    assert books(tenants[tenant]) == before
