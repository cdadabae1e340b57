"""Makes sure that a browser is there: one that the machine has, else Playwright's own, else Debian's package.

What is installed is the headless shell: of the same pages it costs a third less than a whole browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ringgate.domain.errors import BrowserError
from ringgate.drivers.chromium import VARIABLE, find_browser
from ringgate.estate.errors import EstateError
from ringgate.estate.progress import Stage
from ringgate.estate.tools import run


def ensure_browser(stage: Stage) -> Path:
    """The path of a browser that starts; installs one if the machine has none. Raises EstateError."""
    found = _working()
    if found:
        stage.already()
        return found
    for attempt in (_by_playwright, _by_apt):
        try:
            attempt(stage)
        except EstateError:
            continue
        found = _working()
        if found:
            return found
    raise EstateError(
        "No browser could be installed: install Chromium or Chrome by the system's own means "
        f"(Debian: apt-get install chromium), or name its program in {VARIABLE}."
    )


def _working() -> Path | None:
    try:
        path = find_browser()
    except BrowserError:
        if os.environ.get(VARIABLE):
            raise  # the user named one: another must not be taken in its place
        return None
    # A browser whose system libraries are missing is there, but does not start.
    asked = subprocess.run([str(path), "--version"], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return path if asked.returncode == 0 else None


def _by_playwright(stage: Stage) -> None:
    stage.say("playwright install chromium")
    with_libraries = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
    command = [sys.executable, "-m", "playwright", "install", *with_libraries, "--only-shell", "chromium"]
    run(command, "Playwright could not install a browser", env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def _by_apt(stage: Stage) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise EstateError("Only root may install packages.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-y", "-q", "--no-install-recommends"]
    stage.say("apt-get update")
    run(["apt-get", "update", "-q"], "apt-get update failed", env=env)
    stage.say("apt-get install chromium")
    install = ["apt-get", "install", *options, "fonts-dejavu-core"]
    try:
        run([*install, "chromium-headless-shell"], "The headless shell could not be installed", env=env)
    except EstateError:  # older releases have no package of the shell alone
        run([*install, "chromium"], "Chromium could not be installed", env=env)
