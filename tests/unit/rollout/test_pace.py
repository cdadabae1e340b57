"""Who is next, and what a rollout waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.schedules import window
from ringgate.rollout.calendars import CalendarRule, RolloutCalendar
from ringgate.rollout.pace import NoApprovals, RolloutHeld, RolloutPace
from ringgate.rollout.record import FORM, Objection, RehearsalRecord, RingRecord, StageRecord, TenantRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.rollout_tables import RolloutTable
from tests.support.samples import tenant

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
TENANTS = [tenant(f"t{n}", region=f"r{n % 2}", api=f"http://host-{n % 3}.invalid/t{n}") for n in range(6)]
ALWAYS = RolloutCalendar()
NIGHTS = RolloutCalendar((CalendarRule("nights", stretches=(window("Sun 00:00-04:00"),)),))


def record(**stages: str) -> RehearsalRecord:
    """A record in which tenants have a stage of that name."""
    kept = {each.id: TenantRecord(ring="canary") for each in TENANTS}
    for name, stage in stages.items():
        kept[name].stages[stage] = StageRecord(began=NOW)
    return RehearsalRecord(
        form=FORM, release="r", title="r", before="7.0", after="8.0", risk="low", digest="", session="s", began=NOW,
        tenants=kept, rings={"canary": RingRecord()},
    )  # fmt: skip


def pace(calendar: RolloutCalendar = ALWAYS, now: datetime = NOW, approvals=None, **table) -> RolloutPace:
    return RolloutPace(RolloutTable(**table), calendar, approvals or NoApprovals(), clock=lambda: now)


def against(name: str) -> Objection:
    return Objection(condition="process_failed", action=RolloutAction.ROLL_BACK, tenant=name, sentence="no")


@pytest.mark.parametrize(
    ("table", "chosen"),
    [
        ({"at_once": 3}, "t0 t1 t2"),
        ({"at_once": 6, "at_once_region": 1}, "t0 t1"),
        ({"at_once": 6, "at_once_host": 1}, "t0 t1 t2"),
        ({"at_once": 6, "rings": {"canary": {"at_once": 1}}}, "t0"),
    ],
)
def test_a_wave_keeps_to_every_cap(table, chosen):
    assert " ".join(each.id for each in pace(**table).wave("canary", TENANTS, record())) == chosen


def test_each_failure_halves_how_many_run_at_once():
    kept, sizes = record(), []
    for name in ("t5", "t4", "t3"):
        sizes.append(len(pace(at_once=4).wave("canary", TENANTS[:3] * 2, kept)))
        kept.tenants[name].stages["verification"] = StageRecord(began=NOW, reasons=[against(name)])
    assert sizes == [4, 2, 1]
    assert len(pace(at_once=4).wave("canary", TENANTS[:3], kept)) == 1


def test_who_was_begun_comes_first_whatever_the_hour():
    late = NOW + timedelta(hours=12)
    assert [x.id for x in pace(NIGHTS, late).wave("canary", TENANTS, record(t4="upgrade"))] == ["t4"]
    with pytest.raises(
        RolloutHeld, match=r"t0: it is outside its windows \(nights\); it opens at 2026-11-29 00:00 UTC"
    ):
        pace(NIGHTS, late).wave("canary", TENANTS, record(t4="baseline"))


def test_who_failed_counts_before_anybody_else_is_begun():
    kept = record()
    kept.tenants["t4"].stages["baseline"] = StageRecord(began=NOW, reasons=[against("t4")])
    closed = RolloutCalendar((CalendarRule("never", stretches=(window("Mon 00:00-04:00"),)),))
    assert [each.id for each in pace(closed).wave("canary", TENANTS, kept)] == ["t4"]


def test_a_window_that_closed_since_the_wave_was_chosen_holds_the_tenant():
    pace(NIGHTS).may_upgrade(TENANTS[0])
    with pytest.raises(RolloutHeld, match="its window ends at 2026-11-22 04:00 GMT, and 30 min are needed"):
        pace(NIGHTS, NOW + timedelta(hours=2, minutes=31)).may_upgrade(TENANTS[0])


def test_a_pause_and_a_lost_lease_stop_everything():
    held = pace()
    held.paused = lambda: "paused by qa"
    for ask in (lambda: held.open_ring("canary"), lambda: held.wave("canary", TENANTS, record()),
                lambda: held.may_upgrade(TENANTS[0])):  # fmt: skip
        with pytest.raises(RolloutHeld, match="paused by qa"):
            ask()


class Approved:
    """Approves what it was told."""

    def __init__(self, *subjects: str) -> None:
        self.subjects = subjects

    def missing(self, ring: str, subject: str) -> str:
        return "" if subject in self.subjects else f"nobody approved {subject}"


def test_a_ring_that_is_not_approved_is_not_opened():
    with pytest.raises(RolloutHeld, match="ring canary waits for an approval: nobody approved ring"):
        pace(approvals=Approved()).open_ring("canary")
    pace(approvals=Approved("ring")).open_ring("canary")


def test_nobody_passes_a_freeze_without_an_approval_that_names_it():
    frozen = RolloutCalendar(
        freezes=(CalendarRule("payroll", stretches=(window("2026-11-22 00:00 to 2026-11-24 00:00"),)),)
    )
    for approvals in (NoApprovals(), Approved("ring"), Approved("freeze year end")):
        with pytest.raises(RolloutHeld, match="the freeze payroll lasts until 2026-11-24 00:00 GMT"):
            pace(frozen, approvals=approvals).may_upgrade(TENANTS[0])
    pace(frozen, approvals=Approved("freeze payroll")).may_upgrade(TENANTS[0])


def test_a_budget_counts_tenants_not_sentences():
    reasons = [against("t0"), against("t0"), against("t1")]
    assert pace(budget=2).spares("canary", reasons)
    assert not pace(budget=1).spares("canary", reasons)
    assert pace(budget=0, rings={"canary": {"budget": 2}}).spares("canary", reasons)
