"""When a tenant may be worked on: inside its maintenance windows, outside of freezes, and with a runway. Pure.

Work begins only if all of it (upgrade, verification and, should it come to that, the rollback) fits before the window
ends and before the next freeze begins. Wall times are the tenant's own; what a change to or from summer time takes out
of a night, or adds to it, is counted.

calendar.blocked(tenant, now, timedelta(minutes=50))     # Blocked("freeze", "year end", "the freeze ...")
calendar.opening(tenant, now, timedelta(minutes=50))     # the first moment at which it would fit, None within a year
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.schedules import Dated, Weekly

HORIZON = timedelta(days=370)
"""How far ahead is looked for an opening."""

_DAY = timedelta(days=1)
Stretch = tuple[datetime, datetime]
"""From until before, both aware (UTC)."""


class CalendarUnreadable(RinggateError):
    """An iCalendar file cannot be read; the sentence says why."""


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Stretches of time for some tenants (none named: for all): weekly, dated, or the events of iCalendar files, and
    `holidays`: the public holidays of each tenant's region. `name` is what people call it."""

    name: str
    tenants: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    stretches: tuple[Weekly | Dated, ...] = ()
    events: tuple[ICalendar, ...] = ()
    holidays: Callable[[Tenant, date], str] | None = field(default=None, compare=False)

    def concerns(self, tenant: Tenant) -> bool:
        named = not self.tenants or tenant.id in self.tenants
        return named and (not self.regions or tenant.region in self.regions)

    def between(self, tenant: Tenant, start: datetime, end: datetime) -> Iterator[Stretch]:
        """All stretches that touch the time from `start` to `end`, in no order."""
        zone = ZoneInfo(tenant.timezone)
        first, last = (start.astimezone(zone) - _DAY).date(), (end.astimezone(zone) + _DAY).date()
        for each in self.stretches:
            if isinstance(each, Dated):
                yield _aware(each.start, zone), _aware(each.end, zone)
            else:
                yield from _weekly(each, first, last, zone)
        for calendar in self.events:
            yield from calendar.between(first, last, zone)
        if self.holidays:
            day = first
            while day <= last:
                if self.holidays(tenant, day):
                    yield _midnight(day, zone), _midnight(day + _DAY, zone)
                day += _DAY


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why nothing may begin now. `kind` is `window`, `freeze` or `runway`; `freeze` names the freeze, "" for none."""

    kind: str
    freeze: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RolloutCalendar:
    """The windows and freezes of a release. A tenant for which there is no window may be worked on at any time."""

    windows: tuple[CalendarRule, ...] = ()
    freezes: tuple[CalendarRule, ...] = ()

    def blocked(
        self, tenant: Tenant, at: datetime, runway: timedelta, allowed: Callable[[str], bool] = lambda _: False
    ) -> Blocked | None:
        """Why work of that length may not begin at `at`, None if it may. `allowed` says whether an approval lets it
        pass the freeze of a name."""
        end, zone = at + runway, ZoneInfo(tenant.timezone)
        for rule in self._freezes(tenant):
            if allowed(rule.name):
                continue
            for start, until in sorted(rule.between(tenant, at, end)):
                if start <= at < until:
                    words = f"the freeze {rule.name} lasts until {_spelled(until, zone)}"
                    return Blocked("freeze", rule.name, words)
                if at < start < end:
                    words = (
                        f"the freeze {rule.name} begins at {_spelled(start, zone)}, and {_minutes(runway)} are needed"
                    )
                    return Blocked("runway", rule.name, words)
        rules = [each for each in self.windows if each.concerns(tenant)]
        if not rules:
            return None
        for start, until in self._open(tenant, rules, at, end):
            if start <= at and end <= until:
                return None
            if start <= at < until:
                words = f"its window ends at {_spelled(until, zone)}, and {_minutes(runway)} are needed"
                return Blocked("runway", "", words)
        return Blocked("window", "", f"it is outside its windows ({', '.join(each.name for each in rules)})")

    def opening(
        self, tenant: Tenant, after: datetime, runway: timedelta, allowed: Callable[[str], bool] = lambda _: False
    ) -> datetime | None:
        """The first moment from `after` on at which work of that length may begin; None within `HORIZON`."""
        until = after + HORIZON
        rules = [each for each in self.windows if each.concerns(tenant)]
        opened = self._open(tenant, rules, after, until) if rules else [(after, until)]
        shut = [each for rule in self._freezes(tenant) if not allowed(rule.name)
                for each in rule.between(tenant, after, until)]  # fmt: skip
        closed = joined(shut)
        for start, end in opened:
            moment = max(start, after)
            for shut_at, free_at in closed:
                if free_at <= moment:
                    continue
                if shut_at >= min(moment + runway, end):
                    break
                moment = free_at
            if moment + runway <= end:
                return moment
        return None

    def _freezes(self, tenant: Tenant) -> list[CalendarRule]:
        return [each for each in self.freezes if each.concerns(tenant)]

    def _open(self, tenant: Tenant, rules: Sequence[CalendarRule], start: datetime, end: datetime) -> list[Stretch]:
        return joined(each for rule in rules for each in rule.between(tenant, start, end))


class ICalendar:
    """The events of an iCalendar file (RFC 5545), recurring ones too. What has no zone is in the tenant's."""

    def __init__(self, path: Path) -> None:
        """Raises CalendarUnreadable."""
        import icalendar  # noqa: PLC0415 - only those pay who have such files

        self.path = path
        try:
            self._calendar = icalendar.Calendar.from_ical(path.read_bytes())
        except OSError as error:
            raise CalendarUnreadable(f"cannot be read: {error.strerror}") from None
        except (ValueError, IndexError, KeyError) as error:
            raise CalendarUnreadable(f"is no iCalendar file: {error}") from None
        if not self._calendar.walk("VEVENT"):
            raise CalendarUnreadable("holds no event")

    def between(self, first: date, last: date, zone: ZoneInfo) -> Iterator[Stretch]:
        """Those that touch the days from `first` to `last`."""
        import recurring_ical_events  # noqa: PLC0415

        for event in recurring_ical_events.of(self._calendar).between(first, last + _DAY):
            start = event["DTSTART"].dt
            usual = _DAY if _is_day(start) else timedelta(0)
            lasts = event["DURATION"].dt if "DURATION" in event else usual
            end = event["DTEND"].dt if "DTEND" in event else start + lasts
            yield _moment(start, zone), _moment(end, zone)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order; what touches or overlaps is one."""
    found: list[Stretch] = []
    for start, end in sorted(each for each in stretches if each[0] < each[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _weekly(each: Weekly, first: date, last: date, zone: ZoneInfo) -> Iterator[Stretch]:
    day = first
    while day <= last:
        if day.weekday() in each.days:
            over = day if each.start < each.end else day + _DAY
            yield _aware(datetime.combine(day, each.start), zone), _aware(datetime.combine(over, each.end), zone)
        day += _DAY


def _aware(wall: datetime, zone: ZoneInfo) -> datetime:
    """A wall time that a change skips counts from before it; of one that comes twice it is the first."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _aware(datetime.combine(day, time()), zone)


def _is_day(value: Any) -> bool:
    return not isinstance(value, datetime)


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else _aware(value, zone)
    return _midnight(value, zone)


def _spelled(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
