"""Every scenario is seen to fail: the ERP is broken for real, and the right scenarios say so for the right reason.

Faults that one scenario alone must notice are switched on together where they are meant for different scenarios: then
each of these must fail for its own fault's reason, and all others pass. `RINGGATE_FAULTS=alone` tests each by itself,
which takes twice as long. What shows by chance, as slowness, or by waiting for minutes is tried by `make faults`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Basis, Channel, Invariant, Layer, Outcome
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.registry import Drivers
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.estate.certificates import authority, secured
from ringgate.estate.faults import Fault, standing
from ringgate.estate.faults.noticing import WITHIN
from ringgate.estate.tryton.faults import FAULTS
from ringgate.execution.recovery import recover
from ringgate.execution.run_once import Engine, run_once
from ringgate.execution.undo import Patience
from tests.evaluation.faults.plans import EXTENDED
from tests.support.estate import Books, Leased

TIME_OUT = 6.0
"""Seconds that the driver waits where slowness is the fault; the fault takes longer."""

UNANSWERED = "the ERP has not answered this write"
"""How the residue is explained that a lost answer leaves: for a minute, the ERP might still do what it was asked."""

RunAll = Callable[[Tenant, frozenset[str], Sequence[Fault]], dict[str, RunResult]]
CERTAIN = [
    fault for fault in FAULTS.values() if fault.certain and fault.scope == "tenant" and fault.channel is Channel.API
]
LONG = ("tenant-down", "lock-contention")
"""Each run waits for an answer until its time is out."""
QUICKEST_FIRST = (
    "sign-in", "time-entry", "project-creation", "procurement-approval", "financial-posting", "invoicing-from-time",
    "project-to-cash", "supplier-invoice", "credit-and-payment", "tenant-disclosure", "tenant-isolation", "authority",
)  # fmt: skip
TELLS: dict[tuple[str, str], Basis | Invariant] = {
    ("rate-raised", "project-creation"): Basis.PROCESS,
    ("posting-lost", "project-to-cash"): Basis.PROCESS,
    ("wrong-rounding", "invoicing-from-time"): Basis.POLICY,
    ("wrong-tax", "financial-posting"): Basis.POLICY,
    ("wrong-currency", "project-creation"): Basis.POLICY,
    ("approval-needs-two", "procurement-approval"): Basis.POLICY,
    ("threshold-raised", "authority"): Basis.POLICY,
    ("requester-approves", "authority"): Basis.RIGHTS,
    ("consultant-makes-projects", "project-creation"): Basis.RIGHTS,
    ("accountant-cannot-bill", "project-to-cash"): Basis.RIGHTS,
    ("session-lent", "tenant-disclosure"): Basis.RIGHTS,
    ("old-number-changed", "financial-posting"): Basis.RECORDS,
    ("month-closed", "project-to-cash"): Basis.RECORDS,
    ("unbalanced-posting", "financial-posting"): Invariant.BALANCED,
    ("double-posting", "financial-posting"): Invariant.ONCE,
    ("number-skipped", "financial-posting"): Invariant.NUMBERED,
    ("number-reused", "financial-posting"): Invariant.NUMBERED,
    ("databases-listed", "tenant-disclosure"): Invariant.ISOLATED,
    ("cache-without-tenant", "tenant-isolation"): Invariant.ISOLATED,
}
"""What a failure says that its expectation, or refusal, rests on; or the invariant that broke."""


@pytest.fixture
def run_all(engine: Engine, scenarios: dict[str, Scenario]) -> Iterator[RunAll]:
    """Runs scenarios on a tenant over the API, as its faults show; the results by scenario."""
    impatient, fresh = TrytonApiDriver(timeout=TIME_OUT), TrytonApiDriver()

    def run(tenant: Tenant, chosen: frozenset[str], faults: Sequence[Fault]) -> dict[str, RunResult]:
        # A certificate shows to who comes anew.
        driver = impatient if any(fault.times_out for fault in faults) else fresh if secure(faults) else None
        own = {("tryton", Channel.API): driver} if driver else {}
        # What a fault does to undoing stays as it is for as long as it is on: it is not waited for in vain.
        used = dataclasses.replace(engine, drivers={**engine.drivers, **own}, patience=Patience(seconds=4.0, times=1.0))
        return {name: run_once(scenarios[name], tenant, Channel.API, used) for name in sorted(chosen)}

    yield run
    for driver in (impatient, fresh):
        driver.close()


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


def secure(faults: Sequence[Fault]) -> bool:
    return any(fault.secure for fault in faults)


def unreachable(faults: Sequence[Fault]) -> bool:
    """Whether nobody gets in while it is on, to take back what they might have done."""
    return any(len(fault.catches) >= len(WITHIN) for fault in faults)


def why(result: RunResult) -> str:
    return f"{result.failure.kind}: {result.failure.message}" if result.failure else result.reason


def ordinary(scenarios: dict[str, Scenario]) -> frozenset[str]:
    """Those that are run in one go in the ERP alone; work in flight has faults of its own (test_in_flight.py), and so
    have integrations (test_integrations.py)."""
    once = {name: each for name, each in scenarios.items() if not isinstance(each, TwoPhaseScenario)}
    return frozenset(name for name, each in once.items() if not each.receives)


def chosen(scenarios: dict[str, Scenario], expected: dict[str, str]) -> frozenset[str]:
    """All of them; the extended ones, and unless each is alone the thousands of calls of isolation, only where a fault
    is meant for them."""
    alone = os.environ.get("RINGGATE_FAULTS") == "alone"
    far = {name for name, each in scenarios.items() if each.extended or (each.layer is Layer.ISOLATION and not alone)}
    return ordinary(scenarios) - (far - set(expected))


def afterwards(faults: Sequence[Fault]) -> frozenset[str]:
    """What shows that all is well again: for each fault the quickest of the scenarios that noticed it."""
    return frozenset(min(fault.catches, key=QUICKEST_FIRST.index) for fault in faults)


def apart(fault: Fault, crowd: Sequence[Fault]) -> bool:
    """Whether a fault can be on together with these: each scenario is to fail for one reason only. Of the extended ones
    no other fault says whether they notice it, too."""
    lonely = any(
        each.times_out or each.secure or unreachable([each]) or not each.catches.isdisjoint(EXTENDED)
        for each in (fault, *crowd)
    )
    same = all(each.currency == fault.currency and each.sign == fault.sign for each in crowd)
    return same and not lonely and all(fault.catches.isdisjoint(each.catches) for each in crowd)


def crowds() -> list[list[Fault]]:
    """All faults: each by itself, or with others that are meant for other scenarios."""
    if os.environ.get("RINGGATE_FAULTS") == "alone":
        return [[fault] for fault in CERTAIN]
    together: list[list[Fault]] = []
    for fault in sorted(CERTAIN, key=lambda fault: -len(fault.catches)):
        if fault.id not in LONG:
            fitting = next((crowd for crowd in together if apart(fault, crowd)), None)
            if fitting is None:
                together.append([fault])
            else:
                fitting.append(fault)
    return together


@pytest.mark.parametrize("faults", crowds(), ids=lambda faults: "+".join(fault.id for fault in faults))
def test_the_right_scenarios_notice_a_fault(
    faults: list[Fault],
    estate: Estate,
    take: Callable[[str], tuple[Tenant, Books]],
    run_all: RunAll,
    scenarios: dict[str, Scenario],
    books_of: Callable[[Tenant], Books],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant, before = take(faults[0].currency)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority(estate)))
    reached = secured(estate, tenant) if secure(faults) else tenant
    expected = {scenario: words for fault in faults for scenario, words in fault.says.items()}

    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(broken(fault, estate, tenant))
        results = run_all(reached, chosen(scenarios, expected), faults)

    noticed = {name: why(result) for name, result in results.items() if result.outcome is not Outcome.PASSED}
    assert set(noticed) == set(expected), noticed
    outcome = Outcome.BROKEN if faults[0].sign == "broken" else Outcome.FAILED
    for name, reason in noticed.items():
        assert results[name].outcome is outcome, f"{name} is {results[name].outcome}: {reason}"
        assert expected[name] in reason, f"{name} failed for another reason: {reason}"
    for (fault, name), told in TELLS.items():
        if fault in {each.id for each in faults}:
            failure = results[name].failure
            assert failure is not None
            assert told in (failure.basis, failure.invariant), failure

    left = [each for result in results.values() for each in result.residue if not each.reason.startswith(UNANSWERED)]
    assert not left or unreachable(faults), "what the ERP did not let us take back though it could"
    recovered = recover(engine.journal, {tenant.id: tenant}, engine.drivers, only=frozenset({tenant.id}), settle=0)
    assert [each.left for each in recovered if each.left] == []
    assert standing(estate, tenant.id) == frozenset(), "the fault left traces in the database"
    again = run_all(tenant, afterwards(faults), ())
    assert {name: why(result) for name, result in again.items() if result.outcome is not Outcome.PASSED} == {}
    assert books_of(tenant) == before


def test_every_scenario_is_seen_to_fail(scenarios: dict[str, Scenario]) -> None:
    telling = (fault for fault in CERTAIN if len(fault.catches) < len(WITHIN))
    assert frozenset().union(*(fault.catches for fault in telling)) == ordinary(scenarios)


def test_every_ground_and_every_invariant_has_a_fault() -> None:
    """But for books that differ across a change, which a fingerprint finds (test_fingerprint.py)."""
    assert set(TELLS.values()) == {*Basis, *Invariant} - {Invariant.BOOKS}
    assert {fault for fault, _ in TELLS} <= {fault.id for fault in CERTAIN}


def test_runs_beside_each_other_on_a_tenant_raise_no_alarm(
    take: Callable[[str], tuple[Tenant, Books]], engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    """Invoices are numbered, projects made and taken back while others look at numbers and try doors."""
    tenant, _ = take("GBP")
    together = ("financial-posting", "project-to-cash", "credit-and-payment", "tenant-disclosure")

    def run(name: str) -> RunResult:
        drivers = Drivers(["tryton"])
        try:
            return run_once(scenarios[name], tenant, Channel.API, dataclasses.replace(engine, drivers=drivers))
        finally:
            drivers.close()

    with ThreadPoolExecutor(len(together)) as pool:
        results = list(pool.map(run, together * 2))
    assert {result.scenario: why(result) for result in results if result.outcome is not Outcome.PASSED} == {}
    assert [each for result in results for each in result.residue] == []


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
