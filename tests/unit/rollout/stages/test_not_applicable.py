"""What a tenant's driver cannot do is left out of a rollout, with the reason."""

from __future__ import annotations

from dataclasses import replace

from ringgate.domain.terms import Capability
from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.risk_classes import PLANS
from ringgate.rollout.stages.context import applicable, no_fingerprint
from ringgate.rollout.stages.fingerprint import fingerprint
from tests.unit.rollout.stages.world import ALDGATE, Context

BARE = replace(ALDGATE, erp="tryton", lacks=frozenset({Capability.FINGERPRINT, Capability.SURFACE}))
WHOLE = replace(ALDGATE, erp="tryton")


def test_books_that_cannot_be_compared_prove_nothing() -> None:
    found = fingerprint(Context(), BARE)
    assert found.note == f"not applicable: {BARE.id} does not have fingerprint"
    (reason,) = found.reasons
    assert (reason.condition, reason.action) == (Condition.INCONCLUSIVE, RolloutAction.PAUSE)
    assert reason.sentence == f"Its books could not be compared: {BARE.id} does not have fingerprint."


def test_a_surface_that_cannot_be_read_is_left_out_of_the_plan() -> None:
    plan = next(each for each in PLANS.values() if each.surface)
    assert applicable(WHOLE, plan) == plan
    assert applicable(BARE, plan) == replace(plan, surface=False)
    assert no_fingerprint(WHOLE) == ""
