"""When a tenant is probed, as its inventory says: how often, at which hours, and when not. Values, and no clock.

Wall times are the tenant's own: those of its time zone.

    Weekly.of("Mon-Fri 08:00-18:00").holds(datetime(2026, 11, 23, 9))      # a Monday: True
    Weekly.of("Sat 22:00-04:00").holds(datetime(2026, 11, 22, 3))          # the night to Sunday: True
    Dated.of("2027-01-31 22:00 to 2027-02-01 04:00")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OFF = timedelta(0)
"""The interval of what is never probed."""

_CLOCK = r"([01]\d|2[0-4]):([0-5]\d)"
_WEEKLY = re.compile(rf"([A-Z][a-z]{{2}})(?:-([A-Z][a-z]{{2}}))? {_CLOCK}-{_CLOCK}")
_MOMENT = r"(\d{4}-\d\d-\d\d \d\d:\d\d)"
_DATED = re.compile(rf"{_MOMENT} to {_MOMENT}")


@dataclass(frozen=True, slots=True)
class Weekly:
    """The same stretch on some days of every week: from `start` until before `end`, on the next day if that is not
    later. `days` count from Monday, 0. `text` is how people wrote it."""

    days: frozenset[int]
    start: time
    end: time
    text: str = field(compare=False)

    @classmethod
    def of(cls, text: str) -> Weekly:
        """Raises ValueError with the rule."""
        found = _WEEKLY.fullmatch(text)
        if not found or found[1] not in DAYS or (found[2] or found[1]) not in DAYS:
            raise ValueError('must be days and hours, such as "Mon-Fri 08:00-18:00" or "Sat 22:00-04:00"')
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        days = frozenset((first + n) % 7 for n in range((last - first) % 7 + 1))
        return cls(days, _clock(found[3], found[4]), _clock(found[5], found[6]), text)

    def holds(self, local: datetime) -> bool:
        at, today = local.time().replace(tzinfo=None), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= at < self.end
        return (today in self.days and at >= self.start) or ((today - 1) % 7 in self.days and at < self.end)


@dataclass(frozen=True, slots=True)
class Dated:
    """One stretch of time, from `start` until before `end`, both without a zone."""

    start: datetime
    end: datetime
    text: str = field(compare=False)

    @classmethod
    def of(cls, text: str) -> Dated:
        """Raises ValueError with the rule."""
        found = _DATED.fullmatch(text)
        try:
            assert found
            start, end = (datetime.fromisoformat(each) for each in found.groups())
            assert start < end
        except (AssertionError, ValueError):
            raise ValueError('must be two times in order, such as "2027-01-31 22:00 to 2027-02-01 04:00"') from None
        return cls(start, end, text)

    def holds(self, local: datetime) -> bool:
        return self.start <= local.replace(tzinfo=None) < self.end


def window(text: str) -> Weekly | Dated:
    """A stretch of every week, or one by its dates. Raises ValueError with the rule."""
    return Dated.of(text) if text[:1].isdigit() else Weekly.of(text)


def _clock(hour: str, minute: str) -> time:
    if hour == "24" and minute != "00":
        raise ValueError("must end at 24:00 at the latest")
    return time(int(hour) % 24, int(minute))


@dataclass(frozen=True, slots=True)
class ProbeSchedule:
    """How one scenario is probed: every so often over each channel, OFF for never.

    A run that takes longer than its channel's deadline fails; undoing is not limited. `hours` are those in which it is
    probed at all; none for always.
    """

    api: timedelta = timedelta(minutes=5)
    browser: timedelta = timedelta(minutes=30)
    api_deadline: timedelta = timedelta(minutes=2)
    browser_deadline: timedelta = timedelta(minutes=5)
    hours: tuple[Weekly, ...] = ()


@dataclass(frozen=True, slots=True)
class Probing:
    """When a tenant is probed. `scenarios` are those for which something else holds than `usual`.

    `holidays` names a country, or a part of one, whose public holidays are no business days, and so are `days_off`:
    `hours` do not hold on them. In `maintenance` nothing is probed at all.
    """

    usual: ProbeSchedule = field(default_factory=ProbeSchedule)
    scenarios: Mapping[str, ProbeSchedule] = field(default_factory=dict)
    holidays: str = ""
    days_off: frozenset[date] = frozenset()
    maintenance: tuple[Weekly | Dated, ...] = ()

    def of(self, scenario: str) -> ProbeSchedule:
        return self.scenarios.get(scenario, self.usual)
