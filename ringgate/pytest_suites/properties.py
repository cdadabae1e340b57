"""Properties: tests that draw scenarios (Hypothesis). They have a budget, say how far they are, and are repeatable.

What is drawn is the same each time, unless `--hypothesis-seed N` asks for other draws. Hypothesis itself is loaded by
the tests that use it: a session without any does without it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator
from contextlib import nullcontext, suppress
from typing import Any

import pytest

from ringgate.pytest_suites.budget import Budget
from ringgate.pytest_suites.items import process_of
from ringgate.pytest_suites.options import option

Place = tuple[str, str]
"""A tenant and a channel."""
_LEFT: pytest.StashKey[Counter[Place]] = pytest.StashKey()
_SPENT: pytest.StashKey[Counter[Place]] = pytest.StashKey()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = config.stash[_LEFT] = Counter(place for item in items if (place := _place(item)))
    config.stash[_SPENT] = Counter()
    if left and (seed := _seed(config)) is not None:
        import hypothesis

        for item in items:
            if _place(item):
                hypothesis.seed(seed)(item.obj)  # type: ignore[attr-defined]  # a function's item


def pytest_report_header(config: pytest.Config) -> str:
    limit = option(config, "property-budget")
    allowed = f"at most {limit:.0f} s" if limit else "as long as they need"
    return f"properties: {allowed} for each tenant and channel (--property-budget)"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hypothesis' plugin loads all of Hypothesis for its summary, also where no test has used it."""
    if "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    place, process = _place(item), process_of(item)
    if place is None or process is None:
        return (yield)
    left, spent = item.config.stash[_LEFT], item.config.stash[_SPENT]
    limit: float = option(item.config, "property-budget")
    share = max(0.0, limit - spent[place]) / max(1, left[place]) if limit else None
    budget = process.budget = Budget(share, _planned(item), lambda line: _tell(item, line))
    try:
        return (yield)
    except Exception as error:
        if not cut_short(error, budget):
            raise
        return None
    finally:
        left[place] -= 1
        spent[place] += budget.spent  # type: ignore[assignment]  # seconds are no whole number
        item.user_properties.append(("examples", budget.conclusion()))


def cut_short(error: Exception, budget: Budget) -> bool:
    """Whether there was time for no more than the examples that a property names itself: those that ran were right, and
    Hypothesis, which could draw none of its own, says that nothing fits."""
    from hypothesis.errors import Unsatisfiable

    return isinstance(error, Unsatisfiable) and budget.ran > 0 and budget.left_out > 0


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name what was cut short: it is less than it looks."""
    for report in terminalreporter.stats.get("passed", ()):
        told = dict(report.user_properties).get("examples", "")
        if "--property-budget" in str(told):
            terminalreporter.write_line(f"{report.nodeid}: {told}", yellow=True)


def _place(item: pytest.Item) -> Place | None:
    process = process_of(item)
    drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    return (process.tenant.id, process.channel.value) if process and drawn else None


def _planned(item: pytest.Item) -> int:
    import hypothesis

    test = getattr(item, "obj", None)
    settings: Any = getattr(test, "_hypothesis_internal_use_settings", hypothesis.settings.default)
    return int(settings.max_examples) + len(getattr(test, "hypothesis_explicit_examples", ()))


def _seed(config: pytest.Config) -> int | None:
    with suppress(TypeError, ValueError):  # none was given
        return int(config.getoption("--hypothesis-seed", None))
    return None


def _tell(item: pytest.Item, line: str) -> None:
    """On the terminal, where this process has one; workers of `-n` have none."""
    reporter = item.config.pluginmanager.get_plugin("terminalreporter")
    capture = item.config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or hasattr(item.config, "workerinput"):
        return
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        reporter.ensure_newline()
        reporter.write_line(f"{item.name}: {line}")
