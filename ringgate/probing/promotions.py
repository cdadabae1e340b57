"""How long a promotion takes at the inventory's own probe schedules, ring by ring, before anything is probed. Pure.

for each in promotions(plan(inventory.tenants, scenarios), policy, now):
    print(each)     # canary: a promotion takes 46 h 16 min at this probe schedule if everything passes, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringgate.gate import GatePolicy
from ringgate.gate.promotion_forecast import (
    PromotionForecast,
    clean_null,
    promotion_at,
    share_of_moments,
    stale_tenants,
)
from ringgate.gate.words import listed, span
from ringgate.probing.plan import Probe


@dataclass(frozen=True, slots=True)
class RingForecast:
    """`stale` are tenants that are probed more seldom than the policy wants their newest result to be."""

    ring: str
    promotion: PromotionForecast
    freshness: timedelta
    stale: Mapping[str, timedelta] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        return self.promotion.fits and not self.stale

    def __str__(self) -> str:
        said = f"{self.ring}: {self.promotion}."
        if not self.stale:
            return said
        told = listed(f"{tenant} is probed every {span(every)}" for tenant, every in self.stale.items())
        minutes = round(2 * max(self.stale.values()) / timedelta(minutes=1))
        return (
            f"{said} {told} at most, and no newest result may be older than {span(self.freshness)}: probe more often, "
            f'or set [bake] freshness = "{minutes} min".'
        )


def promotions(probes: Iterable[Probe], policy: GatePolicy, now: datetime) -> tuple[RingForecast, ...]:
    """One for each ring that is probed, if a release came now and the baseline was clean."""
    rings: dict[str, list[Probe]] = {}
    for probe in probes:
        if not probe.never:
            rings.setdefault(probe.tenant.ring, []).append(probe)
    return tuple(_of_ring(ring, some, policy, now) for ring, some in rings.items())


def _of_ring(ring: str, probes: list[Probe], policy: GatePolicy, now: datetime) -> RingForecast:
    ordered = sorted(probes, key=lambda probe: probe.every)
    share = share_of_moments((_moments(probe, now, now + policy.deadline) for probe in ordered), now, policy)
    intervals = [probe.every for probe in ordered]
    fastest: dict[str, timedelta] = {}
    for probe in ordered:
        fastest.setdefault(probe.tenant.id, probe.every)
    promotion = promotion_at(policy, share, usual=clean_null(policy, intervals), intervals=intervals)
    return RingForecast(ring, promotion, policy.freshness, stale_tenants(fastest, policy))


def _moments(probe: Probe, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it is run: its slots, but for those at which its tenant is left alone."""
    number = probe.number_at(since) + 1
    while (slot := probe.slot(number)) < until:
        if not probe.closed(slot):
            yield slot
        number += 1
