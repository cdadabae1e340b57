"""Odoo over its own JSON interface, series 14.0 and 19.0.

    driver = OdooApiDriver()
    connection = driver.connect(tenant, Call(run_id, trace_id))
    accountant = connection.sign_in(Role.ACCOUNTANT)
    invoice = accountant.post_invoice(accountant.draft_invoice(project), today)

Reversals are of this channel too: a driver of another channel may hand its own to an `ApiConnection`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ringgate.domain.documents import Ref
from ringgate.domain.errors import Refused, SignInRefused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Basis, Capability, Channel, Role
from ringgate.drivers.odoo import surface
from ringgate.drivers.odoo.api.actor import IdentityVerbs, Memory, ProjectVerbs
from ringgate.drivers.odoo.api.billing import LedgerVerbs
from ringgate.drivers.odoo.api.procurement import ProcurementVerbs
from ringgate.drivers.odoo.books import OdooBooks
from ringgate.drivers.odoo.capabilities import ON_SCREEN
from ringgate.drivers.odoo.outsider import OdooOutsiders
from ringgate.drivers.odoo.sessions import CallCarrier, SessionPool, UserSession, close
from ringgate.drivers.odoo.undo import Undo
from ringgate.drivers.protocol import Call, Outsider
from ringgate.isolation.model import PrivateRecord
from ringgate.surface.model import Surface


class OdooActor(IdentityVerbs, ProjectVerbs, ProcurementVerbs, LedgerVerbs):
    """One signed-in user with all verbs of the protocol."""


class ApiConnection:
    """One run's way to one tenant. Sessions are the driver's, except those signed in anew."""

    def __init__(self, tenant: Tenant, call: Call, pool: SessionPool) -> None:
        self._tenant, self._pool = tenant, pool
        self._carrier = CallCarrier(call, pool.transport(call.limit))
        self._memory = Memory()
        self._own: list[UserSession] = []
        self._outsiders: OdooOutsiders | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._carrier.sent

    @property
    def touched(self) -> frozenset[str]:
        """What was called, read and written so far."""
        return self._carrier.touches.all

    @property
    def series(self) -> str:
        """The series of the tenant's server, as the auditor's session was told it."""
        return self._session(Role.AUDITOR).series.name

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> OdooActor:
        """Raises Refused for a password that was given and is wrong, SignInRefused for one of the inventory's."""
        if password is None and not fresh:
            return OdooActor(self._session(role), self._memory)
        try:
            session = self._pool.open(self._tenant, role, self._carrier, password)
        except SignInRefused as error:
            if password is None:
                raise
            raise Refused("sign_in", str(error)) from error
        self._own.append(session)
        return OdooActor(session, self._memory)

    def _session(self, role: Role) -> UserSession:
        return self._pool.take(self._tenant, role, self._carrier)

    def books(self) -> OdooBooks:
        return OdooBooks(self._session(Role.AUDITOR))

    def surface(self) -> Surface:
        return surface.read(self._tenant, self._session(Role.AUDITOR))

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Outsider]:
        return self._others().outsiders(neighbours, roles)

    def insider(self, role: Role) -> Outsider:
        return self._others().insider(role)

    def seen(self) -> Sequence[PrivateRecord]:
        return self._others().seen()

    def guesses(self, ref: Ref, reach: int) -> Sequence[Ref]:
        return self._others().guesses(ref, reach)

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        return self._others().ask_as_stranger(about)

    def _others(self) -> OdooOutsiders:
        if self._outsiders is None:
            self._outsiders = OdooOutsiders(self._tenant, self._pool, self._carrier)
        return self._outsiders

    def undo(self, reversal: Reversal) -> str:
        return Undo(self._session).take_back(reversal)

    def basis_of(self, refusal: Refused) -> Basis | None:
        """What the kind of the ERP's own error said when it refused."""
        return refusal.basis

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        """Nothing: what an API saw last is in the failure itself."""
        return ()

    def close(self) -> None:
        for session in self._own:
            close(session)
        self._own.clear()
        if self._outsiders is not None:
            self._outsiders.close()
        self._carrier.transport.close()


class OdooApiDriver:
    """One process's way to all Odoo tenants over the API. `timeout` is in seconds, for each wait on a server."""

    channel = Channel.API
    capabilities = frozenset({*ON_SCREEN, Capability.OUTSIDERS, Capability.DIRECT_CALLS})

    def __init__(self, timeout: float = 30.0) -> None:
        self._pool = SessionPool(timeout)

    def connect(self, tenant: Tenant, call: Call) -> ApiConnection:
        return ApiConnection(tenant, call, self._pool)

    def close(self) -> None:
        self._pool.close()
