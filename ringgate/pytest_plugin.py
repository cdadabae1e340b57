"""What pytest finds of Ringgate: nothing but a switch, until a project asks for it.

    [tool.pytest.ini_options]       # pyproject.toml; `[pytest]` in pytest.ini
    ringgate = true

Then `pytest suites` collects scenarios for the tenants that its options select (`pytest_suites/`). A project that only
has Ringgate installed gets none of its options and hooks.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ringgate.host import paths

HOOKS = ("collection", "failures", "redaction", "reruns", "workers", "properties", "outputs")
"""The modules of `pytest_suites` that hold hooks, in the order in which they are registered."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("ringgate", "collect business processes (Ringgate) in this project", type="bool", default=False)


@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """After other plugins and the project's own conftest.py, so that their options keep their names."""
    from ringgate.pytest_suites import options

    if not early_config.getini("ringgate"):
        unknown = parser.parse_known_and_unknown_args(args)[1]
        if asked := [name for name in options.NAMES if any(each.split("=")[0] == name for each in unknown)]:
            where = early_config.inipath or early_config.rootpath / "pyproject.toml"
            raise pytest.UsageError(
                f"{asked[0]} is an option of Ringgate, which this project does not ask for: write `ringgate = true` "
                f"into {where} ([tool.pytest.ini_options] in pyproject.toml, [pytest] in pytest.ini)"
            )
        return
    _allure_where_asked_for(early_config, args)
    options.add(parser)
    # What comes with Ringgate is imported as in its source tree (`from scenarios.sign_in import sign_in`), after what
    # the project has of its own in folders of the same names.
    sys.path.append(str(paths.shipped("scenarios").parent))
    with _nothing_collected():
        for name in HOOKS:
            module = importlib.import_module(f"ringgate.pytest_suites.{name}")
            early_config.pluginmanager.register(module, f"ringgate.{name}")


ALLURE = ("--alluredir", "--clean-alluredir", "--allure-", "--inversion")


def _allure_where_asked_for(config: pytest.Config, args: list[str]) -> None:
    """Projects write `-p no:allure_pytest`, for it takes a tenth of a start; its options load it all the same."""
    plugins = config.pluginmanager
    asked = any(each.startswith(ALLURE) for each in args) or getattr(config.option, "allure_report_dir", None)
    if asked and plugins.is_blocked("allure_pytest"):
        plugins.import_plugin("allure_pytest.plugin")


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """For imports: what they make stays, so that to look for garbage in it, now and later, is a tenth of a start."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
