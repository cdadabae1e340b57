"""What was asked of a host and is not known to have ended, on disk before it is asked.

An action that was cut off is asked again with the same idempotency key, so that a host which knows the key answers what
came of the first attempt, instead of doing it twice.

platforms/eu/aldgate.json
{"pending": {"upgrade": {"key": "k3v9...", "attempts": 2, "to": "8.0", "before": "7.0", "backup": {...}}}}
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ringgate.host.atomic_files import write_atomically
from ringgate.rollout.platforms.answers import HostBackup
from ringgate.rollout.platforms.registry import PlatformError


class PendingAction(BaseModel):
    """One action of a tenant. `key` stays the same over all its attempts; `subject` is what it is about (a series, a
    backup's name). `before` is the series that the tenant ran, `backup` what an upgrade would be taken back to.
    `undoing`: an upgrade is being taken back, and its key has done its duty."""

    model_config = ConfigDict(extra="forbid")

    key: str
    subject: str
    began: AwareDatetime
    attempts: int = 0
    before: str = ""
    backup: HostBackup | None = None
    undoing: bool = False

    @property
    def attempt(self) -> str:
        """The id of the attempt under way: `k3v9x2-2`."""
        return f"{self.key[:8]}-{self.attempts}"


class _TenantAttempts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pending: dict[str, PendingAction] = {}
    upgraded: PendingAction | None = None


class AttemptBook:
    """The attempts of one platform's tenants, one file each in `folder`. Safe for threads."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`fence` is called before each writing, and raises where another controller leads now."""
        self._folder, self._clock = folder, clock
        self.fence: Callable[[], None] = lambda: None
        self._guard = threading.RLock()

    def pending(self, tenant: str, action: str) -> PendingAction | None:
        return self._read(tenant).pending.get(action)

    def at_rest(self, tenant: str) -> bool:
        """Whether nothing is pending."""
        return not self._read(tenant).pending

    def upgraded(self, tenant: str) -> PendingAction | None:
        """The upgrade that the tenant has behind it and that was not taken back."""
        return self._read(tenant).upgraded

    def begin(
        self, tenant: str, action: str, subject: str, before: str = "", backup: HostBackup | None = None
    ) -> PendingAction:
        """Notes that an action is about to be asked for, once more if one about the same is pending."""
        with self._guard:
            kept = self._read(tenant)
            found = kept.pending.get(action)
            if found is None or found.subject != subject:
                key = uuid.uuid4().hex
                found = PendingAction(key=key, subject=subject, began=self._clock(), before=before, backup=backup)
            found.attempts += 1
            kept.pending[action] = found
            self._write(tenant, kept)
            return found

    def undoing(self, tenant: str) -> None:
        """Whatever the pending upgrade came to, it is taken back from now on."""
        with self._guard:
            kept = self._read(tenant)
            kept.pending["upgrade"].undoing = True
            self._write(tenant, kept)

    def end(self, tenant: str, action: str) -> None:
        """What became of the action is known."""
        with self._guard:
            kept = self._read(tenant)
            if kept.pending.pop(action, None):
                self._write(tenant, kept)

    def note_upgraded(self, tenant: str, done: PendingAction | None) -> None:
        """The tenant was upgraded (None: it was taken back); nothing of an upgrade is pending any more."""
        with self._guard:
            kept = self._read(tenant)
            kept.pending.pop("upgrade", None)
            kept.upgraded = done
            self._write(tenant, kept)

    def _file(self, tenant: str) -> Path:
        return Path(f"{self._folder}/{tenant}.json")

    def _read(self, tenant: str) -> _TenantAttempts:
        file = self._file(tenant)
        try:
            return _TenantAttempts.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return _TenantAttempts()
        except (ValidationError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise PlatformError(f"{file} says what is under way on {tenant}, and cannot be read: {why}") from None

    def _write(self, tenant: str, kept: _TenantAttempts) -> None:
        self.fence()
        write_atomically(self._file(tenant), kept.model_dump_json(indent=1))
