"""Whether the tenants can be used, asked in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ringgate.domain.model import Tenant
from ringgate.estate.protocol import EstateKind

AT_ONCE = 4


def states(kind: EstateKind, tenants: Mapping[str, Tenant], series: Mapping[str, str]) -> dict[str, str]:
    """The state of each tenant at its public address: `ready`, or why not."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda name: kind.ready(tenants[name], series[name], base(tenants[name])), tenants)
        return dict(zip(tenants, found, strict=True))


def base(tenant: Tenant) -> str:
    """A tenant's address on the front door, without a path."""
    scheme, _, rest = tenant.api.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
