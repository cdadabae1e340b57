"""Rollouts over hosts that are failing, lying, slow, unreachable and half done, by controllers that are killed, stopped
and rivalled; the short form of `make rollout-simulation`. What happens when, a seed says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringgate.rollout.release_tables import RolloutAction
from tests.evaluation.simulation.__main__ import CASES, simulate
from tests.evaluation.simulation.controllers import Simulation
from tests.evaluation.simulation.rules import at_the_end
from tests.evaluation.simulation.world import Killed, Life, World


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_whatever_hosts_do_and_whoever_is_killed_the_rules_hold(case):
    assert simulate(1, 8, case).wrong == ()


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(100, 112))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_the_rules_hold_for_more_seeds_and_tenants(case, seed):
    assert simulate(seed, 24, case).wrong == ()


def test_where_nothing_goes_wrong_all_are_upgraded_once(tmp_path):
    world = World(tmp_path / "w", 1, 8)
    simulation = Simulation(world)
    record = simulation.run()
    assert (world.wrong, list(at_the_end(world, record, simulation.hosts.runs))) == ([], [])
    assert (record.succeeded, world.counts["upgrades"]) == (True, 8)


AWAY = timedelta(hours=5)
"""How long nobody starts it again: its window is over then."""


def killed_at(folder, transition: int) -> tuple[World, bool]:
    """A rollout whose first start is killed there; whether it came so far."""
    world = World(folder, 1, 4)
    simulation, life = Simulation(world), Life(last=transition)
    world.later(world.clock().replace(hour=23) - world.clock())
    try:
        simulation.once(life)
    except Killed:
        world.later(AWAY)
    record = simulation.run()
    world.wrong += at_the_end(world, record, simulation.hosts.runs)
    if any(ring.decision is not RolloutAction.PROMOTE for ring in record.rings.values()):
        world.wrong.append("a ring was not promoted, and nothing was wrong with its hosts")
    return world, life.dead


@pytest.mark.sweep
def test_a_kill_at_each_transition_ends_the_same(tmp_path):
    transition = 1
    while True:
        world, dead = killed_at(tmp_path / str(transition), transition)
        assert world.wrong == [], f"killed at transition {transition}"
        if not dead:
            break
        transition += 1
    assert transition > 30


@pytest.mark.parametrize("transition", range(3, 60, 8))
def test_a_kill_at_some_transitions_ends_the_same(tmp_path, transition):
    world, _ = killed_at(tmp_path / "w", transition)
    assert world.wrong == []
