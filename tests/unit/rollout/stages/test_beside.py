"""No two checks that post run at once on a tenant, and as many others as it bears."""

from __future__ import annotations

import threading
import time

import pytest

from ringgate.domain.terms import Capability, Effect
from ringgate.execution.concurrency import ConcurrencyLimits
from ringgate.rollout.stages.beside import Job, posts, run_beside
from tests.unit.rollout.stages.world import ALDGATE, FINE, SLOW, came, scenario


class Watch:
    """Jobs that note which others run while they do."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self.running: list[str] = []
        self.seen: list[tuple[str, ...]] = []

    def job(self, name: str, *, posts: bool = False, result=FINE, waits: threading.Event | None = None) -> Job:
        def work():
            with self._alone:
                self.running.append(name)
                self.seen.append(tuple(self.running))
            if waits:
                assert waits.wait(10)
            with self._alone:
                self.running.remove(name)
            return [came(scenario=name) if result is FINE else result]

        return Job(work, posts=posts)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_results_come_in_the_order_of_the_jobs(watch):
    names = [f"s{n}" for n in range(20)]
    results = run_beside(ALDGATE, [watch.job(name) for name in names], ConcurrencyLimits())
    assert [each.scenario for each in results] == names


def test_no_two_that_post_run_at_once_and_others_go_beside_them(watch):
    both = threading.Event()
    jobs = [
        watch.job("post 1", posts=True, waits=both), watch.job("post 2", posts=True),
        Job(lambda: both.set() or [came(scenario="read")]),
    ]  # fmt: skip
    results = run_beside(ALDGATE, jobs, ConcurrencyLimits())  # would wait for ever if the third came last
    assert len(results) == 3
    assert all(sum(name.startswith("post") for name in at_once) <= 1 for at_once in watch.seen)


def test_a_tenant_that_does_not_answer_in_time_gets_one_run_at_a_time(watch):
    limits = ConcurrencyLimits()
    run_beside(ALDGATE, [watch.job("slow", result=SLOW)], limits)
    watch.seen.clear()
    run_beside(ALDGATE, [watch.job(f"s{n}") for n in range(3)], limits)
    assert {len(at_once) for at_once in watch.seen} == {1}


def test_an_error_of_a_job_is_raised_when_the_others_under_way_have_ended(watch):
    begun = threading.Event()

    def fails():
        assert begun.wait(10)
        raise RuntimeError("a bug")

    jobs = [Job(fails), Job(lambda: begun.set() or time.sleep(0) or []), *(watch.job(f"s{n}") for n in range(3))]
    with pytest.raises(RuntimeError, match="a bug"):
        run_beside(ALDGATE, jobs, ConcurrencyLimits())
    assert watch.running == []


def test_what_draws_numbers_posts():
    assert posts(scenario("billing", Capability.INVOICING))
    assert not posts(scenario("reading", Capability.INVOICING, effect=Effect.READ))
    assert not posts(scenario("time", Capability.TIME))
