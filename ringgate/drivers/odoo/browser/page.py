"""One browser page with the web client in it: opening records, waiting until it is at rest, telling errors apart.

    client = WebClient(page, "http://127.0.0.1:8171", screens("19.0"), limit=30.0)
    client.open("purchase.order", "42")
    client.press("button_confirm")
    client.state()                                   # "to approve": the value behind the words on the screen

The client keeps a connection open for messages, so "no traffic" never comes: what counts are calls for data.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Request, Response
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ringgate.domain.errors import BrowserError, ErpMisbehaved, ErpUnavailable, NoRoute, Throttled
from ringgate.drivers.browser_process import first_line
from ringgate.drivers.odoo.browser.selectors import ACTIONS, Screens

DATA: Final = re.compile(r"/web/(dataset|action|session|webclient)/")
REST: Final = 0.2
"""Seconds without a call for data after which the client is at rest."""
UNREACHABLE: Final = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_TIMED_OUT", "ERR_CERT_DATE", "ERR_HTTP")
NO_ROUTE: Final = (
    "ERR_NAME_NOT_RESOLVED",
    "ERR_ADDRESS_UNREACHABLE",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_CERT",
    "ERR_SSL",
)
SESSION: Final = """async () => {
  const answer = await fetch('/web/session/get_session_info', {method: 'POST',
    headers: {'Content-Type': 'application/json'}, body: JSON.stringify({jsonrpc: '2.0', method: 'call', params: {}})});
  const told = answer.status === 200 ? (await answer.json()).result : null;
  return told && told.uid ? told : null;
}"""


class ControlNotOffered(Exception):
    """The screen does not offer to this user what was to be pressed."""


class OdooWebClient:
    """The web client in one page. `limit` are seconds to wait; `sent` counts the requests sent."""

    def __init__(self, page: Page, base: str, screens: Screens, limit: float, *, comma: bool) -> None:
        self.page, self.base, self.screens, self.limit, self._comma = page, base, screens, limit, comma
        self.sent = 0
        self._under_way: set[Request] = set()
        self._last = 0.0
        self._failures: list[int] = []
        self._errors: list[str] = []
        page.set_default_timeout(limit * 1000)
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("pageerror", lambda error: self._errors.append(str(error)[:200]))

    # watching

    def _asked(self, request: Request) -> None:
        self.sent += 1
        if DATA.search(request.url):
            self._under_way.add(request)

    def _answered(self, request: Request) -> None:
        if request in self._under_way:
            self._under_way.discard(request)
            self._last = time.monotonic()

    def _failed(self, request: Request) -> None:
        self._answered(request)
        if DATA.search(request.url) and "ERR_ABORTED" not in (request.failure or ""):
            self._failures.append(0)

    def _response(self, response: Response) -> None:
        if DATA.search(response.url) and (response.status >= 500 or response.status == 429):
            self._failures.append(response.status)

    def settle(self, what: str) -> None:
        """Waits until no call for data is under way; then an error that was seen meanwhile is raised."""
        deadline = time.monotonic() + self.limit
        with self.errors_of(what):
            self._last = max(self._last, time.monotonic())
            while self._under_way or time.monotonic() - self._last < REST:
                if time.monotonic() > deadline:
                    raise ErpUnavailable(
                        f"The web client was still busy after {self.limit:.0f} s of waiting for {what}."
                    )
                self.page.wait_for_timeout(40)
        self._judge(what)

    def _judge(self, what: str) -> None:
        failures, self._failures = self._failures, []
        errors, self._errors = self._errors, []
        if 429 in failures:
            raise Throttled("The ERP says that we ask too often (HTTP 429); wait a while.")
        if failures:
            said = f"HTTP {failures[0]}" if failures[0] else "no answer"
            raise ErpUnavailable(f"The web client got {said} from its server while waiting for {what}.")
        if errors:
            raise ErpMisbehaved(f"A script of the web client failed while waiting for {what}: {errors[0]}")

    @contextmanager
    def errors_of(self, what: str) -> Iterator[None]:
        """Turns the browser's own errors into ours; `what` says what was being waited for."""
        try:
            yield
        except PlaywrightTimeout:
            raise ErpMisbehaved(f"Waited {self.limit:.0f} s in vain for {what} on the screen.") from None
        except PlaywrightError as error:
            raise _ours(error, what) from None

    # going about

    def load(self, path: str, what: str) -> None:
        with self.errors_of(what):
            answer = self.page.goto(f"{self.base}/{path}", wait_until="domcontentloaded")
        if answer is not None and answer.status >= 500:
            raise ErpUnavailable(f"The web client at {self.base} answered with HTTP {answer.status}.")

    def open(self, model: str, record: str) -> None:
        """A record's form; a new one where `record` is ""."""
        where = self.screens.addressed.format(action=ACTIONS[model], model=model, record=record or self.screens.new)
        if "#" in where:  # an address that differs after the "#" alone would not be loaded anew
            with self.errors_of("an empty page"):
                self.page.goto("about:blank")
        self.load(where, "the record to open")
        with self.errors_of(f"the form of a {model}"):
            self.page.locator(self.screens.form).first.wait_for()
        self.settle("the record to open")

    # reading

    def one(self, selector: str) -> Locator:
        return self.page.locator(selector).first

    def field(self, name: str, scope: str = "") -> Locator:
        parts = self.screens.input.format(field=name).split(", ")
        return self.page.locator(", ".join(f"{scope} {part}" for part in parts)).first

    def text(self, name: str) -> str:
        """What a field shows; "" for one that is not there."""
        with self.errors_of(f"the field {name}"):
            field = self.page.locator(f"{self.screens.form} [name={name}]").first
            if not field.count():
                return ""
            inner = field.locator("input, textarea").first
            told = inner.input_value() if inner.count() else field.inner_text()
        return " ".join(told.split())

    def state(self) -> str:
        """The value behind the state that the screen shows, "" where it shows none."""
        with self.errors_of("the state of the record"):
            current = self.page.locator(self.screens.state).first
            return (current.get_attribute("data-value") or "") if current.count() else ""

    def record(self) -> str:
        """The id of the record in the address, "" for a new one."""
        found = re.search(r"[#&]id=(\d+)|/(\d+)(?:$|[?#])", self.page.url)
        return (found.group(1) or found.group(2)) if found else ""

    def total(self) -> Decimal:
        """The last amount of a document's totals."""
        with self.errors_of("the totals"):
            told = self.one(self.screens.totals).inner_text()
        amounts = re.findall(r"-?[\d.,\u00a0\u202f' ]*\d", told)
        if not amounts:
            raise ErpMisbehaved("The document on the screen shows no total.")
        return self.number(amounts[-1])

    def number(self, told: str) -> Decimal:
        """A number as the user's language writes it."""
        plain = re.sub(r"[\s\u00a0\u202f']", "", told)
        plain = plain.replace(".", "").replace(",", ".") if self._comma else plain.replace(",", "")
        try:
            return Decimal(plain)
        except InvalidOperation:
            raise ErpMisbehaved(f"The screen shows {told!r} where a number is due.") from None

    def written(self, value: Decimal) -> str:
        """A number as the user would type it."""
        plain = f"{value.normalize():f}"
        return plain.replace(".", ",") if self._comma else plain

    def session(self) -> Any:
        """What the client's own session says of its user; None where it has ended."""
        with self.errors_of("the session"):
            return self.page.evaluate(SESSION)

    # acting

    def fill(self, name: str, value: str, scope: str = "") -> None:
        with self.errors_of(f"the field {name}"):
            field = self.field(name, scope)
            field.fill(value)
            field.press("Tab")
        self.settle(f"the field {name}")

    def choose(self, name: str, value: str, scope: str = "") -> None:
        """Picks a record of reference data by what it is called."""
        with self.errors_of(f"the field {name}"):
            field = self.field(name, scope)
            field.click()
            field.fill(value)
            option = self.page.locator(self.screens.option).get_by_text(value, exact=True).first
            option.click()
        self.settle(f"the field {name}")

    def add_line(self, name: str) -> str:
        """A new line of a list; answers the scope of its fields."""
        with self.errors_of(f"a new line of {name}"):
            self.one(self.screens.add_line.format(field=name)).click()
            self.one(self.screens.line.format(field=name)).wait_for()
        self.settle(f"a new line of {name}")
        return self.screens.line.format(field=name)

    def turn_to(self, number: int) -> None:
        """Opens one of the tabs of a form, counted from 0."""
        with self.errors_of("the tabs of the form"):
            self.page.locator(self.screens.tab).nth(number).click()
        self.settle("the tab")

    def offers(self, button: str) -> bool:
        return self.page.locator(f"button[name={button}]:visible").count() > 0

    def press(self, button: str) -> None:
        if not self.offers(button):
            raise ControlNotOffered(f"the screen does not offer {button.replace('_', ' ')}")
        with self.errors_of(f"the button {button}"):
            self.page.locator(f"button[name={button}]:visible").first.click()
        self.settle(f"the button {button}")

    def save(self) -> None:
        with self.errors_of("the record to be saved"):
            self.one(self.screens.save).click()
        self.settle("the record to be saved")

    def complaint(self) -> tuple[str, bool]:
        """What the client says that it will not do, and whether that is an error of its own; the dialog is closed."""
        with self.errors_of("a dialog"):
            dialog = self.page.locator(self.screens.dialog).filter(has_not=self.page.locator(".o_form_view")).first
            if dialog.count():
                told = " ".join(dialog.locator(".modal-body").first.inner_text().split())
                own = dialog.locator(".o_error_dialog, .o_error_detail").count() > 0
                dialog.locator(".modal-footer button, .btn-close, button.close").first.click()
                return told or "a dialog without words", own
            notice = self.page.locator(".o_notification.border-danger, .o_notification.bg-danger").first
            return (" ".join(notice.inner_text().split()), False) if notice.count() else ("", False)


def _ours(error: PlaywrightError, what: str) -> Exception:
    message = first_line(error)
    code = next((word for word in message.split() if "ERR_" in word), "")
    if any(each in code for each in UNREACHABLE):
        return ErpUnavailable(f"The browser could not reach the ERP ({code}) while waiting for {what}.")
    if any(each in code for each in NO_ROUTE):
        return NoRoute(f"The browser found no way to the ERP ({code}): check the web endpoint of the tenant.")
    if "closed" in message or "crashed" in message.lower():
        return BrowserError(f"The browser went away while waiting for {what}: start it again.")
    return ErpMisbehaved(f"The web client did not let itself be used while waiting for {what}: {message}")
