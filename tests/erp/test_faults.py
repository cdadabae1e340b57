"""Every scenario is seen to fail: the ERP is broken for real, and the right scenarios say so for the right reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fixtures.estate import Books, Leased
from ringgate.drivers.tryton.api import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.estate.faults import FAULTS, Fault, standing
from ringgate.execution import Engine, run_once
from ringgate.model import Channel, Outcome, RunResult, Scenario, Tenant

TIME_OUT = 6.0
"""Seconds that the driver waits where slowness is the fault; the fault takes longer."""

UNANSWERED = "the ERP has not answered this write"
"""How the residue is explained that a lost answer leaves: for a minute, the ERP might still do what it was asked."""

RunAll = Callable[[Fault, Tenant, frozenset[str]], dict[str, RunResult]]


@pytest.fixture
def run_all(engine: Engine, scenarios: dict[str, Scenario]) -> Iterator[RunAll]:
    """Runs scenarios on a tenant over the API, as patiently as the fault demands; the results by scenario."""
    impatient = TrytonApiDriver(timeout=TIME_OUT)
    hasty = dataclasses.replace(engine, drivers={**engine.drivers, ("tryton", Channel.API): impatient})

    def run(fault: Fault, tenant: Tenant, chosen: frozenset[str]) -> dict[str, RunResult]:
        chosen_engine = hasty if fault.id == "slow" else engine
        return {name: run_once(scenarios[name], tenant, Channel.API, chosen_engine) for name in sorted(chosen)}

    yield run
    impatient.close()


@pytest.fixture
def take(
    estate: Estate, lease: Callable[..., Leased], books_of: Callable[[Tenant], Books]
) -> Iterator[Callable[[str], tuple[Tenant, Books]]]:
    """Gives a tenant to break and its books; if they are others at the end of the test, it gets fresh ones."""
    taken: list[tuple[Tenant, Books]] = []

    def take(currency: str) -> tuple[Tenant, Books]:
        tenant = lease(currency=currency).tenant
        taken.append((tenant, books_of(tenant)))
        return taken[-1]

    yield take
    for tenant, before in taken:
        if books_of(tenant) != before:
            estate.reset(tenant.id)


@contextmanager
def broken(fault: Fault, estate: Estate, tenant: Tenant) -> Iterator[None]:
    """The tenant with the fault, for the length of a `with` block."""
    fault.on(estate, tenant.id)
    try:
        yield
    finally:
        fault.off(estate, tenant.id)


def why(result: RunResult) -> str:
    return f"{result.failure.kind}: {result.failure.message}" if result.failure else result.reason


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_right_scenarios_notice_a_fault(
    fault: Fault,
    estate: Estate,
    take: Callable[[str], tuple[Tenant, Books]],
    run_all: RunAll,
    scenarios: dict[str, Scenario],
    books_of: Callable[[Tenant], Books],
) -> None:
    tenant, before = take(fault.currency)

    with broken(fault, estate, tenant):
        results = run_all(fault, tenant, frozenset(scenarios))

    noticed = {name: why(result) for name, result in results.items() if result.outcome is not Outcome.PASSED}
    assert set(noticed) == fault.catches, noticed
    for name, reason in noticed.items():
        assert results[name].outcome is Outcome.FAILED, f"{name} is {results[name].outcome}: {reason}"
        assert fault.says[name] in reason, f"{name} failed for another reason: {reason}"

    left = [each for result in results.values() for each in result.residue if not each.reason.startswith(UNANSWERED)]
    assert not left
    assert standing(estate, tenant.id) == frozenset(), "the fault left traces in the database"
    again = run_all(fault, tenant, fault.catches)
    assert {name: why(result) for name, result in again.items() if result.outcome is not Outcome.PASSED} == {}
    assert books_of(tenant) == before


def test_every_scenario_is_seen_to_fail(scenarios: dict[str, Scenario]) -> None:
    assert frozenset().union(*(fault.catches for fault in FAULTS.values())) == frozenset(scenarios)


def test_faults_are_switched_by_any_process_any_number_of_times(estate: Estate, own_tenant: Leased) -> None:
    fault, another = FAULTS["correction-lost"], FAULTS["wrong-tax"]
    for each in (fault, another, fault):
        each.on(estate, own_tenant.id)
    assert fault.is_on(estate, own_tenant.id)
    for each in (another, fault, another, fault):
        each.off(Estate.at(estate.name), own_tenant.id)
    assert not fault.is_on(estate, own_tenant.id)
    assert standing(estate, own_tenant.id) == frozenset()


def test_a_fault_at_the_front_door_leaves_other_tenants_rules_alone(estate: Estate, lease) -> None:
    mine, other = lease("GBP"), lease("EUR")
    for each in (mine, other):
        FAULTS["truncated"].on(estate, each.id)
    FAULTS["truncated"].off(estate, mine.id)
    assert not FAULTS["truncated"].is_on(estate, mine.id)
    assert FAULTS["truncated"].is_on(estate, other.id)
    FAULTS["truncated"].off(estate, other.id)
    assert not FAULTS["truncated"].is_on(estate, other.id)
