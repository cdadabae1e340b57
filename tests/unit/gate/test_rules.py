"""Each rule of the gate by itself: what it says, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ringgate.domain.terms import Channel, Invariant
from ringgate.gate import RULES, Facts, GatePolicy, GateState, Signal, reasons, state_of
from ringgate.gate import rules as named
from ringgate.gate.facts import Breach, SelfTest, Weighed
from ringgate.gate.required import NotTested
from ringgate.gate.rules import Reason
from tests.unit.gate.sample import IDS, START

NOW = START + timedelta(hours=3)
ALPHA = 0.0025


def facts(**changes: Any) -> Facts:
    """A bake that may be promoted, with whatever is to differ."""
    good = Facts(
        now=NOW, ring="canary", release="8.0", policy=GatePolicy(), started=START, settled=START, expected=IDS,
        newest=dict.fromkeys(IDS, NOW - timedelta(minutes=1)), attempted=540, baseline_runs=1800, fine=130.0,
        self_tests=(SelfTest("time-entry", "aldgate", NOW - timedelta(minutes=20), True),),
        signals=(Weighed(Signal.FAILURES, ALPHA, runs=540), Weighed(Signal.SLOWNESS, ALPHA, runs=540)),
    )  # fmt: skip
    return replace(good, **changes)


def weighed(signal: Signal = Signal.FAILURES, **changes: Any) -> tuple[Weighed, ...]:
    return (replace(Weighed(signal, ALPHA, runs=540, bad=12), **changes),)


@pytest.mark.parametrize(("slow", "state"), [(5, GateState.ROLL_BACK), (6, GateState.PAUSE), (12, GateState.PAUSE)])
def test_what_mostly_is_slow_or_another_document_is_paused_and_never_rolled_back(slow: int, state: GateState) -> None:
    (reason,) = reasons(facts(signals=weighed(peak=ALPHA**-2, doubtful=slow)))
    assert reason.state is state
    told = f"It is not rolled back: {slow} of the 12 got no answer in time, or made other documents, which does not say"
    assert (told in reason.sentence) is (state is GateState.PAUSE)


def test_a_good_bake_is_promoted() -> None:
    assert reasons(facts()) == ()
    assert state_of(()) is GateState.PROMOTE


WRONG: dict[str, tuple[dict[str, Any], GateState, str]] = {
    "store_unreadable": ({"unreadable": "the store is locked"}, GateState.INCONCLUSIVE, "the store is locked"),
    "invariant_broken": (
        {"breaches": (Breach(Invariant.BALANCED, "kyoto", "financial-posting", "r1", "debit is not credit"),)},
        GateState.ROLL_BACK, "unbalanced-posting on kyoto (financial-posting, run r1)",
    ),
    "evidence_to_roll_back": (
        {"signals": weighed(peak=ALPHA**-2)}, GateState.ROLL_BACK,
        "12 of 540 runs failed: the bet on failures stands at 160",
    ),
    "evidence_to_pause": (
        {"signals": weighed(peak=1 / ALPHA)}, GateState.PAUSE, "stands at 400 units, and 400 are enough to pause",
    ),
    "evidence_to_hold": ({"signals": weighed(quick=1 / ALPHA)}, GateState.HOLD, "400 are enough to hold"),
    "not_deployed": ({"started": None, "settled": None}, GateState.INCONCLUSIVE, "no deployment is noted"),
    "superseded": ({"superseded": "aldgate got 8.1 on 24 Nov"}, GateState.INCONCLUSIVE, "aldgate got 8.1"),
    "region_silent": (
        {"silent_regions": ("eu-west has sent nothing",)}, GateState.INCONCLUSIVE,
        "Not every region of canary tells how it is: eu-west has sent nothing.",
    ),
    "no_data": ({"newest": {}}, GateState.INCONCLUSIVE, "No run of 8.0 has passed or failed on canary"),
    "no_baseline": ({"baseline_runs": 59}, GateState.INCONCLUSIVE, "has 59 runs, and 60 are needed"),
    "tenant_absent": ({"absent": ("kyoto",)}, GateState.INCONCLUSIVE, "has not reached kyoto, which belongs to canary"),
    "tenant_untested": (
        {"newest": {"aldgate": NOW, "bleecker": NOW}},
        GateState.INCONCLUSIVE,
        "cologne: no run has passed or failed there",
    ),
    "probe_untested": (
        {"unprobed": (("aldgate", "time-entry", Channel.BROWSER),)}, GateState.INCONCLUSIVE,
        "time-entry over browser on aldgate",
    ),
    "process_missing": (
        {"lacking": [NotTested(each, name, "kyoto lacks it") for each in IDS for name in ("invoicing", "posting")]},
        GateState.INCONCLUSIVE,
        "since 8.0, and did not: invoicing and posting on aldgate, bleecker and cologne (kyoto lacks it). Only a",
    ),
    "skipped": (
        {"lacking": (NotTested("kyoto", "authority", "kyoto does not have approvals", must=False),)},
        GateState.INCONCLUSIVE, "not carried out once since 8.0: authority on kyoto (kyoto does not have approvals)",
    ),
    "stale": (
        {"newest": {**dict.fromkeys(IDS, NOW), "cologne": NOW - timedelta(minutes=45)}}, GateState.INCONCLUSIVE,
        "the newest of cologne is 45 min old",
    ),
    "too_many_broken": (
        {"attempted": 100, "broken": 11},
        GateState.INCONCLUSIVE,
        "11 of 100 runs could not be carried",
    ),
    "self_test_missing": (
        {"self_tests": ()},
        GateState.INCONCLUSIVE,
        "No self-test was run within 2 h (there was none)",
    ),
    "self_test_missed": (
        {"self_tests": (SelfTest("time-entry", "aldgate", NOW, False),)}, GateState.INCONCLUSIVE, "was not caught",
    ),
    "signal_unknown": (
        {"signals": (Weighed(Signal.BACKLOG, ALPHA, unknown="nothing was sampled"),)}, GateState.INCONCLUSIVE,
        "backlog: nothing was sampled",
    ),
    "soaking": ({"settled": NOW - timedelta(minutes=10)}, GateState.INCONCLUSIVE, "50 min are left"),
    "undecided": ({"fine": 37.0}, GateState.INCONCLUSIVE, "stands at 37 units, and 100 are needed"),
}  # fmt: skip


def test_every_rule_has_its_case() -> None:
    assert set(WRONG) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("rule", WRONG)
def test_what_one_rule_says(rule: str) -> None:
    changes, state, words = WRONG[rule]
    said = getattr(named, rule)(facts(**changes))
    assert (said.rule, said.state) == (rule, state)
    assert words in said.sentence


@pytest.mark.parametrize("rule", WRONG)
def test_one_rule_alone_keeps_it_from_being_promoted(rule: str) -> None:
    changes, state, _ = WRONG[rule]
    said = reasons(facts(**changes))
    assert rule in [reason.rule for reason in said]
    assert state_of(said) is state


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_nothing_to_say_of_a_good_bake(rule: Callable[[Facts], Reason | None]) -> None:
    assert rule(facts()) is None


def test_the_worst_reason_decides_and_comes_first() -> None:
    everything = {key: value for changes, _, _ in WRONG.values() for key, value in changes.items() if key != "started"}
    said = reasons(facts(**everything, started=START))
    assert said[0].state is GateState.ROLL_BACK
    assert [reason.state for reason in said] == sorted((r.state for r in said), key=list(GateState).index, reverse=True)


# --- where the rules end ---------------------------------------------------------------------------------------------


def test_two_failures_are_never_enough() -> None:
    assert reasons(facts(signals=weighed(bad=2, quick=1e9, peak=1e9))) == ()


def test_just_below_the_bars_nothing_happens() -> None:
    assert reasons(facts(signals=weighed(quick=399.9, peak=399.9))) == ()
    assert state_of(reasons(facts(signals=weighed(peak=159_999.0)))) is GateState.PAUSE


@pytest.mark.parametrize(
    ("signal", "state"),
    [
        (Signal.FAILURES, GateState.ROLL_BACK),
        (Signal.POSTING, GateState.ROLL_BACK),
        (Signal.SLOWNESS, GateState.HOLD),
        (Signal.SLOW_POSTING, GateState.PAUSE),
        (Signal.BACKLOG, GateState.PAUSE),
        (Signal.SILENCE, GateState.HOLD),
    ],
)
def test_how_far_each_signal_may_go(signal: Signal, state: GateState) -> None:
    assert state_of(reasons(facts(signals=weighed(signal, quick=1e9, peak=1e9)))) is state


def test_a_hold_ends_and_a_pause_does_not() -> None:
    assert state_of(reasons(facts(signals=weighed(quick=12.0, peak=12.0)))) is GateState.PROMOTE
    assert state_of(reasons(facts(signals=weighed(quick=0.1, peak=500.0)))) is GateState.PAUSE


def test_a_signal_is_told_once_at_its_worst() -> None:
    said = reasons(facts(signals=weighed(quick=1e9, peak=1e9)))
    assert [reason.rule for reason in said] == ["evidence_to_roll_back"]


def test_an_invariant_that_was_broken_before_rolls_back_and_says_that_going_back_mends_nothing() -> None:
    breach = Breach(Invariant.NUMBERED, "kyoto", "financial-posting", "r1", "7 is missing", before=4)
    said = named.invariant_broken(facts(breaches=(breach, breach)))
    assert said is not None
    assert said.state is GateState.ROLL_BACK
    assert "broken 4 times before the release, too" in said.sentence
    assert "1 more breach" in said.sentence


def test_the_last_self_test_counts_and_an_old_one_does_not() -> None:
    missed = SelfTest("time-entry", "aldgate", NOW - timedelta(minutes=50), False)
    caught = SelfTest("time-entry", "aldgate", NOW - timedelta(minutes=10), True)
    assert reasons(facts(self_tests=(missed, caught))) == ()
    assert [r.rule for r in reasons(facts(self_tests=(caught, replace(missed, at=NOW))))] == ["self_test_missed"]
    old = replace(caught, at=NOW - timedelta(hours=2, minutes=1))
    assert "the last is older" in reasons(facts(self_tests=(old,)))[0].sentence


def test_the_share_of_broken_runs_is_of_those_that_were_attempted() -> None:
    assert reasons(facts(attempted=100, broken=10)) == ()
    assert [r.rule for r in reasons(facts(attempted=2, broken=1))] == ["too_many_broken"]


def test_soak_begins_when_the_last_tenant_got_the_release() -> None:
    late = facts(settled=NOW - timedelta(minutes=59))
    assert [r.rule for r in reasons(late)] == ["soaking"]
    assert reasons(replace(late, settled=NOW - timedelta(hours=1))) == ()


def test_a_tenant_that_never_got_it_is_told_once() -> None:
    said = reasons(facts(absent=("cologne",), newest={"aldgate": NOW, "bleecker": NOW}))
    assert [r.rule for r in said] == ["tenant_absent"]
