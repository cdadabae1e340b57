"""What probes meet on a tenant that was rolled back is not evidence for the release."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringgate.evidence.duties import duties
from ringgate.evidence.history import history_of
from ringgate.gate.facts import GateState
from ringgate.judging.bakes import reach_of
from ringgate.probing.releases import release_of
from ringgate.rollout.taken_back import TakenBack
from ringgate.store import Store, StoreError
from tests.unit.gate.sample import RING
from tests.unit.rollout.test_baking import BEGAN, HOUR, bake, noted, record, stage, url

__all__ = ["url"]

FIRST = RING[0]
LATER = BEGAN + 20 * HOUR


def rolled_back(url: str, whom=(FIRST.id,)):
    kept = record()
    bake(url, GateState.PROMOTE, kept)("canary")
    for name in whom:
        kept.tenants[name].stages["rollback"] = stage(LATER)
    said: list[str] = []
    back = TakenBack(lambda: Store(url), said.append)
    back.note(kept)
    return kept, back, said


def test_runs_on_it_are_called_as_before_the_rollout(url):
    rolled_back(url)
    known = noted(url)
    assert release_of(FIRST, known, LATER - timedelta(seconds=1)) == "8.0"
    assert release_of(FIRST, known, LATER + HOUR) == "7.0"
    assert release_of(RING[1], known, LATER + HOUR) == "8.0"


def test_the_gate_says_that_the_ring_has_the_release_no_more(url):
    rolled_back(url)
    assert FIRST.id in reach_of("8.0", "canary", RING, noted(url), None).superseded


def test_it_is_noted_once(url):
    kept, back, _ = rolled_back(url)
    number = len(noted(url))
    back.note(kept)
    TakenBack(lambda: Store(url), pytest.fail).note(kept)
    assert len(noted(url)) == number


def test_a_tenant_on_which_no_release_was_noted_needs_no_note(url):
    kept = record()
    kept.tenants[FIRST.id].stages["rollback"] = stage(LATER)
    TakenBack(lambda: Store(url), pytest.fail).note(kept)
    assert noted(url) == []


def test_a_rollback_that_did_not_come_to_its_end_is_none(url):
    kept, back, _ = rolled_back(url, ())
    kept.tenants[FIRST.id].stages["rollback"] = stage(LATER, "failed")
    back.note(kept)
    assert not [each for each in noted(url) if each.taken_back]


def test_a_store_that_cannot_be_written_is_a_remark_and_tried_again(url):
    kept = record()
    bake(url, GateState.PROMOTE, kept)("canary")
    kept.tenants[FIRST.id].stages["rollback"] = stage(LATER)

    def away() -> Store:
        raise StoreError("the disk is full")

    said: list[str] = []
    back = TakenBack(away, said.append)
    back.note(kept)
    assert "7.0 again is not noted" in said[0]
    back.open_store = lambda: Store(url)
    back.note(kept)
    assert [each.tenants for each in noted(url) if each.taken_back] == [(FIRST.id,)]


def test_a_way_back_is_no_change_and_no_deployment(url):
    rolled_back(url)
    known = noted(url)
    report = duties([], known, [("7.0", "canary"), ("8.0", "canary")])
    assert [each.release for each in report.changes] == ["8.0"]
    assert report.unknown == ()
    history = history_of([], known, {}, until=LATER + HOUR)
    assert {each.release for each in history.deployments} == {"8.0"}
