"""What writes money is never run again because it failed: a run that failed is evidence, and a second one hides it.

Plugins that repeat what failed are refused where tests are collected that write. Where one is asked for by a marker, or
is not known here, the first result of such a test stands: it is raised again without running anything. What only
reads may be repeated; each attempt is a run of its own in the store. See docs/reruns.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from ringgate.pytest_suites.items import ScenarioItem, writes

RERUNS: Final = {"reruns": "--reruns", "force_flaky": "--force-flaky", "retries": "--retries"}
"""Options of pytest-rerunfailures, flaky and pytest-retry, by the name under which pytest holds them."""
MARKERS: Final = ("flaky",)
MOST: Final = 3

_FIRST: pytest.StashKey[BaseException | None] = pytest.StashKey()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    writing = [item for item in items if writes(item)]
    asked = [option for name, option in RERUNS.items() if _given(config, name)]
    marked = [item for item in writing if any(item.get_closest_marker(name) for name in MARKERS)]
    if writing and asked:
        raise pytest.UsageError(
            f"{asked[0]} would run again what writes to a tenant's books ({_names(writing)}): leave it out, or select "
            "what only reads (--layer platform)"
        )
    if marked:
        raise pytest.UsageError(f"what writes to a tenant's books is not run again: unmark {_names(marked)}")


def _given(config: pytest.Config, name: str) -> bool:
    if config.getoption(name, None):
        return True
    try:
        return bool(config.getini(name))
    except (KeyError, ValueError):
        return False


def _names(items: list[pytest.Item]) -> str:
    more = f" and {len(items) - MOST} more" if len(items) > MOST else ""
    return ", ".join(item.name for item in items[:MOST]) + more


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """For tests that draw scenarios; a scenario's own item keeps its result itself."""
    if isinstance(item, ScenarioItem) or not writes(item):
        return (yield)
    if _FIRST in item.stash:
        if (first := item.stash[_FIRST]) is not None:
            raise first
        pytest.skip("it has passed, and writes to a tenant's books: it is not run again")
    item.stash[_FIRST] = None
    try:
        return (yield)
    except BaseException as error:
        item.stash[_FIRST] = error
        raise
