"""How a feature is switched for one tenant, and how it is found out whether it is on."""

from __future__ import annotations

from typing import Protocol

from ringgate.domain.errors import OurSideError, RinggateError
from ringgate.domain.model import Tenant
from ringgate.rollout.activation_tables import FlagTable


class FlagUnknown(OurSideError):
    """Nobody can tell whether a feature is on: its file cannot be read, its command does not answer."""

    kind = "flag-unknown"


class FlagRefused(RinggateError):
    """A feature is not as it was asked to be, and says so."""

    kind = "flag-refused"


class FlagSwitch(Protocol):
    """One feature. What was switched is believed only when it was asked afterwards."""

    @property
    def table(self) -> FlagTable: ...
    def state(self, tenant: Tenant) -> bool:
        """Whether it is on. Raises FlagUnknown."""
        ...

    def switch(self, tenant: Tenant, on: bool) -> None:
        """Raises FlagRefused or FlagUnknown; may be called again."""
        ...


def switched(flag: FlagSwitch, tenant: Tenant, on: bool) -> bool:
    """Has a feature be on or off, and looks. Says whether anything had to be done.

    Raises FlagRefused if it is not so afterwards, FlagUnknown if nobody can tell."""
    if flag.state(tenant) is on:
        return False
    why = ""
    try:
        flag.switch(tenant, on)
    except FlagRefused as refused:
        why = f": {refused}"
    if flag.state(tenant) is not on:
        raise FlagRefused(f"{flag.table.name} is not {word(on)} after it was switched {word(on)}{why}")
    return True


def word(on: bool) -> str:
    return "on" if on else "off"
