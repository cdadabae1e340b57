"""What Prometheus is told is what the store holds: each result once, and nothing old as if it were fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ringgate.domain.events import RunRecovered
from ringgate.domain.model import Deployment, Failure, Residue, RunResult, SignalSample, Step
from ringgate.domain.terms import Channel, Invariant, Outcome, Source
from ringgate.metrics import StoreCollector, StoreFollower, exposition
from ringgate.store import ProberState, Store
from tests.unit.report.sample import four_tenants

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ALDGATE = {"tenant": "aldgate", "scenario": "time-entry", "channel": "api"}
STEP = {"scenario": "time-entry", "step": "enter time", "channel": "api", "ring": "canary", "release": "8.0"}


def result(run_id: str, at: datetime = NOON, **changes) -> RunResult:
    values = {
        "run_id": run_id, "trace_id": run_id.rjust(32, "0"), "scenario": "time-entry", "tenant": "aldgate",
        "ring": "canary", "channel": Channel.API, "outcome": Outcome.PASSED, "started_at": at, "seconds": 2.0,
        "steps": (Step("enter time", 0.1, 0.3, Outcome.PASSED),), "release": "8.0", "source": Source.PROBE,
    }  # fmt: skip
    return RunResult(**{**values, **changes})


class World:
    """A store, a clock that is set by hand, and what a scrape says."""

    def __init__(self, url: str) -> None:
        self.url, self.now = url, NOON + timedelta(seconds=5)
        self.store = Store(url, clock=lambda: self.now)
        self.due: dict[tuple[str, str, str], timedelta] = {}
        self.start()

    def start(self) -> None:
        """A new `ringgate serve` on the same store."""
        self.follower = StoreFollower(self.store, clock=lambda: self.now)
        self.collector = StoreCollector(self.follower, four_tenants, lambda now: self.due, clock=lambda: self.now)

    def value(self, name: str, **labels: str) -> float | None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self.collector)
        return registry.get_sample_value(name, labels)

    def names(self) -> set[str]:
        return {sample.name for family in self.collector.collect() for sample in family.samples}


@pytest.fixture
def world(tmp_path):
    world = World(f"sqlite:///{tmp_path}/results.sqlite")
    yield world
    world.store.close()


def test_runs_are_counted_by_outcome_and_the_other_outcomes_stand_at_zero(world):
    for number, outcome in enumerate((Outcome.PASSED, Outcome.PASSED, Outcome.FAILED)):
        world.store.add(result(f"r{number}", outcome=outcome))
    world.follower.follow()
    counts = {word: world.value("ringgate_runs_total", **ALDGATE, outcome=word) for word in Outcome}
    assert counts == {"passed": 2, "failed": 1, "broken": 0, "skipped": 0, "stopped": 0}


def test_each_result_is_counted_once_however_often_the_store_is_read(world):
    for number in range(5):
        world.store.add(result(f"r{number}"))
        world.now += timedelta(seconds=20)
        world.follower.follow()
        world.follower.follow()
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 5


def test_a_result_that_becomes_visible_late_is_not_missed(world):
    world.now = NOON + timedelta(seconds=50)
    world.store.add(result("first"))
    world.follower.follow()
    world.now = NOON + timedelta(seconds=10)  # its transaction began earlier and ended later
    world.store.add(result("late"))
    world.now = NOON + timedelta(seconds=60)
    assert world.follower.follow() == 1


def test_a_recorder_whose_clock_is_ahead_hides_nobody_elses_results(world):
    world.now = NOON + timedelta(hours=1)
    world.store.add(result("ahead"))
    world.now = NOON
    world.follower.follow()
    world.store.add(result("right"))
    world.follower.follow()
    world.now = NOON + timedelta(hours=1, minutes=1)
    world.follower.follow()
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 2


def test_counters_go_on_after_a_restart_and_count_what_was_recorded_meanwhile(world):
    world.store.add(result("r1"))
    world.follower.follow()
    world.follower.keep()
    world.store.add(result("r2"))
    world.now += timedelta(days=30)  # longer than the first start looks back
    world.store.add(result("r3", at=world.now))
    world.start()
    world.follower.follow()
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 3
    assert world.value("ringgate_step_duration_seconds_count", **STEP) == 3


def test_after_a_kill_nothing_is_counted_twice(world):
    world.store.add(result("r1"))
    world.follower.follow()  # kept, for it is the first time
    world.store.add(result("r2"))
    world.follower.follow()  # not kept: the next start reads it again
    world.start()
    world.follower.follow()
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 2


def test_the_first_start_reads_a_long_history_in_pieces(world):
    for day in range(4):
        world.now = NOON + timedelta(days=day)
        world.store.add(result(f"r{day}", at=world.now))
    assert world.follower.follow() == 4
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 4


def test_what_nothing_was_added_to_for_a_week_is_dropped(world):
    world.store.add(result("old", tenant="gone"))
    world.follower.follow()
    world.now += timedelta(days=8)
    world.follower.follow()
    assert world.value("ringgate_runs_total", **{**ALDGATE, "tenant": "gone"}, outcome="passed") is None


def test_an_old_result_does_not_look_fresh(world):
    world.due[tuple(ALDGATE.values())] = timedelta(minutes=15)
    world.store.add(result("r1"))
    world.follower.follow()
    assert world.value("ringgate_success", **ALDGATE) == 1
    assert world.value("ringgate_duration_seconds", **ALDGATE) == 2
    world.now += timedelta(minutes=16)
    world.follower.follow()
    assert world.value("ringgate_success", **ALDGATE) is None
    assert world.value("ringgate_duration_seconds", **ALDGATE) is None
    assert world.value("ringgate_last_run_timestamp_seconds", **ALDGATE) == NOON.timestamp() + 2
    assert world.value("ringgate_horizon_seconds", **ALDGATE) == 15 * 60


def test_where_nobody_knows_what_is_due_everything_that_ran_is_to_run_again(world):
    world.collector = StoreCollector(world.follower, four_tenants, clock=lambda: world.now)
    world.store.add(result("r1"))
    world.follower.follow()
    assert world.value("ringgate_horizon_seconds", **ALDGATE) == 30 * 60


def test_a_broken_run_says_nothing_about_success(world):
    world.store.add(result("r1"))
    world.store.add(result("r2", outcome=Outcome.BROKEN, at=NOON + timedelta(seconds=1)))
    world.follower.follow()
    assert world.value("ringgate_success", **ALDGATE) is None
    assert world.value("ringgate_last_run_timestamp_seconds", **ALDGATE) == NOON.timestamp() + 3


def test_a_run_that_we_stopped_is_counted_and_says_nothing_of_now(world):
    world.store.add(result("r1"))
    later = NOON + timedelta(seconds=1)
    world.store.add(result("r2", outcome=Outcome.STOPPED, at=later, failure=None, reason="We were asked to stop."))
    world.follower.follow()
    assert world.value("ringgate_success", **ALDGATE) == 1
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="stopped") == 1


def test_an_earlier_run_that_ends_later_in_the_store_does_not_replace_the_last(world):
    world.store.add(result("new", at=NOON, outcome=Outcome.FAILED))
    world.store.add(result("old", at=NOON - timedelta(minutes=3)))
    world.follower.follow()
    assert world.value("ringgate_success", **ALDGATE) == 0


@pytest.mark.parametrize("source", [Source.SELF_TEST, Source.REHEARSAL])
def test_only_suites_and_probes_count_for_availability(world, source):
    world.store.add(result("r1", source=source, outcome=Outcome.FAILED))
    world.follower.follow()
    assert not {"ringgate_runs_total", "ringgate_success", "ringgate_step_duration_seconds_count"} & world.names()


def test_self_tests_have_figures_of_their_own(world):
    caught, other = Failure("expectation", "hours"), Failure("unavailable", "nobody answers")
    world.store.add(result("r1", source=Source.SELF_TEST, outcome=Outcome.FAILED, failure=caught))
    world.store.add(result("r2", source=Source.SELF_TEST, outcome=Outcome.PASSED))
    world.store.add(result("r3", source=Source.SELF_TEST, outcome=Outcome.FAILED, failure=other))
    world.follower.follow()
    assert world.value("ringgate_self_tests_total", ring="canary", outcome="caught") == 1
    assert world.value("ringgate_self_tests_total", ring="canary", outcome="missed") == 1
    assert world.value("ringgate_self_tests_total", ring="early", outcome="missed") == 0
    assert world.value("ringgate_self_test_caught_timestamp_seconds", ring="canary") == NOON.timestamp() + 2


def test_steps_are_a_histogram_without_the_tenant_and_failures_have_their_reason(world):
    failed = (Step("enter time", 0.1, 9.0, Outcome.FAILED),)
    world.store.add(result("r1"))
    world.store.add(result("r2", tenant="other"))
    failure = Failure("expectation", "no", "enter time", invariant=Invariant.BALANCED)
    world.store.add(result("r3", steps=failed, outcome=Outcome.FAILED, failure=failure))
    world.follower.follow()
    name = "ringgate_step_duration_seconds"
    assert [world.value(f"{name}_bucket", **STEP, le=le) for le in ("0.25", "0.5", "+Inf")] == [0, 2, 2]
    assert world.value(f"{name}_sum", **STEP) == pytest.approx(0.6)
    assert world.value("ringgate_step_failures_total", **STEP, reason="unbalanced-posting") == 1


def test_openmetrics_carry_the_trace_of_a_run_as_exemplar(world):
    world.store.add(result("r1"))
    world.follower.follow()
    text, content_type = exposition(world.collector, OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    samples = [s for family in text_string_to_metric_families(text.decode()) for s in family.samples if s.exemplar]
    assert {s.name for s in samples} == {"ringgate_runs_total", "ringgate_step_duration_seconds_bucket"}
    assert {s.exemplar.labels["trace_id"] for s in samples} == {"r1".rjust(32, "0")}


def test_tenants_and_their_pauses_are_told_also_before_anything_ran(world):
    world.follower.follow()
    registry = {s.labels["tenant"]: s.labels for f in world.collector.collect() for s in f.samples
                if s.name == "ringgate_tenant_info"}  # fmt: skip
    assert set(registry) == {each.id for each in four_tenants()}
    assert registry["aldgate"]["ring"] == "canary"
    assert world.value("ringgate_tenant_paused", tenant="aldgate") == 0
    assert world.value("ringgate_residue_total", tenant="aldgate") == 0


def test_residue_schedule_probers_and_deployments_are_told(world):
    world.store.add(result("r1", residue=(Residue("aldgate", "r1", "enter_time", "RG-1", "down"),)))
    world.store.count({("late", "aldgate", "time-entry", "api"): 3})
    world.store.seen(ProberState("alive", NOON, NOON))
    world.store.seen(ProberState("stopped", NOON, NOON, NOON))
    world.store.seen(ProberState("outlived", NOON, NOON - timedelta(days=2)))
    world.store.deployed(Deployment("d1", NOON, "canary", "8.0", ("aldgate",), "by hand", "ops"))
    world.follower.follow()
    assert world.value("ringgate_residue_total", tenant="aldgate") == 1
    assert world.value("ringgate_residue_left", tenant="aldgate") == 1
    world.store.on(RunRecovered("r1", "aldgate", NOON, undone=1))
    world.follower.follow()
    assert world.value("ringgate_residue_total", tenant="aldgate") == 1
    assert world.value("ringgate_residue_left", tenant="aldgate") == 0
    assert world.value("ringgate_scheduler_total", what="late", **ALDGATE) == 3
    seen = {s.labels["prober"] for f in world.collector.collect() for s in f.samples
            if s.name == "ringgate_prober_seen_timestamp_seconds"}  # fmt: skip
    assert seen == {"alive"}
    labels = {"deployment": "d1", "ring": "canary", "release": "8.0", "tenants": "aldgate", "by": "ops",
              "note": "by hand"}  # fmt: skip
    assert world.value("ringgate_deployment_timestamp_seconds", **labels) == NOON.timestamp()


def test_a_signal_whose_source_failed_has_no_value_any_more(world):
    backlog = {"signal": "backlog", "unit": "jobs", "ring": "canary", "tenant": ""}
    world.store.sampled(
        [SignalSample(NOON, "backlog", 7.0, "jobs", "canary", limit=10.0), SignalSample(NOON, "backlog/up", 1.0)]
    )
    world.follower.follow()
    assert world.value("ringgate_signal", **backlog) == 7
    assert world.value("ringgate_signal_limit", **backlog) == 10
    assert world.value("ringgate_signal_up", signal="backlog") == 1
    world.store.sampled([SignalSample(NOON + timedelta(seconds=1), "backlog/up", 0.0)])
    world.follower.follow()
    assert world.value("ringgate_signal", **backlog) is None
    assert world.value("ringgate_signal_up", signal="backlog") == 0


def test_a_signal_that_nobody_reads_any_more_ends(world):
    world.store.sampled([SignalSample(NOON, "backlog", 7.0), SignalSample(NOON, "backlog/up", 1.0)])
    world.follower.follow()
    world.now += timedelta(minutes=11)
    assert not {"ringgate_signal", "ringgate_signal_up"} & world.names()


def test_a_store_that_is_not_read_is_told_and_what_it_held_stays(world):
    world.store.add(result("r1"))
    world.follower.follow()
    assert world.value("ringgate_store_readable") == 1
    world.now += timedelta(minutes=2)
    assert world.value("ringgate_store_readable") == 0
    assert world.value("ringgate_runs_total", **ALDGATE, outcome="passed") == 1


def test_a_store_that_was_never_read_is_told(world):
    assert world.value("ringgate_store_readable") == 0
    assert "ringgate_runs_total" not in world.names()


def test_the_latest_results_are_those_that_started_last_also_after_a_restart(world):
    for number in range(25):
        world.store.add(result(f"r{number}", at=NOON - timedelta(minutes=number)))  # recorded the other way round
    world.follower.follow()
    latest = [f"r{number}" for number in reversed(range(20))]
    assert [each.run_id for each in world.follower.recent()] == latest
    world.follower.keep()
    world.start()
    world.follower.follow()
    assert [each.run_id for each in world.follower.recent()] == latest
