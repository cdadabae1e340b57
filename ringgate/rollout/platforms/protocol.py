"""What a rehearsal needs of the place where tenants live: the estate of this machine is one, a host's another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.rollout.release import ManualStepTable

Stages = Callable[[str], AbstractContextManager[object]]
"""Called with the name of each part of a long piece of work, and entered while it lasts."""


class UpgradeRefused(RinggateError):
    """A tenant could not be upgraded and is served as it was, from its backup.

    `at` names the part that failed. `doubtful`: one that only waits for somebody (to close, to serve), where a busy
    machine may be to blame; it is tried once more before anybody judges."""

    kind = "upgrade"

    def __init__(self, tenant: str, at: str, reason: str, *, doubtful: bool = False) -> None:
        super().__init__(f"{at}: {reason}")
        self.tenant, self.at, self.reason, self.doubtful = tenant, at, reason, doubtful


class Backup(Protocol):
    """A backup of one tenant, whole, and found again by its name."""

    @property
    def name(self) -> str: ...
    @property
    def taken_at(self) -> datetime: ...  # aware
    @property
    def size(self) -> int: ...  # bytes
    @property
    def seconds(self) -> float: ...


class Platform(Protocol):
    """Contract. A tenant keeps its address through all of this. Whatever is cut off leaves it such that `repair`
    brings it back to what it was before. Backups are given by their names."""

    def series(self, tenant: str) -> str: ...
    def backup(self, tenant: str) -> Backup: ...  # while it is in use
    def backups(self, tenant: str) -> Sequence[Backup]: ...  # oldest first
    def upgraded_from(self, tenant: str) -> Backup | None: ...  # what its last upgrade would be taken back to
    def beside(self, tenant: str, backup: str) -> AbstractContextManager[Tenant]: ...  # restored, while it lasts
    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> Backup:
        """Returns the backup that was taken when the tenant was closed. Raises UpgradeRefused; then it is as it was."""
        ...

    def roll_back(self, tenant: str, backup: str) -> None: ...
    def repair(self, tenant: str) -> bool: ...  # whether something had been cut off
