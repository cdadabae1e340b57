"""Which probes there are, when each is due, and what a day of it looks like: with a clock of the test's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ringgate.api import CONSULTANT, READ, REVERSIBLE, SIGN_IN, scenario
from ringgate.domain.schedules import OFF, Dated, ProbeSchedule, Probing, Weekly
from ringgate.domain.terms import Capability, Channel, Effect
from ringgate.inventory import Inventory
from ringgate.probing.calendars import closed, unknown_holidays
from ringgate.probing.plan import Probe, due, plan, unknown_scenarios
from ringgate.probing.timetable import Timetable, missed_between
from ringgate.scenario.discovery import load_scenarios
from tests.support.samples import policy, tenant

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def sample(name: str = "sample", effect: Effect = READ):
    return scenario(id=name, effect=effect, needs={SIGN_IN}, roles={CONSULTANT})(lambda erp, make, run: None)


def probing(**changes) -> Probing:
    usual = {name: changes.pop(name) for name in ("api", "browser", "hours") if name in changes}
    return Probing(usual=ProbeSchedule(**usual), **changes)


def probe(every: timedelta = MINUTE, name: str = "aldgate", channel: Channel = Channel.API, **changes) -> Probe:
    tenant_changes = {key: changes.pop(key) for key in ("timezone", "paused_until", "paused_reason") if key in changes}
    owner = tenant(name, probes=probing(api=every, browser=every, **changes), **tenant_changes)
    return Probe(owner, sample(), channel, owner.probes.usual)


def able(*_: object) -> frozenset[Capability]:
    return frozenset(Capability)


# --- slots ------------------------------------------------------------------------------------------------------------


def test_each_slot_lies_in_an_interval_of_its_own_and_is_found_again():
    one = probe(HOUR)
    first = one.number_at(NOON)
    slots = [one.slot(first + n) for n in range(200)]
    assert slots == sorted(slots)
    assert [one.number_at(slot) for slot in slots] == list(range(first, first + 200))
    assert all(HOUR * 0.9 <= after - before <= HOUR * 1.1 for before, after in pairwise(slots))
    assert one.slot(first) <= NOON < one.next_after(NOON) == one.slot(first + 1)


def test_jitter_moves_a_slot_by_a_minute_at_most():
    daily = probe(timedelta(days=1))
    times = [daily.slot(n).timestamp() % 86400 for n in range(20600, 20700)]
    assert 30 < max(times) - min(times) <= 60


def test_a_thousand_probes_spread_evenly_over_the_interval():
    tenths = [0] * 10
    for n in range(1000):
        one = probe(MINUTE, f"tenant-{n}")
        tenths[int((one.slot(one.number_at(NOON)).timestamp() % 60) // 6)] += 1
    assert min(tenths) > 60
    assert max(tenths) < 140


def test_the_plan_is_the_same_in_every_process():
    assert probe().slot(29_000_000).isoformat(timespec="seconds") == "2025-02-19T21:20:24+00:00"


# --- plan -------------------------------------------------------------------------------------------------------------


def test_what_is_never_run_is_in_the_plan_with_the_reason():
    reading = tenant("reader", policy=policy(effects=Effect.READ))
    offline = tenant("offline", web="", probes=probing(api=OFF))
    probes = plan([reading, offline], [sample(effect=REVERSIBLE)], capabilities=able)
    assert {(p.tenant.id, p.channel): p.never for p in probes} == {
        ("reader", Channel.API): "reader allows read effects, sample is reversible",
        ("reader", Channel.BROWSER): "reader allows read effects, sample is reversible",
        ("offline", Channel.API): "the inventory says probes.api = off",
        ("offline", Channel.BROWSER): "offline has no web address",
    }


def test_a_pause_ends_some_day_so_it_is_no_reason_for_never():
    paused = tenant(paused_until=date(2027, 1, 1), paused_reason="audit")
    one, _ = plan([paused], [sample()], capabilities=able)
    assert one.never == ""
    assert one.closed(NOON).reason == "paused until 2027-01-01: audit"


def test_a_scenario_can_have_a_schedule_of_its_own():
    usual = ProbeSchedule(api=MINUTE, browser=HOUR)
    owner = tenant(probes=Probing(usual, {"slow": replace(usual, api=HOUR, api_deadline=HOUR)}))
    every = {p.key[1:]: (p.every, p.deadline) for p in plan([owner], [sample(), sample("slow")], capabilities=able)}
    assert every["sample", Channel.API] == (MINUTE, timedelta(minutes=2))
    assert every["slow", Channel.API] == (HOUR, HOUR)
    assert every["slow", Channel.BROWSER] == (HOUR, timedelta(minutes=5))


def test_the_demos_inventory_says_how_often_everything_is_due():
    root = Path(__file__).parents[3]
    inventory, scenarios = Inventory.load(root / "tenants"), load_scenarios(root / "scenarios")
    every = due(inventory, scenarios)
    assert every["aldgate", "time-entry", Channel.API] == timedelta(minutes=2)
    assert every["aldgate", "authority", Channel.API] == HOUR
    assert every["kyoto", "project-to-cash", Channel.BROWSER] == HOUR
    assert ("aldgate", "tenant-isolation", Channel.BROWSER) not in every
    assert {tenant for tenant, _, _ in every} == {"aldgate", "bleecker", "cologne", "kyoto"}
    assert not [name for _, name, _ in every if "in-flight" in name]
    sunday = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    assert {tenant for tenant, _, _ in due(inventory, scenarios, sunday)} == {"bleecker", "cologne", "kyoto"}
    assert unknown_scenarios(inventory.tenants, scenarios) == []
    assert unknown_holidays(inventory.tenants) == []


def test_a_schedule_for_a_scenario_that_does_not_exist_is_told():
    owner = tenant(probes=Probing(scenarios={"time-enrty": ProbeSchedule()}))
    assert unknown_scenarios([owner], ["time-entry"]) == [
        'aldgate: probes.scenarios.time-enrty: no scenario is called "time-enrty"'
    ]


# --- when a tenant is left alone --------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        ("2026-11-23 07:59+00:00", "hours"),  # Monday, 7:59 in London
        ("2026-11-23 08:00+00:00", None),
        ("2026-11-23 18:00+00:00", "hours"),
        ("2026-11-21 12:00+00:00", "hours"),  # Saturday
        ("2027-06-14 07:30+00:00", None),  # 8:30 in London: summer time
        ("2026-12-25 12:00+00:00", "holiday"),
        ("2026-11-24 12:00+00:00", "holiday"),  # a day off of its own
        ("2026-11-22 02:30+00:00", "maintenance"),
        ("2026-11-25 12:00+00:00", "maintenance"),  # once
        ("2026-11-26 12:00+00:00", None),
    ],
)
def test_the_tenants_own_clock_and_calendar_decide(moment, kind):
    hours = (Weekly.of("Mon-Fri 08:00-18:00"),)
    windows = (Weekly.of("Sun 02:00-04:00"), Dated.of("2026-11-25 11:00 to 2026-11-25 13:00"))
    one = probe(hours=hours, holidays="GB-ENG", days_off=frozenset({date(2026, 11, 24)}), maintenance=windows)
    found = closed(one.tenant, one.schedule, at(moment))
    assert (found.kind if found else None) == kind


def test_holidays_are_no_matter_to_who_has_no_hours():
    assert probe(holidays="GB-ENG").closed(at("2026-12-25 12:00+00:00")) is None


def test_a_holiday_is_told_by_its_name():
    one = probe(hours=(Weekly.of("Mon-Fri 08:00-18:00"),), holidays="DE-NW", timezone="Europe/Berlin")
    assert one.closed(at("2027-05-27 12:00+00:00")).reason == "2027-05-27 is a holiday (Corpus Christi)"


def test_holidays_that_nobody_knows_are_told():
    assert unknown_holidays([tenant(probes=Probing(holidays="DE-QQ")), tenant("other")]) == [
        'aldgate: probes.holidays: "DE-QQ" is not known: Entity `DE` does not have subdivision QQ'
    ]


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Sat 22:00-04:00", ["2026-11-21 22:00", "2026-11-22 03:59"], ["2026-11-21 21:59", "2026-11-22 04:00"]),
        ("Sat-Mon 00:00-24:00", ["2026-11-21 00:00", "2026-11-23 23:59"], ["2026-11-20 23:59", "2026-11-24 00:00"]),
        ("Sun 20:00-24:00", ["2026-11-22 23:59"], ["2026-11-23 00:00", "2026-11-22 19:59"]),
        ("Mon 09:00-09:30", ["2026-11-23 09:00"], ["2026-11-23 09:30", "2026-11-24 09:00"]),
    ],
)
def test_a_stretch_of_the_week(text, inside, outside):
    stretch = Weekly.of(text)
    assert [stretch.holds(at(moment)) for moment in (*inside, *outside)] == [True] * len(inside) + [False] * len(
        outside
    )


# --- ticks ------------------------------------------------------------------------------------------------------------


def test_a_minute_of_a_probe_is_one_tick():
    table, ticks = Timetable([probe(MINUTE)], NOON), []
    for second in range(1, 3601):
        found, passed = table.due(NOON + timedelta(seconds=second))
        ticks += found
        assert not passed
    assert len(ticks) == 60
    assert all(timedelta() <= tick.slot - NOON <= HOUR for tick in ticks)


def test_after_a_stall_there_is_one_tick_and_the_rest_is_counted():
    one = probe(MINUTE)
    table = Timetable([one], NOON)
    ticks, passed = table.due(NOON + HOUR)
    assert ([tick.probe for tick in ticks], passed) == ([one], {("missed", *one.key): 59})
    assert ticks[0].slot == one.slot(one.number_at(NOON + HOUR))
    assert table.due(NOON + HOUR) == ([], {})


def test_what_was_not_wanted_was_not_missed():
    one = probe(MINUTE, hours=(Weekly.of("Mon 08:00-12:30"),))
    ticks, passed = Timetable([one], NOON).due(NOON + 2 * HOUR)
    assert ticks == []
    assert passed == {("missed", *one.key): 30, ("skipped:hours", *one.key): 1}


def test_a_tick_in_maintenance_is_passed_over_and_counted():
    one = probe(MINUTE, maintenance=(Dated.of("2026-11-23 12:00 to 2026-11-23 12:10"),))
    table, told = Timetable([one], NOON), Counter()
    ticks = []
    for second in range(1, 1201):
        found, passed = table.due(NOON + timedelta(seconds=second))
        ticks += found
        told.update(passed)
    assert (len(ticks), told) == (10, {("skipped:maintenance", *one.key): 10})


def test_a_clock_that_was_set_back_does_not_silence_anything():
    table = Timetable([probe(MINUTE)], NOON)
    table.due(NOON + 2 * HOUR)
    found = [tick for second in range(1, 121) for tick in table.due(NOON + timedelta(seconds=second))[0]]
    assert len(found) == 2


def test_what_is_never_run_has_no_ticks():
    assert Timetable([replace(probe(), never="no")], NOON).due(NOON + HOUR) == ([], {})


def test_what_nobody_was_there_for_was_missed():
    one, paused = probe(MINUTE), probe(MINUTE, paused_until=date(2027, 1, 1), paused_reason="x")
    assert missed_between([one, paused], NOON, NOON + HOUR) == {("missed", *one.key): 60}


def test_who_was_left_alone_for_a_while_had_a_right_to_silence():
    one = probe(MINUTE, maintenance=(Dated.of("2026-11-23 12:10 to 2026-11-23 12:20"),))
    assert not one.rested(NOON, NOON + 9 * MINUTE)
    assert one.rested(NOON, NOON + 15 * MINUTE)
    assert one.rested(NOON, NOON + HOUR)
    assert not one.rested(NOON + HOUR / 2, NOON + HOUR)


def test_the_last_time_that_a_run_was_due_passes_over_what_was_closed():
    one = probe(MINUTE, maintenance=(Dated.of("2026-11-23 12:00 to 2026-11-23 14:00"),))
    last = one.last_due(NOON + HOUR)
    assert last == one.slot(one.number_at(NOON - timedelta(seconds=1)))
    assert probe(MINUTE, paused_until=date(2027, 1, 1), paused_reason="x").last_due(NOON, HOUR) is None
