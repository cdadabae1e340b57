"""Tryton's own web client, used as a person would: by clicks and typing, with what the screen shows read back.

    driver = TrytonBrowserDriver()
    connection = driver.connect(tenant, Call(run_id, trace_id))
    accountant = connection.sign_in(Role.ACCOUNTANT)
    invoice = accountant.post_invoice(accountant.draft_invoice(project), today)

The ledger as the auditor reads it, and undoing, go over the API: they are no part of what the screen is tested for.
Everything that loads the browser's library is imported when the first connection is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ringgate.domain.documents import InvoiceParticulars, Ref
from ringgate.domain.errors import Refused, SignInRefused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.reversal import MarkedRecord, Reversal
from ringgate.domain.terms import Basis, Channel, Role
from ringgate.drivers.protocol import Books, Call, Connection, Outsider
from ringgate.drivers.tryton.capabilities import ON_SCREEN
from ringgate.isolation.model import PrivateRecord
from ringgate.surface.model import Surface
from ringgate.twins.records import RunRecords

if TYPE_CHECKING:
    from ringgate.drivers.tryton.api.driver import TrytonApiDriver
    from ringgate.drivers.tryton.browser.documents import TrytonBrowserActor
    from ringgate.drivers.tryton.browser.sessions import BrowserSession, BrowserSessions


class TrytonBrowserDriver:
    """One process's browser and its sessions on all Tryton tenants. `limit` is in seconds, for each wait."""

    channel = Channel.BROWSER
    capabilities = ON_SCREEN

    def __init__(self, limit: float = 30.0) -> None:
        self._limit = limit
        self._sessions: BrowserSessions | None = None
        self._api: TrytonApiDriver | None = None

    def connect(self, tenant: Tenant, call: Call) -> BrowserConnection:
        return BrowserConnection(tenant, call, self)

    @property
    def started(self) -> bool:
        return self._sessions is not None

    @property
    def sessions(self) -> BrowserSessions:
        if self._sessions is None:
            from ringgate.drivers.tryton.browser.sessions import BrowserSessions

            self._sessions = BrowserSessions(self._limit)
        return self._sessions

    @property
    def api(self) -> TrytonApiDriver:
        if self._api is None:
            from ringgate.drivers.tryton.api.driver import TrytonApiDriver

            self._api = TrytonApiDriver(self._limit)
        return self._api

    def close(self) -> None:
        sessions, self._sessions = self._sessions, None
        api, self._api = self._api, None
        try:
            if sessions is not None:
                sessions.close()
        finally:
            if api is not None:
                api.close()


class BrowserConnection:
    """One run's way to one tenant. Browser sessions are the driver's, except those signed in anew."""

    def __init__(self, tenant: Tenant, call: Call, driver: TrytonBrowserDriver) -> None:
        self._tenant, self._call, self._driver = tenant, call, driver
        self._signed_in: dict[Role, BrowserSession] = {}
        self._own: list[BrowserSession] = []
        self._api: Connection | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far: by the web client, and by us over the API."""
        return sum(session.calls for session in self._windows) + (self._api.calls if self._api else 0)

    @property
    def touched(self) -> frozenset[str]:
        """What was called, read and written so far: by the web client, and by us over the API."""
        over_api = self._api.touched if self._api else frozenset()
        return over_api.union(*(session.touched() for session in self._windows))

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> TrytonBrowserActor:
        """Raises Refused for a password that was given and is wrong, SignInRefused for one of the inventory's."""
        from ringgate.drivers.tryton.browser import evidence
        from ringgate.drivers.tryton.browser.documents import TrytonBrowserActor

        own = password is not None or fresh
        session = (
            None if own else self._signed_in.get(role) or self._driver.sessions.kept(self._tenant, role, self._call)
        )
        if session is None:
            session = self._driver.sessions.new(self._tenant, role, self._call, password)
            self._own.append(session)  # a sign-in that fails leaves its window for evidence
            if not session.sign_in():
                raise _refusal(session, password)
            if not own:
                self._own.remove(session)
                self._driver.sessions.keep(session)
        if not own:
            self._signed_in[role] = session
        if not session.traced:
            evidence.start(session)
        return TrytonBrowserActor(session, self._call.run_id)

    def books(self) -> Books:
        return self._over_api().books()

    def surface(self) -> Surface:
        return self._over_api().surface()

    def particulars(self, invoice: Ref) -> InvoiceParticulars:
        return self._over_api().particulars(invoice)

    def records_of_run(self, run_id: str) -> RunRecords:
        return self._over_api().records_of_run(run_id)

    def marked(self, before: datetime) -> Sequence[MarkedRecord]:
        return self._over_api().marked(before)

    def undo(self, reversal: Reversal) -> str:
        return self._over_api().undo(reversal)

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Outsider]:
        return self._over_api().outsiders(neighbours, roles)

    def insider(self, role: Role) -> Outsider:
        return self._over_api().insider(role)

    def seen(self) -> Sequence[PrivateRecord]:
        return self._over_api().seen()

    def guesses(self, ref: Ref, reach: int) -> Sequence[Ref]:
        return self._over_api().guesses(ref, reach)

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        return self._over_api().ask_as_stranger(about)

    def _over_api(self) -> Connection:
        if self._api is None:
            self._api = self._driver.api.connect(self._tenant, self._call)
        return self._api

    def version(self) -> str:
        return self._over_api().version()

    def basis_of(self, refusal: Refused) -> Basis | None:
        """No more than what was seen on the screen when it was refused."""
        return refusal.basis

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        """A screenshot and a trace of each window of this run, which are closed then: what failed is not used again."""
        from ringgate.drivers.tryton.browser import evidence

        found = []
        for number, session in enumerate(self._windows, start=1):
            name = f"{session.role.value}-{number}" if session in self._own else session.role.value
            found += evidence.save(session, folder, name)
            session.usable = False
        return tuple(found)

    @property
    def _windows(self) -> list[BrowserSession]:
        return [*self._signed_in.values(), *self._own]

    def close(self) -> None:
        """Close every tab. A window that cannot be tidied is given up."""
        if self._driver.started:
            from ringgate.drivers.tryton.browser import evidence

            for session in self._own:
                session.close()
            for session in self._signed_in.values():
                evidence.discard(session)
                session.tidy()
        self._own.clear()
        self._signed_in.clear()
        if self._api is not None:
            self._api.close()


def _refusal(session: BrowserSession, password: str | None) -> Exception:
    if password is None:
        return SignInRefused(
            f"{session.login} could not sign in to {session.tenant.id}: its password was not accepted."
        )
    return Refused("sign_in", "the web client asked for the password again")
