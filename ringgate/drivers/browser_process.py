"""One browser for a process, started when it is first needed, and windows of it that know nothing of each other."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import Browser, BrowserContext, Locator, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from ringgate.domain.errors import BrowserError
from ringgate.drivers.chromium import find_browser
from ringgate.drivers.transport import without_frames

if TYPE_CHECKING:
    from ringgate.domain.secrets import Secret
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


class Chromium:
    """A driver's browser, started when it is first needed. `script` runs in every page before the page's own."""

    def __init__(self, script: str = "", viewport: Any = VIEWPORT) -> None:
        self._script, self._viewport = script, viewport
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def context(self, headers: dict[str, str]) -> BrowserContext:
        """A window of its own, with no memory of others. Raises BrowserTrouble if no browser can be started."""
        try:
            context = self._started().new_context(
                viewport=self._viewport, service_workers="block", reduced_motion="reduce", extra_http_headers=headers
            )
            if self._script:
                context.add_init_script(self._script)
        except PlaywrightError as error:
            raise BrowserError(f"The browser opened no window: {first_line(error)}") from None
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
            raise BrowserError(f"The browser {program} did not start: {first_line(error)}") from None
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


def headers_of(call: Call) -> dict[str, str]:
    return {"traceparent": f"00-{call.trace_id}-{os.urandom(8).hex()}-01", "x-ringgate-run": call.run_id}


def first_line(error: PlaywrightError) -> str:
    return error.message.splitlines()[0] if error.message else "no reason given"


def type_secret(field: Locator, secret: Secret) -> None:
    """Fills in a secret. What goes wrong is the browser's error, without the frames that hold it."""
    try:
        field.fill(secret.reveal())
    except BaseException as error:
        raise without_frames(error)  # noqa: B904 - it is the same error
