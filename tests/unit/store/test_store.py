"""A result comes back from the store as it went in, once."""

import contextlib
import multiprocessing
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier

import pytest

from ringgate.domain.events import RunFinished, RunRecovered
from ringgate.domain.labels import microseconds
from ringgate.domain.model import Attachment, Deployment, Failure, Residue, RunResult, SignalSample, Step
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, ResidueCause, Source, StepKind
from ringgate.store import ProberState, Store, StoreError
from ringgate.store.rows import result_of, row_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def result(run_id: str = "r1", **changes) -> RunResult:
    values = {
        "run_id": run_id, "trace_id": "0" * 32,
        "scenario": "time-entry", "tenant": "aldgate", "ring": "canary",
        "channel": Channel.API, "outcome": Outcome.FAILED, "started_at": NOON, "seconds": 1.5, "undo_seconds": 0.25,
        "steps": (Step("a", 0.0, 0.1, Outcome.PASSED, StepKind.POSTING), Step("enter time", 0.1, 1.2, Outcome.FAILED)),
        "failure": Failure("expectation", "no", "enter time", basis=Basis.POLICY, invariant=Invariant.ONCE),
        "residue": (Residue("aldgate", run_id, "enter_time", "RG-1", "no", ResidueCause.REFUSED),),
        "attachments": (Attachment("page", "screenshot", f"{run_id}/page.png"),),
        "session": "s1", "release": "8.0", "calls": 7, "source": Source.PROBE, "server": "8.0.12",
    }  # fmt: skip
    return RunResult(**{**values, **changes})


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/deep/results.sqlite")
    yield store
    store.close()


def test_what_went_in_comes_out(store):
    store.on(RunFinished(result()))
    assert store.results() == [result()]


def test_residue_that_was_stored_without_a_cause_counts_as_slow():
    row = row_of(result())
    del row["residue"][0]["cause"]
    assert result_of(row).residue[0].cause is ResidueCause.SLOW


def test_what_a_failure_rests_on_is_read_from_stores_and_files_of_before(store, tmp_path):
    store.on(RunFinished(result()))
    with contextlib.closing(sqlite3.connect(tmp_path / "deep" / "results.sqlite")) as file, file:
        changed = file.execute("""UPDATE runs SET details = replace(details, '"basis"', '"ground"')""").rowcount
    assert (changed, store.results()) == (1, [result()])
    row = row_of(result())
    row["failure"]["ground"] = row["failure"].pop("basis")
    assert result_of(row).failure == result().failure


def test_what_was_taken_back_since_is_no_longer_left(store):
    one, two = Residue("aldgate", "r1", "enter_time", "RG-1", "down"), Residue("aldgate", "r1", "pay", "RG-2", "down")
    store.add(result("r1", residue=(one, two)), result("r2", residue=()))
    assert store.left_behind() == [one, two]
    refused = replace(two, reason="no", cause=ResidueCause.REFUSED)
    store.on(RunRecovered("r1", "aldgate", NOON, undone=1, left=(refused,)))
    assert store.left_behind() == [refused]
    store.on(RunRecovered("r1", "aldgate", NOON, undone=1))
    assert store.left_behind() == []


def test_what_a_killed_run_left_is_known_once_its_journal_was_taken_up(store):
    left = Residue("aldgate", "dead", "enter_time", "RG-1", "down")
    store.on(RunRecovered("dead", "aldgate", NOON, undone=0, left=(left,)))
    assert store.left_behind() == [left]
    store.on(RunRecovered("dead", "aldgate", NOON, undone=1))
    assert store.left_behind() == []


def test_a_run_that_comes_to_the_store_after_its_recovery_has_left_nothing(store):
    store.on(RunRecovered("r1", "aldgate", NOON, undone=1))
    store.add(result("r1"))
    assert store.left_behind() == []
    assert store.results()[0].residue != ()  # what it left at its end is told as it was


def test_results_are_found_by_session_ring_release_and_time(store):
    store.add(result("r1"))
    store.add(
        result(
            "r2", session="s2", ring="early", release="8.2", started_at=NOON + timedelta(hours=1), source=Source.SUITE
        )
    )
    queries = ({"session": "s2"}, {"ring": "early"}, {"release": "8.2"}, {"since": NOON + timedelta(minutes=1)})
    for query in (*queries, {"sources": [Source.SUITE, Source.SELF_TEST]}):
        assert [each.run_id for each in store.results(**query)] == ["r2"]
    assert [each.run_id for each in store.results(until=NOON + timedelta(hours=1))] == ["r1"]
    assert [each.run_id for each in store.results(newest=1)] == ["r2"]
    assert [each.run_id for each in store.results(newest=5)] == ["r1", "r2"]
    assert store.last_session() == "s2"


def test_the_last_session_is_a_probers_only_if_there_is_no_other(store):
    assert store.last_session() is None
    store.add(result("r1", session="prober", started_at=NOON + timedelta(hours=1)))
    assert store.last_session() == "prober"
    store.add(result("r2", session="suite", source=Source.SUITE))
    assert store.last_session() == "suite"


def test_many_are_kept_together_or_not_at_all(store):
    store.add(result("r1", touched=frozenset({"consultant call login"})))
    with pytest.raises(StoreError, match="cannot be written"):
        store.add(result("r2"), result("r1"))
    assert [each.run_id for each in store.results()] == ["r1"]
    more = [result(run_id, touched=frozenset({"consultant call login"})) for run_id in ("r1", "r2", "r3")]
    store.add(*more, known=True)
    assert [each.run_id for each in store.results()] == ["r1", "r2", "r3"]
    assert store.usage() == {"consultant call login": {"time-entry over api": 3}}


def test_a_result_is_never_counted_twice(store):
    store.add(result())
    with pytest.raises(StoreError, match="cannot be written"):
        store.add(result())
    assert len(store.results()) == 1


def test_a_store_that_is_no_store_is_told_in_one_sentence(tmp_path):
    (tmp_path / "x.sqlite").write_text("this is not a database, it is a letter to a friend" * 99)
    with pytest.raises(StoreError, match=r"x\.sqlite cannot be opened: file is not a database"):
        Store(f"sqlite:///{tmp_path}/x.sqlite")


def test_a_file_that_was_replaced_or_is_gone_is_not_read_on(store, tmp_path):
    store.add(result())
    path = tmp_path / "deep" / "results.sqlite"
    other = Store(f"sqlite:///{tmp_path}/other.sqlite")
    other.add(result("r2", session="other"))
    other.close()
    for file in path.parent.glob("results.sqlite*"):
        file.unlink()
    with pytest.raises(StoreError, match="cannot be read: its file is gone"):
        store.results()
    assert not path.exists()
    (tmp_path / "other.sqlite").rename(path)
    assert [each.run_id for each in store.results()] == ["r2"]


def test_a_database_password_stays_out_of_the_message():
    with pytest.raises(StoreError) as told:
        Store("postgresql+psycopg://ringgate:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(told.value)


def make_stores(folder: str, at_once: Barrier, number: int) -> None:
    """What each of several processes does: make the same new stores at the same moments."""
    for turn in range(15):
        at_once.wait(20)
        store = Store(f"sqlite:///{folder}/{turn}/results.sqlite")
        store.add(result(f"r{number}"))
        store.close()


def test_processes_that_make_the_store_at_once_do_not_collide(tmp_path):
    system = multiprocessing.get_context("fork")
    at_once = system.Barrier(4)
    started = [system.Process(target=make_stores, args=(str(tmp_path), at_once, number)) for number in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0] * 4
    for turn in range(15):
        assert len(Store(f"sqlite:///{tmp_path}/{turn}/results.sqlite").results()) == 4


def test_a_store_of_a_newer_ringgate_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/results.sqlite"
    Store(url).close()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE ringgate_schema SET version = 99")
    with pytest.raises(StoreError, match="of version 99, newer than 8: upgrade Ringgate"):
        Store(url)


def test_what_runs_touched_is_counted_by_scenario_and_channel(store):
    store.add(result("r1", touched=frozenset({"a", "b"})))
    store.add(result("r2", touched=frozenset({"a", "b"})))
    store.add(result("r3", touched=frozenset({"a"}), channel=Channel.BROWSER))
    store.add(result("r4"))
    assert store.usage() == {
        "a": {"time-entry over api": 2, "time-entry over browser": 1},
        "b": {"time-entry over api": 2},
    }


def test_who_follows_the_store_is_given_what_was_recorded_since_and_a_little_before(tmp_path):
    now = [NOON]
    store = Store(f"sqlite:///{tmp_path}/results.sqlite", clock=lambda: now[0])
    for number in range(5):
        now[0] = NOON + timedelta(seconds=40 * number)
        store.add(result(f"r{number}", started_at=NOON - timedelta(seconds=number)))  # ended in another order
    assert [each.run_id for _, each in store.recorded(None)] == ["r0", "r1", "r2", "r3", "r4"]
    last, _ = store.recorded(None)[-1]
    assert last == NOON + timedelta(seconds=160)
    assert [each.run_id for _, each in store.recorded(last)] == ["r3", "r4"]


def test_deployments_and_samples_come_back_as_they_went_in(store):
    later = NOON + timedelta(hours=1)
    deployed = [
        Deployment("d1", NOON, "canary", "8.0", ("aldgate",), "by hand", "ops"),
        Deployment("d2", later, "early", "8.0"),
    ]
    for each in deployed:
        store.deployed(each)
    assert store.deployments() == deployed
    assert store.deployments(ring="early") == store.deployments(since=later) == deployed[1:]
    sampled = [SignalSample(NOON, "backlog", 3.0, "jobs", "canary", "aldgate", 10.0), SignalSample(later, "locks", 0.0)]
    store.sampled(sampled)
    assert store.samples() == sampled
    assert store.samples(signal="locks") == store.samples(since=later) == sampled[1:]


def test_counters_add_up_across_processes(store, tmp_path):
    late, missed = ("late", "aldgate", "time-entry", "api"), ("missed", "", "", "")
    store.count({late: 2, missed: 1})
    Store(f"sqlite:///{tmp_path}/deep/results.sqlite").count({late: 3})
    assert store.counters() == {late: 5, missed: 1}


def test_a_prober_is_known_by_what_it_said_last(store):
    store.seen(ProberState("p1", NOON, NOON, detail={"probes": 8}))
    store.seen(ProberState("p2", NOON, NOON + timedelta(seconds=5)))
    last = ProberState("p1", NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=1), {"probes": 9})
    store.seen(last)
    assert store.probers() == [last, ProberState("p2", NOON, NOON + timedelta(seconds=5), detail={})]


def test_of_each_row_there_is_what_is_named(store):
    store.add(result("r1"), result("r2", started_at=NOON + timedelta(seconds=1)))
    found = [row for part in store.rows(NOON - timedelta(days=9000), None, ("run_id", "seconds")) for row in part]
    assert sorted(found) == [("r1", 1.5), ("r2", 1.5)]
    assert [each.run_id for each in store.of_ids(["r2", "none", "r1"])] == ["r1", "r2"]
    assert store.of_ids(["r1"]) == store.results(until=NOON + timedelta(seconds=1))


def test_runs_are_found_by_what_columns_say_of_them(store):
    store.add(result("r1"), result("r2", tenant="bleecker"), result("r3", started_at=NOON + timedelta(seconds=1)))
    records = store.columns().in_order().records
    starts = list(zip(records["labels"].tolist(), records["started"].tolist(), strict=True))
    assert sorted(each.run_id for each in store.of_starts(starts)) == ["r1", "r2", "r3"]
    (of_aldgate,) = [key for key, labels in store.labels().items() if labels.tenant == "aldgate"]
    assert [each.run_id for each in store.of_starts([(of_aldgate, microseconds(NOON)), (of_aldgate, 7)])] == ["r1"]


def test_many_rows_that_cannot_be_read_are_an_error_of_the_store(store):
    with store._writing() as connection:
        connection.exec_driver_sql("DROP TABLE run_blocks")
    with pytest.raises(StoreError, match="cannot be read: no such table: run_blocks"):
        store.columns()
