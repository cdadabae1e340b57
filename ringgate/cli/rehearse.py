"""`ringgate rehearse release.toml`: the upgrade, ring by ring, on a platform."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, console
from ringgate.cli.elevations import elevated
from ringgate.cli.release import PlatformOption, ReleaseArgument
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.inventory import Inventory
    from ringgate.rollout.platforms.protocol import PlatformSite
    from ringgate.rollout.record import RecordKeeper, RehearsalRecord
    from ringgate.rollout.release import Release


TenantsOption = Annotated[
    int,
    typer.Option("--tenants", min=1, max=24, help="Tenants of the estate; those that are there stay."),
]
SettleOption = Annotated[
    float,
    typer.Option("--settle", metavar="SECONDS", help="How long to wait for a write that got no answer."),
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
    erp: Annotated[
        str | None,
        typer.Option("--erp", metavar="KIND", help="Which ERP; its kind must come with a release of its own.",
                     show_default=False),
    ] = None,
    leave_out: Annotated[
        str,
        typer.Option("--leave-out", metavar="STEP", help="Leave out the manual step of this name, such as 7.6."),
    ] = "",
    down: Annotated[bool, typer.Option("--down", help="Stop the servers afterwards.")] = False,
) -> int:  # fmt: skip
    """Rehearse a real upgrade of a real ERP, ring by ring.

    Starts the ERP and its tenants first, and ends with a report. Each start begins anew, unless the last one was
    killed: then it goes on where that was.
    """
    from ringgate.rollout.platforms.estate import demo_name, demo_release

    code = run(demo_release(erp or ""), tenants=tenants, anew=None, leave_out=leave_out, down=down)
    if not down:
        name = "" if (kept := demo_name(erp or "")) == demo_name("") else f" --name {kept}"
        typer.echo(
            f"The tenants still stand: `ringgate estate status{name}` lists them, `ringgate estate down{name}` stops."
        )
    return code


def rehearse(
    release: ReleaseArgument,
    platform: PlatformOption = None,
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory", "-i", metavar="FOLDER", help="The inventory's folder [default: the platform's own].",
            show_default=False,
        ),
    ] = None,
    tenants: TenantsOption = 4,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again; an estate's tenants get fresh books of the series before.")
    ] = False,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    out: OutOption = None,
) -> int:  # fmt: skip
    """Rehearse a release of your own, ring by ring.

    Upgrades real tenants, checks everything, stops and rolls back where it fails. Killed at any point, the same command
    goes on where it was. Ends with 0 if every ring was promoted, 1 if a ring stopped the rollout, 2 if it stopped
    because our own side broke, something was too slow to tell or could not be tested, or something was left behind.

    `ringgate release keys` explains what stands in a definition, `ringgate release check` checks one.
    """
    return run(
        release, platform, inventory=inventory, tenants=tenants, anew=anew, settle=settle, results=results, out=out
    )


def run(
    release: Path,
    platform: str | None = None,
    *,
    tenants: int,
    anew: bool | None,
    inventory: Path | None = None,
    leave_out: str = "",
    settle: float = 60.0,
    results: str | None = None,
    out: Path | None = None,
    down: bool = False,
) -> int:
    """What both commands do. `platform` as it is given on the command line. `anew` None: begin again unless an
    unfinished rehearsal of this text can be gone on with. `down`: stop what the platform started.

    Returns the exit code.
    """
    from ringgate.rollout.platforms.protocol import PlatformRequest
    from ringgate.rollout.platforms.registry import DEFAULT, platform_kind, split
    from ringgate.rollout.release import named_erp, named_series

    name, where = split(platform or DEFAULT)
    kind, request = platform_kind(name), PlatformRequest(where, inventory, tenants, named_erp(release))
    wanted = named_series(release)
    # What is wrong with the definition is told before anything is set up for it.
    definition_of(release, *kind.foreseen(request), leave_out)
    site = kind.open(request, wanted, console())
    try:
        definition = definition_of(release, site.inventory, site.series, leave_out)
        with site.running():
            record, ledger = _rehearsed(definition, site, anew, settle, results)
        page = write_record_pages(record, definition, ledger, site, results, out)
    finally:
        if down:
            site.stop()
    conclude(record)
    typer.echo(f"report: {page}")
    return exit_code(record)


def _rehearsed(
    definition: Release, site: PlatformSite, anew: bool | None, settle: float, results: str | None
) -> tuple[RehearsalRecord, RecordKeeper]:
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.rollout.beginning import begin
    from ringgate.rollout.record import RecordKeeper
    from ringgate.rollout.setup import assembled
    from ringgate.rollout.view import RolloutDisplay

    screen = console()
    ledger = RecordKeeper(paths.state() / "rehearsals" / f"{site.name}-{definition.id}")
    if anew or (anew is None and not ledger.unfinished(definition.digest)):
        _print_last(ledger)
        _renew(definition, site, every=anew is not None)
        ledger.forget()
    screen.print()
    if begin(ledger, definition, site.platform, setup.new_session()):
        screen.print(f"Going on with the rehearsal that was begun at {ledger.record.began:%Y-%m-%d %H:%M} UTC.")
    with RolloutDisplay(screen, ledger.record) as board:
        rehearsal = assembled(definition, site.inventory, site.platform, ledger, board, results, settle)
        return elevated(definition, ledger, results, rehearsal.run), ledger


def _print_last(ledger: RecordKeeper) -> None:
    """What the last rehearsal came to, before it is forgotten."""
    from ringgate.rollout.record import RecordUnreadable
    from ringgate.rollout.report import headline

    try:
        last = ledger.find()
    except RecordUnreadable:
        console().print("The record of the last rehearsal is of another version of Ringgate, and is forgotten.")
        return
    if last is not None:
        ended = f"ended at {last.ended:%Y-%m-%d %H:%M} UTC: {headline(last)}" if last.ended else "was not finished."
        console().print(f"The last rehearsal {ended}", soft_wrap=True)


def _renew(definition: Release, site: PlatformSite, *, every: bool) -> None:
    """Gives fresh books of the series before to all tenants, or to those that do not run it."""
    before, everybody = definition.table.before, [tenant.id for tenant in site.inventory.tenants]
    moved = [tenant.id for tenant in definition.tenants if site.platform.series(tenant.id) != before]
    chosen = everybody if every else moved
    if chosen and site.renew:
        console().print(f"{', '.join(chosen)} get fresh books of {before}.")
        site.renew(chosen)


def write_record_pages(
    record: RehearsalRecord,
    definition: Release,
    ledger: RecordKeeper,
    site: PlatformSite,
    results: str | None,
    out: Path | None,
    what: str = "rehearsal",
) -> Path:
    """The page of a rehearsal or a rollout (`what`), and where it is. What it rests on is held in the store."""
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.rollout.pages import write_pages
    from ringgate.store import Store
    from ringgate.store.pruning import HELD

    store = Store(setup.results_url(results))
    try:
        ran, left = store.results(session=record.session), store.left_behind()
        store.hold(
            f"{what} {record.session}", f"the record of a {what} of {record.release} rests on it", "", record.began,
            record.ended or datetime.now(UTC), datetime.now(UTC) + HELD,
        )  # fmt: skip
    finally:
        store.close()
    return write_pages(
        record, definition, ledger.folder, ran, site.inventory.tenants, out or paths.reports() / f"{what}.html",
        paths.reports() / "evidence", left,
    )  # fmt: skip


def definition_of(
    release: Path, inventory: Inventory, series: tuple[str, ...], leave_out: str = "", today: date | None = None
) -> Release:
    """A release, checked as of today. Raises ReleaseError."""
    from ringgate.rollout.release import load_release

    found = load_release(release, inventory, known_series=series, today=today)
    return found.without_step(leave_out) if leave_out else found


def exit_code(record: RehearsalRecord) -> int:
    """0 promoted everywhere, 2 if nothing but our own side kept it from that, or something was left behind, else 1."""
    from ringgate.rollout.conditions import Condition

    if record.succeeded:
        return Exit.BROKEN if record.left else Exit.OK
    stopped = record.stopped
    reasons = stopped.reasons if stopped else []
    return Exit.BROKEN if all(each.condition is Condition.INCONCLUSIVE for each in reasons) else Exit.FAILED


def conclude(record: RehearsalRecord) -> None:
    """Prints what it came to."""
    from ringgate.rollout.report import conclusion

    screen = console()
    screen.print()
    fine = record.succeeded and not record.left
    screen.print(conclusion(record), style="green" if fine else "bold red", soft_wrap=True)
