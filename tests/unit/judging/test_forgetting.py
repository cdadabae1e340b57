"""What goes by age and by size, in the store and on disk, and what stays because something rests on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ringgate.domain.model import Deployment
from ringgate.domain.retention import Retention
from ringgate.domain.terms import Invariant, Outcome
from ringgate.domain.waivers import Waiver
from ringgate.judging.forgetting import Forgetting
from ringgate.store import Store
from tests.unit.store.test_store import NOON, result

DAY = timedelta(days=1)
KEEP = Retention(passed=10 * DAY, failures=20 * DAY, hours=50 * DAY, samples=5 * DAY, evidence=3 * DAY)
AGES = (1, 5, 25, 40)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """That of a run of each age, and of one that the store never knew."""
    for name, days in (*((f"f{days}", days) for days in AGES), ("unknown", 4)):
        folder = tmp_path / "evidence" / name
        folder.mkdir(parents=True)
        (folder / "page.png").write_bytes(b"x" * 100)
        at = (NOON - days * DAY).timestamp()
        os.utime(folder, (at, at))
    return tmp_path / "evidence"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/results.sqlite", lambda: NOON)
    store.add(*(replace(result(f"f{days}", ring="canary"), started_at=NOON - days * DAY) for days in AGES))
    yield store
    store.close()


def left(evidence: Path) -> set[str]:
    return {each.name for each in evidence.iterdir()}


def failures(store: Store) -> set[str]:
    return {each.run_id for each in store.results(outcomes=[Outcome.FAILED])}


def test_evidence_goes_by_age_and_by_size(store: Store, evidence: Path) -> None:
    assert Forgetting(KEEP, evidence).prune_evidence(store, NOON) == (4, 400)
    assert left(evidence) == {"f1"}
    assert Forgetting(replace(KEEP, evidence_bytes=99), evidence).prune_evidence(store, NOON) == (1, 100)
    assert left(evidence) == set()


def test_where_there_is_no_evidence_nothing_happens(store: Store, tmp_path: Path) -> None:
    waiver = Waiver("*", "qa", "known", (NOON + DAY).date())
    assert Forgetting(KEEP, tmp_path / "none", [waiver]).prune_evidence(store, NOON) == (0, 0)


def test_an_open_bake_keeps_its_runs_and_their_evidence(store: Store, evidence: Path) -> None:
    store.deployed(Deployment("d1", NOON - 20 * DAY, "canary", "8.0"))
    forgetting = Forgetting(replace(KEEP, evidence_bytes=1), evidence)
    forgetting.prune_evidence(store, NOON)
    forgetting.prune(store, NOON)
    assert left(evidence) == {"f1", "f5", "f25"}, "since a week before the deployment"
    assert failures(store) == {"f1", "f5", "f25"}


def test_what_a_waiver_in_force_accepts_stays(store: Store, evidence: Path) -> None:
    store.add(replace(result("g40", ring="canary", release="9.0"), started_at=NOON - 40 * DAY))
    (evidence / "g40").mkdir()
    os.utime(evidence / "g40", ((NOON - 40 * DAY).timestamp(),) * 2)
    waiver = Waiver(Invariant.ONCE.value, "qa", "known", NOON.date(), release="9.0")
    forgetting = Forgetting(KEEP, evidence, [waiver])
    forgetting.prune_evidence(store, NOON)
    forgetting.prune(store, NOON)
    assert left(evidence) == {"f1", "g40"}
    assert failures(store) == {"f1", "f5", "g40"}
    forgetting.prune_evidence(store, NOON + DAY)
    forgetting.prune(store, NOON + DAY)
    assert "g40" not in left(evidence) | failures(store), "it holds through the end of its day"


def test_what_the_record_of_a_rehearsal_rests_on_stays(store: Store, evidence: Path) -> None:
    began = NOON - 40 * DAY
    store.hold("rehearsal 1", "its record rests on it", "", began, began + timedelta(hours=1), NOON + 360 * DAY)
    forgetting = Forgetting(replace(KEEP, evidence_bytes=1), evidence)
    forgetting.prune_evidence(store, NOON)
    forgetting.prune(store, NOON)
    assert left(evidence) == {"f40"}
    assert failures(store) == {"f1", "f5", "f40"}
