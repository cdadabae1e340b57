"""Since when each tenant has a release: from the deployments that were noted, else from the first result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ringgate.domain.model import Deployment, Tenant
from ringgate.gate.words import listed, moment


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a release reached, and when. `superseded` says what came after it, "" if nothing did."""

    starts: Mapping[str, datetime] = field(default_factory=dict)
    superseded: str = ""
    remarks: tuple[str, ...] = ()


def reach_of(
    release: str, ring: str, tenants: Sequence[Tenant], deployments: Sequence[Deployment], first: datetime | None
) -> Reach:
    """`deployments` are those of the ring, oldest first; `first` is when the release's first run on it began.

    A deployment of the same release again begins its bake anew."""
    starts: dict[str, datetime] = {}
    now: dict[str, Deployment] = {}
    for deployment in deployments:
        for tenant in deployment.tenants or [tenant.id for tenant in tenants]:
            now[tenant] = deployment
            if deployment.release == release:
                starts[tenant] = deployment.at
    ours = {tenant.id for tenant in tenants}
    starts = {tenant: at for tenant, at in starts.items() if tenant in ours}
    if not starts and first is not None:
        remark = f"No deployment of {release} to {ring} is noted: its bake is taken to begin with its first run."
        return Reach({tenant.id: first for tenant in tenants}, "", (remark,))
    gone = sorted(tenant for tenant in starts if now[tenant].release != release)
    if not gone:
        return Reach(starts)
    after = now[gone[0]]
    return Reach(starts, f"{listed(gone)} got {after.release} on {moment(after.at)}")
