"""What an expectation that is not met tells: what it rests on, and which invariant it guards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ringgate.domain.documents import Ref
from ringgate.domain.model import Approval
from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import Basis, Invariant, Role
from ringgate.isolation.comparison import judge_attempt
from ringgate.isolation.model import AttemptKind, PrivateRecord
from ringgate.scenario import access_matrix
from ringgate.scenario.expectations import ExpectationFailed, expect, expect_agreement, expect_isolation, expect_refusal
from tests.support.samples import GBP, JPY, policy

THING = PrivateRecord(Ref("invoice", "7"), ("RG-abc-1",))
STATED = {"net": Money("900", GBP), "tax": Money("180", GBP), "total": Money("1080", GBP)}


def told(act) -> ExpectationFailed:
    with pytest.raises(ExpectationFailed) as failed:
        act()
    return failed.value


def layers(**wrong):
    return {"record": STATED, "ledger": {**STATED, **{name: Money(amount, GBP) for name, amount in wrong.items()}}}


def test_it_is_the_process_unless_it_says_otherwise():
    failed = told(lambda: expect(1, equals=2, because="x", what="x"))
    assert (failed.basis, failed.invariant) == (Basis.PROCESS, None)
    assert told(lambda: expect_refusal(lambda: None, because="x")).basis is Basis.PROCESS


def test_ground_and_invariant_are_told():
    failed = told(lambda: expect(1, equals=2, because="x", what="x", basis=Basis.RECORDS, invariant=Invariant.NUMBERED))
    assert (failed.basis, failed.invariant) == (Basis.RECORDS, Invariant.NUMBERED)


@pytest.mark.parametrize(
    ("wrong", "basis"),
    [
        ({"tax": "189", "total": "1089"}, Basis.POLICY),
        ({"net": "960", "tax": "192", "total": "1152"}, Basis.PROCESS),
        ({"total": "1081"}, Basis.PROCESS),
    ],
)
def test_the_first_wrong_figure_decides_what_a_disagreement_rests_on(wrong, basis):
    assert told(lambda: expect_agreement(layers(**wrong), STATED, because="x")).basis is basis


def test_another_currency_is_policy_whatever_was_to_be_shown():
    francs = Currency("CHF")
    assert told(lambda: expect(Money("1", francs), equals=Money("1", GBP), because="x", what="x")).basis is Basis.POLICY
    stated = {"record": {**STATED, "net": Money("900", francs)}}
    assert told(lambda: expect_agreement(stated, STATED, because="x")).basis is Basis.POLICY
    assert told(lambda: expect(Money("1", GBP), equals=Money("2", GBP), because="x", what="x")).basis is Basis.PROCESS


class Visitor:
    """Is answered on every attempt with the same text; or refused where there is none."""

    ways = frozenset({AttemptKind.READ, AttemptKind.SEARCH})

    def __init__(self, name, *, barred, answer="", then=""):
        self.name, self.barred, self.answers = name, barred, {way: [answer, then or answer] for way in AttemptKind}

    def attempt(self, way, things):
        answer = self.answers[way].pop(0)
        self.answers[way].append(answer)
        return judge_attempt(way, things, barred=self.barred, refused_by="" if answer else "401", answer=answer)


INSIDER = Visitor("insider", barred=False, answer="RG-abc-1")


@pytest.mark.parametrize(("barred", "basis"), [(True, Basis.RIGHTS), (False, Basis.PROCESS)])
def test_who_should_have_been_refused_is_a_matter_of_rights(barred, basis):
    leaky = Visitor("stranger", barred=barred, answer="RG-abc-1")
    failed = told(lambda: expect_isolation(INSIDER, [leaky], [THING], because="x"))
    assert (failed.basis, failed.invariant) == (basis, Invariant.ISOLATED)


def test_what_others_make_meanwhile_is_no_change_of_ours():
    """A search finds newer records beside ours, because work goes on."""
    insider = Visitor("insider", barred=False, answer="RG-abc-1")
    insider.answers[AttemptKind.SEARCH] = ["RG-abc-1", "RG-abc-1 and one more"]
    assert expect_isolation(insider, [Visitor("stranger", barred=True)], [THING], because="x") == len(Visitor.ways)


def test_approving_ones_own_request_is_policy_and_all_else_are_rights():
    rights = access_matrix.matrix(policy(approval=Approval(1, Decimal("500.00"))), Role)
    own = [each for each in rights if each.verb == "approve_request" and each.role is Role.CONSULTANT]
    assert {each.basis for each in own} == {Basis.POLICY}
    assert {each.basis for each in rights if each not in own} == {Basis.RIGHTS}


def test_figures_need_not_be_money():
    assert expect(date(2026, 1, 1), equals=date(2026, 1, 1), because="x", what="x") == date(2026, 1, 1)
    assert told(lambda: expect(Money("1", JPY), equals=None, because="x", what="x")).basis is Basis.PROCESS
