"""Secrets by reference: where one is, never what it is.

An inventory says `password = { env = "ACME_ACCOUNTANT" }` or `{ file = "~/secrets/acme" }`. What is revealed anywhere
in the process is replaced everywhere it could come out again:

    >>> redact("login failed for hunter22")
    'login failed for ***'
"""

from __future__ import annotations

import base64
import bisect
import html
import json
import logging
import os
import stat
import threading
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never
from urllib.parse import quote, quote_plus

from ringgate.domain.errors import SecretMissing
from ringgate.domain.secrets import Secret
from ringgate.host import paths

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret could not be told from ordinary text, so it could not be kept out of the logs."""


class Redactor:
    """Replaces every value it was told, also where it stands encoded for a URL, JSON, HTML or a header."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._forms: list[str] = []

    def add(self, value: str) -> None:
        """Hides `value` from now on. Values shorter than four characters are passed over."""
        if len(value) < SHORTEST:
            return
        with self._guard:
            forms = self._forms.copy()
            for form in set(_forms_of(value)).difference(forms):
                # The longest first, or a secret that contains another would leave its remainder behind.
                bisect.insort(forms, form, key=lambda each: -len(each))
            self._forms = forms

    def drop(self, value: str) -> None:
        """Stops hiding `value`, such as the token of a session that has ended."""
        with self._guard:
            gone = set(_forms_of(value))
            self._forms = [form for form in self._forms if form not in gone]

    def redact(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"


def _forms_of(value: str) -> Iterator[str]:
    """As which characters a value can come out again."""
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield html.escape(value)
    yield base64.b64encode(value.encode()).decode()


_revealed = Redactor()
"""The one piece of shared state: a secret that any part revealed must stay hidden in the output of every other."""


def redact(text: str) -> str:
    """`text` without any secret that this process has revealed so far."""
    return _revealed.redact(text)


def hide(value: str) -> None:
    """Hides a value that was not read from a reference, such as a session token."""
    _revealed.add(value)


def unhide(value: str) -> None:
    """Ends `hide` for what is no longer worth hiding: a process that runs for months opens many sessions."""
    _revealed.drop(value)


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
class ReadSecret(Secret):
    """A secret that a subclass reads; whoever reveals it hides it in the process."""

    @abstractmethod
    def _read(self) -> str:
        """The value as it lies there. Raises SecretMissing, naming the reference."""

    def reveal(self) -> str:
        value = self._read()
        if len(value) < SHORTEST:
            why = "is empty" if not value else f"has fewer than {SHORTEST} characters and could not be kept out of logs"
            raise SecretMissing(f"the secret in {self.reference} {why}")
        hide(value)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class KnownSecret(Secret):
    """A secret that was not read from a reference, wrapped where it comes in: a session's token, a password given."""

    value: str = field(repr=False)

    __str__ = Secret.__str__
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def reference(self) -> str:
        return "this process"

    def reveal(self) -> str:
        """The value. Whoever wraps it says whether, and how long, it is hidden (`hide`)."""
        return self.value

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not written to disk")


@dataclass(frozen=True, slots=True)
class EnvSecret(ReadSecret):
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
class FileSecret(ReadSecret):
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
