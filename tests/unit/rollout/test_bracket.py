"""What is done round somebody else's upgrade, and what of an earlier call is done again. The stages are real in
tests/erp; here they note what is done."""

from __future__ import annotations

import pytest

from ringgate.domain.model import Residue
from ringgate.domain.terms import ResidueCause
from ringgate.evidence import EvidenceChain, EvidenceKind
from ringgate.evidence.witness import ChainWitness
from ringgate.rollout import bracket
from ringgate.rollout.beginning import begin
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.evidence import RolloutEvidence, unkept
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.platforms.somebody_elses import SomebodyElses
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.release_tables import RolloutAction
from ringgate.store import Store
from tests.unit.evidence.chains import BY
from tests.unit.rollout.test_rehearsal import Killed, Silent, World, against


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "bracket")


def called(world: World, platform=None) -> Rehearsal:
    """The controller of one call of a command."""
    platform = platform or SomebodyElses("7.0")
    ledger = RecordKeeper(world.folder)
    if ledger.find() is None:
        begin(ledger, world.release, platform, "s1")
    return Rehearsal(
        world.release, world.inventory, platform, [], None, ledger, world.stages, Silent(), world.take_back,
        pause=lambda: None,
    )  # fmt: skip


def test_before_and_after_look_at_the_chosen_and_upgrade_nobody(world):
    assert bracket.before(called(world), ["aldgate", "kyoto"]) == []
    assert bracket.unprepared(called(world), ["aldgate", "cologne"]) == ["cologne"]
    assert bracket.after(called(world), ["aldgate", "kyoto"]) == []
    of_each = ["baseline", "fingerprint", "verification"]
    assert [stage for stage, whom in world.stages.done if whom == "aldgate"] == of_each
    assert {whom for _, whom in world.stages.done} == {"aldgate", "kyoto"}
    assert world.recovered == [(False, "aldgate kyoto"), (True, "aldgate kyoto")]


def test_with_a_platform_a_restore_is_drilled_too(world):
    bracket.before(called(world, world.place), ["aldgate"])
    assert [stage for stage, _ in world.stages.done] == ["baseline", "drill"]


@pytest.mark.parametrize("call", [bracket.before, bracket.after])
def test_another_call_looks_again(world, call):
    bracket.before(called(world), ["aldgate"])
    world.stages.done.clear()
    stage = "baseline" if call is bracket.before else "verification"
    world.stages.say[stage, "aldgate"] = against("process_failed", RolloutAction.ROLL_BACK)
    assert len(call(called(world), ["aldgate"])) == 1
    assert call(called(world), ["aldgate"]) == []


def test_the_books_are_kept_as_a_look_left_them_that_found_them_right(world):
    """Its processes have written into them: the next look must not take that for the upgrade's doing."""
    bracket.before(called(world), ["aldgate", "kyoto"])
    world.stages.say["fingerprint", "kyoto"] = against("fingerprint_drift", RolloutAction.ROLL_BACK, "kyoto")
    bracket.after(called(world), ["aldgate", "kyoto"])
    assert world.stages.left == ["aldgate"]


def test_one_that_was_cut_off_has_not_been_prepared(world):
    world.stages.say["baseline", "aldgate"] = Killed()
    with pytest.raises(Killed):
        bracket.before(called(world), ["aldgate"])
    assert bracket.unprepared(called(world), ["aldgate"]) == ["aldgate"]
    bracket.before(called(world), ["aldgate"])
    assert bracket.unprepared(called(world), ["aldgate"]) == []


def test_what_could_not_be_taken_back_is_told(world):
    bracket.before(called(world), ["aldgate"])
    world.left[True, 2] = (Residue("aldgate", "run1", "post_invoice", "RG-1", "no answer", ResidueCause.SLOW),)
    assert [each.condition for each in bracket.after(called(world), ["aldgate"])] == ["inconclusive"]


def test_nothing_is_done_to_hosts_that_nobody_named():
    hosts = SomebodyElses("7.0")
    for ask in (
        lambda: hosts.backup("a"),
        lambda: hosts.roll_back("a", "b"),
        lambda: hosts.upgrade("a", "8.0", (), None),
    ):
        with pytest.raises(PlatformError, match="give --platform"):
            ask()


def test_what_was_looked_at_is_noted_as_evidence_with_a_verdict_for_each_whole_ring(world, tmp_path):
    def noted(call, whom) -> None:
        controller = called(world)
        evidence = RolloutEvidence(lambda: Store(url), BY, world.release, "SomebodyElses")
        controller.ledger.noted = evidence.note
        call(controller, whom)
        evidence.settle(controller.ledger.record)

    url = f"sqlite:///{tmp_path}/results.sqlite"
    everybody = [each.id for each in world.release.tenants]
    noted(bracket.before, everybody)
    noted(bracket.after, ["aldgate", "cologne"])
    world.stages.say["verification", "kyoto"] = against("process_failed", RolloutAction.ROLL_BACK)
    noted(bracket.after, ["bleecker", "kyoto"])
    store = Store(url)
    chain = EvidenceChain(store, BY, witness=ChainWitness(store.address, tmp_path / "seen"))
    verdicts = {each.ring: each.body["verdict"] for each in chain.entries(kinds=[EvidenceKind.VERDICT])}
    assert verdicts == {"canary": "pass", "early": "pass", "broad": "fail"}
    assert len(chain.entries(kinds=[EvidenceKind.START])) == 3
    assert [each.body["succeeded"] for each in chain.entries(kinds=[EvidenceKind.END])] == [False]
    assert {each.body["stage"] for each in chain.entries(kinds=[EvidenceKind.STAGE])} == {
        "baseline", "fingerprint", "verification",
    }  # fmt: skip
    assert chain.verify().holds
    assert unkept(called(world).ledger.record, store) == []
    noted(bracket.after, ["kyoto"])  # looked at again, and well
    assert chain.entries(kinds=[EvidenceKind.VERDICT])[-1].body["verdict"] == "pass"
    store.close()
