"""A self-test is noticed on the real ERP by every scenario that has expectations, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from ringgate.domain.model import Scenario
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.execution.run_once import Engine
from ringgate.execution.self_test import Falsification, falsified, self_test
from ringgate.gate.observations import EVIDENCE
from tests.support.estate import Books, Leased

NOTICED = {
    "authority": Falsification.REQUESTS,
    "credit-and-payment": Falsification.INVOICES,
    "financial-posting": Falsification.POSTINGS,
    "in-flight-draft-invoice": Falsification.INVOICES,
    "in-flight-half-billed-project": Falsification.INVOICES,
    "in-flight-part-paid-invoice": Falsification.INVOICES,
    "in-flight-waiting-request": Falsification.REQUESTS,
    "invoicing-from-time": Falsification.INVOICES,
    "procurement-approval": Falsification.REQUESTS,
    "project-creation": Falsification.PROJECTS,
    "project-to-cash": Falsification.INVOICES,
    "sign-in": Falsification.IDENTITY,
    "supplier-invoice": Falsification.INVOICES,
    "tenant-disclosure": Falsification.REFUSALS,
    "tenant-isolation": Falsification.REFUSALS,
    "time-entry": Falsification.HOURS,
}
"""The one lie that is enough for each scenario to fail."""


def test_every_scenario_is_in_the_list(scenarios: dict[str, Scenario]) -> None:
    """But for those of integrations, which the tenants here have none of."""
    assert set(NOTICED) == {name for name, each in scenarios.items() if not each.receives}


def test_every_scenario_notices_what_is_falsified_and_undoes_what_it_did(
    engine: Engine,
    scenarios: dict[str, Scenario],
    lease: Callable[..., Leased],
    books_of: Callable[..., Books],
) -> None:
    tenant, neighbour = lease("GBP").tenant, lease("EUR").tenant
    own = dataclasses.replace(engine, neighbours=(tenant, neighbour))
    before = books_of(tenant)
    missed = []
    for name, lie in NOTICED.items():
        for lies in (frozenset({lie}), frozenset(Falsification)):
            result = self_test(scenarios[name], tenant, Channel.API, own, lies)
            caught = result.outcome is Outcome.FAILED and result.failure is not None
            if not (caught and result.failure.kind == "expectation" and falsified(result) and not result.residue):
                missed.append((name, sorted(lies), result.outcome, result.failure, falsified(result), result.residue))
            assert result.source is Source.SELF_TEST
            assert result.source not in EVIDENCE
    assert missed == []
    assert books_of(tenant) == before


def test_over_the_browser_a_falsified_screen_is_noticed(
    engine: Engine, scenarios: dict[str, Scenario], lease: Callable[..., Leased], books_of: Callable[..., Books]
) -> None:
    tenant = lease().tenant
    before = books_of(tenant)
    result = self_test(scenarios["project-to-cash"], tenant, Channel.BROWSER, engine)
    assert (result.outcome, result.failure and result.failure.kind) == (Outcome.FAILED, "expectation")
    assert falsified(result)[-1] is Falsification.INVOICES
    assert result.residue == ()
    assert books_of(tenant) == before


@pytest.mark.parametrize("scenario", ["time-entry", "sign-in"])
def test_without_a_lie_it_passes_as_ever(
    engine: Engine, scenarios: dict[str, Scenario], lease: Callable[..., Leased], scenario: str
) -> None:
    result = self_test(scenarios[scenario], lease().tenant, Channel.API, engine, frozenset())
    assert (result.outcome, falsified(result)) == (Outcome.PASSED, ())
