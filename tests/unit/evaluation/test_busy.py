"""The busy machine is busy only while it is to be, and a round is called what it was."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from datetime import UTC, datetime

import psutil
import pytest

from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import FORM, Objection, RehearsalRecord, RingRecord
from ringgate.rollout.release_tables import RolloutAction
from tests.evaluation.busy.load import load
from tests.evaluation.busy.rounds import outcome_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PROMOTE, PAUSE, ROLL_BACK = RolloutAction.PROMOTE, RolloutAction.PAUSE, RolloutAction.ROLL_BACK


def test_what_keeps_the_machine_busy_ends_with_the_block() -> None:
    before = {each.pid for each in multiprocessing.active_children()}
    with load(1):
        begun = {each.pid for each in multiprocessing.active_children()} - before
    assert len(begun) == 2
    assert not [pid for pid in begun if psutil.pid_exists(pid or 0)]


def test_what_keeps_the_machine_busy_ends_with_whoever_is_killed() -> None:
    code = (
        "import multiprocessing, threading\n"
        "from tests.evaluation.busy.load import load\n"
        "with load(1):\n"
        "    print(*(each.pid for each in multiprocessing.active_children()), flush=True)\n"
        "    threading.Event().wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    begun = [psutil.Process(int(each)) for each in process.stdout.readline().split()]
    process.kill()
    process.communicate()
    assert len(begun) == 2
    _, alive = psutil.wait_procs(begun, timeout=60)
    assert alive == []


@pytest.mark.parametrize(
    ("decision", "condition", "word", "fair"),
    [
        (PROMOTE, None, "promoted", True),
        (PAUSE, Condition.INCONCLUSIVE, "inconclusive", True),
        (PAUSE, Condition.NOT_READY, "PAUSED (not_ready)", False),
        (ROLL_BACK, Condition.PROCESS_FAILED, "ROLLED BACK", False),
    ],
)
def test_a_round_is_fair_unless_the_upgrade_was_blamed(decision, condition, word, fair) -> None:
    reasons = [Objection(condition=condition, action=decision, tenant="aldgate", sentence="x")] if condition else []
    record = RehearsalRecord(
        form=FORM, release="r", title="R", before="7.0", after="8.0", risk="low", digest="d", session="s", began=NOON,
        tenants={}, rings={"canary": RingRecord(decision=decision, reasons=reasons)},
    )  # fmt: skip
    came = outcome_of(record, 1.0)
    assert (came.word, came.fair) == (word, fair)
