"""Who runs next, with a clock of the test's own and no threads."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ringgate.api import CONSULTANT, READ, SIGN_IN, scenario
from ringgate.domain.model import Failure
from ringgate.domain.schedules import ProbeSchedule
from ringgate.domain.terms import Channel, Outcome
from ringgate.probing.plan import Probe
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.timetable import Tick
from tests.support.samples import tenant
from tests.unit.store.test_store import result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def tick(
    name: str = "aldgate", process: str = "one", channel: Channel = Channel.API, late: float = 0, **changes
) -> Tick:
    process_ = scenario(id=process, effect=READ, needs={SIGN_IN}, roles={CONSULTANT})(lambda erp, make, run: None)
    probe = Probe(tenant(name, **changes), process_, channel, ProbeSchedule())
    return Tick(probe, NOON - timedelta(seconds=late))


class Desk:
    """A line-up, its clock, and what it counted."""

    def __init__(self, api: int = 4, browsers: int = 1, held=()) -> None:
        self.now = NOON
        self.counted: Counter[tuple[str, str]] = Counter()
        self.run_queue = RunQueue({Channel.API: api, Channel.BROWSER: browsers}, self.count, lambda: self.now, held)

    def count(self, what: str, probe: Probe) -> None:
        self.counted[what, probe.tenant.id] += 1

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def take(self, channel: Channel = Channel.API, lane: int = 0) -> Tick | None:
        return self.run_queue.take(channel, lane, wait=False)

    def names(self, channel: Channel = Channel.API) -> list[str]:
        """Everything that may run now, taken."""
        found = []
        while taken := self.take(channel):
            found.append(f"{taken.probe.tenant.id} {taken.probe.scenario.id}")
        return found


@pytest.fixture
def desk():
    return Desk()


def test_what_was_due_first_runs_first(desk):
    desk.run_queue.add([tick("a"), tick("b")])
    desk.run_queue.add([tick("c")])
    assert desk.names() == ["a one", "b one", "c one"]


def test_a_tenant_has_its_cap_of_sessions_and_the_others_go_on(desk):
    desk.run_queue.add([tick("a", str(n), sessions=2) for n in range(4)] + [tick("b")])
    assert desk.names() == ["a 0", "a 1", "b one"]
    assert desk.run_queue.waits == 2


def test_a_session_that_is_free_again_is_used(desk):
    ticks = [tick("a", str(n), sessions=1) for n in range(2)]
    desk.run_queue.add(ticks)
    assert desk.names() == ["a 0"]
    desk.run_queue.done(ticks[0])
    assert desk.names() == ["a 1"]


def test_two_runs_of_a_scenario_never_overlap_on_a_tenant_over_whichever_channel(desk):
    over_api, over_browser = tick(), tick(channel=Channel.BROWSER)
    desk.run_queue.add([over_api, over_browser])
    assert desk.take() is over_api
    assert desk.take(Channel.BROWSER) is None
    desk.run_queue.done(over_api)
    assert desk.take(Channel.BROWSER) is over_browser


def test_what_is_due_again_while_it_runs_is_counted_as_overlapping(desk):
    first = tick()
    desk.run_queue.add([first])
    desk.take()
    desk.run_queue.add([tick()])
    assert (desk.counted, desk.run_queue.waits) == ({("overlapping", "aldgate"): 1}, 0)


def test_what_is_due_again_while_it_waits_has_missed_its_turn_and_waits_once(desk):
    desk.run_queue.add([tick(late=60)])
    again = tick()
    desk.run_queue.add([again])
    assert desk.counted == {("missed", "aldgate"): 1}
    assert desk.take() is again
    assert desk.take() is None


def test_what_begins_late_is_counted(desk):
    late, in_time = tick("late", late=6), tick("in-time", late=4)
    desk.run_queue.add([late, in_time])
    for _ in range(2):
        desk.run_queue.done(desk.take())
    assert desk.counted == {("late", "late"): 1}


def test_a_self_test_is_counted_nowhere(desk):
    planted = Tick(tick(late=60).probe, NOON - timedelta(seconds=60), self_test=True)
    desk.run_queue.add([planted])
    desk.run_queue.add([planted])
    desk.run_queue.done(desk.take())
    assert desk.counted == {}


# --- slow tenants ---------------------------------------------------------------------------------------------------


def test_a_tenant_that_does_not_answer_has_one_session_until_it_does(desk):
    ticks = [tick("a", str(n)) for n in range(4)]
    desk.run_queue.add(ticks[:1])
    desk.run_queue.done(desk.take(), answered=False)
    desk.run_queue.add(ticks[1:])
    (first,) = (desk.take(), desk.take())[:1]
    assert desk.names() == []
    desk.run_queue.done(first, answered=True)
    assert len(desk.names()) == 2


def test_a_run_that_takes_long_makes_its_tenant_slow(desk):
    desk.run_queue.add([tick("a", "0"), tick("b", "0")])
    assert len(desk.names()) == 2
    desk.pass_by(16)
    desk.run_queue.add([tick("a", "1"), tick("b", "1")])
    assert desk.names() == []


def test_slow_tenants_together_have_half_of_the_workers(desk):
    sick = [tick(f"sick-{n}") for n in range(4)]
    desk.run_queue.add(sick)
    for _ in sick:
        desk.run_queue.done(desk.take(), answered=False)
    desk.run_queue.add([*sick, tick("well-1"), tick("well-2")])
    assert desk.names() == ["sick-0 one", "sick-1 one", "well-1 one", "well-2 one"]


def test_how_much_runs_beside_each_other_on_a_tenant_follows_what_it_bears(desk):
    def due() -> None:
        desk.run_queue.add([tick("a", str(n), sessions=4) for n in range(4)])

    def all_come_to(**came) -> int:
        due()
        taken = [desk.take()]
        while more := desk.take():
            taken.append(more)
        for each in taken:
            came_to = result(tenant="a", scenario=each.probe.scenario.id, residue=(), **came)
            desk.run_queue.done(each, came_to)
        while rest := desk.take():
            desk.run_queue.done(rest)
        return len(taken)

    good = {"outcome": Outcome.PASSED, "failure": None, "seconds": 4.0}
    assert all_come_to(**good) == 2
    while all_come_to(**good) < 4:
        pass
    assert all_come_to(outcome=Outcome.FAILED, failure=Failure("unavailable", "timed out")) == 4
    assert all_come_to(**good) == 2
    while all_come_to(**good) < 4:
        pass
    assert all_come_to(**(good | {"seconds": 13.0})) == 4  # three times as long as usual
    assert all_come_to(**good) == 2


# --- browsers -------------------------------------------------------------------------------------------------------


def test_each_browser_has_tenants_of_its_own_and_takes_others_late():
    desk = Desk(browsers=2)
    due = tick(channel=Channel.BROWSER)
    home = due.probe.home % 2
    desk.run_queue.add([due])
    assert desk.take(Channel.BROWSER, 1 - home) is None
    desk.pass_by(16)
    assert desk.take(Channel.BROWSER, 1 - home) is due


def test_channels_do_not_take_from_each_other(desk):
    desk.run_queue.add([tick("a", channel=Channel.BROWSER)])
    assert desk.take(Channel.API) is None


# --- other processes, recovery, the end -----------------------------------------------------------------------------


def test_what_another_process_runs_is_left_out_and_counted(desk):
    desk.run_queue.add([tick()])
    assert desk.run_queue.left_out(desk.take())
    assert (desk.counted, desk.names()) == ({("overlapping", "aldgate"): 1}, [])


def test_where_other_processes_have_all_sessions_it_is_tried_again_soon(desk):
    first = tick()
    desk.run_queue.add([first])
    desk.run_queue.put_back(desk.take())
    assert desk.take() is None
    desk.pass_by(3)
    assert desk.take() is first
    assert desk.counted == {}


def test_nothing_runs_on_a_tenant_before_it_is_freed():
    desk = Desk(held={"a"})
    desk.run_queue.add([tick("a"), tick("b")])
    assert desk.names() == ["b one"]
    desk.run_queue.free("a")
    assert desk.names() == ["a one"]


def test_what_still_waits_at_the_end_was_missed(desk):
    running, waiting = tick("a", "0", sessions=1), tick("a", "1", sessions=1)
    desk.run_queue.add([running, waiting])
    desk.take()
    desk.run_queue.close()
    assert (desk.counted, desk.take()) == ({("missed", "a"): 1}, None)
    assert not desk.run_queue.settled(0)
    desk.run_queue.done(running)
    assert desk.run_queue.settled(0)


def test_a_run_that_does_not_end_is_told_once_and_its_thread_is_given_up(desk):
    desk.run_queue.add([tick()])
    stuck = desk.take()
    desk.pass_by(5 * 60)
    assert desk.run_queue.stuck() == []
    desk.pass_by(4 * 60)
    assert desk.run_queue.stuck() == [stuck]
    assert desk.run_queue.stuck() == []
    assert desk.counted == {("stuck", "aldgate"): 1}
    assert not desk.run_queue.done(stuck)
