"""Finds a Chromium that is already on this machine. Installing one is the estate's business.

>>> find_browser()
PosixPath('/usr/bin/chromium')
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ringgate.domain.errors import BrowserError

VARIABLE = "RINGGATE_BROWSER"
"""Environment variable that names the browser to use, before any other that is found."""

# A headless shell first: it costs half the CPU of a whole browser to open a window, and a quarter less to use it.
NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
PLACES = (
    "/usr/lib/chromium/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
BUNDLED = (
    "chromium_headless_shell-*/chrome-*/*headless[-_]shell",
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> Path:
    """The path of a Chromium or Chrome. Raises BrowserTrouble, with the remedy, if there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        if not _starts(Path(named)):
            raise BrowserError(f"{VARIABLE} names {named}, which is no program: correct it or unset it.")
        return Path(named)
    for path in _candidates():
        if _starts(path):
            return path
    raise BrowserError(
        "No Chromium or Chrome was found: install one, run `playwright install chromium`, "
        f"or name its program in {VARIABLE}."
    )


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield from map(Path, PLACES)
    for pattern in BUNDLED:
        # Playwright keeps several revisions side by side; the newest has the highest number.
        yield from sorted(_bundle_folder().glob(pattern), key=_revision, reverse=True)


def _bundle_folder() -> Path:
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if given and given != "0":
        return Path(given)
    mac = Path.home() / "Library" / "Caches" / "ms-playwright"
    return mac if mac.is_dir() else Path.home() / ".cache" / "ms-playwright"


def _revision(path: Path) -> int:
    for part in path.parts:
        kind, _, number = part.rpartition("-")
        if kind in ("chromium", "chromium_headless_shell") and number.isdigit():
            return int(number)
    return 0


def _starts(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
