"""`ringgate rehearse release.toml`: the upgrade, ring by ring, on the estate of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, console
from ringgate.cli.release import ReleaseArgument
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.domain.model import Tenant
    from ringgate.estate.backups import BackupFile
    from ringgate.estate.estate import Estate
    from ringgate.inventory import Inventory
    from ringgate.rollout.platforms.protocol import Stages
    from ringgate.rollout.record import RehearsalRecord
    from ringgate.rollout.release import ManualStepTable, Release


TenantsOption = Annotated[
    int, typer.Option("--tenants", min=1, max=24, help="How many tenants are to stand; those that stand stay.")
]
SettleOption = Annotated[
    float, typer.Option("--settle", metavar="SECONDS", help="How long a write that got no answer may still come.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="[default: reports/out/rehearsal.html]", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    """Puts the commands on `ringgate` itself."""
    app.command()(demo)
    app.command()(rehearse)


def demo(
    tenants: TenantsOption = 4,
    leave_out: Annotated[
        str, typer.Option("--leave-out", metavar="STEP", help="Forget the manual step whose name begins so, as 7.6.")
    ] = "",
    down: Annotated[bool, typer.Option("--down", help="Stop the servers afterwards.")] = False,
) -> int:
    """Rehearse a real upgrade of a real ERP, ring by ring.

    Stands up the ERP with its tenants first, and ends with a report. Each start begins anew, unless the last one was
    killed: then it goes on where that was.
    """
    from ringgate.estate.estate import Estate

    estate = Estate.at()
    try:
        return run(_own_release(), estate, tenants, anew=None, leave_out=leave_out)
    finally:
        if down:
            estate.down()
        else:
            typer.echo("The tenants still stand: `ringgate estate status` lists them, `ringgate estate down` stops.")


def _own_release() -> Path:
    from ringgate.host import paths

    return paths.shipped("deploy") / "releases" / "tryton-7.0-to-8.0.toml"


def rehearse(
    release: ReleaseArgument,
    estate: Annotated[str, typer.Option("--estate", metavar="NAME", help="On which estate.")] = "demo",
    tenants: TenantsOption = 4,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again: all tenants get fresh books of the series before.")
    ] = False,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    out: OutOption = None,
) -> int:
    """Rehearse a release of your own, ring by ring.

    Upgrades real tenants, checks everything, stops and rolls back where it fails. Killed at any point, the same command
    goes on where it was. Ends with 0 if every ring was promoted, 1 if a ring stopped the rollout, 2 if it stopped
    because our own side broke or something could not be tested.

    `ringgate release keys` explains what stands in a definition, `ringgate release check` checks one.
    """
    from ringgate.estate.estate import Estate

    return run(release, Estate.at(estate), tenants, anew=anew, settle=settle, results=results, out=out)


def run(
    release: Path,
    estate: Estate,
    tenants: int,
    *,
    anew: bool | None,
    leave_out: str = "",
    settle: float = 60.0,
    results: str | None = None,
    out: Path | None = None,
) -> int:
    """What both commands do. `anew` None: begin again unless an unfinished rehearsal of this text can be gone on with.

    Returns the exit code.
    """
    from ringgate.estate.progress import ProgressDisplay as Building
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.rollout.controller import begin
    from ringgate.rollout.pages import write_pages
    from ringgate.rollout.record import RecordKeeper
    from ringgate.rollout.release import named_series
    from ringgate.rollout.setup import assembled
    from ringgate.rollout.view import RolloutDisplay

    screen, wanted = console(), named_series(release)
    # What is wrong with the definition is told before anything is set up for it.
    _definition(release, estate, estate.foreseen(tenants), leave_out)
    with Building(screen) as building:
        estate.up(tenants, building, also=[name for name in wanted if name in estate.series_known])
    inventory = estate.inventory()
    definition = _definition(release, estate, inventory, leave_out)
    ledger = RecordKeeper(paths.state() / "rehearsals" / f"{estate.name}-{definition.id}")
    platform = EstatePlatform(estate)
    if anew or (anew is None and not ledger.unfinished(definition.digest)):
        moved = [each.id for each in definition.tenants if platform.series(each.id) != definition.table.before]
        if chosen := moved if anew is None else [tenant.id for tenant in inventory.tenants]:
            estate.reset(*chosen)
        ledger.forget()
    screen.print()
    if begin(ledger, definition, platform, setup.new_session()):
        screen.print(f"Going on with the rehearsal that was begun at {ledger.record.began:%Y-%m-%d %H:%M} UTC.")
    with RolloutDisplay(screen, ledger.record) as board:
        rehearsal = assembled(definition, inventory, platform, ledger, board, results, settle)
        record = rehearsal.run()
    page = write_pages(
        record, definition, ledger.folder, setup.results_of(record.session, results), inventory.tenants,
        out or paths.reports() / "rehearsal.html", paths.reports() / "evidence",
    )  # fmt: skip
    _conclude(record)
    typer.echo(f"report: {page}")
    return exit_code(record)


def _definition(release: Path, estate: Estate, inventory: Inventory, leave_out: str) -> Release:
    from ringgate.rollout.release import load_release

    found = load_release(release, inventory, known_series=estate.series_known)
    return found.without_step(leave_out) if leave_out else found


def exit_code(record: RehearsalRecord) -> int:
    """0 promoted everywhere, 2 if nothing but our own side kept it from that, or something was left behind, else 1."""
    from ringgate.rollout.conditions import Condition

    if record.succeeded:
        return Exit.BROKEN if record.left else Exit.OK
    stopped = record.stopped
    reasons = stopped.reasons if stopped else []
    return Exit.BROKEN if all(each.condition is Condition.INCONCLUSIVE for each in reasons) else Exit.FAILED


def _conclude(record: RehearsalRecord) -> None:
    from ringgate.rollout.report import conclusion

    screen = console()
    screen.print()
    screen.print(conclusion(record), style="green" if record.succeeded else "bold red", soft_wrap=True)


class EstatePlatform:
    """The estate as a rehearsal sees it."""

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
        from ringgate.estate.upgrading import ManualStep, UpgradeFailed
        from ringgate.rollout.platforms.protocol import UpgradeRefused

        try:
            chosen = [ManualStep(each.name, each.sql, each.command, each.tool) for each in steps]
            return self._estate.upgrade(tenant, to, chosen, stages)
        except UpgradeFailed as failed:
            # The other parts do what the release says; these wait for requests to end, or for a server to start.
            waits = failed.at in ("close", "serve", "verify")
            raise UpgradeRefused(tenant, failed.at, failed.reason, doubtful=waits) from failed

    def roll_back(self, tenant: str, backup: str) -> None:
        self._estate.roll_back(tenant, self._estate.backups.find(tenant, backup))

    def repair(self, tenant: str) -> bool:
        return self._estate.repair(tenant)
