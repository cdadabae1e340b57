"""One invocation of pytest in one process: what it selects, its label, and its engine once something runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ringgate.domain.errors import RinggateError
from ringgate.domain.events import Sink
from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel
from ringgate.execution import setup
from ringgate.execution.run_once import Engine
from ringgate.host import paths
from ringgate.inventory import Inventory, SelectionError
from ringgate.inventory.residency import residencies, resides
from ringgate.pytest_suites.options import option
from ringgate.scenario.discovery import check_known, known_scenarios


class Selection:
    """What the options ask for, read when the first scenario is collected. Errors of use are pytest usage errors."""

    def __init__(self, config: pytest.Config) -> None:
        try:
            mine = residencies(option(config, "residency"))
            inventory = Inventory.load(option(config, "inventory"), residency=mine)
            selected = inventory.select(
                option(config, "tenant"),
                cohorts=option(config, "cohort"),
                rings=option(config, "ring"),
                regions=option(config, "region"),
            )
            self.tenants: Sequence[Tenant] = _part(config, _residing(selected, mine))
            self.everybody: Sequence[Tenant] = [each for each in inventory.tenants if resides(each, mine)]
            self.scenarios = known_scenarios(config.rootpath)
            check_known(option(config, "scenario"), self.scenarios)
            reviewed = option(config, "twins-file")
            self.twins = setup.twins(option(config, "twins"), Path(reviewed) if reviewed else None)
        except RinggateError as error:
            raise pytest.UsageError(str(error)) from None
        self.channels = [channel for channel in Channel if channel in (option(config, "channel") or list(Channel))]
        self._smoke: bool = option(config, "smoke")
        self._wanted, self._layers = set(option(config, "scenario")), set(option(config, "layer"))

    def wants(self, scenario: Scenario) -> bool:
        return (not self._wanted or scenario.id in self._wanted) and (
            not self._layers or scenario.layer in self._layers
        )

    def channels_of(self, scenario: Scenario) -> list[Channel]:
        """The selected channels over which this scenario is to run."""
        passed_over = {Channel.BROWSER} if self._smoke and not scenario.smoke else set()
        if self._smoke and scenario.extended and scenario.id not in self._wanted:
            return []
        return [channel for channel in self.channels if channel not in passed_over]


def _residing(tenants: Sequence[Tenant], mine: Collection[str]) -> Sequence[Tenant]:
    if found := [each for each in tenants if resides(each, mine)]:
        return found
    raise SelectionError(f"none of these tenants has the residency {' or '.join(sorted(mine))}")


def _part(config: pytest.Config, tenants: Sequence[Tenant]) -> Sequence[Tenant]:
    """Those of this shard: whole tenants, so that the sessions that each bears are counted in one place."""
    if (shard := option(config, "shard")) is None:
        return tenants
    which, of = shard
    if of > len(tenants):
        raise SelectionError(f"--shard {which}/{of}: there are only {len(tenants)} tenants, and each is in one shard")
    return tenants[which - 1 :: of]


class SuiteSession:
    """One invocation in one process. Where Allure's results are written, it has its hand in them from the start."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        worker = getattr(config, "workerinput", None)
        self.label: str = worker["ringgate_session"] if worker else setup.new_session()
        self._selection: Selection | None = None
        self._engine: Engine | None = None
        self._open = ExitStack()
        self._sinks: list[Sink] = []
        if config.getoption("allure_report_dir", None):
            from ringgate.sinks.allure import AllureSink

            allure = AllureSink(paths.reports() / "evidence")
            allure.register()
            self._open.callback(allure.unregister)
            self._sinks.append(allure)

    @property
    def selection(self) -> Selection:
        if self._selection is None:
            self._selection = Selection(self._config)
        return self._selection

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._open.enter_context(
                setup.engine(
                    self.selection.tenants,
                    session=self.label,
                    release=option(self._config, "release"),
                    results=option(self._config, "results"),
                    sinks=self._sinks,
                    neighbours=self.selection.everybody,
                    twins=self.selection.twins,
                )
            )
            self._open.enter_context(_stopped_by_sigterm())
        return self._engine

    def close(self) -> None:
        self._open.close()


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: what runs is taken back first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


SESSION: pytest.StashKey[SuiteSession] = pytest.StashKey()
