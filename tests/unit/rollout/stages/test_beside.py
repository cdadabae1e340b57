"""As many checks run at once on a tenant as it bears."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from ringgate.execution.concurrency import ConcurrencyLimits
from ringgate.rollout.stages.beside import Job, run_beside
from tests.unit.rollout.stages.world import ALDGATE, FINE, SLOW, came


class Watch:
    """Jobs that note which others run while they do."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self.running: list[str] = []
        self.seen: list[tuple[str, ...]] = []

    def job(self, name: str, *, result=FINE) -> Job:
        def work():
            with self._alone:
                self.running.append(name)
                self.seen.append(tuple(self.running))
            with self._alone:
                self.running.remove(name)
            return [came(scenario=name) if result is FINE else result]

        return Job(work)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_results_come_in_the_order_of_the_jobs(watch):
    names = [f"s{n}" for n in range(20)]
    results = run_beside(ALDGATE, [watch.job(name) for name in names], ConcurrencyLimits())
    assert [each.scenario for each in results] == names


def test_no_more_run_at_once_than_the_tenant_bears(watch):
    tenant = replace(ALDGATE, sessions=3)
    run_beside(tenant, [watch.job(f"s{n}") for n in range(30)], ConcurrencyLimits())
    assert max(map(len, watch.seen)) <= 3


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
