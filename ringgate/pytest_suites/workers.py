"""Several workers (`-n`): all tests on one tenant go to one worker, which keeps its sessions.

So it is with `--dist load` (the default), `loadgroup` and `worksteal`. `loadfile` and `loadscope` go by file and by
class, as they say; runs on one tenant then wait for each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from ringgate.domain.terms import Channel
from ringgate.pytest_suites.items import items_with_tenants
from ringgate.pytest_suites.session import SESSION

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

BY_TENANT = ("load", "loadgroup", "worksteal")


def tenant_in(nodeid: str, tenants: Iterable[str], channels: Iterable[str] = tuple(Channel)) -> str | None:
    """The tenant that the id of a test names: `...[aldgate-api]`, also beside other parameters; None for none."""
    longest_first = sorted(tenants, key=len, reverse=True)
    names, ways = ("|".join(map(re.escape, each)) for each in (longest_first, list(channels)))
    _, _, parameters = nodeid.partition("[")
    found = re.search(rf"(?:^|-)({names})-(?:{ways})(?:-|\]|$)", parameters) if names else None
    return found[1] if found else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["ringgate_session"] = node.config.stash[SESSION].label


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make sure that the id of each test names its tenant: a scheduler sees nothing else of it."""
    everybody = {tenant.id for _, tenant in items_with_tenants(items)}
    lost = [item.nodeid for item, tenant in items_with_tenants(items) if tenant_in(item.nodeid, everybody) != tenant.id]
    if lost:
        raise pytest.UsageError(f"these ids do not say which tenant they are about: {', '.join(lost)}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With `loadgroup`, a group that xdist wrote behind an id counts first; not every pytest lets it."""
    if config.getoption("dist") not in BY_TENANT:
        return None
    from xdist.scheduler import LoadScopeScheduling

    try:
        tenants = [tenant.id for tenant in config.stash[SESSION].selection.tenants]
    except pytest.UsageError:  # tests that need no inventory
        tenants = []

    class ByTenant(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            group = nodeid.rpartition("@")[2] if nodeid.rfind("@") > nodeid.rfind("]") else ""
            return group or tenant_in(nodeid, tenants) or nodeid

    return ByTenant(config, log)
