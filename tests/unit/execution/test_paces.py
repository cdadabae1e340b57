"""A tenant's usual pace sets its time limits, and a session that is slower is noticed. Times are drawn, with a seed."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from ringgate.domain.model import RunResult, Step
from ringgate.domain.terms import Channel, Outcome
from ringgate.execution.paces import TimeLimits, compare_paces, time_limits
from tests.support.samples import tenant
from tests.unit.store.test_store import NOON, result

STEPS = ("create project", "enter time", "post", "pay", "read back")
PROCESSES = ("one", "two", "three", "four", "five", "six")


def ran(number: int, scenario: str, seconds: dict[str, float], channel: Channel = Channel.API) -> RunResult:
    steps = tuple(Step(name, 0.0, each, Outcome.PASSED) for name, each in seconds.items())
    at = NOON + timedelta(minutes=number)
    return result(
        f"{scenario}-{number}", scenario=scenario, channel=channel, outcome=Outcome.PASSED, failure=None, residue=(),
        steps=steps, started_at=at,
    )  # fmt: skip


def session(number: int, draw: random.Random, each_call) -> list[RunResult]:
    """All processes once; a step makes five calls of some 0.2 s."""
    return [
        ran(number, process, {step: sum(each_call(draw) for _ in range(5)) for step in STEPS}) for process in PROCESSES
    ]


def usual(draw: random.Random) -> float:
    return 0.2 * draw.lognormvariate(0, 0.15)


def tenth_three_times_slower(draw: random.Random) -> float:
    return usual(draw) * (3.0 if draw.random() < 0.1 else 1.0)


def before(draw: random.Random, sessions: int = 12) -> list[RunResult]:
    return [each for number in range(sessions) for each in session(number, draw, usual)]


def test_a_tenth_of_all_calls_three_times_slower_is_noticed_in_two_sessions():
    caught = 0
    for seed in range(20):
        draw = random.Random(seed)
        past = before(draw)
        found = compare_paces(past, [*session(20, draw, tenth_three_times_slower),
                                     *session(21, draw, tenth_three_times_slower)])  # fmt: skip
        caught += found.slower
    assert caught == 20


def test_a_web_client_that_comes_three_seconds_later_is_noticed():
    def shown(number: int, later: float) -> list[RunResult]:
        times = dict.fromkeys(STEPS, 2.0 + later + 0.1 * (number % 3))
        return [ran(number, "project-to-cash", times, Channel.BROWSER)]

    past = [each for number in range(6) for each in shown(number, 0.0)]
    found = compare_paces(past, shown(9, 3.0))
    assert (found.slower, len(found.slow)) == (True, 5)
    assert str(found.slow[0]) == ('project-to-cash on aldgate over browser, "create project": 5.0 s, usually 2.1 s')
    assert str(found).startswith("slower than usual: 5 of 5 steps took longer than ever before, where 1 would be")


def test_the_usual_pace_is_no_alarm():
    alarms = 0
    for seed in range(100):
        draw = random.Random(seed)
        past = before(draw, sessions=4 + seed % 12)
        alarms += compare_paces(past, session(20, draw, usual)).slower
    assert alarms == 0


def test_without_a_baseline_nothing_is_said():
    draw = random.Random(1)
    assert compare_paces([], session(20, draw, tenth_three_times_slower)).steps == 0


def test_an_answer_may_take_three_times_as_long_as_the_slowest_steps_usually_do():
    draw = random.Random(1)
    slow = [ran(n, "posting", {"post": 20.0 + n % 5, "read": 0.2}) for n in range(40)]
    quick = before(draw)
    assert time_limits([*slow]) == {("aldgate", Channel.API): pytest.approx(72.0)}
    assert time_limits(quick) == {}
    assert time_limits(slow[:20]) == {}  # too few to go by


def test_what_the_inventory_says_holds_and_history_is_read_once():
    asked = []

    def history() -> list[RunResult]:
        asked.append(1)
        return [ran(n, "posting", {"post": 20.0, "read": 20.0}) for n in range(40)]

    limits = TimeLimits(history)
    assert limits(tenant(time_limit=timedelta(seconds=12)), Channel.API) == 12
    assert asked == []
    assert [limits(tenant(), Channel.API) for _ in range(2)] == [60.0, 60.0]
    assert limits(tenant("kyoto"), Channel.API) is None
    assert asked == [1]
