"""Where users sit: one browser for the process, and in it a page for each tenant and role that is kept signed in.

Loading the web client and signing in costs more CPU than most verbs, so a seat is kept between runs. It is given up
after a run that did not pass, and when its page broke; a session that died is signed in again at the same seat, by
the client's own question for the password.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from ringgate.domain.errors import BrowserError, ErpMisbehaved, NoRoute, RinggateError, SignInRefused
from ringgate.domain.model import Channel, Role, Tenant
from ringgate.drivers.chromium import find_browser
from ringgate.drivers.tryton.browser.pages.client import WATCH, SessionOver, WebClient
from ringgate.drivers.tryton.browser.pages.login import LoginPage
from ringgate.drivers.tryton.browser.pages.tabs import Tabs
from ringgate.drivers.tryton.touches import Touches
from ringgate.host.secrets import Redactor

if TYPE_CHECKING:
    from ringgate.drivers.protocol import Call

# Pictures are never looked at, and nothing that is tested depends on site isolation: both cost CPU only. The pointer
# settings are Playwright's own, which a second --blink-settings would drop.
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-site-isolation-trials",
    "--blink-settings=imagesEnabled=false,primaryHoverType=2,availableHoverTypes=2,"
    "primaryPointerType=4,availablePointerTypes=4",
)
VIEWPORT: Final[Any] = {"width": 1000, "height": 400}
"""The narrowest at which the client shows all its tools; what is not painted costs nothing."""


_of_thread = threading.local()
"""Playwright runs at most once in a thread, however many drivers there are: `playwright`, and its number of `users`."""


def _playwright() -> Playwright:
    if getattr(_of_thread, "users", 0) == 0:
        _of_thread.playwright = sync_playwright().start()
        _of_thread.users = 0
    _of_thread.users += 1
    running: Playwright = _of_thread.playwright
    return running


def _release_playwright() -> None:
    _of_thread.users -= 1
    if _of_thread.users == 0:
        _of_thread.playwright.stop()


MOST: Final = 8
"""Seats kept at most: each takes 100 to 200 MB. Runs that go tenant by tenant never sign a user in twice."""

RUNS: Final = 40
"""After so many runs a seat is given up: the client's page grows with every form, by some 10 MB a run."""


class Chromium:
    """A driver's browser, started when it is first needed."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def context(self, headers: dict[str, str]) -> BrowserContext:
        """A window of its own, with no memory of others. Raises BrowserTrouble if no browser can be started."""
        try:
            context = self._started().new_context(
                viewport=VIEWPORT, service_workers="block", reduced_motion="reduce", extra_http_headers=headers
            )
            context.add_init_script(WATCH)
        except PlaywrightError as error:
            raise BrowserError(f"The browser opened no window: {_first_line(error)}") from None
        return context

    def _started(self) -> Browser:
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        program = find_browser()
        flags = [*FLAGS, "--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else list(FLAGS)
        try:
            if self._playwright is None:
                self._playwright = _playwright()
            self._browser = self._playwright.chromium.launch(executable_path=program, args=flags)
        except PlaywrightError as error:
            raise BrowserError(f"The browser {program} did not start: {_first_line(error)}") from None
        return self._browser

    def close(self) -> None:
        browser, self._browser = self._browser, None
        playwright, self._playwright = self._playwright, None
        try:
            if browser is not None:
                browser.close()
        except PlaywrightError:
            pass  # it is gone already, which is what was wanted
        finally:
            if playwright is not None:
                _release_playwright()


@dataclass(eq=False)
class BrowserSession:
    """One user in front of the web client.

    `usable` is False once the seat must not be kept, `ended` once its user signed out, `traced` while it is recorded;
    `sent_before` counts the requests of earlier runs, `runs` the runs.
    `old_session` is the client's own name and content for its session, `reference` what was read of reference data,
    `hidden` knows the tokens of its sessions: they live shorter than the process, which hides only passwords for good.
    """

    tenant: Tenant
    role: Role
    context: BrowserContext
    client: WebClient
    password: str = field(repr=False)
    usable: bool = True
    ended: bool = False
    traced: bool = False
    sent_before: int = 0
    runs: int = 0
    reference: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    old_session: tuple[str, str] | None = field(default=None, repr=False)
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
        script = "(name) => [name, localStorage.getItem(name) || '']"
        name, stored = self.client.ask(script, f"sao_session_{self.client.database}", "the session")
        self.old_session = (name, stored)
        for token in self.client.ask("__ringgate.secrets()", None, "the session"):
            self.hidden.add(token)

    def _renew(self) -> None:
        """The client asks for the password: its session is no longer known."""
        if self.ended:
            raise SessionOver
        if not LoginPage(self.client).answer(self.password):
            self.usable = False
            raise SignInRefused(f"The session of {self.role} on {self.tenant.id} died, and could not be renewed.")
        self.remember_session()

    def listed(self, model: str, domain: list[object]) -> Mapping[str, str]:
        """The first row of the client's own list of reference data that `domain` admits; read once for each seat."""
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
        with self.client.trouble("the browser"):
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


def headers_of(call: Call) -> dict[str, str]:
    return {"traceparent": f"00-{call.trace_id}-{os.urandom(8).hex()}-01", "x-ringgate-run": call.run_id}


class BrowserSessions:
    """All seats of one process. For one thread. `limit` are seconds, for each wait on the web client."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._chromium = Chromium()
        self._kept: dict[tuple[str, Role], BrowserSession] = {}

    def kept(self, tenant: Tenant, role: Role, call: Call) -> BrowserSession | None:
        """The seat kept for this user, if there is one that can be used."""
        seat = self._kept.pop((tenant.id, role), None)
        if seat is None:
            return None
        seat.runs += 1
        if not seat.alive or seat.tenant != tenant or seat.runs >= RUNS:
            seat.close()
            return None
        self._kept[tenant.id, role] = seat  # now the one used last
        seat.carry(call, call.limit.of(self._limit))
        return seat

    def keep(self, seat: BrowserSession) -> None:
        """Keep a seat that is signed in for later runs, and give up those longest not used where they are too many."""
        self._kept[seat.tenant.id, seat.role] = seat
        for key in list(self._kept)[:-MOST]:
            if key[0] != seat.tenant.id:
                self._kept.pop(key).close()

    def new(self, tenant: Tenant, role: Role, call: Call, password: str | None) -> BrowserSession:
        """A new seat, not yet signed in, that the caller closes or keeps."""
        database = urlsplit(tenant.web).fragment.partition("/")[0]
        if not database:
            raise NoRoute(
                f"The address {tenant.web!r} of tenant {tenant.id} names no database: write http://host/#name."
            )
        account = tenant.users.get(role)
        if account is None:
            raise NoRoute(f"Tenant {tenant.id} has no user for the role {role}: add [users.{role}].")
        secret = account.on(Channel.BROWSER).reveal_password() if password is None else password
        context = self._chromium.context(headers_of(call))
        try:
            client = WebClient(context.new_page(), database, call.limit.of(self._limit))
            return BrowserSession(tenant, role, context, client, secret)
        except PlaywrightError as error:
            raise BrowserError(f"The browser opened no page: {_first_line(error)}") from None

    def close(self) -> None:
        for seat in self._kept.values():
            seat.close()
        self._kept.clear()
        self._chromium.close()


def _first_line(error: PlaywrightError) -> str:
    return error.message.splitlines()[0] if error.message else "no reason given"
