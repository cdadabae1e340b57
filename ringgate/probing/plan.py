"""Which probes there are, and when each is due. Pure: the same inventory and scenarios give the same plan anywhere.

Each probe has a place of its own in its interval, by a hash of its name, so that a thousand of them spread evenly over
it; each time it comes a little later than that, by at most a tenth of the interval, so that it falls in step with
nothing else.

    for probe in plan(inventory.tenants, scenarios):
        print(probe.tenant, probe.scenario, probe.channel, probe.every, probe.next_after(now), probe.never)
    due(inventory, scenarios)     # {("aldgate", "time-entry", Channel.API): timedelta(minutes=2), ...}
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.schedules import OFF, ProbeSchedule
from ringgate.domain.terms import Capability, Channel
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers import registry
from ringgate.execution.applicability import not_applicable
from ringgate.inventory import Inventory
from ringgate.probing.calendars import Closed, closed

Key = tuple[str, str, Channel]
"""A probe's name: tenant, scenario, channel."""

Capabilities = Callable[[str, Channel], frozenset[Capability] | None]

JITTER = 0.1
"""How much later than its place a probe comes at most, as a part of its interval; never more than a minute."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A scenario that is run again and again on a tenant over a channel.

    `never` says why it is not; then it has no slots. Slots are numbered since 1970; `place` is in seconds."""

    tenant: Tenant
    scenario: Scenario
    channel: Channel
    schedule: ProbeSchedule
    never: str = ""
    key: Key = field(init=False)
    place: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.tenant.id, self.scenario.id, self.channel))
        object.__setattr__(self, "place", 0.0 if self.never else _fraction(*self.key) * self._seconds)

    def __str__(self) -> str:
        return f"{self.scenario.id} on {self.tenant.id} over {self.channel}"

    @property
    def every(self) -> timedelta:
        return self.schedule.api if self.channel is Channel.API else self.schedule.browser

    @property
    def deadline(self) -> timedelta:
        return self.schedule.api_deadline if self.channel is Channel.API else self.schedule.browser_deadline

    @property
    def home(self) -> int:
        """A number of its tenant's, for who keeps something for some tenants and not for others."""
        return int(_fraction(self.tenant.id) * 2**20)

    @property
    def _seconds(self) -> float:
        return self.every.total_seconds()

    @property
    def _jitter(self) -> float:
        return min(self._seconds * JITTER, 60.0)

    def slot(self, number: int) -> datetime:
        """When it is due for the `number`-th time."""
        late = _fraction(*self.key, number) * self._jitter
        return datetime.fromtimestamp(number * self._seconds + self.place + late, UTC)

    def number_at(self, moment: datetime) -> int:
        """The number of the last slot at or before `moment`."""
        number = math.floor((moment.timestamp() - self.place) / self._seconds)
        return number if self.slot(number) <= moment else number - 1

    def next_after(self, moment: datetime) -> datetime:
        """The first slot after `moment`, whether or not the tenant is left alone then."""
        return self.slot(self.number_at(moment) + 1)

    def closed(self, moment: datetime) -> Closed | None:
        """Why it is not run at that moment, if it is not."""
        return closed(self.tenant, self.schedule, moment)

    @property
    def always(self) -> bool:
        """Whether there is no time at which it is not run."""
        tenant = self.tenant
        return tenant.paused_until is None and not tenant.probes.maintenance and not self.schedule.hours

    def rested(self, since: datetime, until: datetime) -> bool:
        """Whether it was not to run at some time between the two moments: no result then is no silence."""
        if self.always:
            return False
        slots = map(self.slot, range(self.number_at(since) + 1, self.number_at(until) + 1))
        return any(self.closed(moment) for moment in (since, until, *slots))

    def last_due(self, moment: datetime, back: timedelta = timedelta(days=7)) -> datetime | None:
        """The last slot at or before `moment` at which it was to run; None if there was none in the time `back`."""
        number = self.number_at(moment)
        while (slot := self.slot(number)) > moment - back:
            if not self.closed(slot):
                return slot
            number -= 1
        return None


def plan(
    tenants: Iterable[Tenant],
    scenarios: Iterable[Scenario],
    *,
    neighbours: Iterable[Tenant] | None = None,
    capabilities: Capabilities = registry.capabilities,
) -> tuple[Probe, ...]:
    """Every scenario on every tenant over every channel, those that are never run too, with the reason.

    Processes in two phases are for upgrades, and no probes. `neighbours` are all tenants whose sessions may be tried on
    others (default: `tenants`)."""
    tenants, scenarios = tuple(tenants), tuple(each for each in scenarios if not isinstance(each, TwoPhaseScenario))
    neighbours = tenants if neighbours is None else tuple(neighbours)
    abilities = {(erp, channel): capabilities(erp, channel) for erp in {t.erp for t in tenants} for channel in Channel}
    probes = []
    for tenant in tenants:
        for scenario in scenarios:
            schedule = tenant.probes.of(scenario.id)
            for channel in Channel:
                able = abilities[tenant.erp, channel]
                # A pause ends some day, so it is no reason for never: on the last of all days nobody is paused.
                never = not_applicable(scenario, tenant, channel, able, date.max, neighbours)
                probes.append(Probe(tenant, scenario, channel, schedule, never or _unwanted(tenant, channel, schedule)))
    return tuple(probes)


def _unwanted(tenant: Tenant, channel: Channel, schedule: ProbeSchedule) -> str:
    if channel is Channel.BROWSER and not tenant.web:
        return f"{tenant.id} has no web address"
    every = schedule.api if channel is Channel.API else schedule.browser
    return f"the inventory says probes.{channel} = off" if every == OFF else ""


def due(
    inventory: Inventory, scenarios: Mapping[str, Scenario] | Iterable[Scenario], now: datetime | None = None
) -> dict[Key, timedelta]:
    """How often each probe of the whole inventory is due. With `now`, those of tenants left alone then are left out."""
    known = scenarios.values() if isinstance(scenarios, Mapping) else scenarios
    return {
        probe.key: probe.every
        for probe in plan(inventory.tenants, known)
        if not probe.never and not (now and probe.closed(now))
    }


def unknown_scenarios(tenants: Iterable[Tenant], known: Iterable[str]) -> list[str]:
    """A sentence for each scenario that an inventory gives a schedule, and that does not exist."""
    names = set(known)
    return [
        f'{tenant.id}: probes.scenarios.{name}: no scenario is called "{name}"'
        for tenant in tenants
        for name in tenant.probes.scenarios
        if name not in names
    ]


def _fraction(*name: object) -> float:
    """A number from 0 to before 1 that is always the same for a name."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56
