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


class Harness:
    """A run queue, its clock, and what it counted."""

    def __init__(self, api: int = 4, browsers: int = 1, held=()) -> None:
        self.now = NOON
        self.counted: Counter[tuple[str, str]] = Counter()
        self.run_queue = RunQueue({Channel.API: api, Channel.BROWSER: browsers}, self.count, lambda: self.now, held)

    def count(self, what: str, probe: Probe) -> None:
        self.counted[what, probe.tenant.id] += 1

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def take(self, channel: Channel = Channel.API, worker: int = 0) -> Tick | None:
        return self.run_queue.take(channel, worker, wait=False)

    def names(self, channel: Channel = Channel.API) -> list[str]:
        """Everything that may run now, taken."""
        found = []
        while taken := self.take(channel):
            found.append(f"{taken.probe.tenant.id} {taken.probe.scenario.id}")
        return found


@pytest.fixture
def harness():
    return Harness()


def test_what_was_due_first_runs_first(harness):
    harness.run_queue.add([tick("a"), tick("b")])
    harness.run_queue.add([tick("c")])
    assert harness.names() == ["a one", "b one", "c one"]


def test_a_tenant_has_its_cap_of_sessions_and_the_others_go_on(harness):
    harness.run_queue.add([tick("a", str(n), sessions=2) for n in range(4)] + [tick("b")])
    assert harness.names() == ["a 0", "a 1", "b one"]
    assert harness.run_queue.waits == 2


def test_a_session_that_is_free_again_is_used(harness):
    ticks = [tick("a", str(n), sessions=1) for n in range(2)]
    harness.run_queue.add(ticks)
    assert harness.names() == ["a 0"]
    harness.run_queue.done(ticks[0])
    assert harness.names() == ["a 1"]


def test_two_runs_of_a_scenario_never_overlap_on_a_tenant_over_whichever_channel(harness):
    over_api, over_browser = tick(), tick(channel=Channel.BROWSER)
    harness.run_queue.add([over_api, over_browser])
    assert harness.take() is over_api
    assert harness.take(Channel.BROWSER) is None
    harness.run_queue.done(over_api)
    assert harness.take(Channel.BROWSER) is over_browser


def test_what_is_due_again_while_it_runs_is_counted_as_overlapping(harness):
    first = tick()
    harness.run_queue.add([first])
    harness.take()
    harness.run_queue.add([tick()])
    assert (harness.counted, harness.run_queue.waits) == ({("overlapping", "aldgate"): 1}, 0)


def test_what_is_due_again_while_it_waits_has_missed_its_turn_and_waits_once(harness):
    harness.run_queue.add([tick(late=60)])
    again = tick()
    harness.run_queue.add([again])
    assert harness.counted == {("missed", "aldgate"): 1}
    assert harness.take() is again
    assert harness.take() is None


def test_what_begins_late_is_counted(harness):
    late, in_time = tick("late", late=6), tick("in-time", late=4)
    harness.run_queue.add([late, in_time])
    for _ in range(2):
        harness.run_queue.done(harness.take())
    assert harness.counted == {("late", "late"): 1}


def test_a_self_test_is_counted_nowhere(harness):
    planted = Tick(tick(late=60).probe, NOON - timedelta(seconds=60), self_test=True)
    harness.run_queue.add([planted])
    harness.run_queue.add([planted])
    harness.run_queue.done(harness.take())
    assert harness.counted == {}


# --- slow tenants ---------------------------------------------------------------------------------------------------


def test_a_tenant_that_does_not_answer_has_one_session_until_it_does(harness):
    ticks = [tick("a", str(n)) for n in range(4)]
    harness.run_queue.add(ticks[:1])
    harness.run_queue.done(harness.take(), answered=False)
    harness.run_queue.add(ticks[1:])
    (first,) = (harness.take(), harness.take())[:1]
    assert harness.names() == []
    harness.run_queue.done(first, answered=True)
    assert len(harness.names()) == 2


def test_a_run_that_takes_long_makes_its_tenant_slow(harness):
    harness.run_queue.add([tick("a", "0"), tick("b", "0")])
    assert len(harness.names()) == 2
    harness.pass_by(16)
    harness.run_queue.add([tick("a", "1"), tick("b", "1")])
    assert harness.names() == []


def test_slow_tenants_together_have_half_of_the_workers(harness):
    sick = [tick(f"sick-{n}") for n in range(4)]
    harness.run_queue.add(sick)
    for _ in sick:
        harness.run_queue.done(harness.take(), answered=False)
    harness.run_queue.add([*sick, tick("well-1"), tick("well-2")])
    assert harness.names() == ["sick-0 one", "sick-1 one", "well-1 one", "well-2 one"]


def test_how_much_runs_beside_each_other_on_a_tenant_follows_what_it_bears(harness):
    def due() -> None:
        harness.run_queue.add([tick("a", str(n), sessions=4) for n in range(4)])

    def all_come_to(**came) -> int:
        due()
        taken = [harness.take()]
        while more := harness.take():
            taken.append(more)
        for each in taken:
            came_to = result(tenant="a", scenario=each.probe.scenario.id, residue=(), **came)
            harness.run_queue.done(each, came_to)
        while rest := harness.take():
            harness.run_queue.done(rest)
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
    harness = Harness(browsers=2)
    due = tick(channel=Channel.BROWSER)
    home = due.probe.home % 2
    harness.run_queue.add([due])
    assert harness.take(Channel.BROWSER, 1 - home) is None
    harness.pass_by(16)
    assert harness.take(Channel.BROWSER, 1 - home) is due


def test_channels_do_not_take_from_each_other(harness):
    harness.run_queue.add([tick("a", channel=Channel.BROWSER)])
    assert harness.take(Channel.API) is None


# --- other processes, recovery, the end -----------------------------------------------------------------------------


def test_what_another_process_runs_is_left_out_and_counted(harness):
    harness.run_queue.add([tick()])
    assert harness.run_queue.left_out(harness.take())
    assert (harness.counted, harness.names()) == ({("overlapping", "aldgate"): 1}, [])


def test_where_other_processes_have_all_sessions_it_is_tried_again_soon(harness):
    first = tick()
    harness.run_queue.add([first])
    harness.run_queue.put_back(harness.take())
    assert harness.take() is None
    harness.pass_by(3)
    assert harness.take() is first
    assert harness.counted == {}


def test_nothing_runs_on_a_tenant_before_it_is_freed():
    harness = Harness(held={"a"})
    harness.run_queue.add([tick("a"), tick("b")])
    assert harness.names() == ["b one"]
    harness.run_queue.free("a")
    assert harness.names() == ["a one"]


def test_what_still_waits_at_the_end_was_missed(harness):
    running, waiting = tick("a", "0", sessions=1), tick("a", "1", sessions=1)
    harness.run_queue.add([running, waiting])
    harness.take()
    harness.run_queue.close()
    assert (harness.counted, harness.take()) == ({("missed", "a"): 1}, None)
    assert not harness.run_queue.settled(0)
    harness.run_queue.done(running)
    assert harness.run_queue.settled(0)


def test_a_run_that_does_not_end_is_told_once_and_its_thread_is_given_up(harness):
    harness.run_queue.add([tick()])
    stuck = harness.take()
    harness.pass_by(5 * 60)
    assert harness.run_queue.stuck() == []
    harness.pass_by(4 * 60)
    assert harness.run_queue.stuck() == [stuck]
    assert harness.run_queue.stuck() == []
    assert harness.counted == {("stuck", "aldgate"): 1}
    assert not harness.run_queue.done(stuck)
