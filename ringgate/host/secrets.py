"""Secrets by reference: where one is, never what it is.

An inventory says `password = { env = "ACME_ACCOUNTANT" }` or `{ file = "~/secrets/acme" }`. What is revealed anywhere
in the process is replaced everywhere it could come out again:

    >>> redact("login failed for hunter22")
    'login failed for ***'
"""

from __future__ import annotations

import base64
import html
import json
import logging
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from ringgate.domain.errors import SecretMissing
from ringgate.host import paths

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret could not be told from ordinary text, so it could not be kept out of the logs."""


class Redactor:
    """Replaces every value it was told, also where it stands encoded for a URL, JSON, HTML or a header."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._forms: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Hides `value` from now on. Values shorter than four characters are passed over."""
        if len(value) < SHORTEST:
            return
        encoded = base64.b64encode(value.encode()).decode()
        forms = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], html.escape(value), encoded}
        with self._guard:
            # The longest first, or a secret that contains another would leave its remainder behind.
            self._forms = tuple(sorted({*self._forms, *forms}, key=len, reverse=True))

    def redact(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"


_revealed = Redactor()
"""The one piece of shared state: a secret that any part revealed must stay hidden in the output of every other."""


def redact(text: str) -> str:
    """`text` without any secret that this process has revealed so far."""
    return _revealed.redact(text)


def hide(value: str) -> None:
    """Hides a value that was not read from a reference, such as a session token."""
    _revealed.add(value)


class RedactingFilter(logging.Filter):
    """For a log handler: no record passes it with a secret, neither in its message nor in its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


@dataclass(frozen=True, slots=True)
class Secret:
    """Points at a secret. Printing, comparing or pickling it never touches the value."""

    @property
    def reference(self) -> str:
        """Where the secret is, in words that may be shown."""
        raise NotImplementedError

    def _read(self) -> str:
        raise NotImplementedError

    def reveal(self) -> str:
        """The value, which is redacted from now on. Raises SecretMissing, naming the reference."""
        value = self._read()
        if len(value) < SHORTEST:
            why = "is empty" if not value else f"has fewer than {SHORTEST} characters and could not be kept out of logs"
            raise SecretMissing(f"the secret in {self.reference} {why}")
        hide(value)
        return value

    def warning(self) -> str:
        """What is unsafe about where the secret lies; "" if nothing is."""
        return ""

    def __str__(self) -> str:
        return self.reference


@dataclass(frozen=True, slots=True)
class EnvSecret(Secret):
    """A secret in an environment variable."""

    name: str

    __str__ = Secret.__str__

    @property
    def reference(self) -> str:
        return f"environment variable {self.name}"

    def _read(self) -> str:
        value = os.environ.get(self.name)
        if value is None:
            raise SecretMissing(f"{self.reference} is not set: set it to the secret, or change the reference")
        return value


@dataclass(frozen=True, slots=True)
class FileSecret(Secret):
    """A secret in a file, without the line break that editors put at its end.

    `file` is as people write it (`~` and `${RINGGATE_HOME}` are expanded on reading), `base` the folder from which a
    relative one counts.
    """

    file: str
    base: Path = Path()

    __str__ = Secret.__str__

    @property
    def path(self) -> Path:
        return self.base / paths.expand(self.file)

    @property
    def reference(self) -> str:
        return f"file {self.file}"

    def _read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8").rstrip("\r\n")
        except FileNotFoundError:
            why = "does not exist: create it, or change the reference"
        except OSError as problem:
            why = f"cannot be read ({problem.strerror})"
        except UnicodeDecodeError:
            why = "is not UTF-8 text"
        shown = "" if str(self.path) == self.file else f" ({self.path})"
        raise SecretMissing(f"{self.reference}{shown} {why}")

    def warning(self) -> str:
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return ""
        return f"{self.reference} can be read by every user: chmod 600" if mode & stat.S_IROTH else ""
