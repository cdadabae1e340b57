"""As many runs beside each other as a tenant bears: grows by one, is halved, and never goes beyond its sessions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ringgate.domain.model import Failure
from ringgate.domain.terms import Outcome
from ringgate.execution.concurrency import ConcurrencyLimits, bore
from tests.support.samples import tenant
from tests.unit.store.test_store import result

ALDGATE, KYOTO = tenant(sessions=8), tenant("kyoto", sessions=8)
PASSED = result(outcome=Outcome.PASSED, failure=None, residue=(), seconds=4.0)
SLOW = result(outcome=Outcome.PASSED, failure=None, residue=(), seconds=13.0)
TIMED_OUT = result(outcome=Outcome.FAILED, failure=Failure("unavailable", "did not answer in time"))
USUAL = 4.0


@pytest.fixture
def limits():
    return ConcurrencyLimits()


def fill(limits, whom=ALDGATE):
    """Begins as many runs as may be."""
    rooms = []
    while room := limits.begin(whom):
        rooms.append(room)
    return rooms


def full_house(limits, came=PASSED, whom=ALDGATE) -> int:
    """As many runs as may be, all of which come to this. Returns their number."""
    rooms = fill(limits, whom)
    for room in rooms:
        room.ended(came, USUAL)
        limits.end(whom, room)
    return len(rooms)


def test_it_starts_low_and_grows_by_one_up_to_the_sessions_of_the_tenant(limits):
    few = tenant(sessions=4)
    assert limits.allowed(few) == 2
    while limits.allowed(few) < 4:
        before = limits.allowed(few)
        while limits.allowed(few) == before:
            full_house(limits, whom=few)
        assert limits.allowed(few) == before + 1
    for _ in range(20):
        full_house(limits, whom=few)
    assert limits.allowed(few) == 4


@pytest.mark.parametrize("came", [TIMED_OUT, SLOW])
def test_a_time_out_or_a_run_far_above_its_pace_halves_it(limits, came):
    while limits.allowed(ALDGATE) < 8:
        full_house(limits)
    (room, *others) = fill(limits)
    room.ended(came, USUAL)
    limits.end(ALDGATE, room)
    assert limits.allowed(ALDGATE) == 4
    assert limits.begin(ALDGATE) is None  # seven are under way still
    assert len(others) == 7


def test_what_was_begun_before_it_was_halved_does_not_halve_it_again(limits):
    while limits.allowed(ALDGATE) < 8:
        full_house(limits)
    assert full_house(limits, TIMED_OUT) == 8
    assert limits.allowed(ALDGATE) == 4


def test_one_run_may_always_go(limits):
    for _ in range(5):
        full_house(limits, TIMED_OUT)
    assert limits.allowed(ALDGATE) == 1


def test_it_does_not_grow_while_it_is_not_used(limits):
    for _ in range(20):
        room = limits.begin(ALDGATE)
        room.ended(PASSED, USUAL)
        limits.end(ALDGATE, room)
    assert limits.allowed(ALDGATE) == 2


def test_each_tenant_has_its_own(limits):
    full_house(limits, TIMED_OUT)
    assert (limits.allowed(ALDGATE), limits.allowed(KYOTO)) == (1, 2)


def test_what_tells_nothing_changes_nothing(limits):
    broken = result(outcome=Outcome.BROKEN, failure=Failure("browser", "it died"))
    for _ in range(10):
        full_house(limits, broken)
        limits.end(ALDGATE, limits.begin(ALDGATE))  # nothing was told at all
    assert limits.allowed(ALDGATE) == 2


def test_a_failure_that_was_answered_in_time_is_no_overload():
    assert bore(result(), USUAL) is True
    assert bore(result(seconds=99.0), None) is True


def test_who_waits_for_room_goes_on_when_another_has_left(limits):
    most, under_way, alone = 0, 0, threading.Lock()

    def run(_: int) -> None:
        nonlocal most, under_way
        with limits.room(tenant(sessions=3)) as room:
            with alone:
                under_way += 1
                most = max(most, under_way)
            room.ended(PASSED, USUAL)
            with alone:
                under_way -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(200)))
    assert (most <= 3, under_way) == (True, 0)
