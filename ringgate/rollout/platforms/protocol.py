"""What a rehearsal needs of the place where tenants live: the estate of this machine is one, a host's another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.inventory import Inventory
from ringgate.rollout.release_tables import ManualStepTable

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


@runtime_checkable
class NamesArtefacts(Protocol):
    """A platform that can also say what is installed for a tenant: by artefact its digest, as `sha256:...`."""

    def artefacts(self, tenant: str) -> Mapping[str, str]: ...


# --- how a command finds one ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlatformRequest:
    """What a command was told: `where` stands after the kind's name and means what the kind says (an estate's name, a
    file), "" for nothing; `inventory` is its folder, None where the kind has one of its own; `tenants` is how many are
    to stand where the kind can make some, and `erp` of which ERP, "" where nobody says."""

    where: str = ""
    inventory: Path | None = None
    tenants: int = 4
    erp: str = ""


@dataclass(frozen=True)
class PlatformSite:
    """A platform that is ready. `name` tells its rollouts from others', `series` are those that it can run, in their
    order (none: not known). `renew` gives tenants fresh books of the series before, None where that cannot be had;
    `running` is entered while a rollout lasts; `stop` ends what `open` started; `led_by` is told the number of a
    controller's lease, and what raises once another one took it."""

    name: str
    platform: Platform
    inventory: Inventory
    series: tuple[str, ...] = ()
    renew: Callable[[Sequence[str]], None] | None = None
    running: Callable[[], AbstractContextManager[object]] = nullcontext
    stop: Callable[[], None] = lambda: None
    led_by: Callable[[int, Callable[[], None]], None] = lambda number, check: None


class PlatformKind(Protocol):
    """A kind of platform, registered as an entry point in `ringgate.platforms`: a class without arguments."""

    def foreseen(self, request: PlatformRequest) -> tuple[Inventory, tuple[str, ...]]:
        """The inventory and the series as they are or will be, so that a definition is checked before anything is set
        up for it. Starts nothing."""
        ...

    def open(self, request: PlatformRequest, series: Sequence[str], screen: Console) -> PlatformSite:
        """Makes it ready to serve these series, showing on `screen` what that takes."""
        ...
