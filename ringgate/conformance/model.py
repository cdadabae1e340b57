"""A contract of the driver protocol, and what became of it on one driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ringgate.conformance.trial import Trial
from ringgate.domain.terms import Capability, Role


class VerbStanding(StrEnum):
    """`missing`: the driver does not declare what it needs. `not tried`: our side, the tenant or an outage kept us."""

    KEPT = "kept"
    BROKEN = "broken"
    MISSING = "missing"
    UNTRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Contract:
    """One promise of `ringgate.drivers.protocol`. `function` tries it and raises ContractBroken.

    `sentence` is the promise; `needs` are the capabilities without which it is missing, `roles` who must be there."""

    id: str
    sentence: str
    needs: frozenset[Capability]
    roles: frozenset[Role]
    function: Callable[[Trial], None]

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one contract. `how` says what was broken, or why it was not tried; `seconds` are monotonic."""

    contract: Contract
    standing: VerbStanding
    how: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.contract.id}: {self.standing}" + (f": {self.how}" if self.how else "")


CONTRACTS: dict[str, Contract] = {}
"""All of them by id, in the order in which they are tried."""


def contract(id: str, *needs: Capability, roles: tuple[Role, ...] = ()) -> Callable[..., Callable[[Trial], None]]:
    """Register a function as a contract. Its docstring is the promise."""

    def register(function: Callable[[Trial], None]) -> Callable[[Trial], None]:
        sentence = " ".join((function.__doc__ or id).split())
        CONTRACTS[id] = Contract(id, sentence, frozenset(needs), frozenset(roles), function)
        return function

    return register
