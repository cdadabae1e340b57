"""Random failures at the old rate are nobody's news; a fault in the midst of them is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Channel
from ringgate.gate import Cause, GatePolicy, Verdict, learn
from ringgate.gate.bounds import no_more_often
from tests.unit.gate.sample import IDS, MINUTE, START, bake, failed, run

SCENARIOS = ("sign-in", "time-entry", "invoicing-from-time", "financial-posting", "procurement-approval")
KINDS = ("refused", "sign-in", "unavailable", "expectation")
RATE = 0.005


def runs(dice: random.Random, since: datetime, minutes: int, release: str) -> Iterator[RunResult]:
    """Each process on each tenant every 5 minutes over the API; of all alike one in 200 fails, in any way."""
    for tenant in IDS:
        for place, scenario in enumerate(SCENARIOS):
            for number in range(minutes // 5):
                what = {"scenario": scenario, "release": release, "channel": Channel.API}
                at = since + (5 * number + place) * MINUTE
                if dice.random() < RATE:
                    wrong = failed(tenant, at, kind=dice.choice(KINDS), step=dice.choice(("enter", "check"))).failure
                    yield run(tenant, at, failed().outcome, failure=wrong, **what)
                else:
                    yield run(tenant, at, **what)


def verdict(seed: int, *more: RunResult) -> Verdict:
    dice = random.Random(seed)
    before = list(runs(dice, START - timedelta(hours=18), 18 * 60, "7.0"))
    made = bake(runs(dice, START, 240, "8.0"), known=learn(before, (), "canary", IDS, GatePolicy()))
    for result in more:
        made.add(result)
    return made.verdict(START + timedelta(hours=4))


def test_random_failures_at_the_old_rate_are_as_before() -> None:
    said = [verdict(seed).cause for seed in range(6)]
    causes = [cause for cause, _ in filter(None, said)]
    assert causes == [Cause.BEFORE] * len(causes)
    assert len(causes) > 3


@pytest.mark.parametrize("seed", range(2))
def test_a_fault_in_the_midst_of_them_is_none_of_them(seed: int) -> None:
    refused = [
        run("cologne", START + 5 * n * MINUTE, failed().outcome, failure=failed(kind="refused", step="enter").failure,
            scenario="time-entry")
        for n in range(12)
    ]  # fmt: skip
    told = verdict(seed, *refused).cause
    assert told is not None
    assert told[0] is Cause.IDENTITY


def test_no_more_often_is_the_conditional_binomial_test() -> None:
    """By hand: 3 of 100 where 1 of 100 were: P(X >= 3 of 4) at a half is 5/16; 4 of 100 where none were: 1/16."""
    assert no_more_often(3, 100, 1, 100, 5 / 16 - 1e-9)
    assert not no_more_often(3, 100, 1, 100, 5 / 16 + 1e-9)
    assert not no_more_often(4, 100, 0, 100, 1 / 16 + 1e-9)
    assert no_more_often(0, 0, 0, 0, 0.5)
