"""From a real store to a verdict: deployments, baselines, reading on, and everything that must not look like a pass."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ringgate.domain.model import Deployment, RunResult, SignalSample
from ringgate.domain.terms import Source
from ringgate.evidence.verdicts import verdict_evidence
from ringgate.gate import Action, Due, GatePolicy, Signal, Verdict, Word
from ringgate.inventory import Inventory, SelectionError
from ringgate.judging import Judge
from ringgate.judging.bakes import reach_of
from ringgate.probing.silence import planned
from ringgate.scenario.discovery import load_scenarios
from ringgate.store import ProberState, Store
from tests.unit.gate.sample import IDS, LATER, MINUTE, RING, START, before, every_minute, failed, run, self_test

POLICY = GatePolicy(least_rate=0.04, must=("time-entry",))
END = START + timedelta(hours=3)
INVENTORY = Inventory(Path("tenants"), (*RING, *LATER), ("canary", "broad"), {})
DEPLOYED = Deployment("d1", START, "canary", "8.0")


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def good() -> list[RunResult]:
    return [*every_minute(180), *(self_test(START + timedelta(hours=hour, minutes=30)) for hour in range(3))]


@pytest.fixture
def clock() -> Clock:
    return Clock(END)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/results.sqlite"


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    made = Store(url, clock)
    yield made
    made.close()


@pytest.fixture
def fill(store: Store, clock: Clock) -> Callable[[list[RunResult]], None]:
    """Puts results into the store, each recorded in the minute in which it ended; then it is END again."""

    def fill(results: list[RunResult]) -> None:
        now = clock.now
        by_minute: dict[datetime, list[RunResult]] = {}
        for each in results:
            ended = each.started_at + timedelta(seconds=each.seconds)
            by_minute.setdefault(ended.replace(second=0, microsecond=0), []).append(each)
        for clock.now, found in by_minute.items():
            store.add(*found)
        clock.now = now

    return fill


@pytest.fixture
def judge(url: str, clock: Clock) -> Iterator[Judge]:
    made = Judge(lambda: Store(url, clock), INVENTORY, POLICY, clock=clock)
    yield made
    made.close()


def rules_of(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


Fill = Callable[[list[RunResult]], None]


def test_a_healthy_release_is_promoted_on_what_the_store_holds(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert (rules_of(verdict), verdict.word) == ([], Word.PASS)
    assert verdict.baseline is not None
    assert (verdict.baseline.runs, verdict.samples.runs) == (600, 540)
    assert verdict.facts.started == START


def test_what_comes_later_is_read_on_and_comes_to_the_same(
    store: Store, fill: Fill, judge: Judge, url: str, clock: Clock
) -> None:
    store.deployed(DEPLOYED)
    fill(before())
    results = sorted([*good(), *(failed("cologne", START + (60 + n) * MINUTE + MINUTE / 3) for n in range(12))],
                     key=lambda r: r.started_at)  # fmt: skip
    for hour in range(3):
        clock.now = START + timedelta(hours=hour + 1)
        fill([r for r in results if START + timedelta(hours=hour) <= r.started_at < clock.now])
        followed = judge.verdict("canary", "8.0")
    anew = Judge(lambda: Store(url, clock), INVENTORY, POLICY, clock=clock)
    whole = anew.verdict("canary", "8.0")
    anew.close()
    assert [e.quick for e in followed.evidence] == pytest.approx([e.quick for e in whole.evidence], rel=1e-9)
    assert (followed.samples.runs, rules_of(followed)) == (whole.samples.runs, rules_of(whole))
    assert followed.samples.runs == 552


def test_the_evidence_is_that_of_the_results_that_were_read(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *good(), run("aldgate", END + MINUTE)])
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    read = judge.read("canary", "8.0")
    assert read is not None
    noted = [verdict_evidence(verdict, INVENTORY, store, "1", read=each) for each in (read, None)]
    assert noted[0] == noted[1]
    assert noted[0][0].body["results"]["runs"] == len(good()) == len(read) - 1
    judge.verdict("canary", "8.0")
    assert judge.read("canary", "8.0") is None, "a second look has read a part only"


def test_no_result_is_counted_twice_however_often_it_is_asked(store: Store, judge: Judge, clock: Clock) -> None:
    store.deployed(DEPLOYED)
    for number in range(30):
        clock.now = START + number * MINUTE / 4
        store.add(run("aldgate", clock.now - MINUTE / 60 if number else START, seconds=0.0))
        assert judge.verdict("canary", "8.0").samples.runs == number + 1


def test_self_tests_and_rehearsals_are_not_part_of_the_baseline(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *(replace(failed(at=START - n * MINUTE), release="7.0", source=source)
                       for n in range(1, 50) for source in (Source.SELF_TEST, Source.REHEARSAL))])  # fmt: skip
    fill(good())
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert verdict.baseline is not None
    assert (verdict.baseline.runs, verdict.baseline.failed) == (600, 0)


def test_the_baseline_is_of_the_window_and_of_other_releases(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), run(at=START - timedelta(days=8), release="7.0"), run(at=START - MINUTE)])
    fill(good())
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert verdict.baseline is not None
    assert verdict.baseline.runs == 600


def test_samples_over_their_limit_are_read_too(store: Store, fill: Fill, judge: Judge, clock: Clock) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    one = SignalSample(START, "queue backlog", 2.0, "jobs", limit=10.0)
    store.sampled([replace(one, at=START + n * MINUTE, value=2.0 if n < 150 else 99.0) for n in range(-600, 170)])
    clock.now = START + 170 * MINUTE
    judge.verdict("canary", "8.0")
    store.sampled([replace(one, at=START + n * MINUTE, value=99.0) for n in range(170, 180)])
    clock.now = END
    verdict = judge.verdict("canary", "8.0")
    backlog = {e.signal: e for e in verdict.evidence}[Signal.BACKLOG]
    assert (backlog.bad, backlog.runs, verdict.action) == (30, 180, Action.PAUSE)


# --- what must not look like a pass ----------------------------------------------------------------------------------


def test_no_data(store: Store, fill: Fill, judge: Judge) -> None:
    fill(before())
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert ("no_data" in rules_of(verdict), verdict.word) == (True, Word.INCONCLUSIVE)


def test_nothing_at_all(store: Store, judge: Judge) -> None:
    verdict = judge.verdict("canary", "8.0")
    assert (rules_of(verdict), verdict.action) == (["not_deployed"], Action.HOLD)


def test_stale_data(store: Store, fill: Fill, judge: Judge, clock: Clock) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    clock.now = END + timedelta(minutes=40)
    verdict = judge.verdict("canary", "8.0")
    assert ("stale" in rules_of(verdict), verdict.word) == (True, Word.INCONCLUSIVE)


def test_one_tenant_missing(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *(r for r in good() if r.tenant != "bleecker")])
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert ("tenant_untested" in rules_of(verdict), verdict.word) == (True, Word.INCONCLUSIVE)


def test_a_paused_tenant_is_untested_and_the_page_says_why(store: Store, fill: Fill, url: str, clock: Clock) -> None:
    paused = replace(RING[1], paused_until=END.date() + timedelta(days=9), paused_reason="year-end close")
    inventory = replace(INVENTORY, tenants=(RING[0], paused, RING[2], *LATER))
    fill([*before(), *(r for r in good() if r.tenant != "bleecker")])
    store.deployed(DEPLOYED)
    verdict = Judge(lambda: Store(url, clock), inventory, POLICY, clock=clock).verdict("canary", "8.0")
    assert "tenant_untested" in rules_of(verdict)
    assert verdict.remarks == (
        "bleecker is paused until 2026-12-03: year-end close. Only a waiver of untested lets it go without a run.",
    )


def test_a_self_test_missed(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *every_minute(180), self_test(END - 10 * MINUTE, caught=False)])
    store.deployed(DEPLOYED)
    assert rules_of(judge.verdict("canary", "8.0")) == ["self_test_missed"]


def test_a_store_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("a letter to a friend" * 99)
    verdict = Judge(lambda: Store(f"sqlite:///{tmp_path}/x.sqlite"), INVENTORY, POLICY).verdict("canary", "8.0")
    assert (rules_of(verdict), verdict.word, verdict.action) == (["store_unreadable"], Word.INCONCLUSIVE, Action.HOLD)
    assert "x.sqlite cannot be opened: file is not a database" in verdict.reasons[0].sentence
    assert verdict.facts.untested == IDS


@pytest.mark.parametrize("damage", ["DROP TABLE deployments", "DROP TABLE run_blocks"])
def test_a_store_that_is_damaged_while_it_is_read_and_mended_again(
    store: Store, fill: Fill, judge: Judge, tmp_path: Path, damage: str
) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    assert judge.verdict("canary", "8.0").word is Word.PASS
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        kept = list(database.iterdump())
        database.execute(damage)
    verdict = judge.verdict("canary", "8.0")
    assert (rules_of(verdict), verdict.word) == (["store_unreadable"], Word.INCONCLUSIVE)
    store.close()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            database.execute(f"DROP TABLE IF EXISTS {table}")
        database.executescript("\n".join(kept))
    assert judge.verdict("canary", "8.0").word is Word.PASS


def test_a_ring_that_there_is_not_is_no_verdict(judge: Judge) -> None:
    with pytest.raises(SelectionError, match='no ring is called "canari"; did you mean canary'):
        judge.verdict("canari", "8.0")


# --- since when ------------------------------------------------------------------------------------------------------


def test_without_a_deployment_the_first_run_begins_the_bake_and_that_is_said(fill: Fill, judge: Judge) -> None:
    fill([*before(), *good()])
    verdict = judge.verdict("canary", "8.0")
    assert verdict.word is Word.PASS
    assert "No deployment of 8.0 to canary is noted" in verdict.remarks[0]


def test_a_deployment_that_comes_to_be_known_begins_the_bake_anew(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *good()])
    assert judge.verdict("canary", "8.0").facts.started == START
    store.deployed(replace(DEPLOYED, at=START + timedelta(hours=1)))
    verdict = judge.verdict("canary", "8.0")
    assert (verdict.facts.started, verdict.samples.runs) == (START + timedelta(hours=1), 360)


def test_a_release_that_another_has_followed_is_not_promoted(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    store.deployed(Deployment("d2", END - MINUTE, "canary", "8.1", ("cologne",)))
    verdict = judge.verdict("canary", "8.0")
    assert rules_of(verdict) == ["superseded"]
    assert "cologne got 8.1" in verdict.reasons[0].sentence


def test_whom_a_release_reached_and_when() -> None:
    later = START + timedelta(hours=1)
    parts = [replace(DEPLOYED, tenants=("aldgate",)), Deployment("d2", later, "canary", "8.0", ("bleecker", "kyoto"))]
    assert reach_of("8.0", "canary", RING, parts, None).starts == {"aldgate": START, "bleecker": later}
    again = [DEPLOYED, replace(DEPLOYED, id="d3", at=later)]
    assert set(reach_of("8.0", "canary", RING, again, None).starts.values()) == {later}
    back = [DEPLOYED, Deployment("d4", later, "canary", "7.0"), replace(DEPLOYED, id="d5", at=later + MINUTE)]
    assert reach_of("8.0", "canary", RING, back, None).superseded == ""
    assert reach_of("8.0", "canary", RING, back[:2], None).superseded.startswith(
        "aldgate, bleecker and cologne got 7.0"
    )
    assert reach_of("8.0", "canary", RING, [], None).starts == {}


def test_what_the_plan_says_is_due_once_a_prober_was_seen(store: Store, fill: Fill, url: str, clock: Clock) -> None:
    real = Inventory.load(Path("tenants"))
    ring = tuple(replace(each, ring="canary") for each in real.tenants if each.id in IDS)
    inventory = Inventory(real.path, ring, ("canary",), {})
    due = planned(inventory, load_scenarios(Path("scenarios")).values())
    judge = Judge(lambda: Store(url, clock), inventory, POLICY, due=due, clock=clock)
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    assert judge.verdict("canary", "8.0").word is Word.PASS, "only suites ran, so nothing more is due"
    store.seen(ProberState("p1", START, END))
    verdict = judge.verdict("canary", "8.0")
    judge.close()
    assert set(rules_of(verdict)) == {"evidence_to_hold", "probe_untested"}, "most of the plan was never run"
    silence = next(each for each in verdict.evidence if each.signal is Signal.SILENCE)
    assert silence.bad > 100


def test_a_plan_that_has_nothing_for_the_ring_is_none(store: Store, fill: Fill, url: str, clock: Clock) -> None:
    fill([*before(), *good()])
    store.deployed(DEPLOYED)
    store.seen(ProberState("p1", START, END))
    judge = Judge(lambda: Store(url, clock), INVENTORY, POLICY, due=Due(), clock=clock)
    verdict = judge.verdict("canary", "8.0")
    judge.close()
    assert any(each.signal is Signal.SILENCE for each in verdict.evidence), "what the prober ran before is due"


# --- what the servers say -------------------------------------------------------------------------------------------


def saying(results: list[RunResult], tenant: str, server: str) -> list[RunResult]:
    return [replace(each, server=server) if each.tenant == tenant else each for each in results]


def test_a_tenant_that_answers_as_something_else_was_not_reached(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *saying(good(), "cologne", "7.0.59")])
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert (verdict.word, verdict.facts.absent) == (Word.INCONCLUSIVE, ["cologne"])
    assert "cologne" not in verdict.samples.by_tenant
    said = "8.0 has not reached cologne: the server says 7.0.59, and 8.0 is expected."
    assert any(said in remark for remark in verdict.remarks)


def test_failures_of_a_tenant_that_answers_as_something_else_stop_nothing(
    store: Store, fill: Fill, judge: Judge
) -> None:
    bad = [failed("cologne", START + n * MINUTE + MINUTE / 3) for n in range(60)]
    fill([*before(), *saying([*good(), *bad], "cologne", "7.0.59")])
    store.deployed(DEPLOYED)
    verdict = judge.verdict("canary", "8.0")
    assert (verdict.word, verdict.samples.failed, verdict.attributions) == (Word.INCONCLUSIVE, 0, ())


def test_servers_that_say_what_is_expected_change_nothing(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *(replace(each, server="8.0.12") for each in good())])
    store.deployed(DEPLOYED)
    assert judge.verdict("canary", "8.0").word is Word.PASS


def test_a_pattern_says_what_the_servers_of_a_release_say(store: Store, fill: Fill, judge: Judge) -> None:
    fill([*before(), *(replace(each, server="7.0.59") for each in good())])
    store.deployed(replace(DEPLOYED, version="7.0.*"))
    assert judge.verdict("canary", "8.0").word is Word.PASS


def test_a_tenant_that_is_upgraded_later_is_reached_then(store: Store, fill: Fill, judge: Judge, clock: Clock) -> None:
    store.deployed(DEPLOYED)
    later = START + timedelta(hours=1)
    results = saying([*before(), *good()], "cologne", "7.0.59")
    fill([each for each in results if each.started_at < later])
    clock.now = later
    assert judge.verdict("canary", "8.0").facts.absent == ["cologne"]
    fill(saying([each for each in results if each.started_at >= later], "cologne", "8.0.12"))
    clock.now = END
    verdict = judge.verdict("canary", "8.0")
    assert verdict.facts.absent == []
    assert any(remark.startswith("Some runs on cologne are no evidence for 8.0") for remark in verdict.remarks)
    assert verdict.samples.by_tenant["cologne"] < min(
        number for tenant, number in verdict.samples.by_tenant.items() if tenant != "cologne"
    )


def test_a_verdict_on_one_tenant_looks_at_nobody_else(store: Store, fill: Fill, url: str, clock: Clock) -> None:
    sick = [failed("cologne", START + n * MINUTE + MINUTE / 3) for n in range(60)]
    fill([*before(), *sorted([*good(), *sick], key=lambda each: each.started_at)])
    store.deployed(DEPLOYED)
    words = {}
    for tenant in ("", "aldgate", "cologne"):
        judge = Judge(lambda: Store(url, clock), INVENTORY, POLICY, clock=clock, tenant=tenant)
        verdict = judge.verdict("canary", "8.0")
        judge.close()
        words[tenant] = verdict.word
        if tenant:
            assert (list(verdict.facts.expected), list(verdict.samples.by_tenant)) == ([tenant], [tenant])
    assert words == {"": Word.FAIL, "aldgate": Word.PASS, "cologne": Word.FAIL}
    with pytest.raises(SelectionError):
        Judge(lambda: Store(url, clock), INVENTORY, POLICY, clock=clock, tenant="nobody").verdict("canary", "8.0")
