"""Which tenants answer as the release that is judged, by what their servers said in its runs. Pure.

A tenant whose server always says something else was not reached by the release: what ran on it is no evidence, neither
for nor against. Where it says so in some runs only, before it was upgraded or after it was rolled back, those are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ringgate.domain.labels import RunLabels
from ringgate.domain.model import Deployment
from ringgate.domain.releases import contradiction
from ringgate.judging.bakes import Reach

Said = tuple[str, str]
"""A tenant, and a version that its server said."""


@dataclass(frozen=True, slots=True)
class Servers:
    """What servers said against a release: what is `wrong` is no evidence; `elsewhere` are tenants of which all is."""

    wrong: Mapping[Said, str] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()

    def evidence(self, labels: RunLabels) -> bool:
        return (labels.tenant, labels.server) not in self.wrong

    def narrowed(self, reach: Reach, release: str) -> Reach:
        """The reach without the tenants that answer as something else, with the reasons."""
        starts = {tenant: at for tenant, at in reach.starts.items() if tenant not in self.elsewhere}
        remarks = [
            f"{release} has not reached {tenant}: {reason}. What ran on it is no evidence for {release}."
            if tenant in self.elsewhere
            else f"Some runs on {tenant} are no evidence for {release}: there {reason}."
            for (tenant, _), reason in sorted(self.wrong.items())
        ]
        return replace(reach, starts=starts, remarks=(*reach.remarks, *remarks))


def said_in(labels: Iterable[RunLabels], ring: str, release: str) -> frozenset[Said]:
    """What the servers of a ring said in the runs of a release."""
    return frozenset(
        (each.tenant, each.server) for each in labels if each.server and each.release == release and each.ring == ring
    )


def against(said: Iterable[Said], release: str, deployments: Sequence[Deployment]) -> Servers:
    """`deployments` are those of the ring, oldest first: the last of the release to a tenant says what is expected."""
    whole, of_tenant = "", dict[str, str]()
    for each in deployments:
        if each.release == release:
            of_tenant.update(dict.fromkeys(each.tenants, each.version))
            if not each.tenants:
                whole, of_tenant = each.version, {}
    wrong, right = dict[Said, str](), set[str]()
    by_tenant: dict[str, set[str]] = defaultdict(set)
    for tenant, server in said:
        if reason := contradiction(server, release, of_tenant.get(tenant, whole)):
            wrong[tenant, server] = reason
            by_tenant[tenant].add(server)
        else:
            right.add(tenant)
    return Servers(wrong, frozenset(by_tenant.keys() - right))
