"""When a result is overdue, and how often that is counted."""

from __future__ import annotations

from datetime import datetime, timedelta

from ringgate.domain.terms import Channel
from ringgate.gate.silence import Due, ExpectedResults
from tests.unit.gate.sample import MINUTE, START

PROBE = ("aldgate", "time-entry", Channel.API)
EVERY = 10 * MINUTE


def watch(due: Due | None = None) -> ExpectedResults:
    return ExpectedResults(due or Due({PROBE: EVERY}), {"aldgate": START})


def told(made: ExpectedResults, minutes: float) -> list[tuple[float, bool]]:
    """(minute, whether it was missing) of each due result up to now."""
    return [((at - START) / MINUTE, missing) for _, at, missing in made.until(START + minutes * MINUTE)]


def test_results_in_time_are_not_missing() -> None:
    made = watch()
    for minute in (2, 12, 26):
        made.came(PROBE, START + minute * MINUTE)
    assert told(made, 30) == [(2, False), (12, False), (26, False)]


def test_a_result_is_overdue_after_one_and_a_half_intervals_and_a_minute_then_once_an_interval() -> None:
    made = watch()
    assert told(made, 16) == []
    assert told(made, 40) == [(16, True), (26, True), (36, True)]
    assert made.missed == {PROBE: 3}
    made.came(PROBE, START + 41 * MINUTE)
    assert told(made, 57) == [(41, False)]
    assert told(made, 58) == [(57, True)]


def test_asking_often_tells_the_same() -> None:
    often, once = watch(), watch()
    for made in (often, once):
        made.came(PROBE, START + 30 * MINUTE)
    bits = [each for minute in range(61) for each in told(often, minute)]
    assert bits == told(once, 60)


def test_what_lies_in_the_future_waits() -> None:
    made = watch()
    made.came(PROBE, START + 12 * MINUTE)
    assert told(made, 10) == []
    assert told(made, 13) == [(12, False)]


def test_a_probe_may_rest() -> None:
    def rests(probe: object, since: datetime, until: datetime) -> bool:
        return since < START + 60 * MINUTE

    made = watch(Due({PROBE: EVERY}, rests))
    assert told(made, 76) == []
    assert told(made, 77) == [(76, True)]


def test_who_has_no_release_yet_is_not_watched() -> None:
    made = ExpectedResults(Due({("kyoto", "time-entry", Channel.API): EVERY}), {"aldgate": START})
    made.came(("kyoto", "time-entry", Channel.API), START)
    assert list(made.until(START + timedelta(days=1))) == []
