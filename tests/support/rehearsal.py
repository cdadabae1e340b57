"""Rehearsals on the estate of tests: of one tenant, with a release of the test's own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ringgate.estate import Estate
from ringgate.inventory import Inventory
from ringgate.rollout.beginning import begin
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.platforms.estate import EstatePlatform
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.release import Release, load_release
from ringgate.rollout.setup import assembled
from ringgate.rollout.stages.sequence import TenantStages

RELEASES = Path(__file__).parents[2] / "deploy" / "releases"
DEMO = RELEASES / "tryton-7.0-to-8.0.toml"


class Silent:
    """Watches a rehearsal and says nothing."""

    def began(self, *_: object) -> None: ...
    def ended(self, *_: object) -> None: ...
    def decided(self, *_: object) -> None: ...
    def remark(self, *_: object) -> None: ...


def release_file(folder: Path, risk: str = "low", name: str = "rehearsed") -> Path:
    """The demo's release with another risk class, and the file beside it."""
    shutil.copy(RELEASES / "tryton-8.0-accepted.toml", folder)
    text = DEMO.read_text(encoding="utf-8")
    text = text.replace('risk = "medium"', f'risk = "{risk}"').replace('id = "tryton-8-0"', f'id = "{name}"')
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def rehearsal_of(
    tenant: str,
    estate: Estate,
    file: Path,
    folder: Path,
    stages: type[TenantStages] = TenantStages,
    *,
    alone: bool = True,
) -> tuple[Rehearsal, Release]:
    """A rehearsal of that tenant alone, whose stages are those of `stages`.

    `alone`: nobody else's tenants are touched, and no sessions of theirs are tried on it. Otherwise they are its
    neighbours, on which processes run meanwhile; then the release's file must leave them out."""
    inventory = Inventory.load(estate.inventory_path)
    if alone:
        inventory = replace(inventory, tenants=(inventory.tenant(tenant),))
    release, ledger, platform = load_release(file, inventory), RecordKeeper(folder), EstatePlatform(estate)
    estate.backup(tenant)  # a tenant without one is not upgraded
    begin(ledger, release, platform, "rehearsed")
    rehearsal = assembled(release, inventory, platform, ledger, Silent(), settle=0)
    rehearsal.stages = stages(rehearsal.stages.context)
    return rehearsal, release
