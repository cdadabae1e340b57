"""Workers of a region on a real PostgreSQL: one dispatcher, no run twice, no run lost, whoever is killed.

The ERP is a server that answers at once, from memory: what is tried is who runs what, and who takes over.
"""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Outcome
from ringgate.host.run_locks import Crowded, Occupied
from ringgate.shared.database import LeaseLost, SharedMember
from ringgate.shared.journal import SharedJournal
from ringgate.shared.run_locks import SharedRunLocks
from tests.support.region import until
from tests.support.samples import tenant


def reversal(marker: str) -> Reversal:
    return Reversal("create_project", "project_manager", marker)


def die(cluster, member: SharedMember) -> None:
    """As after kill -9 and the time of its lease: it gives no sign of life, and holds what it held."""
    member._ended.set()
    member._thread.join()
    cluster.execute(f"UPDATE ringgate_members SET seen_at = seen_at - interval '1 minute' WHERE id = '{member.id}'",
                    database="region")  # fmt: skip


def test_two_runs_of_a_scenario_never_overlap_on_a_tenant_and_the_caps_hold_across_machines(members, tmp_path):
    one, other = (SharedRunLocks(members(), tmp_path, patience=0, in_all=3, per_host=2) for _ in range(2))
    here, there = tenant(sessions=2), tenant("other", api="http://elsewhere/x", sessions=2)
    with one.room(here, "a"):
        with pytest.raises(Occupied, match="another run of a"), other.room(here, "a"):
            pass
        with other.room(here, "b"):
            with pytest.raises(Crowded, match="2 sessions"), one.room(here, "c"):
                pass
            with other.room(there, "a"), pytest.raises(Crowded, match="in the region"), one.room(there, "b"):
                pass
    with other.room(here, "a"):
        pass


def test_what_a_dead_process_held_is_another_s_once_its_lease_is_over(members, tmp_path, region_cluster):
    dead, living = members(), members()
    journal = SharedJournal(dead).begin("run1", "sample", "a", "api")
    journal.register(reversal("RG-run1-1"))
    room = SharedRunLocks(dead, tmp_path, patience=0).room(tenant("sample"), "a")
    room.__enter__()
    assert SharedJournal(living).tenants_hit(frozenset({"sample"})) == set()

    die(region_cluster, dead)
    locks = SharedRunLocks(living, tmp_path, patience=0)
    with pytest.raises(Crowded, match="taken back first"), locks.room(tenant("sample"), "b"):
        pass
    (found,) = SharedJournal(living).crashed()
    assert [entry.marker for _, entry in found.pending()] == ["RG-run1-1"]
    assert [*SharedJournal(members()).crashed()] == []  # it has one holder
    with pytest.raises(LeaseLost):  # it is not dead after all, and writes nothing more
        journal.register(reversal("RG-run1-2"))
    found.undone(1, "deleted")
    found.close()
    with locks.room(tenant("sample"), "a"):
        pass
    assert [*SharedJournal(living).free()] == []


def test_a_journal_survives_that_the_database_is_restarted(members, region_cluster):
    journal = SharedJournal(members()).begin("run2", "sample", "a", "api")
    journal.register(reversal("RG-run2-1"))
    region_cluster.stop()
    region_cluster.start()
    assert journal.register(reversal("RG-run2-2")) == 2
    journal.release()
    (found,) = SharedJournal(members()).crashed()
    assert [entry.marker for _, entry in found.pending()] == ["RG-run2-2", "RG-run2-1"]
    found.release()


UNDER_WAY = "SELECT id, worker_id FROM procrastinate_jobs WHERE status = 'doing'"


def overlaps(results) -> list[tuple[str, str]]:
    """Runs of one scenario on one tenant that were under way at once."""
    found, last = [], {}
    for each in sorted(results, key=lambda each: each.started_at):
        key = (each.tenant, each.scenario)
        if key in last and each.started_at.timestamp() < last[key]:
            found.append(key)
        last[key] = each.started_at.timestamp() + each.seconds
    return found


@pytest.mark.sweep
def test_workers_share_the_probes_and_survive_that_the_dispatcher_is_killed(region):
    first, second = region.start(), region.start()
    until(lambda: len(region.store.results()) >= 10)
    leading = region.dispatcher()
    assert leading in (first.pid, second.pid)
    victim, other = (first, second) if leading == first.pid else (second, first)
    until(lambda: region.holds_journal(victim))
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    ((killed,),) = region.ask("SELECT clock_timestamp()")
    left = {run for (run,) in region.ask("SELECT run_id FROM ringgate_journals j JOIN ringgate_members m "
                                         f"ON m.id = j.member WHERE m.pid = {victim.pid}")}  # fmt: skip
    begun = {*region.ask(UNDER_WAY)}
    assert left

    until(lambda: region.dispatcher() == other.pid, within=30)
    ((elected,),) = region.ask("SELECT clock_timestamp()")
    assert (elected - killed).total_seconds() < 30
    # What the dead one had written is taken back by the other, and what it had begun is run.
    until(lambda: not left & {run for (run,) in region.ask("SELECT run_id FROM ringgate_journals")})
    until(lambda: not begun & {*region.ask(UNDER_WAY)})
    before = len(region.store.results())
    until(lambda: len(region.store.results()) >= before + 10)

    other.send_signal(signal.SIGTERM)
    assert other.wait(60) == 0
    results = region.store.results()
    assert len({each.run_id for each in results}) == len(results)
    assert overlaps(results) == []
    assert {each.outcome for each in results} <= {Outcome.PASSED, Outcome.STOPPED}
    assert region.left_in_the_erp() == []
    assert region.ask("SELECT count(*) FROM ringgate_rooms r JOIN ringgate_members m ON m.id = r.member") == [(0,)]
    assert region.ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(0,)]
    assert region.accounted() == region.slots()  # no result is lost, and none is there twice


@pytest.mark.sweep
def test_nothing_is_lost_or_run_twice_whoever_is_killed_and_whenever_the_database_is_restarted(region):
    live, kills = [region.start() for _ in range(3)], 0
    until(lambda: region.dispatcher() and region.stored() >= 10)
    for what in ("dispatcher", "restart", "another", "dispatcher", "restart", "dispatcher"):
        if what == "restart":
            region.cluster.stop()
            region.cluster.start()
        else:
            leading = until(region.dispatcher)
            place = next(n for n, each in enumerate(live) if (each.pid == leading) == (what == "dispatcher"))
            live[place].kill()
            live[place].wait()
            live[place], kills = region.start(), kills + 1
        before = region.stored()
        until(
            lambda before=before: region.dispatcher() in [each.pid for each in live] and region.stored() >= before + 15
        )
    living = ", ".join(str(each.pid) for each in live)
    until(lambda: region.ask("SELECT count(*) FROM ringgate_journals j LEFT JOIN ringgate_members m ON m.id = j.member "
                             f"WHERE m.pid IS NULL OR m.pid NOT IN ({living})") == [(0,)])  # fmt: skip
    begun = {*region.ask(UNDER_WAY)}
    until(lambda: not begun & {*region.ask(UNDER_WAY)})
    for each in live:
        each.send_signal(signal.SIGTERM)
    assert [each.wait(90) for each in live] == [0, 0, 0]

    results = region.store.results()
    assert len({each.run_id for each in results}) == len(results)
    assert overlaps(results) == []
    assert {each.outcome for each in results} <= {Outcome.PASSED, Outcome.STOPPED}
    assert region.left_in_the_erp() == []
    assert region.ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(0,)]
    slots, accounted = region.slots(), region.accounted()
    assert accounted - slots == Counter()  # none twice
    assert (slots - accounted).total() <= kills  # a count, not a result: those of its last half second died with it
