"""Who is worked on next in a ring, and whether anything may begin now.

A rehearsal takes each ring as a whole, at any time (`Unlimited`). A rollout goes in waves that keep to its caps, begins
a tenant only inside its windows, and stops a ring at which more failed than its budget allows (`RolloutPace`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from ringgate.domain.errors import OurSideError
from ringgate.domain.model import Tenant
from ringgate.rollout.calendars import Blocked, RolloutCalendar
from ringgate.rollout.record import Objection, RehearsalRecord, TenantRecord
from ringgate.rollout.rollout_tables import RolloutTable

AT_ONCE = 2
"""Tenants of a ring that a rehearsal works on at the same time."""

STALE = timedelta(hours=1)
"""A baseline that is older is taken again before its tenant is upgraded."""


class RolloutHeld(OurSideError):
    """Nothing may begin now: a window, a freeze, a pause, a missing approval. The rollout goes on with the same command
    when that is over."""

    kind = "held"


class RolloutApprovals(Protocol):
    """Who let what pass (see `noted_approvals`). `subject` is `ring` for opening it, or `freeze NAME`."""

    def missing(self, ring: str, subject: str) -> str:
        """Why it is not approved, in a sentence; "" if it is."""
        ...


class NoApprovals:
    """Rings need no approval, and nobody passes a freeze."""

    def missing(self, ring: str, subject: str) -> str:
        return "" if subject == "ring" else "nobody approved it"


class Pace(Protocol):
    """What the controller asks. `held` raises RolloutHeld."""

    def open_ring(self, ring: str) -> None:
        """Raises RolloutHeld if the ring may not begin now."""
        ...

    def wave(self, ring: str, left: Sequence[Tenant], record: RehearsalRecord) -> list[Tenant]:
        """Who is next of those that are left; never empty. Raises RolloutHeld if nobody may begin now."""
        ...

    def may_upgrade(self, tenant: Tenant) -> None:
        """Raises RolloutHeld if this tenant's upgrade may not begin now."""
        ...

    def spares(self, ring: str, reasons: Sequence[Objection]) -> bool:
        """Whether the ring goes on all the same."""
        ...

    def fresh(self, began: datetime) -> bool:
        """Whether a baseline that was begun then still holds."""
        ...


class Unlimited:
    """Each ring as a whole, at any time; whatever speaks against a tenant stops its ring."""

    def open_ring(self, ring: str) -> None: ...

    def wave(self, ring: str, left: Sequence[Tenant], record: RehearsalRecord) -> list[Tenant]:
        return list(left)

    def may_upgrade(self, tenant: Tenant) -> None: ...

    def spares(self, ring: str, reasons: Sequence[Objection]) -> bool:
        return False

    def fresh(self, began: datetime) -> bool:
        return True


@dataclass
class RolloutPace:
    """`paused` says in a sentence why a person stopped the rollout, "" if nobody did; `check` raises what ends this
    controller, such as the loss of its lease. Called from several threads."""

    table: RolloutTable
    calendar: RolloutCalendar
    approvals: RolloutApprovals
    paused: Callable[[], str] = lambda: ""
    check: Callable[[], None] = lambda: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def open_ring(self, ring: str) -> None:
        self._go_on()
        if why := self.approvals.missing(ring, "ring"):
            raise RolloutHeld(f"ring {ring} waits for an approval: {why}")

    def wave(self, ring: str, left: Sequence[Tenant], record: RehearsalRecord) -> list[Tenant]:
        """Whoever was begun comes first, for what was upgraded must be verified, whatever the hour; and whoever failed,
        for that counts before anybody else is begun."""
        self._go_on()
        begun = [each for each in left if _begun(record.tenants[each.id])]
        if begun:
            return begun
        free, held = list[Tenant](), list[tuple[Tenant, Blocked]]()
        for tenant in left:
            if found := self._blocked(tenant, ring):
                held.append((tenant, found))
            else:
                free.append(tenant)
        if not free:
            more = f" ({len(held) - 1} more tenants wait)" if len(held) > 1 else ""
            raise RolloutHeld(f"ring {ring} waits; {self._told(*held[0], ring)}{more}")
        return self._capped(ring, free, _failed(ring, record))

    def may_upgrade(self, tenant: Tenant) -> None:
        self._go_on()
        if found := self._blocked(tenant, tenant.ring):
            raise RolloutHeld(self._told(tenant, found, tenant.ring))

    def spares(self, ring: str, reasons: Sequence[Objection]) -> bool:
        """A ring whose tenants all failed is stopped, whatever its budget is."""
        return len({each.tenant for each in reasons}) <= self.budget(ring)

    def fresh(self, began: datetime) -> bool:
        return self.clock() - began <= STALE

    def budget(self, ring: str) -> int:
        own = self.table.rings.get(ring)
        return self.table.budget if own is None or own.budget is None else own.budget

    def at_once(self, ring: str, failed: int = 0) -> int:
        """How many tenants of a ring at once, after so many failed: half for each."""
        own = self.table.rings.get(ring)
        return max(1, (own.at_once if own and own.at_once else self.table.at_once) >> failed)

    @property
    def runway(self) -> timedelta:
        return self.table.runway.whole

    def _go_on(self) -> None:
        self.check()
        if why := self.paused():
            raise RolloutHeld(why)

    def _blocked(self, tenant: Tenant, ring: str) -> Blocked | None:
        return self.calendar.blocked(tenant, self.clock(), self.runway, self._allowed(ring))

    def _told(self, tenant: Tenant, found: Blocked, ring: str) -> str:
        opens = self.calendar.opening(tenant, self.clock(), self.runway, self._allowed(ring))
        then = f"it opens at {opens:%Y-%m-%d %H:%M} UTC" if opens else "it does not open within a year"
        return f"{tenant.id}: {found.sentence}; {then}"

    def _allowed(self, ring: str) -> Callable[[str], bool]:
        return lambda freeze: not self.approvals.missing(ring, f"freeze {freeze}")

    def _capped(self, ring: str, free: Sequence[Tenant], failed: int) -> list[Tenant]:
        regions, hosts, chosen = Counter[str](), Counter[str](), list[Tenant]()
        for tenant in free:
            host = urlsplit(tenant.api).netloc
            if len(chosen) == self.at_once(ring, failed):
                break
            if regions[tenant.region] < self.table.at_once_region and hosts[host] < self.table.at_once_host:
                chosen.append(tenant)
                regions[tenant.region] += 1
                hosts[host] += 1
        return chosen


def _begun(kept: TenantRecord) -> bool:
    return "upgrade" in kept.stages or any(stage.reasons for stage in kept.stages.values())


def _failed(ring: str, record: RehearsalRecord) -> int:
    """Tenants of the ring against which something speaks."""
    found: Collection[str] = [
        name for name, each in record.tenants.items()
        if each.ring == ring and any(stage.reasons for stage in each.stages.values())
    ]  # fmt: skip
    return len(found)
