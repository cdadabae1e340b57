"""Browser sessions: one browser for the process, and in it a page for each tenant and role that is kept signed in.

Loading the web client and signing in costs more CPU than most verbs, so a browser session is kept between runs. It is
given up after a run that did not pass, and when its page broke; where the ERP ended it, its user is signed in again in
the same page, by the client's own question for the password.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from ringgate.domain.errors import BrowserError, ErpMisbehaved, NoRoute, RinggateError, SignInRefused
from ringgate.domain.model import Tenant
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.browser_process import Chromium, first_line, headers_of
from ringgate.drivers.tryton.browser.pages.client import WATCH, SessionOver, WebClient
from ringgate.drivers.tryton.browser.pages.login import LoginPage
from ringgate.drivers.tryton.browser.pages.tabs import Tabs
from ringgate.drivers.tryton.touches import Touches
from ringgate.host.secrets import KnownSecret, Redactor

if TYPE_CHECKING:
    from ringgate.drivers.protocol import Call

MOST: Final = 8
"""Sessions kept at most: each takes 100 to 200 MB. Runs that go tenant by tenant never sign a user in twice."""

RUNS: Final = 40
"""After so many runs a browser session is given up: the client's page grows with every form, by some 10 MB a run."""


@dataclass(eq=False)
class BrowserSession:
    """One user in front of the web client.

    `usable` is False once it must not be kept, `ended` once its user signed out, `traced` while it is recorded;
    `sent_before` counts the requests of earlier runs, `runs` the runs.
    `old_session` is the client's own name and content for its session, `reference` what was read of reference data,
    `hidden` knows the tokens of its sessions: they live shorter than the process, which hides only passwords for good.
    """

    tenant: Tenant
    role: Role
    context: BrowserContext
    client: WebClient
    password: Secret
    usable: bool = True
    ended: bool = False
    traced: bool = False
    sent_before: int = 0
    runs: int = 0
    reference: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    old_session: tuple[str, Secret] | None = None
    hidden: Redactor = field(default_factory=Redactor, repr=False)

    @property
    def login(self) -> str:
        return self.tenant.users[self.role].on(Channel.BROWSER).login

    def sign_in(self) -> bool:
        """By the dialogs, as any user; False if the password is refused."""
        page = LoginPage(self.client)
        screen = self.client.load(self.tenant.web)
        page.validate_page(screen)
        if not page.sign_in(self.login, self.password):
            return False
        self.client.learn_formats()
        self.client.on_password = self._renew
        self.remember_session()
        return True

    def remember_session(self) -> None:
        """Keep the client's session, so that it is hidden in all evidence, and can be tried once it was ended."""
        script = "(name) => localStorage.getItem(name) || ''"
        name = f"sao_session_{self.client.database}"
        self.old_session = (name, KnownSecret(self.client.ask(script, name, "the session")))
        for token in self.client.ask("__ringgate.secrets()", None, "the session"):
            self.hidden.add(token)

    def _renew(self) -> None:
        """The client asks for the password: its session is no longer known."""
        if self.ended:
            raise SessionOver
        if not LoginPage(self.client).answer(self.password):
            self.usable = False
            raise SignInRefused(f"The session of {self.role} on {self.tenant.id} ended, and could not be renewed.")
        self.remember_session()

    def listed(self, model: str, domain: list[object]) -> Mapping[str, str]:
        """The first row of the client's own list of reference data that `domain` admits; read once for each session."""
        key = (model, repr(domain))
        if key not in self.reference:
            rows = Tabs(self.client).beside(model, domain)
            if not rows:
                raise ErpMisbehaved(f"The web client lists no {model} where {domain}.")
            self.reference[key] = rows[0]
        return self.reference[key]

    @property
    def alive(self) -> bool:
        """Whether it can be used: neither given up, nor lost with its browser."""
        browser = self.context.browser
        return self.usable and browser is not None and browser.is_connected() and not self.client.page.is_closed()

    @property
    def calls(self) -> int:
        """Requests sent in the present run."""
        return self.client.sent - self.sent_before

    def touched(self) -> frozenset[str]:
        """What the web client called, read and wrote since it was asked last; nothing once its page is gone."""
        touches = Touches()
        with contextlib.suppress(PlaywrightError, RinggateError):
            if self.alive:
                for method, params in self.client.page.evaluate("() => __ringgate.touched()"):
                    touches.note(self.role, method, params)
        return touches.all

    def carry(self, call: Call, limit: float) -> None:
        """Every request from now on names this run and its trace, and is waited for up to `limit` seconds."""
        self.sent_before = self.client.sent
        with self.client.errors_of("the browser"):
            self.context.set_extra_http_headers(headers_of(call))
            self.client.wait_at_most(limit)

    def tidy(self) -> None:
        """Leave one saved record open at most, for its form to be used again; give the window up if that fails."""
        last = self.client.last
        if self.usable and last is not None and (last.dialogs or last.tabs > 1 or not self.client.place):
            try:
                Tabs(self.client).close_all()
            except (RinggateError, SessionOver):
                self.usable = False
        if not self.usable:
            self.close()

    def close(self) -> None:
        self.usable = False
        with contextlib.suppress(PlaywrightError):  # its browser may be gone
            self.context.close()


class BrowserSessions:
    """All sessions of one process. For one thread. `limit` are seconds, for each wait on the web client."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._chromium = Chromium(WATCH)
        self._kept: dict[tuple[str, Role], BrowserSession] = {}

    def kept(self, tenant: Tenant, role: Role, call: Call) -> BrowserSession | None:
        """The session kept for this user, if there is one that can be used."""
        session = self._kept.pop((tenant.id, role), None)
        if session is None:
            return None
        session.runs += 1
        if not session.alive or session.tenant != tenant or session.runs >= RUNS:
            session.close()
            return None
        self._kept[tenant.id, role] = session  # now the one used last
        session.carry(call, call.limit.of(self._limit))
        return session

    def keep(self, session: BrowserSession) -> None:
        """Keep one that is signed in for later runs, and give up those longest not used where they are too many."""
        self._kept[session.tenant.id, session.role] = session
        for key in list(self._kept)[:-MOST]:
            if key[0] != session.tenant.id:
                self._kept.pop(key).close()

    def new(self, tenant: Tenant, role: Role, call: Call, password: str | None) -> BrowserSession:
        """A new session, not yet signed in, that the caller closes or keeps."""
        database = urlsplit(tenant.web).fragment.partition("/")[0]
        if not database:
            raise NoRoute(
                f"The address {tenant.web!r} of tenant {tenant.id} names no database: write http://host/#name."
            )
        account = tenant.users.get(role)
        if account is None:
            raise NoRoute(f"Tenant {tenant.id} has no user for the role {role}: add [users.{role}].")
        secret = account.on(Channel.BROWSER).required_password() if password is None else KnownSecret(password)
        context = self._chromium.context(headers_of(call))
        try:
            client = WebClient(context.new_page(), database, call.limit.of(self._limit))
            return BrowserSession(tenant, role, context, client, secret)
        except PlaywrightError as error:
            raise BrowserError(f"The browser opened no page: {first_line(error)}") from None

    def close(self) -> None:
        for session in self._kept.values():
            session.close()
        self._kept.clear()
        self._chromium.close()
