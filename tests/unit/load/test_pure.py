"""What load there is when, what gives way, and what became worse: without any ERP."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ringgate.load.bottleneck import bottleneck_of
from ringgate.load.comparison import compared, unlike
from ringgate.load.outcome import LoadFileError, LoadOutcome, LoadRun, Reading
from ringgate.load.profile import LoadProfile
from ringgate.load.words import as_plain, as_text, comparison_text

PROFILE = LoadProfile(users=10, ramp=50.0, hold=100.0)


def outcome(**changes: Any) -> LoadOutcome:
    values: dict[str, Any] = {
        "profile": PROFILE, "scenarios": ("time-entry",), "tenants": ("acme",), "lasted": 150.0,
        "began": datetime(2026, 11, 28, 21, tzinfo=UTC), "runs": runs(100),
    }  # fmt: skip
    return LoadOutcome(**{**values, **changes})


def runs(number: int, slower: float = 1.0, wrong: int = 0, seed: int = 1) -> tuple[LoadRun, ...]:
    dice = random.Random(seed)
    return tuple(
        LoadRun(50.0 + 100.0 * n / number, "time-entry", "acme", slower * dice.uniform(1.0, 2.0),
                kind="refused" if n < wrong else "")
        for n in range(number)
    )  # fmt: skip


def test_a_closed_load_goes_up_in_five_steps_and_is_held() -> None:
    stages = PROFILE.stages()
    assert [each.level for each in stages] == [2, 4, 6, 8, 10]
    assert [each.begins for each in stages] == [0.0, 12.5, 25.0, 37.5, 50.0]
    assert (PROFILE.wanted(0.0), PROFILE.wanted(149.0), PROFILE.wanted(150.0)) == (2, 10, 0)


@pytest.mark.parametrize(("users", "ramp", "levels"), [(1, 60.0, [1]), (3, 60.0, [1, 2, 3]), (10, 0.0, [10])])
def test_few_users_and_no_ramp_make_fewer_steps(users: int, ramp: float, levels: list[int]) -> None:
    stages = LoadProfile(users, ramp=ramp, hold=30.0).stages()
    assert [each.level for each in stages] == levels
    assert (stages[0].begins, stages[-1].ends) == (0.0, ramp + 30.0)


def test_arrivals_come_by_chance_as_many_as_wanted_and_the_same_for_one_seed() -> None:
    profile = LoadProfile(10, arrivals=5.0, ramp=100.0, hold=400.0, seed=3)
    moments = list(profile.moments())
    assert moments == sorted(moments)
    assert moments == list(profile.moments())
    assert 1_850 < sum(each >= 100.0 for each in moments) < 2_150
    assert moments != list(replace(profile, seed=4).moments())
    gaps = [after - before for before, after in pairwise(moments)]
    assert max(gaps) > 5 * sum(gaps) / len(gaps)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    one = outcome(readings=(Reading(-5.0, "locks", 1.0, "locks", "sessions", 5.0),), left=("x",))
    one.save(tmp_path / "one.json")
    assert LoadOutcome.load(tmp_path / "one.json") == one


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ringgate_load": 2}', '{"ringgate_load": 1, "profile": {"a": 1}}'])
def test_a_file_that_is_none_is_told_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(LoadFileError, match=r"one\.json: it is no result of `ringgate load --save`"):
        LoadOutcome.load(tmp_path / "one.json")


def readings(signal: str, before: float, held: float, **more: Any) -> list[Reading]:
    found = [Reading(at, signal, before, **more) for at in (-10.0, -5.0)]
    return [*found, *(Reading(50.0 + n, signal, held, **more) for n in range(0, 100, 5))]


@pytest.mark.parametrize(
    ("changes", "resource", "words"),
    [
        ({"ours": 0.95}, "our side", "use more machines"),
        ({"late": 30}, "our side", "give more --users"),
        ({}, "", "no platform signal says"),
        (
            {"readings": (*readings("latency", 1, 9, resource="server", limit=3.0),
                          *readings("waits", 0, 6, resource="locks", limit=5.0, unit="sessions"))},
            "locks", "waits stood at 6 sessions in the middle, and 5 is its limit",
        ),
        (
            {"readings": (*readings("latency", 1, 9, resource="server", limit=3.0),
                          *readings("waits", 0, 4, resource="locks", limit=5.0))},
            "server", "latency stood at 9",
        ),
        (
            {"readings": (*readings("waits", 0, 4, resource="locks", limit=5.0),
                          *readings("iops", 10, 900, resource="disk"))},
            "disk", "iops grew from 10 to 900",
        ),
        ({"readings": tuple(readings("waits", 0, 4, resource="locks", limit=5.0))}, "", "no resource that was read"),
        ({"readings": tuple(readings("anything", 0, 400))}, "", "no platform signal says"),
    ],
)  # fmt: skip
def test_what_gives_way_first_is_named(changes: dict[str, Any], resource: str, words: str) -> None:
    found = bottleneck_of(outcome(**changes))
    assert found.resource == resource
    assert words in found.because


def test_a_slower_process_and_one_that_goes_wrong_more_often_are_found() -> None:
    (same,) = compared(outcome(), outcome(runs=runs(100, seed=2)))
    assert (same.slower, same.worse, same.unknown) == (False, False, "")
    (slower,) = compared(outcome(), outcome(runs=runs(100, slower=1.5)))
    assert (slower.slower, slower.worse) == (True, False)
    (worse,) = compared(outcome(), outcome(runs=runs(100, wrong=12)))
    assert (worse.slower, worse.worse) == (False, True)
    (few,) = compared(outcome(), outcome(runs=runs(19, slower=9)))
    assert few.unknown == "fewer than 20 runs"
    text = "\n".join(comparison_text([same, slower, worse, few]))
    assert all(words in text for words in ("as before", "slower", "goes wrong more often", "fewer than 20 runs"))


def test_a_load_that_is_as_before_is_seldom_called_worse() -> None:
    said = [compared(outcome(), outcome(runs=runs(200, seed=seed)))[0].slower for seed in range(2, 202)]
    assert sum(said) <= 6


def test_only_like_is_compared_with_like() -> None:
    other = outcome(profile=replace(PROFILE, users=20, seed=9), tenants=("other",), stopped="it was told to")
    assert unlike(outcome(), other) == [
        "users is 10 before and 20 after", "the tenants are not the same",
        "the load after was cut short: it was told to",
    ]  # fmt: skip
    assert unlike(outcome(), outcome(profile=replace(PROFILE, seed=9))) == []


def test_it_is_told_in_words_and_for_programs() -> None:
    one = outcome(runs=runs(100, wrong=3), readings=tuple(readings("waits", 0, 6, resource="locks", limit=5.0)))
    text = "\n".join(as_text(one))
    assert "10 users            100" in text
    assert "bottleneck: locks: waits stood at 6" in text
    assert "went wrong: refused 3" in text
    assert "nothing is left in the ERP" in text
    plain = as_plain(one, None)
    assert (plain["went_wrong"], plain["bottleneck"]["resource"]) == ({"refused": 3}, "locks")
    assert [each["runs"] for each in plain["stages"]] == [0, 0, 0, 0, 100]
