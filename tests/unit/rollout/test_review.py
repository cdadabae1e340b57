"""The review: which rule fired, what was stopped wrongly, and a proposal that makes nothing worse on stored runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringgate.cli.review import in_words, lines_of
from ringgate.evidence import EvidenceKind
from ringgate.evidence.measures import Measure
from ringgate.gate import GatePolicy
from ringgate.inventory import Inventory
from ringgate.rollout.proposals import gate_proposals, runway_proposal, with_key
from ringgate.rollout.replay import BakeReplay, Replays
from ringgate.rollout.review import ReviewSources, reviewed
from ringgate.rollout.rollout_tables import RolloutTable
from tests.unit.evidence.test_duties import Noted

GATE = '# ours\nalpha = 0.01\n\n[bake]\nsoak = "1 h" # long enough\n\n[evidence]\nfailures = 3\n'


class Replayed(Replays):
    """Says after how many minutes a release is stopped under a policy; None: not at all."""

    def __init__(self, rule) -> None:
        super().__init__(lambda: None, None, GatePolicy())  # type: ignore[arg-type, return-value]
        self.rule = rule

    def one(self, ring, release, bad, policy=None):
        after = self.rule(release, policy or self.policy)
        return BakeReplay(
            ring, release, bad, 100, "fail", "pause", {} if after is None else {"failures to hold": after}
        )


PLACES, BAD = [("canary", "r1"), ("canary", "r2")], {("canary", "r2")}


def test_a_change_that_stops_what_was_bad_earlier_is_proposed_as_a_diff():
    def rule(release, policy):
        return None if release == "r1" else 20.0 if policy.alpha <= 0.01 else 8.0

    (found,) = gate_proposals(Replayed(rule), PLACES, BAD, GATE)
    assert found.why == "alpha = 0.02"
    assert "-alpha = 0.01\n+alpha = 0.02\n" in found.diff
    assert found.replayed == (
        "r2 on canary (was bad, 100 runs) would be stopped after 8 min, instead of after 20 min",
    )  # fmt: skip


def test_nothing_is_proposed_that_stops_what_was_well_or_lets_what_was_bad_run_longer():
    def stops_well(release, policy):
        return (None if policy.alpha <= 0.01 else 5.0) if release == "r1" else 20.0 - 100 * policy.alpha

    def later(release, policy):
        return None if release == "r1" else 20.0 if policy == GatePolicy() else 21.0

    found = gate_proposals(Replayed(stops_well), PLACES, BAD, GATE)
    assert [each for each in found if each.why.startswith("alpha = 0.02")] == []
    assert gate_proposals(Replayed(later), PLACES, BAD, GATE) == []


def test_a_wrong_stop_that_would_be_spared_is_proposed():
    def rule(release, policy):
        return (6.0 if policy.least_failures == 3 else None) if release == "r1" else 9.0

    found = gate_proposals(Replayed(rule), PLACES, BAD, GATE)
    assert found[0].why.startswith("evidence.failures = ")
    assert "would not be stopped, instead of after 6 min" in found[0].replayed[0]


@pytest.mark.parametrize(
    ("table", "key", "value", "line"),
    [
        ("bake", "soak", '"2 h"', 'soak = "2 h" # long enough'),
        ("", "alpha", "0.02", "alpha = 0.02"),
        ("bake", "tick", '"30 s"', 'tick = "30 s"'),
        ("promote", "times", "2", "[promote]\ntimes = 2"),
    ],
)
def test_one_key_of_a_file_is_changed_and_nothing_else(table, key, value, line):
    changed = with_key(GATE, table, key, value)
    assert line in changed
    assert "# ours" in changed
    assert len(changed.splitlines()) - len(GATE.splitlines()) <= 3


@pytest.fixture
def noted(tmp_path):
    noted = Noted(tmp_path)
    yield noted
    noted.store.close()


def test_the_runway_becomes_what_was_seen(noted):
    for seconds in (1500, 900):
        noted.note(
            EvidenceKind.STAGE, "canary", stage="upgrade", tenant="a", outcome="passed", seconds=repr(1.0 * seconds)
        )
    entries = _entries(noted)
    (found,) = runway_proposal(entries, "8.0", RolloutTable(), 'id = "8.0"\n')
    assert '+[rollout.runway]\n+upgrade = "38 min"\n' in found.diff
    assert found.replayed == ("the longest upgrade of 2 took 25.0 min; stated are 10 min",)
    fitting = RolloutTable.model_validate({"runway": {"upgrade": "30 min"}})
    assert runway_proposal(entries, "8.0", fitting, "") == []


def test_the_review_says_what_fired_what_was_false_and_how_long_it_took(noted):
    noted.led("s1", "rollout")
    stop = {"source": "gate", "document": {"reasons": [{"rule": "evidence_to_hold", "sentence": "14 of 300"}]}}
    noted.note(EvidenceKind.VERDICT, "canary", verdict="inconclusive", action="hold", **stop)
    noted.note(EvidenceKind.VERDICT, "canary", verdict="pass", action="promote", source="gate")
    noted.note(EvidenceKind.VERDICT, "early", verdict="fail", action="roll back", **stop)
    noted.note(EvidenceKind.INCIDENT, id="i", tenant="b", began=noted.now.isoformat(), ended=None, what="down", of="")
    sources = ReviewSources(noted.store, _entries(noted), _inventory())
    found = reviewed("8.0", sources, noted.now + timedelta(hours=1))
    assert (found.rehearsed, found.false_holds.n, found.false_holds.of) == (False, 1, 2)
    assert {(each.ring, each.rule, each.action) for each in found.fired} == {
        ("canary", "evidence to hold", "hold"), ("early", "evidence to hold", "roll back"),
    }  # fmt: skip
    fails = found.of_release[2]
    assert (fails.n, fails.of) == (1, 2)
    assert found.minutes["b"] == pytest.approx(61, abs=1)
    text = "\n".join(line for line, _ in lines_of(found))
    assert "change fail rate 50% (1 of 2, 1% to 99%)" in text
    assert "nothing was replayed" in text


def test_a_release_that_was_only_rehearsed_is_reviewed_as_such(noted):
    noted.led("s1", "rehearsal")
    found = reviewed("8.0", ReviewSources(noted.store, _entries(noted), _inventory()), noted.now)
    assert found.rehearsed
    assert found.of_release[0].n == 2


def test_what_is_not_known_is_no_number():
    assert in_words(Measure("x", None, "h", 0, 3)) == "x not known (0 of 3)"


def _entries(noted: Noted):
    from ringgate.evidence import EvidenceChain
    from ringgate.evidence.witness import ChainWitness
    from tests.unit.evidence.test_duties import OPS

    return EvidenceChain(noted.store, OPS, witness=ChainWitness("x", noted.folder / "seen")).entries()


def _inventory() -> Inventory:
    from pathlib import Path

    return Inventory.load(Path(__file__).parents[3] / "tenants")
