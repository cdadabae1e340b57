"""A scenario is collected once for each tenant and channel that is selected, and `run_once` runs it.

    suites/processes/test_finance.py: from scenarios.project_to_cash import project_to_cash
    -> project-to-cash[aldgate-api], project-to-cash[aldgate-browser], project-to-cash[bleecker-api] ...

What does not apply is decided while collecting, without a call to the ERP, and shown as skipped with its reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ringgate.domain.model import Scenario
from ringgate.domain.terms import Channel, Layer
from ringgate.execution.run_once import run_once
from ringgate.pytest_suites.items import Process, ScenarioItem, process_of
from ringgate.pytest_suites.options import option
from ringgate.pytest_suites.session import SESSION, SuiteSession

SELECTING = ("tenant", "cohort", "ring", "region", "residency", "shard", "scenario", "inventory")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "channels(*names): the channels that a test with `process` is run over")
    config.addinivalue_line("markers", "xdist_group(name): one worker runs all tests of a group (--dist loadgroup)")
    session = config.stash[SESSION] = SuiteSession(config)
    if not config.option.help and _is_about_suites(config):
        _ = session.selection  # a usage error is told before anything is collected


def _is_about_suites(config: pytest.Config) -> bool:
    """Whether scenarios are to be collected: Ringgate's other tests need no inventory."""
    named = any(option(config, name) for name in SELECTING)
    return named or any("suites" in Path(argument.split("::")[0]).parts for argument in config.args)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].close()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[ScenarioItem] | None:
    if not isinstance(obj, Scenario):
        return None
    selection = collector.config.stash[SESSION].selection
    if not selection.wants(obj):
        return []
    return [
        ScenarioItem.of(collector, obj, tenant, channel)
        for tenant in selection.tenants
        for channel in selection.channels_of(obj)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `process` is run for each selected tenant (over the API unless marked otherwise)."""
    if "process" not in metafunc.fixturenames:
        return
    session = metafunc.config.stash[SESSION]
    marker = metafunc.definition.get_closest_marker("channels")
    channels = [Channel(name) for name in marker.args] if marker else [Channel.API]
    pairs = [(t, c) for t in session.selection.tenants for c in channels if c in session.selection.channels]
    made = [
        pytest.param(Process(session, t, c), id=f"{t.id}-{c.value}", marks=pytest.mark.xdist_group(t.id))
        for t, c in pairs
    ]
    metafunc.parametrize("process", made)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios that a test makes by itself have no id to be asked for, and are of the process layer."""
    layers = option(config, "layer")
    if not option(config, "scenario") and (not layers or Layer.PROCESS in layers):
        return
    left = [item for item in items if process_of(item) is not None]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, ScenarioItem) and item.get_closest_marker("skip"):
        run_once(
            item.scenario, item.tenant, item.channel, item.session_of_run.engine
        )  # only notes that it does not apply
