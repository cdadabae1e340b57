"""The estate of this machine as a platform: `--platform estate=demo`.

As a host would, it takes backups by itself, so often that no tenant's newest is older than its service level promises.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ringgate.domain.model import Tenant
from ringgate.estate import registry
from ringgate.estate.backups import BackupFile
from ringgate.estate.base import DEMO
from ringgate.estate.errors import EstateError
from ringgate.estate.estate import Estate
from ringgate.estate.progress import ProgressDisplay
from ringgate.estate.upgrading import ManualStep, UpgradeFailed
from ringgate.host import paths
from ringgate.inventory import Inventory
from ringgate.rollout.platforms.protocol import PlatformRequest, PlatformSite, Stages, UpgradeRefused
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.release_tables import ManualStepTable

WAITS = frozenset({"close", "serve", "verify"})
"""Parts of an upgrade that wait for requests to end, or for a server. The others do what the release says."""

EVERY = 10.0
"""Seconds between looks at whose backup is due."""


class EstatePlatform:
    """One estate as a rollout sees it."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def series(self, tenant: str) -> str:
        return self._estate.place(tenant).series

    def backup(self, tenant: str) -> BackupFile:
        return self._estate.backup(tenant)

    def backups(self, tenant: str) -> Sequence[BackupFile]:
        return self._estate.backups.of(tenant)

    def upgraded_from(self, tenant: str) -> BackupFile | None:
        name = self._estate.place(tenant).came_from
        return self._estate.backups.find(tenant, name) if name else None

    def beside(self, tenant: str, backup: str) -> AbstractContextManager[Tenant]:
        return self._estate.beside(self._estate.backups.find(tenant, backup))

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> BackupFile:
        try:
            chosen = [ManualStep(each.name, each.sql, each.command, each.tool) for each in steps]
            return self._estate.upgrade(tenant, to, chosen, stages)
        except UpgradeFailed as failed:
            raise UpgradeRefused(tenant, failed.at, failed.reason, doubtful=failed.at in WAITS) from failed

    def roll_back(self, tenant: str, backup: str) -> None:
        self._estate.roll_back(tenant, self._estate.backups.find(tenant, backup))

    def repair(self, tenant: str) -> bool:
        return self._estate.repair(tenant)


class BackupSchedule:
    """Backs tenants up while it is entered: whoever's newest backup is older than half of what is promised.

    A tenant that is being upgraded, or was, is left alone: only so many backups are kept, and one of them is what its
    upgrade would be taken back to."""

    def __init__(self, estate: Estate, tenants: Sequence[Tenant]) -> None:
        self._estate, self._tenants = estate, [each for each in tenants if each.recovery]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="backups", daemon=True)

    def __enter__(self) -> BackupSchedule:
        self.catch_up()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(EVERY):
            self.catch_up()

    def catch_up(self) -> None:
        """Takes every backup that is due. One that cannot be taken is tried again the next time."""
        for tenant in self._tenants:
            try:
                if self.due(tenant):
                    self._estate.backup(tenant.id)
            except EstateError:
                continue

    def due(self, tenant: Tenant) -> bool:
        assert tenant.recovery is not None
        place, kept = self._estate.place(tenant.id), self._estate.backups.of(tenant.id)
        if place.upgrade is not None or place.came_from:
            return False
        return not kept or (datetime.now(UTC) - kept[-1].taken_at) * 2 > tenant.recovery.point


class EstatePlatforms:
    """Opens an estate by its name. Its inventory is its own."""

    def foreseen(self, request: PlatformRequest) -> tuple[Inventory, tuple[str, ...]]:
        estate = self._estate(request)
        return estate.foreseen(request.tenants), estate.series_known

    def open(self, request: PlatformRequest, series: Sequence[str], screen: Console) -> PlatformSite:
        estate = self._estate(request, series)
        with ProgressDisplay(screen) as board:
            estate.up(request.tenants, board, also=[name for name in series if name in estate.series_known])
        inventory = estate.inventory()
        return PlatformSite(
            name=estate.name,
            platform=EstatePlatform(estate),
            inventory=inventory,
            series=estate.series_known,
            renew=lambda tenants: estate.reset(*tenants),
            running=lambda: BackupSchedule(estate, inventory.tenants),
            stop=estate.down,
        )

    def _estate(self, request: PlatformRequest, series: Sequence[str] = ()) -> Estate:
        """`series`: the first is what tenants begin at, where none stand yet."""
        name = request.where or demo_name(request.erp)
        estate = Estate.at(name, request.erp)
        if not estate.inventory_path.is_dir() and series and series[0] in estate.series_known:
            estate = Estate.at(name, request.erp, series[0])
        if request.inventory and request.inventory.resolve() != estate.inventory_path.resolve():
            raise PlatformError(
                f"An estate has an inventory of its own ({estate.inventory_path}): leave --inventory out, or name the "
                "platform on which the tenants of yours live."
            )
        return estate


def demo_name(erp: str) -> str:
    """The estate of an ERP's demo, of which nobody says what it is called."""
    return DEMO if erp in ("", registry.DEFAULT) else f"{DEMO}-{erp}"


def demo_release(erp: str) -> Path:
    """The upgrade that comes with Ringgate for an ERP: `deploy/releases/<erp>-<before>-to-<after>.toml`. Raises
    PlatformError where there is none, EstateError for an ERP of which there is no kind."""
    name = registry.estate_kind(erp or registry.DEFAULT).name
    found = sorted((paths.shipped("deploy") / "releases").glob(f"{name}-*-to-*.toml"))
    if not found:
        raise PlatformError(f"No release of {name} comes with Ringgate: rehearse one of your own.")
    return found[0]
