"""Every scenario is seen to fail: the ERP is broken for real, and the right scenarios say so for the right reason.

Faults that one scenario alone must notice are switched on together where they are meant for different scenarios: then
each of these must fail for its own fault's reason, and all others pass. `RINGGATE_FAULTS=alone` tests each by itself,
which takes twice as long.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from fixtures.estate import Books, Leased
from ringgate.drivers.tryton.api import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.estate.faults import FAULTS, Fault, standing
from ringgate.execution import Engine, run_once
from ringgate.halves import InFlight
from ringgate.model import Channel, Layer, Outcome, RunResult, Scenario, Tenant

TIME_OUT = 6.0
"""Seconds that the driver waits where slowness is the fault; the fault takes longer."""

UNANSWERED = "the ERP has not answered this write"
"""How the residue is explained that a lost answer leaves: for a minute, the ERP might still do what it was asked."""

RunAll = Callable[[Tenant, frozenset[str], bool], dict[str, RunResult]]
SLOW = FAULTS["slow"]


@pytest.fixture
def run_all(engine: Engine, scenarios: dict[str, Scenario], lease: Callable[..., Leased]) -> Iterator[RunAll]:
    """Runs scenarios on a tenant over the API, in haste if slowness is the fault; the results by scenario."""
    impatient = TrytonApiDriver(timeout=TIME_OUT)
    hasty = dataclasses.replace(engine, drivers={**engine.drivers, ("tryton", Channel.API): impatient})

    neighbours: list[Tenant] = []

    def run(tenant: Tenant, chosen: frozenset[str], in_haste: bool) -> dict[str, RunResult]:
        if not neighbours and any(scenarios[name].layer is Layer.ISOLATION for name in chosen):
            # One that nobody else breaks meanwhile.
            neighbours.append(lease("EUR" if tenant.policy.currency.code != "EUR" else "GBP").tenant)
        used = dataclasses.replace(hasty if in_haste else engine, neighbours=(tenant, *neighbours))
        return {name: run_once(scenarios[name], tenant, Channel.API, used) for name in sorted(chosen)}

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


def ordinary(scenarios: dict[str, Scenario]) -> frozenset[str]:
    """Those that are run in one go; work in flight has faults of its own (test_in_flight.py)."""
    return frozenset(name for name, each in scenarios.items() if not isinstance(each, InFlight))


def chosen(scenarios: dict[str, Scenario], expected: dict[str, str]) -> frozenset[str]:
    """All of them; the thousands of calls of isolation only where a fault is meant for it, unless each is alone."""
    if os.environ.get("RINGGATE_FAULTS") == "alone":
        return ordinary(scenarios)
    far = {name for name, each in scenarios.items() if each.layer is Layer.ISOLATION} - set(expected)
    return ordinary(scenarios) - far


def crowds() -> list[list[Fault]]:
    """All faults: each by itself, or with others that are meant for other scenarios."""
    if os.environ.get("RINGGATE_FAULTS") == "alone":
        return [[fault] for fault in FAULTS.values()]
    singles = [fault for fault in FAULTS.values() if len(fault.catches) == 1 and fault is not SLOW]
    others = [[fault] for fault in FAULTS.values() if fault not in singles]
    together: list[list[Fault]] = []
    for fault in singles:
        for crowd in together:
            if crowd[0].currency == fault.currency and all(fault.catches.isdisjoint(each.catches) for each in crowd):
                crowd.append(fault)
                break
        else:
            together.append([fault])
    return [*others, *together]


@pytest.mark.parametrize("faults", crowds(), ids=lambda faults: "+".join(fault.id for fault in faults))
def test_the_right_scenarios_notice_a_fault(
    faults: list[Fault],
    estate: Estate,
    take: Callable[[str], tuple[Tenant, Books]],
    run_all: RunAll,
    scenarios: dict[str, Scenario],
    books_of: Callable[[Tenant], Books],
) -> None:
    tenant, before = take(faults[0].currency)
    expected = {scenario: words for fault in faults for scenario, words in fault.says.items()}

    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(broken(fault, estate, tenant))
        results = run_all(tenant, chosen(scenarios, expected), SLOW in faults)

    noticed = {name: why(result) for name, result in results.items() if result.outcome is not Outcome.PASSED}
    assert set(noticed) == set(expected), noticed
    for name, reason in noticed.items():
        assert results[name].outcome is Outcome.FAILED, f"{name} is {results[name].outcome}: {reason}"
        assert expected[name] in reason, f"{name} failed for another reason: {reason}"

    left = [each for result in results.values() for each in result.residue if not each.reason.startswith(UNANSWERED)]
    assert not left
    assert standing(estate, tenant.id) == frozenset(), "the fault left traces in the database"
    again = run_all(tenant, frozenset(expected), False)
    assert {name: why(result) for name, result in again.items() if result.outcome is not Outcome.PASSED} == {}
    assert books_of(tenant) == before


def test_every_scenario_is_seen_to_fail(scenarios: dict[str, Scenario]) -> None:
    assert frozenset().union(*(fault.catches for fault in FAULTS.values())) == ordinary(scenarios)


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
