"""A ring bakes by the gate's verdict, on results since each tenant's own upgrade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringgate.domain.model import Deployment
from ringgate.gate import GatePolicy, Verdict
from ringgate.gate.facts import Facts, GateState
from ringgate.gate.rules import Reason
from ringgate.judging.bakes import reach_of
from ringgate.rollout.baking import GateBake
from ringgate.rollout.conditions import Condition
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.record import Objection, RehearsalRecord, RingRecord, StageRecord, TenantRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.store import Store
from tests.unit.gate.sample import RING

BEGAN = datetime(2026, 12, 1, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
UPGRADED = {each.id: BEGAN + (2 * number + 1) * HOUR for number, each in enumerate(RING)}
"""When each tenant's upgrade began, one after the other; it takes an hour."""


class Told:
    """A gate that says what it is told to."""

    def __init__(self, state: GateState, over: bool) -> None:
        self.state, self.asked = state, list[tuple[str, str]]()
        self.now = BEGAN + (99 if over else 9) * HOUR

    def verdict(self, ring: str, release: str) -> Verdict:
        self.asked.append((ring, release))
        facts = Facts(now=self.now, ring=ring, release=release, policy=GatePolicy(), started=BEGAN)
        why = () if self.state is GateState.PROMOTE else (Reason("rule", self.state, "So it is."),)
        return Verdict(facts=facts, state=self.state, reasons=why)


def stage(began: datetime, outcome: str = "passed") -> StageRecord:
    return StageRecord(outcome=outcome, began=began, seconds=3600)  # type: ignore[arg-type]


def record() -> RehearsalRecord:
    tenants = {
        name: TenantRecord(ring="canary", stages={"upgrade": stage(began), "fingerprint": stage(began + HOUR)})
        for name, began in UPGRADED.items()
    }
    return RehearsalRecord(
        form=2, release="8.0", title="", before="7.0", after="8.0", risk="low", digest="d", session="s", began=BEGAN,
        tenants=tenants, rings={"canary": RingRecord(began=BEGAN)},
    )  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/results.sqlite"


def bake(url: str, state: GateState, kept: RehearsalRecord | None = None, *, over: bool = False) -> GateBake:
    known = kept or record()

    def objection(condition: Condition, said: str) -> Objection:
        return Objection(condition=condition, action=RolloutAction.ROLL_BACK, tenant="", sentence=said)

    return GateBake(Told(state, over), lambda: Store(url), lambda: known, objection)


def noted(url: str) -> list[Deployment]:
    store = Store(url)
    try:
        return store.deployments(ring="canary")
    finally:
        store.close()


def test_a_promotion_of_the_gate_is_the_only_one(url: str) -> None:
    promoted = bake(url, GateState.PROMOTE)
    assert promoted("canary") == ()
    assert promoted.judge.asked == [("canary", "8.0")]  # type: ignore[attr-defined]


def test_while_nothing_is_decided_it_waits(url: str) -> None:
    with pytest.raises(RolloutHeld, match=r"ring canary bakes: So it is\."):
        bake(url, GateState.INCONCLUSIVE)("canary")


def test_what_the_gate_rolls_back_is_for_the_release_to_say(url: str) -> None:
    (found,) = bake(url, GateState.ROLL_BACK)("canary")
    assert (found.condition, found.sentence) == (Condition.BAKE_FAILED, "The gate says roll back: So it is.")


@pytest.mark.parametrize(
    ("state", "over", "said"),
    [(GateState.PAUSE, False, "pause"), (GateState.HOLD, False, "hold"), (GateState.INCONCLUSIVE, True, "hold")],
)
def test_what_is_not_a_rollback_pauses_whatever_the_release_says(
    url: str, state: GateState, over: bool, said: str
) -> None:
    (found,) = bake(url, state, over=over)("canary")
    assert (found.condition, found.action) == (Condition.INCONCLUSIVE, RolloutAction.PAUSE)
    assert found.sentence == f"The gate says {said}: So it is."


def test_each_tenant_counts_from_the_end_of_its_own_upgrade_and_is_noted_once(url: str) -> None:
    known = record()
    for _ in range(2):
        bake(url, GateState.PROMOTE, known)("canary")
    assert reach_of("8.0", "canary", RING, noted(url), None).starts == {
        name: began + HOUR for name, began in UPGRADED.items()
    }
    assert len(noted(url)) == len(RING)


def test_a_tenant_that_was_not_upgraded_is_not_said_to_have_the_release(url: str) -> None:
    known = record()
    first, second, *_ = UPGRADED
    known.tenants[first].stages["upgrade"] = stage(BEGAN, "failed")
    del known.tenants[second].stages["fingerprint"]
    bake(url, GateState.PROMOTE, known)("canary")
    assert {each for one in noted(url) for each in one.tenants} == set(UPGRADED) - {first, second}


def test_what_a_person_noted_of_the_whole_ring_is_enough(url: str) -> None:
    store = Store(url)
    store.deployed(Deployment("by-hand", BEGAN + 50 * HOUR, "canary", "8.0"))
    store.deployed(Deployment("earlier", BEGAN - HOUR, "canary", "8.0"))
    store.close()
    bake(url, GateState.PROMOTE)("canary")
    assert {each.id for each in noted(url)} == {"by-hand", "earlier"}
