"""The third layer of verification: after the others, only where something is received, and with its own condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringgate.domain.errors import IntegrationLate
from ringgate.domain.terms import Invariant, Layer, Outcome, Receives
from ringgate.rollout.conditions import Condition
from ringgate.rollout.stages import verification
from ringgate.rollout.stages.blame import OF_LAYER, Looked, condition_of, needs_second_look
from ringgate.rollout.stages.checks import Checked
from tests.unit.integrations.samples import integration
from tests.unit.rollout.stages.world import ALDGATE, Context, came, scenario

SCENARIOS = (
    scenario("time-entry"),
    replace(scenario("invoice-arrives"), layer=Layer.INTEGRATION, receives=Receives.INVOICES),
    replace(scenario("hours-arrive"), layer=Layer.INTEGRATION, receives=Receives.HOURS),
)
WRONG = came(Outcome.FAILED, "integration", scenario="hours-arrive")
LATE = came(Outcome.FAILED, "integration-late", scenario="hours-arrive", error=IntegrationLate("x"))


@pytest.fixture(autouse=True)
def _no_paces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "paces_of", lambda _context, _tenant: {})


def looked(received: frozenset[Receives], *answers: Any) -> tuple[list[str], Checked]:
    context, checked = Context(answers), Checked()
    context.scenarios = list(SCENARIOS)
    own = replace(ALDGATE, integrations={"payroll": integration(receives=received)})
    verification._integrations(context, own, SCENARIOS, checked)
    return context.done, checked


def test_only_what_an_integration_of_the_tenant_receives_is_followed():
    done, checked = looked(frozenset({Receives.HOURS}), came(scenario="hours-arrive"))
    assert done == ["hours-arrive over api"]
    assert checked.fine
    assert looked(frozenset())[0] == []


def test_it_is_no_part_of_the_layer_before():
    assert [each.id for each, _ in verification._others(SCENARIOS, browser=True)] == ["time-entry"]


def test_what_arrives_wrong_speaks_against_the_release_with_its_own_condition():
    assert OF_LAYER[Layer.INTEGRATION] is Condition.INTEGRATION_FAILED
    _, checked = looked(frozenset({Receives.HOURS}), WRONG)
    (one,) = checked.looked
    assert not needs_second_look(WRONG)
    assert condition_of(one, Condition.INTEGRATION_FAILED) is Condition.INTEGRATION_FAILED


def test_what_is_late_is_looked_at_again_and_proves_nothing_on_a_busy_machine():
    done, checked = looked(frozenset({Receives.HOURS}), LATE, LATE)
    assert done.count("hours-arrive over api") == 2
    wrong = Condition.INTEGRATION_FAILED
    (one,) = checked.looked
    assert condition_of(Looked(one.first, one.second), wrong) is wrong
    assert condition_of(Looked(one.first, one.second, busy="load 30"), wrong) is Condition.INCONCLUSIVE


def test_a_document_that_went_to_another_tenant_needs_no_second_look():
    assert not needs_second_look(came(Outcome.FAILED, "integration", invariant=Invariant.ISOLATED))
