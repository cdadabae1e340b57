"""Windows, freezes and the runway, also in the nights in which the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.schedules import window
from ringgate.rollout.calendars import CalendarRule, CalendarUnreadable, ICalendar, RolloutCalendar
from tests.support.samples import tenant

LONDON = tenant("aldgate", timezone="Europe/London")
TOKYO = tenant("kyoto", timezone="Asia/Tokyo", region="ap")
HALF_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rule(name: str, *times: str, **more) -> CalendarRule:
    return CalendarRule(name, stretches=tuple(map(window, times)), **more)


SUNDAYS = RolloutCalendar((rule("Sunday nights", "Sun 00:00-04:00"),))


@pytest.mark.parametrize(
    ("moment", "runway", "kind"),
    [
        ("2026-11-22 00:00", 4 * HOUR, None),
        ("2026-11-22 00:01", 4 * HOUR, "runway"),
        ("2026-11-22 03:30", HALF_HOUR, None),
        ("2026-11-22 04:00", HALF_HOUR, "window"),
        ("2026-11-21 23:59", HALF_HOUR, "window"),
    ],
)
def test_all_of_it_fits_before_the_window_ends(moment, runway, kind):
    found = SUNDAYS.blocked(LONDON, at(moment), runway)
    assert (found.kind if found else None) == kind


def test_an_hour_that_the_clock_skips_is_not_there():
    """On 2027-03-28 London goes from 01:00 to 02:00: the window has three hours."""
    assert SUNDAYS.blocked(LONDON, at("2027-03-28 00:00"), 3 * HOUR) is None
    assert SUNDAYS.blocked(LONDON, at("2027-03-28 00:00"), 4 * HOUR).kind == "runway"
    assert SUNDAYS.opening(LONDON, at("2027-03-27 12:00"), 4 * HOUR) == at("2027-04-03 23:00")


def test_an_hour_that_comes_twice_is_there_twice():
    """On 2026-10-25 London has 01:00 to 02:00 twice: the window has five hours."""
    assert SUNDAYS.blocked(LONDON, at("2026-10-24 23:00"), 5 * HOUR) is None
    assert SUNDAYS.blocked(LONDON, at("2026-10-24 23:00"), 6 * HOUR).kind == "runway"


def test_a_window_is_in_each_tenants_own_time():
    assert SUNDAYS.opening(TOKYO, at("2026-11-20 00:00"), HOUR) == at("2026-11-21 15:00")
    assert SUNDAYS.opening(LONDON, at("2026-11-20 00:00"), HOUR) == at("2026-11-22 00:00")


def test_windows_that_touch_are_one():
    calendar = RolloutCalendar((rule("a", "Sun 22:00-24:00"), rule("b", "Mon 00:00-02:00")))
    assert calendar.blocked(LONDON, at("2026-11-22 22:30"), 3 * HOUR) is None


YEAR_END = rule("year end", "2026-12-20 00:00 to 2027-01-06 00:00")


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        ("2026-12-19 23:00", None),
        ("2026-12-19 23:01", "runway"),
        ("2026-12-25 12:00", "freeze"),
        ("2027-01-06 00:00", None),
    ],
)
def test_nothing_begins_that_would_end_in_a_freeze(moment, kind):
    found = RolloutCalendar(freezes=(YEAR_END,)).blocked(LONDON, at(moment), HOUR)
    assert (found.kind if found else None) == kind
    assert found is None or found.freeze == "year end"


def test_a_freeze_is_passed_only_where_it_is_named():
    calendar = RolloutCalendar(freezes=(YEAR_END, rule("payroll", "2026-12-28 00:00 to 2026-12-29 00:00")))
    christmas, between = at("2026-12-25 12:00"), at("2026-12-28 12:00")
    assert calendar.blocked(LONDON, christmas, HOUR, lambda name: name == "year end") is None
    assert calendar.blocked(LONDON, between, HOUR, lambda name: name == "year end").freeze == "payroll"
    assert calendar.opening(LONDON, christmas, HOUR) == at("2027-01-06 00:00")


def test_an_opening_is_where_neither_window_nor_freeze_stands_against_it():
    calendar = RolloutCalendar((rule("Sunday nights", "Sun 00:00-04:00"),), (YEAR_END,))
    assert calendar.opening(LONDON, at("2026-12-14 00:00"), HOUR) == at("2027-01-10 00:00")
    shut = RolloutCalendar((rule("never", "2020-01-01 00:00 to 2020-01-02 00:00"),))
    assert shut.opening(LONDON, at("2026-12-14 00:00"), HOUR) is None


@pytest.mark.parametrize(("begins", "opens"), [("02:00", "2026-11-22 03:00"), ("00:30", "2026-11-22 01:30")])
def test_a_freeze_within_a_window_parts_it(begins, opens):
    hour = int(begins[:2]) + 1
    freeze = rule("backup", f"2026-11-22 {begins} to 2026-11-22 {hour:02}{begins[2:]}")
    calendar = RolloutCalendar(SUNDAYS.windows, (freeze,))
    runway = HOUR if begins == "02:00" else 2 * HOUR
    first = at("2026-11-22 00:00")
    assert calendar.opening(LONDON, first, runway) == (first if begins == "02:00" else at(opens))
    assert calendar.opening(LONDON, at("2026-11-22 01:30"), HOUR) == (
        at("2026-11-22 03:00") if begins == "02:00" else at("2026-11-22 01:30")
    )


def test_a_rule_is_for_whom_it_names():
    calendar = RolloutCalendar(
        freezes=(rule("obon", "2026-08-13 00:00 to 2026-08-17 00:00", regions=frozenset({"ap"})),)
    )
    assert calendar.blocked(TOKYO, at("2026-08-14 00:00"), HOUR).freeze == "obon"
    assert calendar.blocked(LONDON, at("2026-08-14 00:00"), HOUR) is None


def test_holidays_are_days_of_the_tenants_own_zone():
    new_year = CalendarRule("holidays", holidays=lambda _, day: "New Year" if (day.month, day.day) == (1, 1) else "")
    calendar = RolloutCalendar(freezes=(new_year,))
    assert calendar.blocked(TOKYO, at("2026-12-31 15:00"), HOUR).freeze == "holidays"
    assert calendar.blocked(LONDON, at("2026-12-31 15:00"), HOUR) is None


ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/London:20261107T220000
DTEND;TZID=Europe/London:20261108T020000
RRULE:FREQ=WEEKLY;BYDAY=SA
EXDATE;TZID=Europe/London:20261121T220000
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20261201T080000
DURATION:PT2H
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def calendar(tmp_path):
    file = tmp_path / "maintenance.ics"
    file.write_text(ICS.replace("\n", "\r\n"))
    return RolloutCalendar((CalendarRule("maintenance", events=(ICalendar(file),)),))


@pytest.mark.parametrize(
    ("whose", "after", "opens"),
    [
        (LONDON, "2026-11-09 00:00", "2026-11-14 22:00"),
        (LONDON, "2026-11-15 12:00", "2026-11-28 22:00"),  # 2026-11-21 is left out
        (TOKYO, "2026-11-15 12:00", "2026-11-28 22:00"),  # its zone stands in the file
        (LONDON, "2026-11-30 00:00", "2026-12-01 08:00"),  # no zone: the tenant's
        (TOKYO, "2026-11-30 00:00", "2026-11-30 23:00"),
        (TOKYO, "2026-12-20 12:00", "2026-12-23 15:00"),  # days: the tenant's
    ],
)
def test_events_of_an_icalendar_file_are_stretches(calendar, whose, after, opens):
    assert calendar.opening(whose, at(after), HOUR) == at(opens)


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot be read: No such file"), ("nonsense", "is no iCalendar file"),
     ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "holds no event")],
)  # fmt: skip
def test_a_calendar_that_cannot_be_read_is_told_in_a_sentence(tmp_path, text, says):
    file = tmp_path / "a.ics"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CalendarUnreadable, match=says):
        ICalendar(file)
