"""How a contract says that a driver broke it."""

from __future__ import annotations


class ContractBroken(AssertionError):
    """What a driver did against a contract, in one sentence."""


def require(met: bool, otherwise: str) -> None:
    """Raise ContractBroken with this sentence unless it is met."""
    if not met:
        raise ContractBroken(otherwise)


def same(stated: object, expected: object, what: str) -> None:
    """Raise ContractBroken unless what the driver states is what is expected."""
    if stated != expected:
        raise ContractBroken(f"{what} is {_shown(stated)} instead of {_shown(expected)}")


def _shown(value: object) -> str:
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
