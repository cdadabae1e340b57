"""The example of docs/your-own-erp.md on the real ERP: it keeps the contracts of what it declares; processes run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringgate.conformance.suite import DriverContracts
from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.drivers.parts import whole
from ringgate.execution.run_once import Engine, run_once
from tests.support.estate import Leased

sys.path.append(str(Path(__file__).parents[2] / "docs" / "examples" / "tryton_over_xml"))
from tryton_over_xml import TrytonOverXml


@pytest.fixture(scope="class")
def driver() -> Iterator[TrytonOverXml]:
    driver = TrytonOverXml()
    yield driver
    driver.close()


class TestTheExample(DriverContracts):
    """As docs/your-own-erp.md says to test a driver."""

    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> Iterator[TrytonOverXml]:
        driver = TrytonOverXml()
        yield driver
        driver.close()

    @pytest.fixture
    def tenant(self, own_tenant: Leased) -> Tenant:
        return own_tenant.tenant


@pytest.mark.parametrize("series", ["own_tenant", "upgraded_tenant"])
def test_processes_run_over_it_on_both_series(
    series: str,
    request: pytest.FixtureRequest,
    driver: TrytonOverXml,
    engine: Engine,
    scenarios: dict[str, Scenario],
    books_of: Any,
) -> None:
    tenant = request.getfixturevalue(series).tenant
    own: Any = {(tenant.erp, Channel.API): whole(driver)}  # type: ignore[arg-type]
    before = books_of(tenant)
    with_it = replace(engine, drivers=own)
    for name in ("sign-in", "project-creation", "time-entry"):
        result = run_once(scenarios[name], tenant, Channel.API, with_it)
        assert (result.outcome, result.residue) == (Outcome.PASSED, ()), result.failure
    skipped = run_once(scenarios["financial-posting"], tenant, Channel.API, with_it)
    assert skipped.outcome is Outcome.SKIPPED
    assert skipped.reason == "the api driver for tryton cannot do invoicing, journal-entries, ledger"
    assert books_of(tenant) == before
