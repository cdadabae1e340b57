"""What a run that did not pass leaves behind of each window, without secrets.

    <run>/accountant.png           the window as it stands, password fields covered
    <run>/accountant.trace.zip     every action of the run; open it with `playwright show-trace`
    <run>/accountant.requests.txt  the last requests of the web client, with status and duration

A trace is recorded through every run, because nobody knows beforehand which one fails. It holds the actions alone:
Playwright records requests only together with a snapshot of the page after each action, and those cost 30 to 60 % more
CPU in the browser as measured, the actions less than 5 %. Recording starts after the sign-in. Still, a session that
dies during a run is renewed by its password: so the saved file is rewritten without any secret.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Attachment
from ringgate.drivers.tryton.browser.sessions import BrowserSession
from ringgate.host.secrets import redact

TALL = {"width": 1280, "height": 1000}
"""Tall enough to show most forms whole; windows are kept small otherwise, because painting costs."""

NO_ICONS = "img { visibility: hidden; }"
"""Pictures are not loaded, and the signs in their place would hide text."""


def save(session: BrowserSession, folder: Path, name: str) -> list[Attachment]:
    """Save what can be saved of one window into `folder`; what a window that crashed cannot give is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with contextlib.suppress(RinggateError):
        # What signed in since it was last noted must be known before anything is written.
        session.remember_session()
    picture = folder / f"{name}.png"
    if _photograph(session, picture):
        found.append(Attachment(f"screen of {name}", "screenshot", f"{folder.name}/{picture.name}"))
    requests = folder / f"{name}.requests.txt"
    if _list_requests(session, requests):
        found.append(Attachment(f"requests of {name}", "text", f"{folder.name}/{requests.name}"))
    trace = folder / f"{name}.trace.zip"
    if stop(session, trace):
        found.append(Attachment(f"trace of {name}", "trace", f"{folder.name}/{trace.name}"))
    session.traced = False
    return found


def _photograph(session: BrowserSession, path: Path) -> bool:
    page = session.client.page
    try:
        page.set_viewport_size(TALL)  # type: ignore[arg-type]
        passwords = page.locator("input[type=password]")
        page.screenshot(path=path, mask=[passwords], style=NO_ICONS, animations="disabled", timeout=5000)
    except PlaywrightError:
        return False
    return True


def _list_requests(session: BrowserSession, path: Path) -> bool:
    try:
        lines = session.client.ask("__ringgate.log", None, "the list of requests")
    except RinggateError:
        return False
    text = "\n".join(["time, HTTP status, duration, method", *lines, ""])
    path.write_text(redact(session.hidden.redact(text)), encoding="utf-8")
    return True


def start(session: BrowserSession) -> None:
    """Record from now on. Without recording a run is still a run: a failure here is passed over."""
    try:
        session.context.tracing.start(screenshots=False, snapshots=False)
        session.traced = True
    except PlaywrightError:
        session.traced = False


def discard(session: BrowserSession) -> None:
    """Throw away what was recorded."""
    if session.traced:
        stop(session, None)
        session.traced = False


def stop(session: BrowserSession, path: Path | None) -> bool:
    """End the recording; save it to `path`, without secrets, if one is given."""
    try:
        if path is None:
            session.context.tracing.stop()
            return True
        raw = path.with_suffix(".raw")
        try:
            session.context.tracing.stop(path=raw)
            if not raw.exists():
                return False
            rewrite(raw, path, lambda text: redact(session.hidden.redact(text)))
        finally:
            raw.unlink(missing_ok=True)
    except (PlaywrightError, OSError, zipfile.BadZipFile):
        return False
    return True


def rewrite(source: Path, target: Path, hide: Callable[[str], str]) -> None:
    """Copy a zip file, with `hide` applied to each of its files."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            try:
                hidden = hide(content.decode("utf-8")).encode("utf-8")
            except UnicodeDecodeError:
                # Latin-1 gives every byte back as it was, and shows any secret of plain letters.
                hidden = hide(content.decode("latin-1")).encode("latin-1")
            new.writestr(entry.filename, hidden)
