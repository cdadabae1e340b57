"""What the server's gate says is noted as evidence, once for each new thing that it says."""

from __future__ import annotations

from datetime import timedelta

from ringgate.domain.columns import ResultColumns
from ringgate.evidence import EvidenceChain, EvidenceKind
from ringgate.evidence.witness import ChainWitness
from ringgate.gate import Facts, GatePolicy, GateState, Verdict
from ringgate.store import StoreError
from ringgate.web.gate import GateJudge
from tests.unit.evidence.chains import BY
from tests.unit.metrics.test_metrics import NOON


class Told:
    """A gate that says what it is told to."""

    def __init__(self) -> None:
        self.state = GateState.PROMOTE

    def verdict(self, ring: str, release: str) -> Verdict:
        facts = Facts(now=NOON + timedelta(minutes=9), ring=ring, release=release, policy=GatePolicy(), started=NOON)
        return Verdict(facts=facts, state=self.state, reasons=())

    def read(self, ring: str, release: str) -> ResultColumns | None:
        return None


def judge_in(world, told: Told) -> GateJudge:
    judge = GateJudge(world.url, lambda: world.inventory, None, [], lambda: world.now, BY)
    judge._current = lambda ring, release: told  # type: ignore[method-assign, assignment]
    return judge


def test_each_new_verdict_is_noted_once(world, tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    told = Told()
    judge = judge_in(world, told)
    for state in (GateState.HOLD, GateState.HOLD, GateState.PROMOTE, GateState.PROMOTE, GateState.ROLL_BACK):
        told.state = state
        judge("canary", "8.0", world.now)
    chain = EvidenceChain(world.store, BY, witness=ChainWitness("x", tmp_path / "seen"))
    noted = chain.entries(kinds=[EvidenceKind.VERDICT])
    assert [each.body["action"] for each in noted] == ["hold", "promote", "roll back"]
    assert chain.verify().holds


def test_a_pass_that_cannot_be_noted_is_none(world, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise StoreError("the result store cannot be written: disk full")

    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    told = Told()
    judge = judge_in(world, told)
    monkeypatch.setattr("ringgate.web.gate.EvidenceChain.append", full)
    judgement = judge("canary", "8.0", world.now)
    assert (judgement.verdict, judgement.action) == ("inconclusive", "hold")
    assert "cannot be noted as evidence" in judgement.reasons[0]
    told.state = GateState.ROLL_BACK
    assert judge("canary", "8.0", world.now).verdict == "fail"  # who must roll back is told, noted or not
