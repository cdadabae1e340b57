"""The parts of a prober, each alone: limits of a run, driver pools, releases, the recorder."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.model import Deployment
from ringgate.domain.terms import Role
from ringgate.drivers.protocol import Call
from ringgate.probing.deadlines import LimitedDriver, StopRequested, TooSlow
from ringgate.probing.driver_pool import WORN, ApiDriverPool, BrowserDriverLease
from ringgate.probing.prober import last_seen
from ringgate.probing.recorder import Recorder
from ringgate.probing.releases import release_of, rings_to_test
from ringgate.probing.worker_pool import NEIGHBOURS, some
from ringgate.store import ProberState, Store, StoreError
from tests.support.samples import tenant
from tests.unit.execution.support import Notebook
from tests.unit.probing.test_run_queue import tick
from tests.unit.store.test_store import result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALL = Call("k3v9x2m7q4ta", "ab" * 16)


# --- limits ---------------------------------------------------------------------------------------------------------


class Ledger(Notebook):
    def books(self):
        return self

    def closed_day(self):
        return "today"

    def outsiders(self, neighbours, roles):
        yield from (self, self)

    def attempt(self, way, things):
        return "refused"


@pytest.fixture
def halt():
    return threading.Event()


def connected(halt, seconds: float = 60.0):
    driver = LimitedDriver(Ledger(), timedelta(seconds=seconds), halt)
    connection = driver.connect(tenant(), CALL)
    return connection, connection.sign_in(Role.PROJECT_MANAGER)


def test_in_time_a_run_notices_nothing(halt):
    connection, manager = connected(halt)
    assert manager.role is Role.PROJECT_MANAGER
    assert connection.books().closed_day() == "today"
    assert [each.attempt("read", []) for each in connection.outsiders([], [])] == ["refused", "refused"]


def test_past_its_deadline_no_verb_is_begun_and_all_is_undone(halt, monkeypatch):
    connection, manager = connected(halt, seconds=5)
    books = connection.books()
    monkeypatch.setattr("ringgate.probing.deadlines.time.monotonic", lambda: 1e12)
    for verb in (
        lambda: manager.create_project("x"),
        lambda: connection.sign_in(Role.AUDITOR),
        connection.books,
        books.closed_day,
        lambda: next(connection.outsiders([], [])),
    ):
        with pytest.raises(TooSlow, match="aldgate did not come to the end in 5 s"):
            verb()
    assert connection.undo(type("R", (), {"marker": "RG-1"})) == "deleted"
    assert connection.calls == 0
    connection.close()


def test_told_to_halt_a_run_ends_at_its_next_verb(halt):
    _, manager = connected(halt)
    halt.set()
    with pytest.raises(StopRequested):
        manager.create_project("x")


# --- driver pools ---------------------------------------------------------------------------------------------------


class ClosingDrivers(dict):
    def __init__(self, made: list[ClosingDrivers]) -> None:
        super().__init__()
        self.closed = 0
        made.append(self)

    def close(self) -> None:
        self.closed += 1


def test_a_tenants_runs_get_its_own_drivers_again_and_side_by_side_each_has_some():
    made: list[ClosingDrivers] = []
    pool = ApiDriverPool(lambda tenant: ClosingDrivers(made))
    with pool.lease(tenant("a")) as first, pool.lease(tenant("a")) as second, pool.lease(tenant("b")) as other:
        assert len({id(each) for each in (first, second, other)}) == 3
    with pool.lease(tenant("a")) as again:
        assert again is first
    assert len(made) == 3


def test_drivers_longest_not_used_are_given_up_where_they_are_too_many():
    made: list[ClosingDrivers] = []
    pool = ApiDriverPool(lambda tenant: ClosingDrivers(made), most=2)
    for name in "abca":
        with pool.lease(tenant(name)):
            pass
    assert [each.closed for each in made] == [1, 1, 0, 0]


def test_all_drivers_are_closed_at_the_end_if_there_is_time():
    made: list[ClosingDrivers] = []
    pool = ApiDriverPool(lambda tenant: ClosingDrivers(made))
    for name in "ab":
        with pool.lease(tenant(name)):
            pass
    pool.close(until=0.0)
    assert [each.closed for each in made] == [0, 0]
    pool.close(until=1e12)
    assert [each.closed for each in made] == [1, 1]


def test_a_browser_is_closed_when_it_is_worn():
    made: list[ClosingDrivers] = []
    leased = BrowserDriverLease(lambda: ClosingDrivers(made))
    for _ in range(WORN + 1):
        with leased.lease(tenant()):
            pass
    assert [each.closed for each in made] == [1, 0]


# --- neighbours -----------------------------------------------------------------------------------------------------


def test_every_neighbour_has_its_turn_a_few_at_a_time():
    everybody = [tenant(f"t{n}") for n in range(20)]
    one = tick("t0").probe
    turns = [some(everybody, one, one.slot(one.number_at(NOON) + n)) for n in range(20)]
    assert {len(turn) for turn in turns} == {NEIGHBOURS}
    tried = {each.id for turn in turns for each in turn}
    assert tried == {each.id for each in everybody[1:]}
    assert some(everybody[:1], one, NOON) == ()


# --- releases -------------------------------------------------------------------------------------------------------


def deployment(release: str, at: datetime = NOON, ring: str = "canary", tenants: tuple[str, ...] = ()) -> Deployment:
    return Deployment(release, at, ring, release, tenants)


def test_a_tenant_runs_what_reached_its_ring_or_itself_last():
    noted = [
        deployment("8.0", NOON - HOUR),
        deployment("7.9", NOON - 2 * HOUR),
        deployment("8.1", NOON, tenants=("barbican",)),
        deployment("8.2", NOON + HOUR),
        deployment("9", NOON, ring="early"),
    ]
    assert release_of(tenant("aldgate"), noted, NOON) == "8.0"
    assert release_of(tenant("barbican"), noted, NOON) == "8.1"
    assert release_of(tenant("aldgate"), noted, NOON + HOUR) == "8.2"
    assert release_of(tenant("aldgate"), [], NOON) == ""


def test_a_ring_that_bakes_is_tested_every_hour():
    noted = [deployment("8.0", NOON - HOUR), deployment("7", NOON - 30 * HOUR, ring="broad")]
    assert rings_to_test(noted, {}, NOON) == {"canary"}
    assert rings_to_test(noted, {"canary": NOON - HOUR / 2}, NOON) == set()
    assert rings_to_test(noted, {"canary": NOON - HOUR}, NOON) == {"canary"}
    before = {"canary": NOON - HOUR * 3 / 2}
    assert rings_to_test(noted, before, NOON - HOUR) == {"canary"}, "a test of the last release counts for nothing"


# --- who else is there ------------------------------------------------------------------------------------------------


def test_who_probed_the_same_was_seen_last_when_nobody_does_now():
    def seen(minutes: float, covers: str = "x", stopped: datetime | None = None) -> ProberState:
        at = NOON - timedelta(minutes=minutes)
        return ProberState(f"p{minutes}", at, at, stopped, {"covers": covers, "host": "elsewhere", "pid": 1})

    assert last_seen([], "x", NOON) is None
    assert last_seen([seen(3), seen(5)], "x", NOON) == NOON - timedelta(minutes=3)
    assert last_seen([seen(3, "y")], "x", NOON) is None
    assert last_seen([seen(3), seen(0.2)], "x", NOON) is None, "another one does"
    stopped = NOON - timedelta(seconds=12)
    assert last_seen([seen(0.2, stopped=stopped)], "x", NOON) == stopped


# --- the recorder -----------------------------------------------------------------------------------------------------


class Moody(Store):
    """A store that cannot be written as often as it is told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.refusals = 0
        self.asked = threading.Semaphore(0)

    def add(self, *results, known: bool = False) -> None:
        self.asked.release()
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the result store cannot be written: disk full")
        super().add(*results, known=known)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("ringgate.probing.recorder.PAUSES", (0.01,))
    store = Moody(f"sqlite:///{tmp_path}/results.sqlite")
    yield store
    store.close()


def test_everything_that_was_kept_is_in_the_store_at_the_end(store):
    stored, told = [], []
    recorder = Recorder(store, stored.extend, told.append)
    recorder.start()
    for number in range(700):
        recorder.keep(result(f"r{number}"))
        recorder.count({("late", "aldgate", "x", "api"): 1})
    assert recorder.close(30)
    assert len(store.results()) == len(stored) == 700
    assert (store.counters(), told) == ({("late", "aldgate", "x", "api"): 700}, [])


def test_an_error_of_the_store_is_told_once_and_nothing_is_lost(store):
    store.refusals, told = 3, []
    recorder = Recorder(store, lambda results: None, told.append)
    recorder.start()
    recorder.keep(result("r1"))
    for _ in range(4):
        assert store.asked.acquire(timeout=30)
    assert recorder.close(30)
    assert [each.run_id for each in store.results()] == ["r1"]
    assert told == ["the result store cannot be written: disk full", ""]


def test_what_cannot_be_stored_at_the_end_is_said_to_be_left(store):
    store.refusals = 10**6
    recorder = Recorder(store, lambda results: None, lambda sentence: None)
    recorder.start()
    recorder.keep(result("r1"))
    assert not recorder.close(30)


def test_a_result_that_got_through_in_an_attempt_that_failed_is_stored_once(store):
    recorder = Recorder(store, lambda results: None, lambda sentence: None)
    store.add(result("r1"))  # as if the answer to a commit had been lost
    store.refusals = 1
    recorder.start()
    recorder.keep(result("r1"))
    assert recorder.close(30)
    assert [each.run_id for each in store.results()] == ["r1"]
