"""A rollout begins though one host cannot be reached, and goes on though one cannot: it keeps nobody else waiting."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.record import RecordKeeper
from tests.evaluation.simulation.controllers import Simulation
from tests.evaluation.simulation.world import Killed, Life, World


@pytest.fixture
def simulation(tmp_path):
    return Simulation(World(tmp_path / "w", 1, 6))


def test_a_host_that_is_gone_counts_against_its_ring_and_keeps_nobody_waiting(simulation):
    simulation.hosts.left["t3"] = 0
    record = simulation.run()
    assert record.succeeded
    assert [name for name, kept in record.tenants.items() if any(x.reasons for x in kept.stages.values())] == ["t3"]


def test_one_that_is_gone_in_the_midst_of_its_upgrade_is_told_as_unknown_at_the_end(simulation):
    ask = simulation.hosts.behaves

    def gone(action):
        if (action.tenant.id, action.name) == ("t3", "upgrade"):
            simulation.hosts.left["t3"] = 0
        return ask(action)

    simulation.hosts.behaves = gone
    record = simulation.run()
    assert record.succeeded
    assert [each for each in record.left if "t3: nobody can tell how far" in each]
    assert RecordKeeper(simulation.world.record_folder).find() == record


def test_where_no_host_can_be_reached_nothing_begins(simulation):
    simulation.hosts.left.update({each.id: 0 for each in simulation.world.all})
    with pytest.raises(PlatformError, match="nobody answers"):
        simulation.once(Life())
    assert not simulation.world.record_folder.exists()


def test_one_that_was_cut_off_is_as_it_was_and_waits_for_its_window_with_a_baseline_of_that_day(simulation):
    world = simulation.world
    world.later(timedelta(hours=23))
    ask, life = simulation.hosts.behaves, Life()

    def half(action):
        if action.name == "upgrade":
            life.last = life.seen + 1
            return "half"
        return ask(action)

    simulation.hosts.behaves = half
    with pytest.raises(Killed):
        simulation.once(life)
    simulation.hosts.behaves = ask
    world.later(timedelta(hours=8))  # no window is open in London or New York
    record = simulation.once(Life())
    whose = next(name for name in record.tenants if simulation.hosts.runs.get(name) == "7.0")
    assert (record.ended, "upgrade" in record.tenants[whose].stages) == (None, False)
    assert world.wrong == []
    record = simulation.run()
    assert (record.succeeded, world.wrong) == (True, [])
    stages = record.tenants[whose].stages
    assert stages["upgrade"].began - stages["baseline"].began < timedelta(hours=1)


def test_the_record_on_disk_is_whole_after_each_writing(simulation):
    record = simulation.run()
    text = (simulation.world.record_folder / "record.json").read_text(encoding="utf-8")
    assert json.loads(text) == record.model_dump(mode="json")
