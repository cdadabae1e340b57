"""Why a tenant is left alone at a moment: paused, under maintenance, outside its business hours, on a holiday. Pure.

closed(tenant, schedule, now)     # Closed("maintenance", "maintenance Sun 02:00-04:00")
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ringgate.domain.model import Tenant
from ringgate.domain.schedules import ProbeSchedule
from ringgate.inventory import pause_of


@dataclass(frozen=True, slots=True)
class Closed:
    """`kind` is a stable word (`paused`, `maintenance`, `hours`, `holiday`), `reason` is for people."""

    kind: str
    reason: str


def closed(tenant: Tenant, schedule: ProbeSchedule, now: datetime) -> Closed | None:
    """Why nothing is probed now; None if it may be. `now` is aware."""
    if pause := pause_of(tenant, now):
        return Closed("paused", pause)
    local = now.astimezone(ZoneInfo(tenant.timezone))
    for window in tenant.probes.maintenance:
        if window.holds(local):
            return Closed("maintenance", f"maintenance {window.text}")
    return _out_of_hours(tenant, schedule, local) if schedule.hours else None


def _out_of_hours(tenant: Tenant, schedule: ProbeSchedule, local: datetime) -> Closed | None:
    probing = tenant.probes
    if local.date() in probing.days_off:
        return Closed("holiday", f"{local.date()} is a day off")
    if name := holiday(probing.holidays, local.date()):
        return Closed("holiday", f"{local.date()} is a holiday ({name})")
    if not any(hours.holds(local) for hours in schedule.hours):
        return Closed("hours", f"outside {', '.join(hours.text for hours in schedule.hours)}")
    return None


def unknown_holidays(tenants: Iterable[Tenant]) -> list[str]:
    """A sentence for each tenant whose holidays nobody knows."""
    found = []
    for tenant in tenants:
        try:
            holiday(tenant.probes.holidays, date(2026, 1, 1))
        except NotImplementedError as error:
            found.append(f'{tenant.id}: probes.holidays: "{tenant.probes.holidays}" is not known: {error}')
    return found


@lru_cache(maxsize=4096)
def holiday(place: str, day: date) -> str:
    """The public holiday of a place (`DE-NW`) on that day, "" if it is none. Raises NotImplementedError."""
    if not place:
        return ""
    import holidays  # noqa: PLC0415 - takes half a second, which only those pay who have holidays

    country, _, part = place.partition("-")
    return str(holidays.country_holidays(country, subdiv=part or None, years=day.year).get(day) or "")
