"""The simulation of a region: what falls due is run, missed or waits; enough workers are enough, and fewer are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.evaluation.capacity.model import ALIVE, MISSED, Costs, RegionSize, fewest, fleet, simulate

COSTS = Costs(worker=0.03, database=0.005, takes=0.3, megabytes=150.0)
REGION = RegionSize("eu", 3_000)


def test_enough_workers_run_everything_in_time() -> None:
    course = simulate(REGION, COSTS, workers=3)
    assert (course.due, course.late, course.missed) == (3_000 * 5 * 12, 0, 0)
    assert course.run == course.due
    assert course.busiest == pytest.approx(50 * 0.03, rel=0.1)


def test_too_few_workers_miss_what_they_cannot_run_and_never_run_it_late_in_a_burst() -> None:
    course = simulate(REGION, COSTS, workers=1)
    assert course.run + course.missed <= course.due
    assert course.missed == pytest.approx(course.due * (1 - 1 / (50 * 0.03)), rel=0.1)
    assert course.oldest < MISSED


def test_while_postgresql_is_away_slots_wait_and_are_caught_up_with() -> None:
    course = simulate(replace(REGION, away=((900, 920),)), COSTS, workers=3)
    assert (course.missed, course.run) == (0, course.due)
    assert 0 < course.late < 50 * 40
    longer = simulate(replace(REGION, away=((900, 1_100),)), COSTS, workers=3)
    assert longer.missed == pytest.approx(50 * (200 - MISSED), rel=0.1)


def test_what_a_killed_worker_held_is_run_by_another() -> None:
    course = simulate(replace(REGION, kills=(600,)), COSTS, workers=4)
    assert (course.missed, course.run) == (0, course.due)
    assert course.oldest >= ALIVE


def test_the_fewest_workers_are_enough_and_grow_with_the_tenants() -> None:
    sizes = {tenants: fewest(replace(REGION, tenants=tenants), COSTS) for tenants in (1_000, 3_000, 10_000)}
    assert simulate(REGION, COSTS, sizes[3_000]).well
    assert sizes[1_000] <= sizes[3_000] < sizes[10_000]
    assert sizes[10_000] == pytest.approx(10_000 * 5 / 300 * 0.03 / 0.7, abs=1)


def test_a_fleet_is_all_its_tenants() -> None:
    regions = fleet(100_000, 12)
    assert (len(regions), sum(each.tenants for each in regions)) == (12, 100_000)
    assert regions[0].tenants > 5 * regions[-1].tenants
