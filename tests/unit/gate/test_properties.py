"""What holds of the gate whatever comes in."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome, Source
from ringgate.gate import GateState, Signal, Verdict, learn, reasons, state_of
from ringgate.gate.facts import Facts, SelfTest, Weighed
from ringgate.gate.gauge import Gauge
from ringgate.gate.policy import GatePolicy
from ringgate.gate.rates import Null
from tests.unit.gate.sample import IDS, MINUTE, START, bake, baseline, before, every_minute, failed, run, self_test
from tests.unit.gate.test_rules import NOW, WRONG, facts

KIND = "time-entry over api"
outcomes = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(IDS), st.booleans()), max_size=120)
calm = settings(max_examples=40, deadline=None)
_ORDER = list(GateState)


def gauge(
    seen: list[tuple[int, str, bool]], tenants: tuple[str, ...] = IDS, null: float = 0.02, block: int = 1
) -> Gauge:
    made = Gauge([Null(null)], tenants, 60, block)
    for tick, tenant, bad in seen:
        made.add(tick, tenant, KIND, (bad,))
    made.settle(60)
    return made


@given(outcomes, st.permutations(IDS), st.sampled_from([1, 5]))
def test_evidence_does_not_depend_on_the_order_of_tenants(
    seen: list[tuple[int, str, bool]], order: list[str], block: int
) -> None:
    names = dict(zip(IDS, order, strict=True))
    one = gauge(seen, block=block)
    other = gauge([(tick, names[tenant], bad) for tick, tenant, bad in reversed(seen)], tuple(order), block=block)
    assert math.isclose(one.quick, other.quick, rel_tol=1e-9)
    assert math.isclose(one.peak, other.peak, rel_tol=1e-9)


@given(outcomes, st.floats(1e-6, 1.0), st.integers(1, 80))
def test_evidence_is_a_number_and_not_negative(seen: list[tuple[int, str, bool]], null: float, block: int) -> None:
    made = gauge(seen, null=null, block=block)
    for value in (made.quick, made.firm, made.peak, *made.sickest.values(), *(q for _, q, _ in made.curve)):
        assert math.isfinite(value)
        assert value >= 0.0


@given(outcomes, outcomes)
def test_passing_outcomes_are_never_evidence_against_a_release(
    seen: list[tuple[int, str, bool]], more: list[tuple[int, str, bool]]
) -> None:
    with_them = gauge([*seen, *((tick, tenant, False) for tick, tenant, _ in more)])
    assert with_them.quick <= gauge(seen).quick * (1 + 1e-9)
    assert with_them.peak <= gauge(seen).peak * (1 + 1e-9)


@given(outcomes, st.integers(0, 40), st.sampled_from(IDS))
def test_a_failure_in_place_of_a_pass_is_never_evidence_for_a_release(
    seen: list[tuple[int, str, bool]], tick: int, tenant: str
) -> None:
    good, bad = gauge([*seen, (tick, tenant, False)]), gauge([*seen, (tick, tenant, True)])
    assert bad.quick >= good.quick * (1 - 1e-9)


def judged(results: list[RunResult], minutes: int = 150) -> Verdict:
    made = bake(results, known=_KNOWN, signals={Signal.SLOWNESS: False, Signal.SILENCE: False})
    return made.verdict(START + minutes * MINUTE)


_KNOWN = baseline()
_GOOD = [*every_minute(150), self_test(START + 100 * MINUTE)]


@calm
@given(st.lists(st.tuples(st.integers(0, 149), st.sampled_from(IDS)), max_size=40))
def test_more_passing_runs_never_turn_a_promotion_into_anything_else(more: list[tuple[int, str]]) -> None:
    assert judged(_GOOD).state is GateState.PROMOTE
    passing = [run(tenant, START + minute * MINUTE) for minute, tenant in more]
    assert judged([*_GOOD, *passing]).state is GateState.PROMOTE


@calm
@given(st.sampled_from(sorted(WRONG)), st.integers(0, 10**6), st.floats(1.0, 1e9))
def test_what_stops_a_rollout_is_not_cancelled_by_more_of_anything(rule: str, runs: int, fine: float) -> None:
    changes, state, _ = WRONG[rule]
    wrong: Facts = facts(**changes)
    more = replace(
        wrong,
        fine=wrong.fine if rule == "undecided" else fine,
        attempted=wrong.attempted if rule == "too_many_broken" else wrong.attempted + runs,
        baseline_runs=wrong.baseline_runs if rule == "no_baseline" else wrong.baseline_runs + runs,
        signals=[*wrong.signals, Weighed(Signal.POSTING, 0.0025, quick=0.0, peak=1.0, runs=runs)],
    )
    assert _ORDER.index(state_of(reasons(more))) >= _ORDER.index(state)


@calm
@given(st.sampled_from(IDS), st.integers(0, 60))
def test_a_tenant_without_evidence_is_not_made_up_for_by_the_others(missing: str, extra: int) -> None:
    others = [r for r in _GOOD if r.tenant != missing or r.source is Source.SELF_TEST]
    more = [run(t, START + number * MINUTE) for number in range(extra) for t in IDS if t != missing]
    verdict = judged([*others, *more])
    assert "tenant_untested" in [reason.rule for reason in verdict.reasons]
    assert verdict.facts.untested == (missing,)


@calm
@given(st.lists(st.sampled_from(["pass", "fail", "broken", "skipped"]), max_size=60), st.integers(0, 3000))
def test_only_a_bake_without_any_reason_passes(what: list[str], minutes: int) -> None:
    kinds = {"broken": Outcome.BROKEN, "skipped": Outcome.SKIPPED, "pass": Outcome.PASSED}
    results = [
        failed(IDS[i % 3], START + i * MINUTE) if kind == "fail" else run(IDS[i % 3], START + i * MINUTE, kinds[kind])
        for i, kind in enumerate(what)
    ]
    verdict = judged(results, minutes)
    assert (verdict.word == "pass") == (not verdict.reasons)
    assert verdict.word != "pass"


@calm
@given(st.integers(1, 200), st.integers(0, 200))
def test_a_release_cannot_be_promoted_on_a_baseline_that_was_as_bad(minutes: int, failures: int) -> None:
    """Whatever the baseline, its null is above what was seen of it."""
    runs = before(minutes, failures=range(min(failures, 3 * minutes)))
    known = learn(runs, (), "canary", IDS, GatePolicy())
    null = known.rates[Signal.FAILURES][0].null(0.005)
    assert null.of_all >= known.failed / known.runs


def test_time_alone_promotes_nothing() -> None:
    """The same evidence hours later is stale, and its self-test old."""
    later = judged(_GOOD, minutes=150 + 180)
    assert {"stale", "self_test_missing"} <= {reason.rule for reason in later.reasons}


@calm
@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_the_last_self_test_decides_whatever_was_before(caught: list[bool]) -> None:
    tests = [SelfTest("s", "aldgate", NOW - timedelta(minutes=len(caught) - i), each) for i, each in enumerate(caught)]
    said = [reason.rule for reason in reasons(facts(self_tests=tests))]
    assert said == ([] if caught[-1] else ["self_test_missed"])
