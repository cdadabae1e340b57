"""Who may do what: the matrix role x verb x amount that every tenant must keep to, generated from its inventory.

It is stated here, by us, and never read from the ERP:

| verb                                                   | who may                                                    |
|--------------------------------------------------------|------------------------------------------------------------|
| create_project                                         | project manager                                            |
| enter_time                                             | consultant                                                 |
| draft_invoice, post_invoice, credit_invoice, pay_invoice | accountant                                               |
| post_entry                                             | accountant                                                 |
| request_purchase, submit_request                       | consultant                                                 |
| approve_request                                        | approvers, each at their step; the requester as policy lets |
| reject_request                                         | approvers (`policy.approval.approvers`)                     |

Where the amount decides, a verb has a case below, at and above the tenant's threshold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ringgate.domain.model import Policy
from ringgate.domain.money import Money
from ringgate.domain.terms import Basis, Role
from ringgate.scenario import oracle

MAY: Mapping[str, frozenset[Role]] = {
    "create_project": frozenset({Role.PROJECT_MANAGER}),
    "enter_time": frozenset({Role.CONSULTANT}),
    "draft_invoice": frozenset({Role.ACCOUNTANT}),
    "post_invoice": frozenset({Role.ACCOUNTANT}),
    "credit_invoice": frozenset({Role.ACCOUNTANT}),
    "pay_invoice": frozenset({Role.ACCOUNTANT}),
    "post_entry": frozenset({Role.ACCOUNTANT}),
    "request_purchase": frozenset({Role.CONSULTANT}),
    "submit_request": frozenset({Role.CONSULTANT}),
    "approve_request": frozenset({Role.APPROVER}),
    "reject_request": frozenset({Role.APPROVER}),
}
REQUESTER = Role.CONSULTANT
PEOPLE = frozenset(Role) - {Role.INTEGRATION}
"""Whose rights are stated here; what a technical user may do is between a tenant and its integrations."""


@dataclass(frozen=True, slots=True)
class Right:
    """One cell of the matrix. `amount` is None where it does not matter; `because` says the rule in words, `basis`
    whether it is a right or the tenant's policy that decides."""

    role: Role
    verb: str
    allowed: bool
    because: str
    amount: Money | None = None
    basis: Basis = Basis.RIGHTS


def matrix(policy: Policy, roles: Collection[Role]) -> tuple[Right, ...]:
    """Every cell for the roles that a tenant has users for, those that may not first within each verb."""
    present = sorted(PEOPLE & set(roles), key=list(Role).index)
    may = _may(policy)
    cells = (
        cell
        for verb in MAY
        for amount in (amounts(policy) if verb == "approve_request" else (None,))
        for cell in sorted(_row(policy, verb, amount, present, may[verb]), key=lambda cell: cell.allowed)
    )
    return tuple(cells)


def amounts(policy: Policy) -> tuple[Money, ...]:
    """What requests are tried with: below, at and above the threshold, as far as these are amounts; else one."""
    threshold = policy.approval.threshold
    if policy.approval.steps == 0 or threshold == 0:
        return (Money(threshold + 100, policy.currency),)
    beside = policy.currency.smallest
    tried = (threshold - beside, threshold, threshold + beside)
    return tuple(Money(amount, policy.currency) for amount in tried if amount > 0)


def _may(policy: Policy) -> Mapping[str, frozenset[Role]]:
    """Who may what at this tenant: its inventory names who approves."""
    approvers = frozenset(policy.approval.approvers[: policy.approval.steps]) or MAY["approve_request"]
    return {**MAY, "approve_request": approvers, "reject_request": approvers}


def _row(
    policy: Policy, verb: str, amount: Money | None, roles: Collection[Role], may: frozenset[Role]
) -> Iterator[Right]:
    names = " and ".join(sorted(role.value.replace("_", " ") for role in may))
    for role in roles:
        allowed, because, basis = role in may, f"{names} alone may {verb.replace('_', ' ')}", Basis.RIGHTS
        if verb == "approve_request" and role is REQUESTER and amount is not None:
            allowed, basis = oracle.may_approve_alone(amount, policy), Basis.POLICY
            because = (
                f"a request of {amount} needs nobody else" if allowed
                else f"nobody approves a request of {amount} that is their own"
            )  # fmt: skip
        yield Right(role, verb, allowed, because, amount, basis)
