"""Runs `ringgate` as a person would, from the release's folder, and reads a rollout's own words while it is led."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

BIN = Path(sys.executable).parent


class CommandFailed(Exception):
    """A command did not end as it must; the text says which, and what it said."""


class Commands:
    """`folder` is where they run, `environment` is added to our own. All that they say is kept in `log`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], log: Path) -> None:
        self._folder, self._log = folder, log
        self._environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment}

    def run(self, *words: str, codes: Collection[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Raises CommandFailed if it ends with another code than one of `codes`."""
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]], cwd=self._folder, env=self._environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        self._keep(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        if done.returncode not in codes:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}: {said}")
        return done

    def begin(self, *words: str) -> Led:
        """Starts one that goes on while others run."""
        process = subprocess.Popen(
            [str(BIN / words[0]), *words[1:]], cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._keep(f"$ {' '.join(words)} &\n")
        return Led(process, self._keep)

    def _keep(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(text)


class Led:
    """A command that is under way."""

    def __init__(self, process: subprocess.Popen[str], keep: Callable[[str], None]) -> None:
        self._process, self._keep = process, keep
        self._news = threading.Condition()
        self._lines: list[str] = []
        self._over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._keep(line)
            with self._news:
                self._lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def said(self, *texts: str, since: int = 0) -> tuple[int, str]:
        """Waits for a line with one of these; the number of the next line, and the text. "" when it has ended."""
        with self._news:
            while True:
                for number in range(since, len(self._lines)):
                    for text in texts:
                        if text in self._lines[number]:
                            return number + 1, text
                since = len(self._lines)
                if self._over:
                    return since, ""
                self._news.wait()

    def line(self, number: int) -> str:
        with self._news:
            return self._lines[number]

    def code(self) -> int:
        """Its exit code, when it has ended."""
        return self._process.wait()

    def stop(self) -> None:
        """Ends it, if it has not."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
