"""One browser page with the web client in it: waiting until it is at rest, looking at it, telling errors apart.

client = WebClient(page, "aldgate", limit=30.0)
screen = client.go("model/account.invoice/42")     # as if the address had been pasted
screen.form.fields["state"].text                   # "draft": the value behind what is chosen, in every language
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ringgate.domain.errors import (
    BrowserError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpTimedOut,
    ErpUnavailable,
    NoRoute,
    Throttled,
)
from ringgate.domain.secrets import Secret
from ringgate.drivers.transport import without_frames
from ringgate.drivers.tryton.browser.pages.formats import Formats, strftime_of

WATCH: Final = Path(__file__).with_name("watch.js").read_text(encoding="utf-8")
"""Runs in every page before the client's own scripts."""

GO: Final = "([address, alone, limit]) => __ringgate.go(address, alone, limit)"
SETTLE: Final = "([limit]) => __ringgate.settle(limit)"

GRACE: Final = 2.0
"""Seconds that the page has to say itself that it is still busy."""

UNREACHABLE: Final = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_TIMED_OUT", "ERR_CERT_DATE", "ERR_HTTP")
NO_ROUTE: Final = (
    "ERR_NAME_NOT_RESOLVED",
    "ERR_ADDRESS_UNREACHABLE",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_CERT",
    "ERR_SSL",
)


@dataclass(frozen=True, slots=True)
class ScreenField:
    """A field as it stands on the screen.

    `text` is as the user's language writes it. Of a choice, `text` is the value behind it and `label` what is read.
    """

    text: str
    label: str
    shown: bool
    fixed: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """What a form shows, by field name: fields, the rows of lists, and the id of each row's record.

    `buttons` says of each whether it can be pressed. A row that is not saved yet has an id below zero.
    """

    fields: Mapping[str, ScreenField]
    buttons: Mapping[str, bool]
    lists: Mapping[str, tuple[Mapping[str, str], ...]]
    records: Mapping[str, tuple[str, ...]]

    def text(self, name: str) -> str:
        """A field's text. Raises ErpMisbehaved if the form has no such field."""
        try:
            return self.fields[name].text
        except KeyError:
            raise ErpMisbehaved(f"The form on the screen has no field {name!r}.") from None


@dataclass(frozen=True, slots=True)
class DialogView:
    """A dialog in front of everything. `kind` is the client's own name for it, `password` whether it asks for one."""

    kind: str
    text: str
    password: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that stands on the screen at one moment.

    `form` is that of the open tab, `window` that of the window in front of it, `rows` the tab's list. `failures` are
    HTTP statuses of requests that failed since the last look (0: no answer at all).
    """

    hash: str
    user: str
    dialogs: tuple[DialogView, ...]
    tabs: int
    form: FormView | None
    window: FormView | None
    rows: tuple[Mapping[str, str], ...]
    complaint: str
    failures: tuple[int, ...]

    @property
    def record(self) -> str:
        """The id of the record in the open tab, "" for a new one or a list."""
        path = self.hash.partition(";")[0].split("/")
        return path[3] if len(path) > 3 and path[3].isdigit() else ""

    @property
    def front(self) -> DialogView | None:
        return self.dialogs[-1] if self.dialogs else None

    @property
    def asks_password(self) -> bool:
        """The client wants the user to sign in (again)."""
        return any(
            each.kind == "login-dialog" or (each.kind == "ask-dialog" and each.password) for each in self.dialogs
        )


def _form(raw: Mapping[str, Any] | None) -> FormView | None:
    if raw is None:
        return None
    fields = {name: ScreenField(**field) for name, field in raw["fields"].items()}
    lists = {name: tuple(rows) for name, rows in raw["lists"].items()}
    return FormView(fields, raw["buttons"], lists, {name: tuple(ids) for name, ids in raw["records"].items()})


class SessionOver(Exception):
    """The client asks for a password, and nobody may answer: the session was ended on purpose."""


class WebClient:
    """The web client in one page.

    `limit` are seconds to wait; `sent` counts the requests sent since it was loaded; `last` is the last look at it;
    `renewed` counts how often its session was renewed.
    `place` is the address by which the tab in front was opened, "" if it is not to be used again.
    `on_password` is called when the client asks for the password of a session that died, and must answer it.
    """

    def __init__(self, page: Page, database: str, limit: float) -> None:
        self.page, self.database, self.limit = page, database, limit
        self.sent = 0
        self.renewed = 0
        self.place = ""
        self.last: Screen | None = None
        self.on_password: Callable[[], None] | None = None
        self.formats = Formats(".", ",", "%m/%d/%Y", {})
        page.set_default_timeout(limit * 1000)

    def wait_at_most(self, limit: float) -> None:
        """So many seconds for each wait from now on."""
        if limit != self.limit:
            self.limit = limit
            self.page.set_default_timeout(limit * 1000)

    def load(self, address: str) -> Screen:
        """Load the client itself. Raises ErpUnavailable or NoRoute if nobody serves it."""
        self.sent, self.place, self.last = 0, "", None
        with self.errors_of("the web client to load"):
            answer = self.page.goto(address, wait_until="load")
        if answer is not None and answer.status >= 400:
            raise ErpUnavailable(f"The web client at {_bare(address)} answered with HTTP {answer.status}.")
        return self.settle("the web client to start")

    def go(self, route: str, *, alone: bool = False) -> Screen:
        """Open a tab by its address, such as "model/party.party/5"; `alone` closes all others first.

        If one of those does not close, because it was changed and not saved, the client asks, and nothing is opened.
        """
        what, address, renewed = route.partition(";")[0], f"{self.database}/{route}", self.renewed
        screen = self._ask(GO, what, address, alone)
        if self.renewed > renewed and not screen.tabs and not screen.dialogs:
            # The session had died. The client does not open again what it could not open before it was renewed.
            screen = self._ask(GO, what, address, alone)
        return screen

    def settle(self, what: str) -> Screen:
        """Wait until nothing is under way any more, then look. `what` says in a time-out what was waited for."""
        return self._ask(SETTLE, what)

    def leave_field(self, what: str) -> Screen:
        """Leave the field that was typed in, so that the client takes the value, and settle."""
        return self._ask("([limit]) => __ringgate.leave(limit)", what)

    def ask(self, script: str, argument: object, what: str) -> Any:
        """Run one of the page's `__ringgate` functions. `argument` must be JSON; a list may hold secrets."""
        page: Any = self.page
        with self.errors_of(what):
            # The client waits for some answers in place. If one never comes, its scripts stand still, so that only a
            # time-out on our side helps; Playwright has none for `evaluate`, hence the way around its public face.
            try:
                asking = page._impl_obj.evaluate(script, _revealed(argument))
                return page._sync(asyncio.wait_for(asking, self.limit + GRACE))
            except TimeoutError:
                raise ErpTimedOut(
                    f"The web client got no answer in {self.limit:.0f} s of waiting for {what}."
                ) from None
            except BaseException as error:
                raise without_frames(error)  # noqa: B904 - it is the same error

    def learn_formats(self) -> None:
        raw = self.ask("__ringgate.formats()", None, "the user's formats")
        seconds = {word: Decimal(value) for word, value in raw["seconds"].items()}
        self.formats = Formats(raw["decimal"], raw["group"], strftime_of(raw["date"]), seconds)

    def _ask(self, script: str, what: str, *arguments: object) -> Screen:
        screen = self._look(script, what, *arguments)
        if screen.asks_password and self.on_password is not None:
            self.on_password()
            self.renewed += 1
            screen = self._look(SETTLE, what)
        return screen

    def _look(self, script: str, what: str, *arguments: object) -> Screen:
        raw = self.ask(script, [*arguments, self.limit * 1000], what)
        self.sent = raw["sent"]
        self._judge(raw, what)
        self.last = Screen(
            hash=raw["hash"],
            user=raw["user"],
            dialogs=tuple(DialogView(**each) for each in raw["dialogs"]),
            tabs=raw["tabs"],
            form=_form(raw["form"]),
            window=_form(raw["window"]),
            rows=tuple(raw["rows"]),
            complaint=raw["complaint"],
            failures=tuple(raw["failures"]),
        )
        return self.last

    def _judge(self, raw: Mapping[str, Any], what: str) -> None:
        """Errors that are no business refusal, told apart by what was seen, worst first."""
        failures: list[int] = raw["failures"]
        if 429 in failures:
            raise Throttled("The ERP says that we ask too often (HTTP 429); wait a while.")
        if gone := [status for status in failures if status == 0 or (status >= 500 and status != 501)]:
            said = f"HTTP {gone[0]}" if gone[0] else "no answer"
            raise ErpUnavailable(f"The web client got {said} from its server while waiting for {what}.")
        if raw["garbled"]:
            raise ErpProtocolError(f"The web client could not understand its server while waiting for {what}.")
        if raw["blank"]:
            raise ErpMisbehaved(f"The web client shows a white page while waiting for {what}.")
        if raw["errors"]:
            raise ErpMisbehaved(f"A script of the web client failed while waiting for {what}: {raw['errors'][0]}")
        if not raw["rest"]:
            raise ErpTimedOut(f"The web client was still busy after {self.limit:.0f} s of waiting for {what}.")

    @contextmanager
    def errors_of(self, what: str) -> Iterator[None]:
        """Turn the browser's own errors into ours; `what` says what was being waited for."""
        try:
            yield
        except PlaywrightTimeout:
            raise ErpMisbehaved(f"Waited {self.limit:.0f} s in vain for {what} on the screen.") from None
        except PlaywrightError as error:
            raise _ours(error, what) from None


def _revealed(argument: object) -> object:
    if isinstance(argument, list):
        return [each.reveal() if isinstance(each, Secret) else each for each in argument]
    return argument


def _ours(error: PlaywrightError, what: str) -> Exception:
    message = error.message.splitlines()[0] if error.message else "no reason given"
    code = next((word for word in message.split() if "ERR_" in word), "")
    if any(each in code for each in UNREACHABLE):
        return ErpUnavailable(f"The browser could not reach the ERP ({code}) while waiting for {what}.")
    if any(each in code for each in NO_ROUTE):
        return NoRoute(f"The browser found no way to the ERP ({code}): check the web endpoint of the tenant.")
    if "closed" in message or "crashed" in message.lower():
        return BrowserError(f"The browser went away while waiting for {what}: start it again.")
    return ErpMisbehaved(f"The web client did not let itself be used while waiting for {what}: {message}")


def _bare(address: str) -> str:
    return address.partition("#")[0]
