"""What a rollout did is noted as evidence, also what failed, was cut off or begun anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringgate.domain.errors import ErpUnavailable
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind, NewEvidence
from ringgate.evidence.witness import ChainWitness
from ringgate.rollout.beginning import begin
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.evidence import EvidenceNotKept, RolloutEvidence, unkept
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.release_tables import RolloutAction
from ringgate.store import Store, StoreError
from tests.unit.rollout.test_rehearsal import Killed, World, _no_engine, _NoBackgroundLoad, against

BY = EvidenceActor("ada", "build-7", "c0ffee", "0.1.0", "0" * 64)


class NotedWorld(World):
    """A rehearsal whose record is noted in a store."""

    session = "s1"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"sqlite:///{folder.parent}/results.sqlite"
        self.full = False
        self.store = Store(self.url)
        self.chain = EvidenceChain(self.store, BY, witness=ChainWitness(self.store.address, folder.parent / "seen"))

    def open_store(self) -> Store:
        if self.full:
            raise StoreError("the result store cannot be written: disk full")
        return Store(self.url)

    def start(self):
        self.ledger = RecordKeeper(self.folder)
        begin(self.ledger, self.release, self.place, self.session)
        evidence = RolloutEvidence(self.open_store, BY, self.release, "estate")
        self.ledger.noted = evidence.note
        return Rehearsal(
            self.release, self.inventory, self.place, [], _no_engine, self.ledger, self.stages, self.watcher,
            self.take_back, pause=lambda: None, opens=lambda ring: evidence.settle(self.ledger.record),
        ).run()  # fmt: skip

    def told(self, *kinds: EvidenceKind) -> list[tuple[str, str, str]]:
        """Ring, tenant, and what came of it."""
        return [
            (each.ring, each.body.get("tenant", ""), each.body.get("outcome") or each.body.get("action") or "")
            for each in self.chain.entries(kinds=kinds)
        ]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(
        "ringgate.rollout.controller.Rehearsal._background_load", lambda self, ring: _NoBackgroundLoad()
    )
    world = NotedWorld(tmp_path / "rehearsal")
    yield world
    world.store.close()


def test_every_stage_verdict_and_decision_is_noted(world):
    world.start()
    stages = world.told(EvidenceKind.STAGE)
    assert len(stages) == 4 * 5  # on every tenant, for the risk is high
    assert ("canary", "aldgate", "passed") in stages
    assert world.told(EvidenceKind.DECISION) == [(ring, "", "promote") for ring in ("canary", "early", "broad")]
    verdicts = world.chain.entries(kinds=[EvidenceKind.VERDICT])
    assert [each.body["verdict"] for each in verdicts] == ["pass"] * 3
    assert all(len(each.body["digests"][name]) == 64 for each in verdicts for name in each.body["digests"])
    start = world.chain.entries(kinds=[EvidenceKind.START])[0]
    assert (start.body["digests"]["release"], start.body["starts"]) == (world.release.digest, 1)
    waivers = world.chain.entries(kinds=[EvidenceKind.WAIVER])
    assert {each.body["waiver"]["owner"] for each in waivers} == {"release-manager", "head-of-finance"}
    report = world.chain.verify()
    assert (report.problems, report.remarks) == ((), ())
    assert unkept(world.ledger.record, world.store) == []


def test_a_ring_that_failed_is_noted_with_its_reasons(world):
    world.stages.say["fingerprint", "aldgate"] = against("fingerprint_drift", RolloutAction.ROLL_BACK)
    world.start()
    verdict = world.chain.entries(kinds=[EvidenceKind.VERDICT])[-1]
    assert (verdict.body["verdict"], verdict.body["action"]) == ("fail", "roll back")
    assert verdict.body["reasons"][0]["sentence"] == "it is not as it was"
    assert ("canary", "aldgate", "failed") in world.told(EvidenceKind.STAGE)


def test_what_only_our_own_side_broke_is_inconclusive(world):
    world.stages.say["baseline", "aldgate"] = against("inconclusive", RolloutAction.PAUSE)
    world.start()
    assert [each.body["verdict"] for each in world.chain.entries(kinds=[EvidenceKind.VERDICT])] == ["inconclusive"]


def test_an_attempt_that_failed_is_noted_although_the_next_one_passed(world):
    world.stages.say["upgrade", "aldgate"] = [ErpUnavailable("no answer"), None]
    world.start()
    attempt = world.chain.entries(kinds=[EvidenceKind.ATTEMPT])[0]
    assert (attempt.body["stage"], attempt.body["problem"]) == ("upgrade", "no answer")
    assert ("canary", "aldgate", "passed") in world.told(EvidenceKind.STAGE)


def test_a_rollout_that_was_killed_is_noted_whole_by_the_next_start(world):
    world.stages.say["verification", "aldgate"] = Killed()
    with pytest.raises(Killed):
        world.start()
    world.start()
    starts = world.chain.entries(kinds=[EvidenceKind.START])
    assert [each.body["under_way"] for each in starts] == [[], ["verification of aldgate"]]
    assert world.chain.entries(kinds=[EvidenceKind.ATTEMPT])[0].body["problem"] == "it was cut off"
    report = world.chain.verify()
    assert report.holds
    assert "it was cut off, and gone on with by entry" in report.remarks[0]
    assert unkept(world.ledger.record, world.store) == []


def test_an_earlier_failure_stays_when_it_is_begun_anew(world):
    world.stages.say["fingerprint", "aldgate"] = against("fingerprint_drift", RolloutAction.ROLL_BACK)
    world.start()
    world.ledger.forget()
    world.session = "s2"
    world.start()
    actions = [each.body["action"] for each in world.chain.entries(kinds=[EvidenceKind.DECISION])]
    assert actions == ["roll back", "promote", "promote", "promote"]


def test_while_the_store_cannot_be_written_no_ring_is_opened_and_nothing_is_lost(world):
    world.full = True
    with pytest.raises(EvidenceNotKept, match="facts are not noted as evidence: the result store cannot be written"):
        world.start()
    assert world.stages.done == []
    world.full = False
    assert world.start().succeeded
    assert len(world.told(EvidenceKind.DECISION)) == 3


def test_a_store_that_is_away_during_a_ring_is_caught_up_with_before_the_next(world):
    def away(stage: str, tenant) -> None:
        world.full = stage == "upgrade" and tenant.id == "aldgate"
        if stage == "verification":
            world.full = False

    real = world.stages._do
    world.stages._do = lambda stage, tenant: (away(stage, tenant), real(stage, tenant))[1]
    assert world.start().succeeded
    assert unkept(world.ledger.record, world.store) == []
    assert world.chain.verify().holds


def test_what_the_record_has_and_the_store_has_not_is_said(world):
    world.start()
    other = Store(f"sqlite:///{world.folder.parent}/other.sqlite")
    assert unkept(world.ledger.record, other) == []  # it was led with another store
    entry = world.chain.entries(kinds=[EvidenceKind.START])[0]
    EvidenceChain(other, BY, witness=ChainWitness("other", world.folder.parent / "seen")).append(
        NewEvidence(entry.kind, entry.key, entry.release)
    )
    missing = unkept(world.ledger.record, other)
    other.close()
    told = r"the record of rehearsed has the decision s1/canary/\d{8}T\d{6}\.\d{6}/decision, and the evidence has not"
    assert any(re.fullmatch(told, each) for each in missing)


def test_a_stage_that_is_done_again_and_a_ring_that_is_rolled_back_later_are_noted_each_time(world):
    world.start()
    before = len(world.told(EvidenceKind.STAGE))
    world.ledger.renew("kyoto")
    stage = world.ledger.open("kyoto", "baseline")
    world.ledger.close("kyoto", stage, "passed", 1.0, "", None)
    world.ledger.decide("broad", RolloutAction.ROLL_BACK, [])
    assert len(world.told(EvidenceKind.STAGE)) == before + 1
    assert [action for ring, _, action in world.told(EvidenceKind.DECISION) if ring == "broad"] == [
        "promote", "roll back",
    ]  # fmt: skip
    assert world.chain.verify().holds
