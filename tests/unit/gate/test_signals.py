"""A new signal is one entry: keys, labels and words come from it, and nobody else names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringgate.gate import GatePolicy, GateState, Signal
from ringgate.gate.explaining import evidence_of
from ringgate.gate.facts import Weighed
from ringgate.gate.rules import reasons
from ringgate.gate.signals import Strength
from ringgate.inventory.schema import keys_of
from ringgate.judging.policy_file import GatePolicyTable
from tests.unit.gate.sample import START, bake
from tests.unit.gate.test_rules import ALPHA, facts

ROOT = Path(__file__).parents[3]
MOST = {Strength.HOLD: GateState.HOLD, Strength.PAUSE: GateState.PAUSE, Strength.ROLL_BACK: GateState.ROLL_BACK}


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_stops_a_rollout_as_hard_as_its_entry_says_and_in_its_words(signal: Signal) -> None:
    evidence = Weighed(signal, ALPHA, quick=ALPHA**-2, peak=ALPHA**-2, runs=540, bad=12)
    reason = reasons(facts(signals=(evidence,)))[0]
    assert reason.state is MOST[signal.definition.most]
    words = (
        f"12 of 540 {signal.definition.counted} {signal.bad_words(GatePolicy())}: the bet on {signal.value} stands at"
    )
    assert words in reason.sentence
    assert "{" not in reason.sentence


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_has_its_key_in_a_policy_unless_it_is_always_judged(signal: Signal) -> None:
    keys = [key for key, *_ in keys_of(GatePolicyTable)]
    named = any(key in (f"signals.{signal.value}", f"signals.{signal.name.lower()}") for key in keys)
    assert named is not signal.definition.always
    assert (f"# {signal.value} = true" in (ROOT / "deploy" / "gate.toml").read_text()) is not signal.definition.always


def test_what_is_on_a_page_and_in_metrics_is_by_the_same_strength() -> None:
    made = bake()
    made.settle(START)
    for signal, gauge in made.gauges.items():
        told = evidence_of(signal, gauge, made)
        assert (told.pause_at is not None) is (signal.definition.most >= Strength.PAUSE)
        assert (told.roll_back_at is not None) is (signal.definition.most >= Strength.ROLL_BACK)


def test_only_its_entry_names_a_signal() -> None:
    """But for what a bake must know by name: failures are what promotes, and silence is watched for."""
    named = {
        (path.name, name)
        for path in (ROOT / "ringgate").rglob("*.py")
        for name in re.findall(r"Signal\.([A-Z]+)\b", path.read_text())
        if path.name != "registry.py"
    }
    assert {name for _, name in named} == {"FAILURES", "SILENCE"}
