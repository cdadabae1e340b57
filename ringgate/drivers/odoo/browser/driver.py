"""Odoo's own web client, used as a person would, series 19.0 and 14.0: signing in, and purchase requests.

    driver = OdooBrowserDriver()
    connection = driver.connect(tenant, Call(run_id, trace_id))
    approver = connection.sign_in(Role.APPROVER)

The books as the auditor reads them, and undoing, go over the API: they are no part of what the screen is tested for.
Everything that loads the browser's library is imported when the first connection is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ringgate.domain.errors import Refused, SignInRefused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Basis, Capability, Channel, Role
from ringgate.drivers.odoo.api.driver import ApiConnection, OdooApiDriver
from ringgate.drivers.odoo.books import OdooBooks
from ringgate.drivers.protocol import Call

if TYPE_CHECKING:
    from ringgate.drivers.odoo.browser.actor import OdooBrowserActor
    from ringgate.drivers.odoo.browser.sessions import Window, Windows

CAN: Final = frozenset({Capability.SIGN_IN, Capability.APPROVALS, Capability.LEDGER, Capability.BOOKS, Capability.UNDO})
"""What the screens are driven for so far. Projects, time, invoices, payments and entries are not yet."""


class OdooBrowserDriver:
    """One process's browser and its windows at all Odoo tenants. `limit` is in seconds, for each wait on the client."""

    channel = Channel.BROWSER
    capabilities = CAN

    def __init__(self, limit: float = 30.0) -> None:
        self._limit = limit
        self._windows: Windows | None = None
        self._api: OdooApiDriver | None = None

    def connect(self, tenant: Tenant, call: Call) -> BrowserConnection:
        return BrowserConnection(tenant, call, self)

    @property
    def windows(self) -> Windows:
        if self._windows is None:
            from ringgate.drivers.odoo.browser.sessions import Windows

            self._windows = Windows(self._limit)
        return self._windows

    @property
    def api(self) -> OdooApiDriver:
        if self._api is None:
            self._api = OdooApiDriver(self._limit)
        return self._api

    def close(self) -> None:
        windows, self._windows = self._windows, None
        api, self._api = self._api, None
        try:
            if windows is not None:
                windows.close()
        finally:
            if api is not None:
                api.close()


class BrowserConnection:
    """One run's way to one tenant. Windows are the driver's, except those signed in anew."""

    def __init__(self, tenant: Tenant, call: Call, driver: OdooBrowserDriver) -> None:
        self._tenant, self._call, self._driver = tenant, call, driver
        self._used: dict[Role, Window] = {}
        self._own: list[Window] = []
        self._api: ApiConnection | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far: by the web client, and by us over the API."""
        return sum(window.calls for window in self._all) + (self._api.calls if self._api else 0)

    @property
    def touched(self) -> frozenset[str]:
        """What we read and undid over the API; what the web client itself calls is not noted."""
        return self._api.touched if self._api else frozenset()

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> OdooBrowserActor:
        """Raises Refused for a password that was given and is wrong, SignInRefused for one of the inventory's."""
        from ringgate.drivers.odoo.browser.actor import OdooBrowserActor

        own = password is not None or fresh
        window = None if own else self._used.get(role) or self._driver.windows.kept(self._tenant, role, self._call)
        if window is None:
            series = self._over_api().series
            window = self._driver.windows.new(self._tenant, role, self._call, series, password)
            self._own.append(window)  # a sign-in that fails leaves its window for evidence
            if not window.sign_in():
                raise self._refusal(window, password)
            if not own:
                self._own.remove(window)
                self._driver.windows.keep(window)
        if not own:
            self._used[role] = window
        return OdooBrowserActor(window)

    def _refusal(self, window: Window, password: str | None) -> Exception:
        if password is None:
            return SignInRefused(
                f"{window.login} could not sign in to {self._tenant.id}: its password was not accepted."
            )
        return Refused("sign_in", "the web client asked for the password again")

    def books(self) -> OdooBooks:
        return self._over_api().books()

    def undo(self, reversal: Reversal) -> str:
        return self._over_api().undo(reversal)

    def _over_api(self) -> ApiConnection:
        if self._api is None:
            self._api = self._driver.api.connect(self._tenant, self._call)
        return self._api

    def basis_of(self, refusal: Refused) -> Basis | None:
        """No more than what was seen on the screen when it was refused."""
        return refusal.basis

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        """A picture of each window of this run, which is closed then: what failed is not used again."""
        found: list[Any] = []
        for number, window in enumerate(self._all, start=1):
            name = f"{window.role.value}-{number}" if window in self._own else window.role.value
            found += window.photograph(folder, name)
            window.usable = False
        return tuple(found)

    @property
    def _all(self) -> list[Window]:
        return [*self._used.values(), *self._own]

    def close(self) -> None:
        for window in self._own:
            window.close()
        for window in self._used.values():
            if not window.usable:
                window.close()
        self._own.clear()
        self._used.clear()
        if self._api is not None:
            self._api.close()
