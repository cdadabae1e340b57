"""Faults of a whole estate, on a small one of its own: nobody else may suffer from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from ringgate.domain.model import RunResult, Scenario
from ringgate.domain.terms import Channel, Outcome
from ringgate.estate import Estate
from ringgate.estate.faults import repair
from ringgate.estate.tryton.faults import FAULTS
from ringgate.execution.run_once import Engine, run_once
from ringgate.inventory import Inventory

TRIES = 20
"""Sign-ins of which one at least must meet what 20 of 100 calls meet: all pass once in 10^14 times."""


@pytest.fixture
def own_estate() -> Iterator[Estate]:
    estate = Estate.at("tests-outage")
    estate.up(tenants=1)
    yield estate
    estate.destroy()


@pytest.fixture
def sign_in(own_estate: Estate, engine: Engine, scenarios: dict[str, Scenario]) -> Callable[[], RunResult]:
    (tenant,) = Inventory.load(own_estate.inventory_path).tenants
    return lambda: run_once(scenarios["sign-in"], tenant, Channel.API, dataclasses.replace(engine, neighbours=()))


def test_an_outage_and_an_error_burst_are_noticed_and_end(own_estate: Estate, sign_in: Callable[[], RunResult]) -> None:
    assert sign_in().outcome is Outcome.PASSED
    an_outage(own_estate, sign_in)
    assert sign_in().outcome is Outcome.PASSED
    an_error_burst(own_estate, sign_in)
    assert {sign_in().outcome for _ in range(3)} == {Outcome.PASSED}


def an_outage(own_estate: Estate, sign_in: Callable[[], RunResult]) -> None:
    outage = FAULTS["outage"]
    outage.on(own_estate)
    outage.on(Estate.at(own_estate.name))
    assert outage.is_on(own_estate)
    failed = sign_in()
    outage.off(Estate.at(own_estate.name))
    assert not outage.is_on(own_estate)
    assert failed.failure is not None
    assert (failed.outcome, failed.failure.kind) == (Outcome.FAILED, "unavailable")
    assert outage.says["sign-in"] in failed.failure.message


def an_error_burst(own_estate: Estate, sign_in: Callable[[], RunResult]) -> None:
    burst, rarer = FAULTS["error-burst-20"], FAULTS["error-burst-1"]
    burst.on(own_estate)
    assert (burst.is_on(own_estate), rarer.is_on(own_estate)) == (True, False)
    results = [sign_in() for _ in range(TRIES)]
    repair(own_estate)
    assert not burst.is_on(own_estate)
    told = {each.failure.message.rpartition(" with ")[2] for each in results if each.failure}
    assert told == {"HTTP 502."}
