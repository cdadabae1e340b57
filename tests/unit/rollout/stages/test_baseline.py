"""A tenant is upgraded only if its own newest backup is as young as its service level promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringgate.domain.model import Recovery
from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.stages.baseline import _judge_backup, backup_age
from tests.unit.rollout.stages.world import ALDGATE, Context, backup

GOLD = replace(ALDGATE, recovery=Recovery(point=timedelta(minutes=15), time=timedelta(minutes=5)))


def judged(tenant, *ages: float):
    context = Context()
    context.backups = [backup(minutes) for minutes in ages]
    age = backup_age(context, tenant)
    return age, _judge_backup(context, tenant, age)


def test_the_newest_that_was_there_before_is_the_one_that_counts():
    age, reasons = judged(GOLD, 90, 10, -1)  # the last was taken by this very rollout, before it was killed
    assert (age.name, age.seconds, age.promised, age.kept, reasons) == ("b10", 600.0, 900.0, True, [])


@pytest.mark.parametrize(
    ("tenant", "ages", "condition", "says"),
    [
        (GOLD, (90,), Condition.BACKUP_TOO_OLD, "Its newest backup is 1.5 h old, and the inventory promises one of"),
        (GOLD, (), Condition.BACKUP_TOO_OLD, "There is no backup of it, and the inventory promises one of at most 15"),
        (GOLD, (-1,), Condition.BACKUP_TOO_OLD, "There is no backup of it"),
        (ALDGATE, (1,), Condition.INCONCLUSIVE, "promises no recovery point"),
    ],
)
def test_too_old_or_none_pauses(tenant, ages, condition, says):
    _, (reason,) = judged(tenant, *ages)
    assert (reason.condition, reason.action) == (condition, RolloutAction.PAUSE)
    assert says in reason.sentence
