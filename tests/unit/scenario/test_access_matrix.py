"""The matrix of who may do what, for each kind of approval policy. Nothing here asks an ERP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ringgate.domain.model import Approval
from ringgate.domain.money import Money
from ringgate.domain.terms import Role
from ringgate.scenario.access_matrix import MAY, PEOPLE, amounts, matrix
from tests.support.samples import GBP, JPY, policy


def allowed(rights, verb):
    return {
        (right.role, right.amount and str(right.amount.amount))
        for right in rights
        if right.verb == verb and right.allowed
    }


def test_every_role_meets_every_verb_once():
    rights = matrix(policy(approval=Approval(1)), Role)
    assert len(rights) == len(MAY) * len(PEOPLE)
    assert {(right.role, right.verb) for right in rights} == {(role, verb) for role in PEOPLE for verb in MAY}


def test_who_may_not_comes_first_within_a_verb():
    for verb in MAY:
        answers = [right.allowed for right in matrix(policy(approval=Approval(1)), Role) if right.verb == verb]
        assert answers == sorted(answers)


def test_amounts_lie_one_unit_around_the_threshold():
    assert amounts(policy()) == tuple(Money(each, GBP) for each in ("499.99", "500.00", "500.01"))
    yen = replace(policy(), currency=JPY, approval=Approval(1, Decimal(1)))
    assert amounts(yen) == (Money("1", JPY), Money("2", JPY))


@pytest.mark.parametrize(
    ("approval", "alone"),
    [
        (Approval(1, Decimal("500.00")), {"499.99", "500.00"}),
        (Approval(1), set()),
        (Approval(0), {"100"}),
        (Approval(2, Decimal("500.00")), {"499.99", "500.00"}),
    ],
)
def test_self_approval_ends_at_the_threshold(approval, alone):
    rights = matrix(policy(approval=approval), Role)
    consultants = {amount for role, amount in allowed(rights, "approve_request") if role is Role.CONSULTANT}
    assert consultants == alone


def test_the_approver_may_at_any_amount_and_nobody_else():
    may = allowed(matrix(policy(), Role), "approve_request")
    assert {amount for role, amount in may if role is Role.APPROVER} == {"499.99", "500.00", "500.01"}
    assert {role for role, _ in may} == {Role.APPROVER, Role.CONSULTANT}


def test_only_people_that_the_tenant_has_are_held_to_it():
    rights = matrix(policy(), {Role.CONSULTANT, Role.INTEGRATION})
    assert {right.role for right in rights} == {Role.CONSULTANT}


@pytest.mark.parametrize("verb", ["post_invoice", "post_entry", "pay_invoice", "credit_invoice", "draft_invoice"])
def test_nobody_but_the_accountant_touches_the_books(verb):
    assert allowed(matrix(policy(), Role), verb) == {(Role.ACCOUNTANT, None)}


def test_every_cell_says_why():
    assert all(right.because for right in matrix(policy(), Role))


def test_a_chain_is_approved_by_its_own_approvers_alone():
    chain = Approval(2, Decimal("500.00"), (Role.PROJECT_MANAGER, Role.ACCOUNTANT))
    rights = matrix(policy(approval=chain), Role)
    above = {role for role, amount in allowed(rights, "approve_request") if amount == "500.01"}
    assert above == {Role.PROJECT_MANAGER, Role.ACCOUNTANT}
    assert {role for role, _ in allowed(rights, "reject_request")} == above
