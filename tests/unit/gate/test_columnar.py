"""ResultColumns come to the same as objects: same verdict, same numbers, whatever came in, and however late."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringgate.domain.columns import ResultColumns
from ringgate.domain.labels import moment_of
from ringgate.domain.model import RunResult, Step
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, Source, StepKind
from ringgate.domain.waivers import Waiver
from ringgate.gate import Bake, Due, GatePolicy, Signal, Verdict, learn
from ringgate.gate.bounds import tail_from, upper_bound
from ringgate.gate.columnar import ColumnarBake, gauge, learn_columns
from ringgate.gate.columnar.bounds import tails_from, upper_bounds
from ringgate.gate.observations import UsualPace
from ringgate.gate.rates import streak_of
from ringgate.gate.waivers import Waivers
from tests.unit.gate.sample import IDS, LATER, MINUTE, RING, START, failed, run, self_test

TODAY = START.date()
BEFORE = timedelta(hours=3)
CLOSE = 1e-9
FAILURES: Sequence[dict[str, Any]] = (
    {},
    {"kind": "refused", "step": "post invoice"},
    {"kind": "unavailable", "step": "approve", "basis": Basis.POLICY},
    {"kind": "expectation", "step": "post invoice", "basis": Basis.PROCESS},
    {"kind": "timed-out", "step": "post invoice"},
)
WAIVERS = (
    Waiver("failures", "qa", "known", date(2027, 1, 1), "bleecker", "8.0"),
    Waiver("refused", "qa", "known", date(2027, 1, 1), "*", "8.0", scenario="invoicing"),
    Waiver("slowness", "qa", "moved", date(2027, 1, 1), "cologne", "8.0"),
    Waiver("posting-errors", "qa", "moved", date(2027, 1, 1), "a*", "8.0"),
    Waiver("untested", "qa", "moved", date(2027, 1, 1), "cologne", "8.0"),
    Waiver("untested", "qa", "read only", date(2027, 1, 1), "*", "8.0", scenario="approval"),
    Waiver("silence", "qa", "moved", date(2027, 1, 1), "bleecker", "8.0"),
    Waiver("numbering", "qa", "moved", date(2027, 1, 1), "*", "8.0"),
)


@dataclass(frozen=True)
class History:
    """What happened: before the release, and since, in pieces as they came to be known."""

    before: tuple[RunResult, ...]
    pieces: tuple[tuple[RunResult, ...], ...]
    policy: GatePolicy
    due: Due | None


def history(seed: int) -> History:
    """Three tenants, two processes and channels; failures single or in streaks, gaps, late rows, waivers, slowness."""
    dice = random.Random(seed)
    rates = [dice.choice((0.0, 0.01, 0.05, 0.3, 0.9)) for _ in range(2)]
    before = _runs(dice, rates[0], -BEFORE, timedelta(), "7.0")
    since = _runs(dice, rates[1], timedelta(), timedelta(hours=dice.choice((1, 2))), "8.0", dice.choice((1, 1, 1.5)))
    since += [self_test(START + n * 40 * MINUTE, caught=dice.random() < 0.9) for n in range(4)]
    since.sort(key=lambda each: (each.started_at, each.run_id))
    number = dice.choice((1, 1, 2, 5))
    pieces: list[list[RunResult]] = [[] for _ in range(number)]
    for place, each in enumerate(since):
        piece = place * number // len(since)
        pieces[min(number - 1, piece + (dice.random() < 0.05))].append(each)
    policy = GatePolicy(
        deadline=timedelta(hours=dice.choice((2, 24))),
        least_rate=dice.choice((0.01, 0.04)),
        least_failures=dice.choice((1, 3)),
        must=dice.choice((("time-entry",), ("time-entry", "invoicing"), ("time-entry", "approval"))),
        slower=dice.choice((1.0, 1.2)),
        signals=dice.choice(({}, {Signal.SLOWNESS: False}, {Signal.SILENCE: False})),
        waivers=tuple(each for each in WAIVERS if dice.random() < 0.3),
    )
    due = None
    if dice.random() < 0.5:
        probes = [(t, s, c) for t in IDS for s in ("time-entry", "invoicing") for c in Channel]
        due = Due({probe: timedelta(minutes=dice.choice((4, 7))) for probe in probes}, _rests(dice.random() < 0.5))
    return History(tuple(before), tuple(map(tuple, pieces)), policy, due)


def _rests(at_all: bool) -> Any:
    return (lambda probe, since, until: since.minute < 20) if at_all else (lambda probe, since, until: False)


def _runs(
    dice: random.Random, rate: float, since: timedelta, until: timedelta, release: str, slower: float = 1.0
) -> list[RunResult]:
    found = []
    sticky = dice.random() < 0.3
    for tenant in IDS:
        worse = dice.choice((1.0, 1.0, 4.0))
        for scenario in ("time-entry", "invoicing"):
            for channel in Channel:
                every = timedelta(minutes=dice.choice((3, 5, 9)))
                gap = START + dice.random() * timedelta(hours=2)
                at, bad = START + since + dice.random() * every, False
                while at < START + until:
                    at += every + timedelta(seconds=dice.choice((0, 0, 1, 7.25)))
                    bad = dice.random() < (0.7 if bad and sticky else min(1.0, rate * worse))
                    if gap < at < gap + timedelta(minutes=25):
                        continue
                    found.append(_run(dice, tenant, at, bad, scenario, channel, release, slower))
    return found


def _run(
    dice: random.Random, tenant: str, at: Any, bad: bool, scenario: str, channel: Channel, release: str, slower: float
) -> RunResult:
    changes: dict[str, Any] = {
        "scenario": scenario, "channel": channel, "release": release,
        "seconds": round(slower * dice.lognormvariate(0.5, 0.4), 2), "undo_seconds": dice.choice((0.0, 0.1, 0.333333)),
        "source": dice.choice((Source.PROBE, Source.PROBE, Source.PROBE, Source.SUITE, Source.REHEARSAL)),
    }  # fmt: skip
    if bad:
        words = dict(dice.choice(FAILURES))
        if dice.random() < 0.02:
            words["invariant"] = dice.choice(list(Invariant))
        return replace(failed(tenant, at, **words), **changes)
    posting = dice.choice((0.0, 0.3, 0.5)) if scenario == "invoicing" and dice.random() < 0.1 else 0.4
    took = changes["seconds"] * posting * dice.lognormvariate(0, 0.2) * (slower if dice.random() < 0.5 else 1.0)
    changes["steps"] = (
        Step("enter time", 0.0, 0.1, Outcome.PASSED), Step("post invoice", 0.1, took, Outcome.PASSED, StepKind.POSTING),
        Step("check the posting", 0.2, took / 3, Outcome.PASSED, StepKind.POSTING),
    )  # fmt: skip
    odd = dice.random()
    outcome = Outcome.BROKEN if odd < 0.02 else Outcome.SKIPPED if odd < 0.03 else Outcome.PASSED
    return run(tenant, at, outcome, **changes)  # spans in whole microseconds, as run_once gives them


def pure(history: History) -> list[Verdict]:
    """What objects come to after each piece."""
    waivers = Waivers(history.policy.waivers, "8.0", TODAY)
    known = learn(history.before, (), "canary", IDS, history.policy, waivers)
    bake, verdicts = Bake(*_names(), **_rest(history, known)), []
    for number, piece in enumerate(history.pieces):
        for each in piece:
            bake.add(each)
        verdicts.append(bake.verdict(_now(number, history)))
    return verdicts


def columnar(history: History, *, singly: bool = False) -> list[Verdict]:
    """What columns come to after each piece. With `singly`, of all pieces but the first each result by itself."""
    waivers = Waivers(history.policy.waivers, "8.0", TODAY)
    known = learn_columns(ResultColumns.of(history.before), (), "canary", IDS, history.policy, waivers)
    bake, verdicts = ColumnarBake(*_names(), **_rest(history, known)), []
    for number, piece in enumerate(history.pieces):
        parts = [[each] for each in piece] if singly and number else [piece]
        for part in parts:
            bake.add_columns(ResultColumns.of(part), [each for each in part if each.outcome is not Outcome.PASSED])
        verdicts.append(bake.verdict(_now(number, history)))
    return verdicts


def _names() -> tuple[Any, ...]:
    return "canary", "8.0", RING, LATER


def _rest(history: History, known: Any) -> dict[str, Any]:
    starts = dict.fromkeys(IDS, START) | {"bleecker": START + 10 * MINUTE}
    return {
        "starts": starts,
        "baseline": known,
        "policy": history.policy,
        "now": START,
        "due": history.due,
        "never": {("aldgate", "approval"): "aldgate does not have approvals"},
    }


def _now(number: int, history: History) -> Any:
    latest = max((each.started_at for piece in history.pieces[: number + 1] for each in piece), default=START)
    return latest + 2 * MINUTE


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Equal, but for the last digits of a number."""
    if isinstance(one, float) and isinstance(other, float | int):
        assert math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-300), f"{where}: {one} and {other}"
    elif isinstance(one, UsualPace):
        assert_same(one.limits, other.limits, f"{where}.limits")
        assert_same(one.posting, other.posting, f"{where}.posting")
    elif is_dataclass(one):
        assert type(one) is type(other), where
        for each in fields(one):
            if each.name != "rests":
                assert_same(getattr(one, each.name), getattr(other, each.name), f"{where}.{each.name}")
    elif isinstance(one, Mapping):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}[{key}]")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), f"{where}: {one} and {other}"
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{place}]")
    else:
        assert one == other, f"{where}: {one!r} and {other!r}"


def in_order(verdict: Verdict) -> Verdict:
    """Waivers that were used, whichever was used first."""
    return replace(verdict, waived=tuple(sorted(verdict.waived, key=str)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9), st.booleans())
@example(113439595, False)  # streaks that are just at the limit
def test_columns_come_to_the_same_verdict_with_the_same_numbers(seed: int, singly: bool) -> None:
    told = history(seed)
    for number, (one, other) in enumerate(zip(pure(told), columnar(told, singly=singly), strict=True)):
        assert_same(in_order(one), in_order(other), f"piece {number}")


@pytest.mark.parametrize("together", [1, 300])
def test_how_many_ticks_are_worked_out_together_changes_nothing(monkeypatch: Any, together: int) -> None:
    told = [history(seed) for seed in range(4)]
    usual = [columnar(each) for each in told]
    monkeypatch.setattr(gauge, "_NUMBERS", together)
    for one, other in zip(usual, map(columnar, told), strict=True):
        assert_same(one, other)


def test_nothing_at_all_comes_to_the_same() -> None:
    nothing = History((), ((),), GatePolicy(), None)
    assert_same(pure(nothing), columnar(nothing))


def test_histories_reach_every_state() -> None:
    """Else the comparison above would prove little."""
    assert len({verdict.state for seed in (*range(60), 84) for verdict in pure(history(seed))}) == 5


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=30), st.floats(1e-6, 0.999))
def test_bounds_of_many_are_those_of_each(counts: list[tuple[int, int]], rate: float) -> None:
    seen = np.array([min(pair) for pair in counts], float)
    runs = np.array([max(1, *pair) for pair in counts], float)
    tails = tails_from(seen, runs, np.full(len(seen), rate))
    assert tails == pytest.approx([tail_from(int(s), int(r), rate) for s, r in zip(seen, runs, strict=True)], rel=1e-9)
    bounds = upper_bounds(seen, runs, 0.0025)
    assert bounds == pytest.approx([upper_bound(int(s), int(r), 0.0025) for s, r in zip(seen, runs, strict=True)])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=60))
def test_streaks_of_many_series_are_those_of_each(steps: list[tuple[str, int, bool]]) -> None:
    from ringgate.gate.columnar.baseline import streak_of as streaks

    ticks = np.cumsum([step for _, step, _ in steps] or [0])[: len(steps)]
    series = [[(int(t), seen) for (name, _, seen), t in zip(steps, ticks, strict=True) if name == n] for n in "abc"]
    groups = np.array(["abc".index(name) for name, _, _ in steps], np.int64)
    assert streaks(groups, ticks, np.array([seen for *_, seen in steps], bool)) == streak_of(series)


def test_times_are_kept_to_the_microsecond() -> None:
    at = START + timedelta(microseconds=123457)
    (record,) = ResultColumns.of([run(at=at)]).records
    assert moment_of(record["started"]) == at
