"""One Odoo estate for these tests. They install 2 GB and build databases for minutes, so they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.estate.estate import Estate
from ringgate.estate.odoo.install import PackagesGone
from ringgate.execution import setup
from ringgate.execution.run_once import Engine

ASKED = "RINGGATE_ODOO"
NAME, SERIES, TENANTS = "tests-odoo", os.environ.get("RINGGATE_ODOO_SERIES", "19.0"), 4
Books = tuple[dict[str, str], frozenset[str]]


def standing(series: str, tenants: int, *also: str) -> Estate:
    """An estate whose tenants began at that series. Skips the test where nobody asked for it, or nobody has Odoo."""
    if not os.environ.get(ASKED):
        pytest.skip(f"tests on real Odoo are run where {ASKED}=1 asks for them: they install 2 GB and take minutes")
    estate = Estate.at(NAME if series == "19.0" else f"{NAME}-{series.partition('.')[0]}", "odoo", series)
    try:
        estate.up(tenants, also=also)
    except PackagesGone as gone:
        pytest.skip(str(gone))
    return estate


@pytest.fixture(scope="session")
def odoo() -> Iterator[Estate]:
    """Four tenants on one series of Odoo, left standing for the next run."""
    estate = standing(SERIES, TENANTS)
    yield estate
    estate.down()


@pytest.fixture(scope="session")
def tenants(odoo: Estate) -> dict[str, Tenant]:
    return {tenant.id: tenant for tenant in odoo.inventory().tenants}


@pytest.fixture(scope="session")
def engine(tenants: dict[str, Tenant], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """With journal and locks of its own."""
    everybody = list(tenants.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGGATE_STATE", str(tmp_path_factory.mktemp("state")))
        with setup.engine(everybody, session="tests", release="", results=None, sinks=[], neighbours=everybody) as made:
            yield made


@pytest.fixture
def environment(odoo: Estate, tmp_path: Path) -> dict[str, str]:
    """For commands in other processes: a state folder of the test's own, and the estate's inventory."""
    return {**os.environ, "RINGGATE_STATE": str(tmp_path / "state"), "RINGGATE_INVENTORY": str(odoo.inventory_path)}


@pytest.fixture
def books(engine: Engine):
    """A tenant's trial balance and open documents now, to be compared with later."""

    def read(tenant: Tenant) -> Books:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
        try:
            read = connection.books()
            return {code: str(balance) for code, balance in read.trial_balance().items()}, read.open_documents()
        finally:
            connection.close()

    return read
