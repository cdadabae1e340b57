"""How long documents are on their way to an integration, against how long they were before."""

from __future__ import annotations

import pytest

from ringgate.domain.columns import ResultColumns
from ringgate.domain.integrations import lag_signal
from ringgate.domain.model import SignalSample
from ringgate.gate import GateState, Signal
from ringgate.gate.columnar import learn_columns
from ringgate.gate.policy import GatePolicy
from tests.unit.gate.sample import IDS, MINUTE, START, bake, baseline, before
from tests.unit.gate.test_bake import END, good


def lags(since: int, minutes: int, seconds: float, tenant: str = "aldgate") -> list[SignalSample]:
    return [
        SignalSample(START + minute * MINUTE, lag_signal("payroll"), seconds + minute % 3, "s", "canary", tenant)
        for minute in range(since, since + minutes)
    ]


def test_documents_that_take_longer_than_before_to_arrive_hold_and_never_pause() -> None:
    known = baseline(before(), lags(-600, 600, 4.0))
    assert known.lags == {lag_signal("payroll"): 9.0}  # 6 s of those before, and half as long again
    usual, late = bake(good(), known=known), bake(good(), known=known)
    for sample in lags(0, 300, 5.0):
        usual.sample(sample)
    for sample in [*lags(0, 100, 4.0), *lags(100, 200, 12.0)]:
        late.sample(sample)
    assert "integration-lag" not in " ".join(each.sentence for each in usual.verdict(END).reasons)
    verdict = late.verdict(END)
    assert verdict.state is GateState.HOLD
    assert any("arrivals took longer to arrive than those before" in each.sentence for each in verdict.reasons)


@pytest.mark.parametrize("before_it", [[], lags(-10, 10, 4.0), lags(-600, 600, 4.0, tenant="kyoto")])
def test_of_an_integration_of_which_too_little_is_known_nothing_is_said(before_it: list[SignalSample]) -> None:
    made = bake(good(), known=baseline(before(), before_it))
    assert made.unused[Signal.LAG] == "too few documents arrived before it"


def test_columns_learn_the_same() -> None:
    samples = lags(-600, 600, 4.0)
    rules, columns = baseline(before(), samples), ResultColumns.of(before())
    other = learn_columns(columns, samples, "canary", IDS, GatePolicy())
    assert (other.lags, other.rates[Signal.LAG]) == (rules.lags, rules.rates[Signal.LAG])
