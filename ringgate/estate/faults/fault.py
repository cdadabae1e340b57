"""What a fault is: something that makes one tenant's ERP wrong on purpose, and can be taken away without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate

Where = Literal["sql", "configuration", "rights", "front-door"]


class Switch(Protocol):
    """One change to a tenant. Both ways are idempotent and may be gone by different processes."""

    def on(self, estate: Estate, tenant: str, fault: str) -> bool: ...  # whether it was off before
    def off(self, estate: Estate, tenant: str, fault: str) -> bool: ...  # whether it was on before
    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for an ERP to be wrong, as a bad upgrade or a careless administrator could make it.

    `id` is stable and names what is wrong. `where` it is done: a trigger in the database, changed configuration,
    rights, or the way to the tenant. `says` maps each scenario that must fail to words of the reason it must give;
    all others must pass. `currency` is the kind of tenant on which it shows. `cached` says that the ERP keeps what
    is changed in memory, so that its server is reloaded.
    """

    id: str
    title: str
    where: Where
    says: Mapping[str, str]
    switch: Switch
    currency: str = "GBP"
    cached: bool = False

    @property
    def catches(self) -> frozenset[str]:
        """The scenarios that must fail."""
        return frozenset(self.says)

    def on(self, estate: Estate, tenant: str) -> None:
        """Makes the tenant wrong; nothing happens if it is already. Raises EstateTrouble."""
        if self.switch.on(estate, tenant, self.id) and self.cached:
            estate.reload()

    def off(self, estate: Estate, tenant: str) -> None:
        """Makes the tenant right again, from any process; nothing happens if it is. Raises EstateTrouble."""
        if self.switch.off(estate, tenant, self.id) and self.cached:
            estate.reload()

    def is_on(self, estate: Estate, tenant: str) -> bool:
        return self.switch.is_on(estate, tenant, self.id)
