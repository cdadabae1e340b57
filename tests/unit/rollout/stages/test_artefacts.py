"""What is installed must be what was released, and the same on every ring."""

from __future__ import annotations

from types import SimpleNamespace

from ringgate.rollout.conditions import Condition
from ringgate.rollout.release_tables import ComponentsTable, RolloutAction
from ringgate.rollout.results import VerificationResult
from ringgate.rollout.stages.artefacts import installed
from tests.unit.rollout.stages.world import ALDGATE, Context

ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def context_of(said, *, named=None, before=None):
    """`said` is what the platform states, None for one that cannot; `before` what bleecker got."""
    context = Context()
    context.platform = SimpleNamespace() if said is None else SimpleNamespace(artefacts=lambda tenant: said)
    components = ComponentsTable.model_validate({"application": {"artefacts": named or {}}})
    context.release = SimpleNamespace(table=SimpleNamespace(components=components))
    result = VerificationResult({}, 0, artefacts=before or {})
    bleecker = SimpleNamespace(result=lambda kind: result)
    context.ledger = SimpleNamespace(record=SimpleNamespace(tenants={"bleecker": bleecker}))
    return context


def found(said, **known):
    artefacts, objections = installed(context_of(said, **known), ALDGATE)
    return artefacts, [(each.condition, each.action, each.sentence) for each in objections]


def test_what_the_release_names_and_an_earlier_ring_got_is_right():
    assert found({"erp-image": ONE, "modules": OTHER}, named={"erp-image": ONE}, before={"modules": OTHER}) == (
        {"erp-image": ONE, "modules": OTHER},
        [],
    )


def test_another_build_than_the_release_names_pauses():
    _, (objection,) = found({"erp-image": OTHER}, named={"erp-image": ONE})
    assert objection == (
        Condition.ARTEFACT_DIFFERS,
        RolloutAction.PAUSE,
        "erp-image is sha256:222222222222, and the release names sha256:111111111111.",
    )


def test_another_build_than_an_earlier_ring_got_pauses():
    _, (objection,) = found({"modules": OTHER}, before={"modules": ONE})
    assert objection == (
        Condition.ARTEFACT_DIFFERS,
        RolloutAction.PAUSE,
        "modules is sha256:222222222222, and on bleecker sha256:111111111111: it was built anew, not promoted.",
    )


def test_one_that_is_named_and_not_stated_is_not_known():
    _, (objection,) = found({}, named={"erp-image": ONE})
    assert objection[0] is Condition.INCONCLUSIVE
    assert "does not say which erp-image is installed" in objection[2]


def test_a_platform_that_cannot_say_is_asked_nothing():
    assert found(None, named={"erp-image": ONE}) == ({}, [])
