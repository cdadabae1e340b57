"""Windows of the web client: one browser for the process, and in it a window for each tenant and role, kept signed in.

Signing in costs more than most verbs, so a window is kept between runs, and given up after a run that did not pass.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from ringgate.domain.errors import BrowserError, ErpMisbehaved, NoRoute
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.browser_process import Chromium, first_line, headers_of, type_secret
from ringgate.drivers.odoo.browser.page import OdooWebClient
from ringgate.drivers.odoo.browser.selectors import screens
from ringgate.drivers.protocol import Call
from ringgate.host.secrets import KnownSecret

VIEWPORT: Final[Any] = {"width": 1400, "height": 1000}
"""Narrower, the client hides buttons behind others."""
MOST: Final = 8
"""Windows kept at most."""
COMMA: Final = ("de", "fr", "es", "it", "nl", "pt", "da", "nb", "pl")
"""Languages that write a comma where a number has a point."""


@dataclass
class Window:
    """One user in front of the web client. `usable` is False once it must not be kept."""

    tenant: Tenant
    role: Role
    context: BrowserContext
    client: OdooWebClient
    password: Secret
    login: str = ""
    usable: bool = True
    ended: bool = False
    sent_before: int = 0

    def sign_in(self) -> bool:
        """As any user; False if the password is refused."""
        client = self.client
        client.load("web/login", "the log-in page")
        form = client.screens.login_form
        with client.errors_of("the log-in page"):
            client.page.fill(f"{form} input[name=login]", self.login)
            type_secret(client.page.locator(f"{form} input[name=password]"), self.password)
            client.page.click(f"{form} button[type=submit]")
            client.one(f"{client.screens.home}, {form} .alert-danger").wait_for()
            refused = client.one(f"{form} .alert-danger").count() > 0
        client.settle("the first screen")
        return not refused

    @property
    def alive(self) -> bool:
        browser = self.context.browser
        return self.usable and browser is not None and browser.is_connected() and not self.client.page.is_closed()

    @property
    def calls(self) -> int:
        """Requests sent in the present run."""
        return self.client.sent - self.sent_before

    def carry(self, call: Call) -> None:
        """Every request from now on names this run and its trace."""
        self.sent_before = self.client.sent
        with self.client.errors_of("the browser"):
            self.context.set_extra_http_headers(headers_of(call))

    def photograph(self, folder: Path, name: str) -> list[Attachment]:
        """A picture of the window, password fields covered; none of one that crashed."""
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"{name}.png"
        try:
            hidden = self.client.page.locator("input[type=password]")
            self.client.page.screenshot(path=picture, mask=[hidden], animations="disabled", timeout=5000)
        except PlaywrightError:
            return []
        return [Attachment(f"screen of {name}", "screenshot", f"{folder.name}/{picture.name}")]

    def close(self) -> None:
        self.usable = False
        with contextlib.suppress(PlaywrightError):  # its browser may be gone
            self.context.close()


class Windows:
    """All windows of one process. For one thread. `limit` are seconds, for each wait on the web client."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._chromium = Chromium(viewport=VIEWPORT)
        self._kept: dict[tuple[str, Role], Window] = {}

    def kept(self, tenant: Tenant, role: Role, call: Call) -> Window | None:
        """The window kept for this user, if there is one that can be used."""
        window = self._kept.pop((tenant.id, role), None)
        if window is None:
            return None
        if not window.alive or window.tenant != tenant:
            window.close()
            return None
        self._kept[tenant.id, role] = window  # now the one used last
        window.carry(call)
        return window

    def keep(self, window: Window) -> None:
        self._kept[window.tenant.id, window.role] = window
        for key in list(self._kept)[:-MOST]:
            self._kept.pop(key).close()

    def new(self, tenant: Tenant, role: Role, call: Call, series: str, password: str | None) -> Window:
        """A new window, not yet signed in, that the caller closes or keeps."""
        parts = urlsplit(tenant.web)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NoRoute(f"The address {tenant.web!r} of tenant {tenant.id} is none: write http://host/.")
        account = tenant.users.get(role)
        if account is None:
            raise NoRoute(f"Tenant {tenant.id} has no user for the role {role}: add [users.{role}].")
        credentials = account.on(Channel.BROWSER)
        secret = credentials.required_password() if password is None else KnownSecret(password)
        context = self._chromium.context(headers_of(call))
        try:
            comma = tenant.language.partition("_")[0] in COMMA
            base = f"{parts.scheme}://{parts.netloc}"
            client = OdooWebClient(context.new_page(), base, screens(series), self._limit, comma=comma)
            return Window(tenant, role, context, client, secret, credentials.login)
        except PlaywrightError as error:
            raise BrowserError(f"The browser opened no page: {first_line(error)}") from None

    def close(self) -> None:
        for window in self._kept.values():
            window.close()
        self._kept.clear()
        self._chromium.close()


def must(told: Any, what: str) -> Any:
    """A value of the client's, which must be there."""
    if not told:
        raise ErpMisbehaved(f"The web client does not say {what}.")
    return told
