"""Everybody who works for a tenant, held to the matrix of who may do what.

checks = AccessChecks(erp)
invoice = checks.hold("post_invoice", lambda actor: actor.post_invoice(draft))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from ringgate.domain.errors import OurSideError
from ringgate.domain.money import Money
from ringgate.domain.terms import Role
from ringgate.scenario.access_matrix import Right
from ringgate.scenario.actors import Actor
from ringgate.scenario.erp import Erp
from ringgate.scenario.expectations import expect_refusal

T = TypeVar("T")


class AccessChecks:
    """The people of a tenant, signed in: those whose rights its matrix states."""

    def __init__(self, erp: Erp) -> None:
        self._rights = erp.rights()
        roles = dict.fromkeys(right.role for right in self._rights)
        self.people: Mapping[Role, Actor] = {role: erp.sign_in(role) for role in roles}

    def amounts(self, verb: str) -> tuple[Money, ...]:
        """The amounts at which a verb is tried."""
        tried = (right.amount for right in self._rights if right.verb == verb)
        return tuple(dict.fromkeys(amount for amount in tried if amount is not None))

    def hold(self, verb: str, act: Callable[[Actor], T], amount: Money | None = None) -> T:
        """Everybody tries: first who may not, on the same record, so that who then may shows that it could be done.

        Returns what came of it for the first who may; the others who may are not asked (`hold_each` asks them)."""
        rights = [right for right in self._rights if (right.verb, right.amount) == (verb, amount)]
        for right in (right for right in rights if not right.allowed):
            self._refused(right, act)
        for right in (right for right in rights if right.allowed):
            return act(self.people[right.role])
        raise OurSideError(f"Nobody at all may {verb.replace('_', ' ')}, so that refusals of others prove nothing.")

    def hold_each(self, verb: str, prepare: Callable[[], T], act: Callable[[Actor, T], object], amount: Money) -> None:
        """As `hold`, where several may: `prepare` makes a record for each who may. Who may not tries the first of
        them."""
        record: T | None = None
        for right in (right for right in self._rights if (right.verb, right.amount) == (verb, amount)):
            standing = prepare() if record is None else record
            if right.allowed:
                act(self.people[right.role], standing)
                record = None
            else:
                record = standing
                self._refused(right, partial(_on, act, standing))

    def _refused(self, right: Right, act: Callable[[Actor], object]) -> None:
        verb, who = right.verb.replace("_", " "), right.role.value.replace("_", " ")
        actor, what = self.people[right.role], f"{verb} by the {who}"
        expect_refusal(act, actor, because=right.because, what=what, basis=right.basis)


def _on(act: Callable[[Actor, T], object], record: T, actor: Actor) -> object:
    return act(actor, record)
