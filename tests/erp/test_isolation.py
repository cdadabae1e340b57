"""Isolation on the real ERP: while tenants of one server are busy, on both series, and with too few tenants."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from ringgate.domain.documents import Ref
from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome, Role
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.execution import setup
from ringgate.execution.run_once import Engine, run_once
from ringgate.inventory import Inventory
from ringgate.isolation.model import AttemptKind, AttemptOutcome, PrivateRecord
from tests.support.estate import Leased

ISOLATION = ("tenant-isolation", "tenant-disclosure", "authority")


def why(result: RunResult) -> str:
    return result.failure.message if result.failure else result.reason


HEAVY = ("project-to-cash", "time-entry")
"""Processes that run on a tenant beside each other, again and again: a lightly loaded one has the last alone."""


Loads = Sequence[tuple[Tenant, Sequence[str]]]


@contextmanager
def load(on: Loads, engine: Engine, scenarios: dict[str, Scenario]) -> Iterator[list[list[RunResult]]]:
    """Processes go on and on, on each tenant its own, until the context ends; entered when each has run once."""
    stop, started = threading.Event(), list[threading.Event]()
    done: list[list[RunResult]] = [[] for _ in on]

    def go_on(tenant: Tenant, name: str, results: list[RunResult], once: threading.Event) -> None:
        with setup.engine([tenant], session="load") as own:
            own.journal, own.evidence = engine.journal, engine.evidence
            while not stop.is_set():
                results.append(run_once(scenarios[name], tenant, Channel.API, own))
                once.set()

    with ExitStack() as ends:
        for (tenant, names), results in zip(on, done, strict=True):
            for name in names:
                started.append(threading.Event())
                thread = threading.Thread(target=go_on, args=[tenant, name, results, started[-1]], daemon=True)
                thread.start()
                ends.callback(thread.join, 120)
        ends.callback(stop.set)
        assert all(once.wait(120) for once in started), "the load never began"
        yield done


def holds(
    tenant: Tenant, neighbours: Sequence[Tenant], engine: Engine, scenarios: dict[str, Scenario], on: Loads
) -> None:
    """Isolation holds on the tenant against its neighbours, and those under load went on working meanwhile."""
    engine = dataclasses.replace(engine, neighbours=(tenant, *neighbours))
    with load(on, engine, scenarios) as done:
        before = [len(results) for results in done]
        found = [run_once(scenarios[name], tenant, Channel.API, engine) for name in ISOLATION]
    assert {each.scenario: why(each) for each in found if each.outcome is not Outcome.PASSED} == {}
    assert [each.residue for each in found if each.residue] == []
    assert all(len(results) > had for results, had in zip(done, before, strict=True)), "there was no load meanwhile"
    assert [f"{x.scenario}: {why(x)}" for results in done for x in results if x.outcome is not Outcome.PASSED] == []


def test_isolation_holds_while_neighbours_on_the_server_are_under_different_load(
    lease: Callable[..., Leased], engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    quiet, light, heavy = (lease(currency).tenant for currency in ("GBP", "EUR", "USD"))
    holds(quiet, [light, heavy], engine, scenarios, [(light, HEAVY[-1:]), (heavy, HEAVY)])


@pytest.mark.sweep  # the suites try isolation on the next series, too, without the load
def test_isolation_holds_on_the_next_series_while_tenants_of_both_are_loaded(
    upgraded_tenant: Leased, lease: Callable[..., Leased], estate: Estate, engine: Engine,
    scenarios: dict[str, Scenario],
) -> None:  # fmt: skip
    before = lease("GBP").tenant
    with estate.beside(estate.backup(upgraded_tenant.id)) as copy:  # loads the server of 8.0; its books are the same
        twin = dataclasses.replace(copy, id="twin")
        holds(upgraded_tenant.tenant, [before], engine, scenarios, [(twin, HEAVY), (before, HEAVY[-1:])])


def test_without_another_tenant_nothing_is_claimed(
    own_tenant: Leased, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    alone = dataclasses.replace(engine, neighbours=(own_tenant.tenant,))
    result = run_once(scenarios["tenant-isolation"], own_tenant.tenant, Channel.API, alone)
    assert result.outcome is Outcome.SKIPPED
    assert "has no other tryton tenant" in result.reason


def test_a_neighbour_that_cannot_be_had_is_our_side(
    own_tenant: Leased, inventory: Inventory, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    other = next(each for each in inventory.tenants if each.id != own_tenant.id)
    away = dataclasses.replace(other, id="away", api="http://127.0.0.1:9/away")
    engine = dataclasses.replace(engine, neighbours=(away,))
    result = run_once(scenarios["tenant-disclosure"], own_tenant.tenant, Channel.API, engine)
    assert result.outcome is Outcome.BROKEN, why(result)
    assert "of away cannot be used" in why(result)


@pytest.mark.parametrize("way", [AttemptKind.READ, AttemptKind.SEARCH, AttemptKind.EXPORT, AttemptKind.REPORT])
def test_an_insider_is_told_and_every_outsider_is_not(
    own_tenant: Leased, lease, engine: Engine, way: AttemptKind
) -> None:
    driver = engine.drivers["tryton", Channel.API]
    connection = driver.connect(own_tenant.tenant, Call("gate", "0" * 32))
    try:
        things = [each for each in connection.seen() if each.ref.kind == "invoice"]
        told = connection.insider(Role.AUDITOR).attempt(way, things)
        assert told is not None
        assert told.came is AttemptOutcome.DISCLOSED
        neighbours = [lease("EUR" if own_tenant.tenant.policy.currency.code != "EUR" else "GBP").tenant]
        for outsider in connection.outsiders(neighbours, [Role.ACCOUNTANT]):
            attempt = outsider.attempt(way, things)
            assert (
                attempt is None or attempt.came is AttemptOutcome.REFUSED or (not outsider.barred and not attempt.leaks)
            )
    finally:
        connection.close()


def test_a_changed_record_is_only_asked_for_where_this_run_made_it(own_tenant: Leased, engine: Engine) -> None:
    driver = engine.drivers["tryton", Channel.API]
    connection = driver.connect(own_tenant.tenant, Call("gate", "0" * 32))
    try:
        seen = PrivateRecord(Ref("project", "1"), ("x",))
        assert connection.insider(Role.PROJECT_MANAGER).attempt(AttemptKind.WRITE, [seen]) is None
    finally:
        connection.close()
