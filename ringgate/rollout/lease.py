"""Who leads a rollout: one controller at a time, by a lock that ends with its process, and a number that only grows.

Whoever takes the lease gets the next number. Before each write of the record the number is looked up: a controller that
was stopped for a while and wakes up after another took its lease can write nothing, and ends (fencing).

<record's folder>.lease.json     {"number": 3, "holder": "4711 on deploy-1", "since": "2026-11-28T10:00:00Z"}
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ringgate.domain.errors import OurSideError
from ringgate.host.atomic_files import write_atomically


class LeaseTaken(OurSideError):
    """Another controller leads this rollout."""

    kind = "lease"


class LeaseHolder(BaseModel):
    """Who holds, or held, a lease: `holder` is for people."""

    model_config = ConfigDict(extra="forbid")

    number: int
    holder: str
    since: AwareDatetime


class RolloutLease:
    """The lease of one rollout, beside the folder of its record. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._file = folder.with_name(f"{folder.name}.lease.json")
        self._lock = FileLock(folder.with_name(f"{folder.name}.lease.lock"))
        self.number = 0

    def __enter__(self) -> RolloutLease:
        """Takes it. Raises LeaseTaken where another one holds it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise LeaseTaken(f"this rollout is led already: {self.said()}") from None
        last = self.holder()
        self.number = (last.number if last else 0) + 1
        now = LeaseHolder(
            number=self.number, holder=f"{os.getpid()} on {socket.gethostname()}", since=datetime.now(UTC)
        )
        write_atomically(self._file, now.model_dump_json())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._lock.release()

    def check(self) -> None:
        """Raises LeaseTaken if another one took it since."""
        last = self.holder()
        if last is None or last.number != self.number:
            raise LeaseTaken(f"this rollout is led by another controller now: {self.said()}")

    def taken(self) -> bool:
        """Whether somebody holds it at this moment."""
        try:
            with self._lock.acquire(blocking=False):
                return False
        except Timeout:
            return True

    def holder(self) -> LeaseHolder | None:
        """Who took it last; None for nobody."""
        try:
            return LeaseHolder.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except (ValidationError, OSError) as error:
            raise LeaseTaken(f"{self._file} cannot be read, so nobody knows who leads this rollout: {error}") from None

    def said(self) -> str:
        """`process 4711 on deploy-1, since 2026-11-28 10:00 UTC`"""
        last = self.holder()
        return f"process {last.holder}, since {last.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if last else "unknown"
