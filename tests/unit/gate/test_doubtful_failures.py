"""What is slow, or another document, is not yet wrong: it pauses a rollout, and never rolls it back."""

from __future__ import annotations

import pytest

from ringgate.gate import Action, Word
from tests.unit.gate.sample import IDS, MINUTE, START, failed
from tests.unit.gate.test_bake import QUIET, bake, good


@pytest.mark.parametrize("kind", ["timed-out", "twin", "unavailable"])
def test_time_outs_and_other_documents_roll_nothing_back_and_an_outage_does(kind: str) -> None:
    made = bake([r for r in good(60) if r.started_at < START + 20 * MINUTE], **QUIET)
    for number in range(20, 40):
        for tenant in IDS:
            made.add(failed(tenant, START + number * MINUTE, kind=kind))
    verdict = made.verdict(START + 40 * MINUTE)
    assert verdict.action is (Action.PAUSE if kind != "unavailable" else Action.ROLL_BACK)
    assert verdict.word is Word.FAIL
