"""What a fault is: something that makes an ERP wrong on purpose, and can be taken away without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ringgate.domain.terms import Channel
from ringgate.estate.errors import EstateError

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate

Where = Literal["sql", "configuration", "rights", "front-door", "database", "process", "web-client"]
Cause = Literal["product", "configuration", "data", "identity", "environment", "our side"]
Sign = Literal["failures", "slowness", "backlog", "broken"]
Scope = Literal["tenant", "estate"]


class Switch(Protocol):
    """One change to a tenant. Both ways are idempotent and may be gone by different processes."""

    def on(self, estate: Estate, tenant: str, fault: str) -> bool: ...  # whether it was off before
    def off(self, estate: Estate, tenant: str, fault: str) -> bool: ...  # whether it was on before
    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for an ERP to be wrong, as a bad upgrade, a careless administrator or a bad day could make it.

    `id` is stable and names what is wrong. `where` it is done: a trigger in the database, changed configuration,
    rights, the way to the tenant, the database itself, the server's process, or what the web client is given. `cause`
    is what an operator who knows of it would call it.

    `says` maps each scenario that must fail, over `channel`, to words of the reason it must give; all others must
    pass. `sign` says what else it may look like: runs that only take longer (`slowness`), a signal of the platform
    that is over its limit, whether or not runs fail (`backlog`), or an ERP that we cannot get to (`broken`).

    `scope` is one tenant, or the whole estate. `chance` is how often each request meets it, `currency` the kind of
    tenant on which it shows, `secure` that it shows to who comes by https, `times_out` that it shows as a time-out.
    `cached` says that the ERP keeps what is changed in memory, so that its server is reloaded.
    """

    id: str
    title: str
    where: Where
    cause: Cause
    says: Mapping[str, str]
    switch: Switch
    sign: Sign = "failures"
    scope: Scope = "tenant"
    channel: Channel = Channel.API
    chance: float = 1.0
    currency: str = "GBP"
    secure: bool = False
    times_out: bool = False
    cached: bool = False

    @property
    def catches(self) -> frozenset[str]:
        """The scenarios that must notice."""
        return frozenset(self.says)

    @property
    def certain(self) -> bool:
        """Whether each run of what must notice it fails: no matter of chance or of time."""
        return self.chance == 1.0 and self.sign in ("failures", "broken")

    def on(self, estate: Estate, tenant: str = "") -> None:
        """Makes the tenant, or the estate, wrong; nothing happens if it is already. Raises EstateError."""
        self._check(tenant)
        if self.switch.on(estate, tenant, self.id) and self.cached:
            estate.reload()

    def off(self, estate: Estate, tenant: str = "") -> None:
        """Makes it right again, from any process; nothing happens if it is. Raises EstateError."""
        self._check(tenant)
        if self.switch.off(estate, tenant, self.id) and self.cached:
            estate.reload()

    def is_on(self, estate: Estate, tenant: str = "") -> bool:
        return self.switch.is_on(estate, tenant, self.id)

    def _check(self, tenant: str) -> None:
        if self.scope == "tenant" and not tenant:
            raise EstateError(f"{self.id} is a fault of one tenant: name it.")
        if self.scope == "estate" and tenant:
            raise EstateError(f"{self.id} is a fault of the whole estate, not of {tenant} alone: name no tenant.")
