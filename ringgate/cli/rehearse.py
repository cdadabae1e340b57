"""`ringgate rehearse release.toml`: the upgrade, ring by ring, on the estate of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, console
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.estate.backups import Backup
    from ringgate.estate.estate import Estate
    from ringgate.model import Tenant
    from ringgate.rehearsal.platform import Stages
    from ringgate.rehearsal.record import RehearsalRecord
    from ringgate.rehearsal.release import ManualStepTable


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(rehearse)


def rehearse(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="The release definition, a TOML file.")],
    estate: Annotated[str, typer.Option("--estate", metavar="NAME", help="On which estate.")] = "demo",
    tenants: Annotated[
        int, typer.Option(min=1, max=24, help="How many tenants are to stand; those that stand stay.")
    ] = 4,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again: all tenants get fresh books of the series before.")
    ] = False,
    settle: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long a write that got no answer may still come.")
    ] = 60.0,
    results: ResultsOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="[default: reports/out/rehearsal.html]", show_default=False)
    ] = None,
) -> int:
    """Rehearse a release: upgrade real tenants ring by ring, check everything, stop and roll back where it fails.

    Killed at any point, the same command goes on where it was. Ends with 0 if every ring was promoted, 1 if a ring
    stopped the rollout, 2 if it stopped because our own side broke or something could not be tested.
    """
    from ringgate.estate.estate import Estate

    return run(release, Estate.at(estate), tenants, anew=anew, settle=settle, results=results, out=out)


def run(
    release: Path,
    estate: Estate,
    tenants: int,
    *,
    anew: bool,
    settle: float = 60.0,
    results: str | None = None,
    out: Path | None = None,
) -> int:
    """What `ringgate rehearse` and `ringgate demo` do. Returns the exit code."""
    from ringgate import assembly, paths
    from ringgate.estate.progress import Board as Building
    from ringgate.rehearsal.assembly import assembled
    from ringgate.rehearsal.conductor import begin
    from ringgate.rehearsal.record import Ledger
    from ringgate.rehearsal.release import load_release, named_series
    from ringgate.rehearsal.story import write_story
    from ringgate.rehearsal.view import Board

    screen, wanted = console(), named_series(release)
    with Building(screen) as building:
        estate.up(tenants, building, also=[name for name in wanted if name in estate.series_known])
    inventory = estate.inventory()
    definition = load_release(release, inventory, known_series=estate.series_known)
    ledger = Ledger(paths.state() / "rehearsals" / f"{estate.name}-{definition.id}")
    if anew:
        estate.reset(*(tenant.id for tenant in inventory.tenants))
        ledger.forget()
    platform = EstatePlatform(estate)
    screen.print()
    if begin(ledger, definition, platform, assembly.new_session()):
        screen.print(f"Going on with the rehearsal that was begun at {ledger.record.began:%Y-%m-%d %H:%M} UTC.")
    with Board(screen, ledger.record) as board:
        rehearsal = assembled(definition, inventory, platform, ledger, board, results, settle)
        record = rehearsal.run()
    page = write_story(record, definition, out or paths.reports() / "rehearsal.html")
    _conclude(record)
    typer.echo(f"report: {page}")
    return exit_code(record)


def exit_code(record: RehearsalRecord) -> int:
    """0 promoted everywhere, 2 if nothing but our own side kept it from that, else 1."""
    if record.succeeded:
        return Exit.OK
    stopped = record.stopped
    reasons = stopped.reasons if stopped else []
    return Exit.BROKEN if all(each.condition == "inconclusive" for each in reasons) else Exit.FAILED


def _conclude(record: RehearsalRecord) -> None:
    from ringgate.rehearsal.story import conclusion

    console().print(conclusion(record), style="green" if record.succeeded else "bold red", soft_wrap=True)


class EstatePlatform:
    """The estate as a rehearsal sees it."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def series(self, tenant: str) -> str:
        return self._estate.place(tenant).series

    def backup(self, tenant: str) -> Backup:
        return self._estate.backup(tenant)

    def backups(self, tenant: str) -> Sequence[Backup]:
        return self._estate.backups.of(tenant)

    def upgraded_from(self, tenant: str) -> Backup | None:
        name = self._estate.place(tenant).came_from
        return self._estate.backups.find(tenant, name) if name else None

    def beside(self, tenant: str, backup: str) -> AbstractContextManager[Tenant]:
        return self._estate.beside(self._estate.backups.find(tenant, backup))

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> Backup:
        from ringgate.estate.upgrading import ManualStep, UpgradeFailed
        from ringgate.rehearsal.platform import UpgradeRefused

        try:
            return self._estate.upgrade(tenant, to, [ManualStep(each.name, each.sql) for each in steps], stages)
        except UpgradeFailed as failed:
            raise UpgradeRefused(tenant, failed.at, failed.reason) from failed

    def roll_back(self, tenant: str, backup: str) -> None:
        self._estate.roll_back(tenant, self._estate.backups.find(tenant, backup))

    def mend(self, tenant: str) -> bool:
        return self._estate.mend(tenant)
