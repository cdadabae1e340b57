"""What is forgotten, what is not, and that baselines come out the same afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ringgate.domain.model import Deployment, RunResult, SignalSample
from ringgate.domain.retention import Retention
from ringgate.domain.terms import Outcome
from ringgate.host import evidence_files
from ringgate.store import Store
from tests.unit.store.test_store import NOON, result

DAY = timedelta(days=1)
KEEP = Retention(passed=10 * DAY, failures=20 * DAY, hours=50 * DAY, samples=5 * DAY)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> object:
        return self.now


def run(name: str, days_ago: float, ring: str = "canary", *, passed: bool = True) -> RunResult:
    made = result(name, ring=ring, started_at=NOON - days_ago * DAY, residue=(), attachments=())
    return replace(made, outcome=Outcome.PASSED, failure=None) if passed else made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    clock = Clock()
    store = Store(f"sqlite:///{tmp_path}/results.sqlite", clock)  # type: ignore[arg-type]
    for days in range(60, 0, -1):
        clock.now = NOON - days * DAY + timedelta(minutes=5)
        store.add(run(f"p{days}", days), run(f"f{days}", days, passed=False))
        store.sampled([SignalSample(NOON - days * DAY, "backlog", 1.0, limit=2.0)])
    clock.now = NOON
    yield store
    store.close()


def left(store: Store) -> tuple[int, int, int]:
    """How many passed runs, failures and samples there are."""
    passed = store.results(outcomes=[Outcome.PASSED])
    return len(passed), len(store.results(outcomes=[Outcome.FAILED])), len(store.samples())


def test_each_kind_is_kept_as_long_as_it_is_said(store: Store) -> None:
    done = store.prune(KEEP, NOON)
    assert left(store) == (10, 20, 5)
    assert (done.removed, done.more) == ({"passed": 50, "failures": 40, "samples": 55, "hours": 10}, False)


def test_hours_keep_what_baselines_rest_on(store: Store) -> None:
    since = NOON - 45 * DAY
    before = store.columns(ring="canary", since=since).in_order()
    done = store.prune(KEEP, NOON)
    after = store.columns(ring="canary", since=since).in_order()
    assert (done.rolled_up, done.into) == (49, 49), "yesterday is not over for a day"
    for name in ("started", "took", "undoing", "posting", "labels", "shape"):
        assert np.array_equal(np.sort(before.records[name]), np.sort(after.records[name])), name
    assert store.prune(KEEP, NOON).rolled_up == 0


def test_a_little_at_a_time_comes_to_the_same(store: Store) -> None:
    rounds = 0
    while store.prune(KEEP, NOON, limit=8).more:
        rounds += 1
    assert rounds > 3
    assert left(store) == (10, 20, 5)


def test_what_an_open_bake_rests_on_stays(store: Store) -> None:
    store.deployed(Deployment("d1", NOON - 25 * DAY, "canary", "8.0"))
    store.prune(KEEP, NOON)
    assert left(store) == (32, 32, 32), "since a week before the deployment"


def test_a_bake_of_long_ago_is_not_open(store: Store) -> None:
    store.deployed(Deployment("d1", NOON - 31 * DAY, "canary", "8.0"))
    store.prune(KEEP, NOON)
    assert left(store) == (10, 20, 5)


def test_what_is_held_stays_until_it_is_held_no_more(store: Store) -> None:
    since = NOON - 40 * DAY
    store.hold("verdict 1", "a stored verdict", "canary", since, since + 2 * DAY, expires=NOON + DAY)
    store.hold("verdict 2", "another ring's", "early", NOON - 60 * DAY, NOON)
    store.prune(KEEP, NOON)
    assert left(store)[:2] == (13, 23)
    assert store.run_ids(store.protected(NOON)) == {"f40", "f39", "f38"}
    store.prune(KEEP, NOON + 2 * DAY)
    assert left(store)[:2] == (8, 18)


def test_a_failure_that_a_waiver_accepts_stays(store: Store) -> None:
    store.prune(KEEP, NOON, spared=lambda result: result.run_id in ("f50", "f30"))
    assert {each.run_id for each in store.results(outcomes=[Outcome.FAILED], until=NOON - 21 * DAY)} == {"f50", "f30"}


def test_what_there_is_is_told(store: Store) -> None:
    told = store.stats()
    assert told["runs"]["passed"]["runs"] == told["runs"]["failed"]["runs"] == 60
    assert (told["blocks"]["number"], told["blocks"]["runs"], told["samples"]) == (60, 120, 60)
    store.prune(KEEP, NOON)
    assert store.stats()["hours"]["runs"] == 98
    store.compact()


def test_a_run_that_passed_takes_little_space(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/results.sqlite")
    empty = store.stats()["bytes"]
    for start in range(0, 4000, 20):
        store.add(*(run(f"k{n:011}", n / 10_000) for n in range(start, start + 20)))
    assert (store.stats()["bytes"] - empty) / 4000 <= 250
    store.close()


def test_evidence_goes_by_age_and_by_size(tmp_path: Path) -> None:
    import os

    for number in range(6):
        folder = tmp_path / f"r{number}"
        folder.mkdir()
        (folder / "page.png").write_bytes(b"x" * 100)
        at = (NOON - number * DAY).timestamp()
        os.utime(folder, (at, at))
    assert evidence_files.prune(tmp_path, NOON, 4 * DAY, 10_000, {"r5"}) == (0, 0)
    assert evidence_files.prune(tmp_path, NOON + DAY, 4 * DAY, 10_000, {"r5"}) == (1, 100)
    assert evidence_files.prune(tmp_path, NOON, 40 * DAY, 300, {"r5"}) == (2, 200)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["r0", "r1", "r5"]
    assert evidence_files.prune(tmp_path / "none", NOON, DAY, 1) == (0, 0)
