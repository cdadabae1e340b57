"""Features are switched on when every ring was promoted, ring by ring; what fails is switched off again, and nothing
else is taken back. Flags that are not as they must be are told with file, key and rule."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import pytest

from ringgate.inventory import Inventory
from ringgate.rollout.activating import switched_off
from ringgate.rollout.activation_tables import ACTIVATION, FlagTable
from ringgate.rollout.approval_wait import ring_before
from ringgate.rollout.beginning import begin, reopen
from ringgate.rollout.conditions import Condition
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.evidence import entries_of
from ringgate.rollout.flags.protocol import FlagUnknown
from ringgate.rollout.messages import messages_of
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.record import Objection, RecordKeeper
from ringgate.rollout.release import ReleaseError, load_release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.report import headline
from ringgate.rollout.stages.activation import chosen_by_flags
from ringgate.rollout.stages.context import StageFinding
from tests.support.rehearsal import release_file
from tests.unit.rollout.test_rehearsal import ROOT, Killed, Stages, World, _no_engine, _NoBackgroundLoad

FLAG = """
[activation]
[[activation.flags]]
name = "new-invoicing"
owner = "billing"
ends = 2999-12-31
switch = ["true", "{tenant}", "{state}"]
ask = ["true"]
"""
FAILED = StageFinding(reasons=[
    Objection(condition=Condition.ACTIVATION_FAILED, action=RolloutAction.ROLL_BACK, tenant="bleecker",
              sentence="project-to-cash failed with new-invoicing on.")
])  # fmt: skip


class LitStages(Stages):
    def activation(self, tenant):
        return self._do("activation", tenant)

    def deactivation(self, tenant):
        return self._do("deactivation", tenant)


class LitWorld(World):
    """A rollout that ends with its features on."""

    def __init__(self, folder):
        super().__init__(folder)
        place = folder.with_name("lit")
        place.mkdir()
        file = release_file(place, "low")
        file.write_text(file.read_text() + FLAG)
        self.release, self.stages = load_release(file, self.inventory), LitStages()
        self.asked: list[str] = []
        self.held = ""

    def opens(self, ring):
        self.asked.append(ring)
        if self.held and ring == ACTIVATION:
            raise RolloutHeld(self.held)

    def controller(self, *, ended=False):
        ledger = RecordKeeper(self.folder)
        if ended:
            ledger.find()
        else:
            begin(ledger, self.release, self.place, "s1", activates=True)
        return Rehearsal(
            self.release, self.inventory, self.place, [], _no_engine, ledger, self.stages, self.watcher,
            self.take_back, pause=lambda: None, opens=self.opens,
        )  # fmt: skip

    def start(self):
        return self.controller().run()

    @property
    def lit(self):
        return [(stage, tenant) for stage, tenant in self.stages.done if "activation" in stage]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ringgate.rollout.controller.Rehearsal._background_load", lambda self, ring: _NoBackgroundLoad()
    )
    return LitWorld(tmp_path / "rollout")


def test_nothing_is_switched_on_before_every_ring_was_promoted(world):
    record = world.start()
    assert record.succeeded
    stages = [stage for stage, _ in world.stages.done]
    assert stages.index("activation") > max(index for index, each in enumerate(stages) if each == "verification")
    assert [tenant for _, tenant in world.lit] == [tenant.id for tenant in world.release.tenants]
    assert "features are on everywhere" in headline(record)


def test_a_ring_that_fails_dark_has_nothing_switched_on(world):
    world.stages.say["verification", "aldgate"] = FAILED
    assert not world.start().succeeded
    assert world.lit == []


def test_a_ring_whose_feature_fails_is_switched_off_again_and_stays_upgraded(world):
    ring = next(name for name, tenants in world.release.rings if "bleecker" in {each.id for each in tenants})
    world.stages.say["activation", "bleecker"] = FAILED
    record = world.start()
    members = {tenant.id for name, tenants in world.release.rings if name == ring for tenant in tenants}
    assert {tenant for stage, tenant in world.lit if stage == "deactivation"} == members
    assert record.activation[ring].decision is RolloutAction.ROLL_BACK
    assert all(each.decision is RolloutAction.PROMOTE for each in record.rings.values())
    assert "rollback" not in {stage for stage, _ in world.stages.done}
    later = [name for name, _ in world.release.rings][[name for name, _ in world.release.rings].index(ring) + 1 :]
    assert all(record.activation[name].began is None for name in later)
    assert not record.succeeded
    assert f"activation of {ring} rolled back" in messages_of(record)[-1].title
    assert any(each.body.get("what") == ACTIVATION and each.ring == ring for each in entries_of(record))


def test_it_is_begun_again_where_it_stopped(world):
    world.stages.say["activation", "bleecker"] = FAILED
    world.start()
    done = len(world.stages.done)
    reopen(RecordKeeper(world.folder))
    assert world.start().succeeded
    assert {stage for stage, _ in world.stages.done[done:]} == {"activation"}


def test_begun_again_after_all_was_taken_back_every_ring_is_done_again(world):
    assert world.start().succeeded
    world.controller(ended=True).roll_back("ada", "the bank asked for it")
    done = len(world.stages.done)
    reopen(RecordKeeper(world.folder))
    assert world.start().succeeded
    again = world.stages.done[done:]
    for stage in ("upgrade", "verification", "activation"):
        assert [tenant for name, tenant in again if name == stage] == [each.id for each in world.release.tenants]


def test_it_waits_for_its_approval_and_goes_on(world):
    world.held = "activation does not begin without approval"
    record = world.start()
    assert (record.waits, record.ended, world.lit) == (world.held, None, [])
    world.held = ""
    assert world.start().succeeded
    assert ring_before(ACTIVATION, ["canary", "early"]) == "early"


def test_nobody_knows_whether_it_is_on_pauses_and_switches_nothing_off(world):
    unknown = FlagUnknown("the service does not answer")
    world.stages.say["activation", "aldgate"] = [unknown, unknown]
    record = world.start()
    (ring,) = [each for each in record.activation.values() if each.decision]
    assert ring.decision is RolloutAction.PAUSE
    assert not any(stage == "deactivation" for stage, _ in world.lit)


@pytest.mark.parametrize("stage", ["activation", "deactivation"])
def test_killed_while_switching_the_same_command_ends_the_same(world, stage):
    world.stages.say["activation", "bleecker"] = FAILED
    world.stages.say[stage, "bleecker" if stage == "deactivation" else "aldgate"] = Killed()
    with pytest.raises(Killed):
        world.start()
    record = world.start()
    assert [each.decision for each in record.activation.values() if each.decision][-1] is RolloutAction.ROLL_BACK


def test_a_switch_off_takes_the_last_ring_first_and_nothing_else(world):
    world.start()
    record = switched_off(world.controller(ended=True), "grace", "invoices look wrong")
    off = [tenant for stage, tenant in world.lit if stage == "deactivation"]
    assert off[0] in {tenant.id for tenant in world.release.rings[-1][1]}
    assert set(off) == {tenant.id for tenant in world.release.tenants}
    assert "rollback" not in {stage for stage, _ in world.stages.done}
    assert not record.succeeded
    assert record.ended


def test_scenarios_are_chosen_by_what_is_on():
    def scenario(name, smoke=False):
        return SimpleNamespace(id=name, smoke=smoke)

    def flag(**more):
        return SimpleNamespace(table=FlagTable(name="f", owner="o", ends=date(2999, 1, 1), **more))

    known = [scenario("sign-in", smoke=True), scenario("credit-note"), scenario("old-way", smoke=True)]
    credit = flag(scenarios=("credit-note",), without=("old-way",))

    def chosen(*states):
        return [each.id for each in chosen_by_flags(known, states)]

    assert chosen((credit, True)) == ["credit-note"]
    assert chosen((flag(), True), (credit, False)) == ["sign-in", "old-way"]
    assert chosen((flag(), True), (credit, True)) == ["sign-in", "credit-note"]
    assert chosen((credit, False)) == []


def problems(tmp_path, text, today=None):
    file = release_file(tmp_path, "low")
    file.write_text(file.read_text() + text)
    with pytest.raises(ReleaseError) as wrong:
        load_release(file, Inventory.load(ROOT / "tenants"), today=today)
    return {(each.key, each.rule) for each in wrong.value.problems}


def test_a_flag_needs_an_owner_and_an_end_and_one_way_to_be_switched(tmp_path):
    found = problems(tmp_path, '[activation]\n[[activation.flags]]\nname = "a"\nfile = "f.json"\nask = ["true"]\n')
    keys = {key for key, _ in found}
    assert {"activation.flags[0].owner", "activation.flags[0].ends"} <= keys
    assert ("activation.flags[0]", "needs either file, or both switch and ask") in found


def test_a_flag_that_has_ended_is_refused(tmp_path):
    text = FLAG.replace("2999", "2026")
    assert ("activation.flags[0].ends", "has passed: remove the flag, or renew it with its owner") in problems(
        tmp_path, text, date(2027, 1, 1)
    )


def test_files_and_programs_are_looked_at_before_anything_is_done(tmp_path):
    text = FLAG.replace('"true", "{tenant}"', '"./gone.sh", "{tenent}"') + (
        '[[activation.flags]]\nname = "dark"\nowner = "o"\nends = 2999-01-01\nfile = "flags.json"\n'
    )
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
    (tmp_path / "flags.json").write_text(json.dumps({"flags": {"dark": flag}}))
    assert problems(tmp_path, text) == {
        ("activation.flags[0].switch[0]", "there is no such program beside this file"),
        ("activation.flags[0].switch[1]", "{tenent} is nothing that is filled in; did you mean tenant?"),
        ("activation.flags[1].file", "must have off as the default of dark: it is deployed dark"),
    }


DARK = ("activation.flags[0].scenarios",
        "must have passed before the flag is switched on, and is not tried while it is dark")  # fmt: skip


def test_what_must_have_passed_cannot_go_untried_while_a_flag_is_dark(tmp_path):
    assert DARK in problems(tmp_path, f'{FLAG}scenarios = ["sign-in", "credit-and-payment"]\n')


def test_a_process_that_somebody_may_go_without_may_be_dark(tmp_path):
    file = release_file(tmp_path, "low")
    without = (
        '[[untested]]\ntenant = "aldgate"\nscenario = "sign-in"\nowner = "o"\nreason = "r"\nexpires = 2999-01-01\n'
    )
    file.write_text(f'{file.read_text()}{without}{FLAG}scenarios = ["sign-in"]\n')
    assert load_release(file, Inventory.load(ROOT / "tenants")).table.activation
