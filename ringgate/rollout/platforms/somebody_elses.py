"""Hosts of which nobody told us anything: somebody else upgrades the tenants that live there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

from ringgate.domain.model import Tenant
from ringgate.rollout.platforms.protocol import Backup, Stages
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.release_tables import ManualStepTable


class SomebodyElses:
    """The platform of which nobody told us anything: only the upgrade's own hosts know it."""

    def __init__(self, before: str) -> None:
        self._before = before

    def series(self, tenant: str) -> str:
        return self._before

    def backups(self, tenant: str) -> Sequence[Backup]:
        return ()

    def upgraded_from(self, tenant: str) -> Backup | None:
        return None

    def repair(self, tenant: str) -> bool:
        return False

    def backup(self, tenant: str) -> Backup:
        _cannot()

    def beside(self, tenant: str, backup: str) -> AbstractContextManager[Tenant]:
        _cannot()

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> Backup:
        _cannot()

    def roll_back(self, tenant: str, backup: str) -> None:
        _cannot()


def _cannot() -> NoReturn:
    raise PlatformError("somebody else upgrades these tenants: give --platform for what only their hosts can do")
