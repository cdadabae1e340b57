"""Tryton over its own JSON-RPC, series 7.0 and 8.0.

    driver = TrytonApiDriver()
    connection = driver.connect(tenant, Call(run_id, trace_id))
    accountant = connection.sign_in(Role.ACCOUNTANT)
    invoice = accountant.post_invoice(accountant.draft_invoice(project), today)

Reversals are of this channel too: a driver of another channel may hand its own to an `ApiConnection`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ringgate.domain.documents import InvoiceParticulars, Ref
from ringgate.domain.errors import Refused, SignInRefused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.reversal import MarkedRecord, Reversal
from ringgate.domain.terms import Basis, Capability, Channel, Role
from ringgate.drivers.protocol import Call, Outsider
from ringgate.drivers.tryton import made, marked, particulars, refusals, surface
from ringgate.drivers.tryton.api.actor import IdentityVerbs, Memory, ProjectVerbs
from ringgate.drivers.tryton.api.billing import BillingVerbs, LedgerVerbs
from ringgate.drivers.tryton.api.procurement import ProcurementVerbs
from ringgate.drivers.tryton.api.suppliers import SupplierVerbs
from ringgate.drivers.tryton.books import TrytonBooks
from ringgate.drivers.tryton.capabilities import NOT_ON_SCREEN, ON_SCREEN
from ringgate.drivers.tryton.outsider import OutsiderFactory
from ringgate.drivers.tryton.sessions import Carrier, SessionPool, UserSession, close
from ringgate.drivers.tryton.undo import Undo
from ringgate.drivers.tryton.wire import BusinessError
from ringgate.isolation.model import PrivateRecord
from ringgate.surface.model import Surface
from ringgate.twins.records import RunRecords


class TrytonActor(IdentityVerbs, ProjectVerbs, ProcurementVerbs, BillingVerbs, SupplierVerbs, LedgerVerbs):
    """One signed-in user with all verbs of the protocol."""


class ApiConnection:
    """One run's way to one tenant. Sessions are the driver's, except those signed in anew."""

    def __init__(self, tenant: Tenant, call: Call, pool: SessionPool) -> None:
        self._tenant, self._pool = tenant, pool
        self._carrier = Carrier(call, pool.line(call.limit))
        self._memory = Memory()
        self._own: list[UserSession] = []
        self._knocked: OutsiderFactory | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._carrier.sent

    @property
    def touched(self) -> frozenset[str]:
        """What was called, read and written so far."""
        return self._carrier.touches.all

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> TrytonActor:
        """Raises Refused for a password that was given and is wrong, SignInRefused for one of the inventory's."""
        if password is None and not fresh:
            return TrytonActor(self._session(role), self._memory)
        try:
            session = self._pool.open(self._tenant, role, self._carrier, password)
        except SignInRefused as error:
            if password is None:
                raise
            raise Refused("sign_in", str(error)) from error
        self._own.append(session)
        return TrytonActor(session, self._memory)

    def _session(self, role: Role) -> UserSession:
        return self._pool.take(self._tenant, role, self._carrier)

    def books(self) -> TrytonBooks:
        return TrytonBooks(self._session(Role.AUDITOR))

    def surface(self) -> Surface:
        return surface.read(self._tenant, self._session)

    def particulars(self, invoice: Ref) -> InvoiceParticulars:
        return particulars.read(self._session(Role.AUDITOR), invoice)

    def records_of_run(self, run_id: str) -> RunRecords:
        with self._carrier.unnoted():
            return made.read(self._session(Role.AUDITOR), run_id)

    def marked(self, before: datetime) -> Sequence[MarkedRecord]:
        return marked.find(self._session(Role.AUDITOR), before)

    def undo(self, reversal: Reversal) -> str:
        return Undo(self._session).take_back(reversal)

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Outsider]:
        return self._gate().outsiders(neighbours, roles)

    def insider(self, role: Role) -> Outsider:
        return self._gate().insider(role)

    def seen(self) -> Sequence[PrivateRecord]:
        return self._gate().seen()

    def guesses(self, ref: Ref, reach: int) -> Sequence[Ref]:
        return self._gate().guesses(ref, reach)

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        return self._gate().ask_as_stranger(about)

    def _gate(self) -> OutsiderFactory:
        if self._knocked is None:
            self._knocked = OutsiderFactory(self._tenant, self._pool, self._carrier)
        return self._knocked

    def version(self) -> str:
        self._carrier.sent += 1
        return self._pool.version(self._tenant, self._carrier)

    def basis_of(self, refusal: Refused) -> Basis | None:
        asked, error = self._carrier.refused, refusal.__cause__
        return refusals.basis_of(asked, error) if asked and isinstance(error, BusinessError) else None

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        """Nothing: what an API saw last is in the failure itself."""
        return ()

    def close(self) -> None:
        for session in self._own:
            close(session)
        self._own.clear()
        if self._knocked is not None:
            self._knocked.close()
        self._carrier.line.close()


class TrytonApiDriver:
    """One process's way to all Tryton tenants over the API. `timeout` is in seconds, for each wait on a server."""

    channel = Channel.API
    capabilities = frozenset({*ON_SCREEN, *NOT_ON_SCREEN, Capability.OUTSIDERS, Capability.DIRECT_CALLS})

    def __init__(self, timeout: float = 30.0) -> None:
        self._pool = SessionPool(timeout)

    def connect(self, tenant: Tenant, call: Call) -> ApiConnection:
        return ApiConnection(tenant, call, self._pool)

    def close(self) -> None:
        self._pool.close()
