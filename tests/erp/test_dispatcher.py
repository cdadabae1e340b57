"""The dispatcher of a region on a real PostgreSQL: who is elected, and what becomes of ticks nobody began in time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ringgate.domain.terms import Channel
from ringgate.inventory import Inventory
from ringgate.probing.counters import MISSED
from ringgate.probing.distributed.dispatcher import EVERY, TERM, Dispatcher
from ringgate.probing.distributed.feed import RegionFeed
from ringgate.probing.distributed.jobs import putting
from ringgate.probing.run_queue import RunQueue
from ringgate.probing.setup import ProbeSelection, chosen
from ringgate.scenario.discovery import load_scenarios
from ringgate.shared.database import SharedError
from tests.evaluation.bench.scale import HERE, write_inventory
from tests.support.region import until

JOBS = "SELECT args->>'tenant', args->>'scenario', args->>'slot' FROM procrastinate_jobs"


@pytest.fixture
def probes(tmp_path):
    write_inventory(tmp_path / "tenants", 4, 1, "2 min")
    known = load_scenarios(HERE / "scenarios")
    return [each for each in chosen(Inventory.load(tmp_path / "tenants"), ProbeSelection(), known) if not each.never]


@pytest.fixture
def candidate(members, region_url, probes):
    """Makes candidates, and keeps what they counted: `candidate.counted`."""
    app = putting(region_url)

    def make() -> Dispatcher:
        made = Dispatcher(members(), app, "eu", make.counted.update, lambda sentence: None)
        made.plan(probes)
        return made

    make.counted = Counter()
    return make


@pytest.fixture
def ask(region_cluster):
    def asked(query: str):
        with region_cluster.connect("region") as connection:
            found = connection.execute(query)
            return found.fetchall() if found.description else None

    return asked


def test_one_is_elected_and_goes_on_where_one_that_died_had_come(candidate, ask):
    first, second = candidate(), candidate()
    first.turn()
    second.turn()
    assert (first.leads, second.leads) == (True, False)
    ask("UPDATE ringgate_dispatchers SET dispatched_until = dispatched_until - interval '40 seconds'")
    first._timetable = None  # it looks up how far it came, as after an error
    assert first.turn() > 0
    before = ask(JOBS)

    ask("UPDATE ringgate_dispatchers SET until = until - interval '1 minute'")  # no sign of it for as long as its term
    second.turn()
    first.turn()
    assert (first.leads, second.leads) == (False, True)
    jobs = ask(JOBS)
    assert set(before) <= set(jobs)
    assert len(set(jobs)) == len(jobs)  # no slot twice
    assert TERM + EVERY < 30


def test_the_next_is_elected_at_once_when_the_dispatcher_ends_as_it_should(candidate):
    first, second = candidate(), candidate()
    first.start()
    until(lambda: first.leads)
    first.close()
    second.turn()
    assert second.leads


def test_what_fell_due_without_a_dispatcher_is_counted_and_never_run_in_a_burst(candidate, ask, probes):
    candidate().turn()
    ask("UPDATE ringgate_dispatchers SET until = until - interval '1 hour', "
        "dispatched_until = dispatched_until - interval '10 minutes'")  # fmt: skip
    ((since,),) = ask("SELECT dispatched_until FROM ringgate_dispatchers")
    put = candidate().turn()
    assert put <= len(probes)
    ((now,),) = ask("SELECT dispatched_until FROM ringgate_dispatchers")
    due = sum(each.number_at(now) - each.number_at(since) for each in probes)
    assert put + sum(candidate.counted.values()) == due
    assert {what for what, *_ in candidate.counted} == {MISSED}


def test_a_tick_that_nobody_begins_in_time_is_dropped_and_counted(candidate, ask):
    dispatcher = candidate()
    dispatcher.turn()
    ask("UPDATE ringgate_dispatchers SET dispatched_until = dispatched_until - interval '40 seconds'")
    dispatcher._timetable = None
    dispatcher.turn()
    candidate.counted.clear()
    jobs = ask(JOBS)
    # Two minutes pass: one tick is under way, nobody has begun the others.
    ask("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (SELECT min(id) FROM procrastinate_jobs)")
    ask("UPDATE procrastinate_jobs SET args = args || jsonb_build_object('fresh_until', now() - interval '1 second')")
    dispatcher.turn()
    left = ask(JOBS + " WHERE status = 'doing'")
    assert len(left) == 1
    gone = Counter((MISSED, where, scenario, "api") for where, scenario, _ in set(jobs) - set(left))
    assert candidate.counted == gone


def test_a_job_whose_answer_was_lost_on_the_way_goes_back(candidate, members, ask):
    """It is the worker's by the queue, and the worker does not know: nobody else would ever get it."""
    member, lost = members(), []
    feed = RegionFeed(
        member, lambda tell: candidate(), "eu", {Channel.API: 0}, lambda *_: False, lost.append, lost.append
    )
    queue = RunQueue({Channel.API: 1}, lambda *_: None, lambda: datetime.now(UTC))
    feed.start(queue, [], lambda _: None, datetime.now(UTC))
    try:
        until(lambda: ask("SELECT id FROM procrastinate_workers"))
        ((job,),) = ask(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id, args) "
            "SELECT 'eu/api', 'probe', 'doing', id, jsonb_build_object('fresh_until', now() + interval '1 hour') "
            "FROM procrastinate_workers RETURNING id"
        )
        until(lambda: ask(f"SELECT status::text FROM procrastinate_jobs WHERE id = {job}") == [("todo",)])
    finally:
        feed.close()
    assert lost == []


def test_a_database_that_is_away_ends_its_lead_and_loses_no_slot(candidate, ask, region_cluster, probes):
    dispatcher = candidate()
    dispatcher.turn()
    ((since,),) = ask("SELECT dispatched_until FROM ringgate_dispatchers")
    region_cluster.stop()
    with pytest.raises(SharedError):
        dispatcher.turn()
    assert not dispatcher.leads
    region_cluster.start()
    dispatcher.turn()
    assert dispatcher.leads
    ((now,),) = ask("SELECT dispatched_until FROM ringgate_dispatchers")
    due = sum(each.number_at(now) - each.number_at(since) for each in probes)
    assert len(ask(JOBS)) + sum(candidate.counted.values()) == due
    assert now - since < timedelta(minutes=5)
