"""Isolation on the real ERP: while tenants of one server are busy, on both series, and with too few tenants."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from fixtures.estate import Leased
from ringgate import assembly
from ringgate.business import Ref
from ringgate.drivers.protocol import Call
from ringgate.execution import Engine, run_once
from ringgate.inventory import Inventory
from ringgate.isolation import Came, Thing, Way
from ringgate.model import Channel, Outcome, Role, RunResult, Scenario

ISOLATION = ("tenant-isolation", "tenant-disclosure", "authority")


def why(result: RunResult) -> str:
    return result.failure.message if result.failure else result.reason


def test_isolation_holds_while_a_neighbour_is_loaded(
    lease: Callable[..., Leased], inventory: Inventory, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    quiet, loaded = lease("GBP").tenant, lease("EUR").tenant
    engine = dataclasses.replace(engine, neighbours=(quiet, loaded))
    busy, stop, done = threading.Event(), threading.Event(), list[RunResult]()

    def load() -> None:
        with assembly.engine(inventory.tenants, session="load") as own:
            own.journal, own.evidence = engine.journal, engine.evidence
            while not stop.is_set():
                done.append(run_once(scenarios["project-to-cash"], loaded, Channel.API, own))
                busy.set()

    with ExitStack() as ends:
        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        ends.callback(thread.join, 60)
        ends.callback(stop.set)
        assert busy.wait(60), "the load never began"
        before = len(done)
        results = [run_once(scenarios[name], quiet, Channel.API, engine) for name in ISOLATION]

    assert [(r.scenario, r.outcome) for r in results if r.outcome is not Outcome.PASSED] == [], list(map(why, results))
    assert [r.residue for r in results if r.residue] == []
    assert len(done) > before, "there was no load meanwhile"
    assert {each.outcome for each in done} == {Outcome.PASSED}, list(map(why, done))


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
    assert "away could not lend the session" in why(result)


@pytest.mark.parametrize("way", [Way.READ, Way.SEARCH, Way.EXPORT, Way.REPORT])
def test_an_insider_is_told_and_every_outsider_is_not(own_tenant: Leased, lease, engine: Engine, way: Way) -> None:
    driver = engine.drivers["tryton", Channel.API]
    connection = driver.connect(own_tenant.tenant, Call("gate", "0" * 32))
    try:
        things = [each for each in connection.seen() if each.ref.kind == "invoice"]
        told = connection.insider(Role.AUDITOR).attempt(way, things)
        assert told is not None
        assert told.came is Came.DISCLOSED
        neighbours = [lease("EUR" if own_tenant.tenant.policy.currency.code != "EUR" else "GBP").tenant]
        for outsider in connection.outsiders(neighbours, [Role.ACCOUNTANT]):
            attempt = outsider.attempt(way, things)
            assert attempt is None or attempt.came is Came.REFUSED or (not outsider.barred and not attempt.leaks)
    finally:
        connection.close()


def test_a_changed_record_is_only_asked_for_where_this_run_made_it(own_tenant: Leased, engine: Engine) -> None:
    driver = engine.drivers["tryton", Channel.API]
    connection = driver.connect(own_tenant.tenant, Call("gate", "0" * 32))
    try:
        seen = Thing(Ref("project", "1"), ("x",))
        assert connection.insider(Role.PROJECT_MANAGER).attempt(Way.WRITE, [seen]) is None
    finally:
        connection.close()
