"""The contracts as pytest tests, to be imported by the tests of a driver of one's own.

    from ringgate.conformance.suite import DriverContracts

    class TestMyDriver(DriverContracts):
        @pytest.fixture(scope="class")
        @classmethod
        def driver(cls): ...          # your driver; closed by you

        @pytest.fixture(scope="class")
        @classmethod
        def tenant(cls): ...          # a tenant of an inventory, of which nobody else makes use meanwhile

What the driver does not declare is skipped with the reason, what could not be tried fails with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringgate.conformance import CONTRACTS, Contract, VerbStanding, check_contract
from ringgate.domain.model import Tenant
from ringgate.drivers.parts import whole
from ringgate.host.undo_journal import Journal


class DriverContracts:
    """One test for each contract."""

    @pytest.fixture(scope="class")
    @classmethod
    def neighbours(cls) -> tuple[Tenant, ...]:
        """Other tenants of this ERP, whose sessions are tried; none unless you say so."""
        return ()

    @pytest.fixture(scope="class")
    @classmethod
    def journal(cls, tmp_path_factory: pytest.TempPathFactory) -> Journal:
        folder: Path = tmp_path_factory.mktemp("journal")
        return Journal(folder)

    @pytest.mark.parametrize("contract", CONTRACTS.values(), ids=str)
    def test_contract(
        self, contract: Contract, driver: Any, tenant: Tenant, neighbours: tuple[Tenant, ...], journal: Journal
    ) -> None:
        finding = check_contract(contract, whole(driver), tenant, journal, neighbours=neighbours)
        if finding.standing is VerbStanding.MISSING:
            pytest.skip(finding.how)
        assert finding.standing is VerbStanding.KEPT, f"{contract.sentence} But {finding.how}."
