"""Whose business failures are, and whom else they may hit."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ringgate.domain.model import Feature, RunResult
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome, TaxRounding
from ringgate.gate import Attribution, Cause, attribute, blast_radius, grouped
from ringgate.gate.observations import Probe
from tests.support.samples import JPY, policy, tenant
from tests.unit.gate.sample import START, failed, run

SCENARIOS = ("sign-in", "time-entry", "financial-posting")
TESTED: frozenset[Probe] = frozenset((t, s, Channel.API) for t in ("aldgate", "bleecker") for s in SCENARIOS)


def one(bad: RunResult | list[RunResult], passed: Iterable[Probe] = TESTED, before: int = 0) -> Attribution:
    """The attribution of the most frequent group."""
    runs = bad if isinstance(bad, list) else [bad]
    return attribute(grouped(runs, TESTED, passed, lambda _: before)[0])


@pytest.mark.parametrize(
    ("basis", "cause"),
    [
        (Basis.POLICY, Cause.CONFIGURATION),
        (Basis.RIGHTS, Cause.IDENTITY),
        (Basis.RECORDS, Cause.DATA),
        (Basis.PROCESS, Cause.PRODUCT),
    ],
)
def test_what_an_expectation_rests_on_says_whose_business_it_is(basis: Basis, cause: Cause) -> None:
    assert one(failed(basis=basis)).cause is cause


def test_what_could_not_be_carried_out_is_our_side() -> None:
    found = one(run(outcome=Outcome.BROKEN))
    assert (found.cause, found.because) == (Cause.OUR_SIDE, "the run could not be carried out (secret)")


def test_books_that_drifted_are_data_whatever_was_expected() -> None:
    assert one(failed(basis=Basis.PROCESS, invariant=Invariant.BOOKS)).cause is Cause.DATA
    assert one(failed(basis=Basis.PROCESS, invariant=Invariant.BALANCED)).cause is Cause.PRODUCT


def test_tenants_that_are_not_kept_apart_are_product_unless_somebody_was_let_in() -> None:
    assert one(failed(basis=Basis.PROCESS, invariant=Invariant.ISOLATED)).cause is Cause.PRODUCT
    assert one(failed(basis=Basis.RIGHTS, invariant=Invariant.ISOLATED)).cause is Cause.IDENTITY


def test_a_sign_in_that_is_not_accepted_is_identity() -> None:
    assert one(failed(kind="sign-in")).cause is Cause.IDENTITY


def test_a_tenant_that_does_not_answer_is_environment() -> None:
    down = [failed(scenario_step, START, kind="unavailable") for scenario_step in ("aldgate", "aldgate")]
    assert one(down, passed=[p for p in TESTED if p[0] != "aldgate"]).cause is Cause.ENVIRONMENT


def test_one_step_that_gives_no_answer_on_every_tenant_is_product() -> None:
    bad = [failed(name, START, kind="unavailable", step="post invoice") for name in ("aldgate", "bleecker")]
    found = one(bad)
    assert found.cause is Cause.PRODUCT
    assert '"post invoice"' in found.because


def test_one_step_that_gives_no_answer_on_one_tenant_is_environment() -> None:
    assert one(failed(kind="unavailable")).cause is Cause.ENVIRONMENT
    assert one(failed(kind="protocol")).cause is Cause.ENVIRONMENT


def test_a_refusal_on_every_tenant_is_product_and_on_one_identity() -> None:
    assert one([failed(name, kind="refused") for name in ("aldgate", "bleecker")]).cause is Cause.PRODUCT
    assert one(failed("aldgate", kind="refused")).cause is Cause.IDENTITY


def test_whatever_else_the_erp_does_wrong_is_product() -> None:
    assert one(failed(kind="misbehaved")).cause is Cause.PRODUCT


def test_what_failed_before_the_release_too_is_remarked() -> None:
    assert one(failed(), before=3).remark == "It failed so 3 times before the release, too."
    assert one(run(outcome=Outcome.BROKEN), before=3).remark == ""


def test_runs_that_failed_alike_are_one_group_the_most_frequent_first() -> None:
    runs = [failed(), failed("bleecker"), failed(kind="refused")]
    groups = grouped(runs, TESTED, TESTED, lambda _: 0)
    assert [(group.runs, group.tenants) for group in groups] == [
        (2, ("aldgate", "bleecker")),
        (1, ("aldgate",)),
    ]
    assert groups[0].channels == (Channel.API,)


# --- blast radius ----------------------------------------------------------------------------------------------------

RING = (
    tenant("aldgate", policy=policy(tax_rounding=TaxRounding.LINE), extensions={"wip": "2.3"}),
    tenant("bleecker", policy=policy(tax_rounding=TaxRounding.DOCUMENT), region="us-east"),
    tenant("cologne", policy=policy(tax_rounding=TaxRounding.DOCUMENT), language="de"),
)
LATER = (
    tenant("dover", policy=policy(tax_rounding=TaxRounding.LINE)),
    tenant("kyoto", policy=policy(currency=JPY, tax_rounding=TaxRounding.DOCUMENT), extensions={"wip": "2.3"}),
    tenant("lyon", policy=policy(tax_rounding=TaxRounding.DOCUMENT)),
)


def test_nobody_fails() -> None:
    assert blast_radius((), ("aldgate",), RING, LATER) is None


def test_suspects_are_what_the_failing_have_and_no_well_one_has() -> None:
    found = blast_radius({"aldgate"}, {"bleecker", "cologne"}, RING, LATER)
    assert found is not None
    assert list(map(str, found.suspects)) == ["extension wip 2.3", "tax rounding line"]
    assert {t: list(map(str, shared)) for t, shared in found.exposed.items()} == {
        "dover": ["tax rounding line"],
        "kyoto": ["extension wip 2.3"],
    }
    assert found.spared == ("lyon",)
    assert "Only this tenant of the ring fails" in found.sentence


def test_several_failing_tenants_narrow_it_down() -> None:
    found = blast_radius({"bleecker", "cologne"}, {"aldgate"}, RING, LATER)
    assert found is not None
    assert list(map(str, found.suspects)) == ["tax rounding document"]
    assert set(found.exposed) == {"kyoto", "lyon"}
    assert "all 2 failing tenants have, and none of the 1" in found.sentence


def test_where_all_fail_everybody_is_exposed() -> None:
    found = blast_radius({"aldgate", "bleecker", "cologne"}, (), RING, LATER)
    assert found is not None
    assert (found.suspects, set(found.exposed)) == ((), {"dover", "kyoto", "lyon"})
    assert "Every tenant that was tested fails" in found.sentence


def test_where_nothing_tells_them_apart_everybody_is_exposed() -> None:
    twins = (tenant("one"), tenant("two"))
    found = blast_radius({"one"}, {"two"}, twins, LATER)
    assert found is not None
    assert "it tells nobody apart" in found.sentence
    assert set(found.exposed) == {"dover", "kyoto", "lyon"}


def test_only_features_that_are_on_are_traits() -> None:
    def with_feature(name: str, on: bool):
        return tenant(name, features={"grid": Feature(on, "ops", START.date())})

    found = blast_radius({"one"}, {"two"}, (with_feature("one", True), with_feature("two", False)), ())
    assert found is not None
    assert list(map(str, found.suspects)) == ["feature grid"]
