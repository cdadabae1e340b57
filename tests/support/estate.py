"""Fixtures of tests on the real ERP: one estate for the whole run, tenants of one's own, an engine, the books.

All workers of a run share the estate `tests`, apart from the demo's. A tenant that a test breaks is leased, so that no
other test uses it meanwhile, and it is the test's business to repair what it broke.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.estate.faults import repair
from ringgate.estate.upgrading import ManualStep
from ringgate.execution import setup
from ringgate.execution.run_once import Engine, run_once
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios

NAME, TENANTS = os.environ.get("RINGGATE_TESTS_ESTATE", "tests"), 8
"""Two runs at once, of two checkouts, need two estates."""
KILLS = "kills"
"""The estate of the tests that kill a rehearsal."""
UPGRADED = "kobe"
"""The one tenant of the estate of tests that runs the next series. It is upgraded once, and then kept so."""

STEPS = ManualStep(
    "7.2 and 7.6",
    """
    UPDATE ir_ui_view SET model = NULL WHERE model = '';
    UPDATE ir_action_act_window SET res_model = NULL WHERE res_model = '';
    UPDATE ir_action_wizard SET model = NULL WHERE model = '';
    UPDATE ir_action_report SET model = NULL WHERE model = '';
    UPDATE ir_action_report SET module = NULL WHERE module = '';
    UPDATE ir_translation SET module = NULL WHERE module = '';
    ALTER TABLE ir_model RENAME COLUMN name TO string;
    ALTER TABLE ir_model RENAME COLUMN model TO name;
    ALTER TABLE ir_model_field RENAME COLUMN field_description TO string;
    """,
)
"""What the ERP's makers tell operators to run by hand on the way from 7.0 to 8.0."""

NEIGHBOUR = "chelsea"
"""The tenant that no test breaks or leases: its users try the doors of the others."""

Books = tuple[dict[str, str], frozenset[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker takes all tests of the tenant that runs 8.0: another would only wait for it."""
    for item in items:
        asked = (*getattr(item, "fixturenames", ()), item.name)
        if any(word in each for word in ("upgraded_tenant", "[8.0]") for each in asked):
            item.add_marker(pytest.mark.xdist_group("8.0"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the estate of tests when all workers are done with it; its databases are kept for the next run.
    RINGGATE_KEEP=1 leaves it standing, for another run beside this one or soon."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or os.environ.get("RINGGATE_KEEP"):
        return
    reports = [report for group in reporter.stats.values() for report in group]
    names = [getattr(report, "nodeid", "") for report in reports]
    if any(name.startswith("tests/erp/") for name in names):
        Estate.at(NAME).down()
    if any(name.startswith("tests/erp/test_rehearsal_kill.py") for name in names):
        Estate.at(KILLS).down()


@pytest.fixture(scope="session")
def estate() -> Estate:
    """The estate of tests, standing. The first worker to ask makes it, the others wait."""
    estate = Estate.at(NAME)
    estate.up(tenants=TENANTS)
    return estate


@pytest.fixture(scope="session")
def inventory(estate: Estate) -> Inventory:
    return Inventory.load(estate.inventory_path)


@pytest.fixture(scope="session")
def scenarios() -> dict[str, Scenario]:
    return load_scenarios(Path(__file__).parents[2] / "scenarios")


@dataclass(frozen=True)
class Leased:
    """A tenant that nobody else uses, and the folder of the inventory that describes it."""

    tenant: Tenant
    inventory: str

    @property
    def id(self) -> str:
        return self.tenant.id


@pytest.fixture
def lease(estate: Estate, inventory: Inventory) -> Iterator[Callable[..., Leased]]:
    """Gives a tenant that nobody else uses until the test ends; `currency` says which kind."""
    folder = estate.run / "leases"
    folder.mkdir(exist_ok=True)
    with ExitStack() as held:

        def free(fitting: list[Tenant]) -> Tenant:
            for tenant in fitting:
                try:
                    held.enter_context(FileLock(folder / tenant.id).acquire(blocking=False))
                except Timeout:
                    continue
                return tenant
            held.enter_context(FileLock(folder / fitting[0].id))
            return fitting[0]

        def take(currency: str = "") -> Leased:
            old = [t for t in inventory.tenants if t.id not in (UPGRADED, NEIGHBOUR)]
            tenant = free([t for t in old if not currency or t.policy.currency.code == currency])
            repair(estate, tenant.id)  # a run that was killed may have left it broken
            return Leased(tenant, str(estate.inventory_path))

        yield take


@pytest.fixture
def own_tenant(lease: Callable[..., Leased]) -> Leased:
    """Any tenant that nobody else uses until the test ends."""
    return lease()


@pytest.fixture
def upgraded_tenant(estate: Estate) -> Iterator[Leased]:
    """The tenant that runs 8.0, which nobody else uses until the test ends. The first to ask upgrades it (40 s)."""
    folder = estate.run / "leases"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / UPGRADED):
        if estate.place(UPGRADED).series != "8.0":
            estate.upgrade(UPGRADED, "8.0", [STEPS])
        yield Leased(Inventory.load(estate.inventory_path).tenant(UPGRADED), str(estate.inventory_path))


@pytest.fixture
def environment(tmp_path: Path, estate: Estate) -> dict[str, str]:
    """For commands in other processes: a state folder of the test's own, and the estate's inventory."""
    return {**os.environ, "RINGGATE_STATE": str(tmp_path / "state"), "RINGGATE_INVENTORY": str(estate.inventory_path)}


def with_neighbour(leased: Leased, folder: Path) -> Path:
    """An inventory of this tenant and of a neighbour that nobody breaks, for commands in other processes."""
    whole, other = Path(leased.inventory), {f"{leased.id}.toml", f"{NEIGHBOUR}.toml", "defaults.toml"}
    ignored = [path.name for path in whole.glob("*.toml") if path.name not in other]
    return Path(shutil.copytree(whole, folder / "inventory", ignore=shutil.ignore_patterns(*ignored)))


@pytest.fixture(scope="session")
def engine(inventory: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """This worker's engine, with journal, locks and results of its own and sessions kept between tests."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGGATE_STATE", str(state))
        patch.delenv("RINGGATE_RESULTS", raising=False)
        with setup.engine(inventory.tenants, session="tests", neighbours=[inventory.tenant(NEIGHBOUR)]) as engine:
            engine.evidence = state / "evidence"
            yield engine


@pytest.fixture
def run(engine: Engine, scenarios: dict[str, Scenario]) -> Callable[..., RunResult]:
    """Runs a scenario by id on a tenant, over the API unless told otherwise."""

    def run(scenario: str, tenant: Tenant, channel: Channel = Channel.API) -> RunResult:
        return run_once(scenarios[scenario], tenant, channel, engine)

    return run


@pytest.fixture
def books_of(engine: Engine) -> Callable[[Tenant], Books]:
    """A tenant's trial balance and open documents, as its auditor reads them now."""

    def read(tenant: Tenant) -> Books:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
        try:
            books = connection.books()
            balance = {account: str(amount) for account, amount in books.trial_balance().items()}
            return balance, books.open_documents()
        finally:
            connection.close()

    return read
