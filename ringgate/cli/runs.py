"""The commands that run scenarios, take back what they left, or look at their results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, complain, console, counted

if TYPE_CHECKING:
    from ringgate.domain.model import Residue
    from ringgate.execution.recovery import Recovered, Waiting
    from ringgate.store import Store

ResultsOption = Annotated[
    str | None,
    typer.Option(envvar="RINGGATE_RESULTS", metavar="URL", help="The store of results [default: SQLite].",
                 show_default=False),
]  # fmt: skip
SharedOption = Annotated[
    str | None,
    typer.Option(envvar="RINGGATE_SHARED", metavar="URL", show_default=False,
                 help="PostgreSQL in which machines share queue, run locks and undo journal."),
]  # fmt: skip
SignalsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False,
                 help="Platform signals to be read into the store, by one process of all; see deploy/signals.toml."),
]  # fmt: skip
RegionsOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", show_default=False,
                 help="Take in what `ringgate region send` of each region put there, and judge the regions together."),
]  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Puts the commands on `ringgate` itself."""
    app.command()(suites)
    app.command()(recover)
    app.command()(report)


def suites(
    tenants: Annotated[int, typer.Option(min=1, max=24, help="Tenants of the estate; those that are there stay.")] = 4,
    workers: Annotated[str, typer.Option(metavar="N", help="Processes that run scenarios, or auto.")] = "2",
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only this channel: api or browser.")] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Over the browser, too, every process; not only the walk from sign-in to cash."),
    ] = False,
    down: Annotated[bool, typer.Option("--down", help="Stop the servers afterwards.")] = False,
) -> int:
    """Run every business process on a real ERP.

    Starts it with its tenants first, leaves their books as they are, and writes the report."""
    from ringgate.estate.estate import Estate
    from ringgate.estate.progress import ProgressDisplay

    estate = Estate.at()
    screen = console()
    with ProgressDisplay(screen) as board:
        estate.up(tenants, board)
    screen.print()
    chosen = ["--channel", channel] if channel else []
    chosen += [] if everything else ["--smoke"]
    try:
        where = ["--inventory", str(estate.inventory_path)]
        # The properties run each process many times with other amounts; that is `pytest suites/properties`.
        return _pytest(["suites", "--ignore", "suites/properties", "-n", workers, *where, *chosen])
    finally:
        if down:
            estate.down()
        else:
            screen.print("The tenants still stand: `ringgate estate status` lists them, `ringgate estate down` stops.")


def _pytest(arguments: list[str]) -> int:
    """Runs pytest in the source tree, lets it talk, and returns our exit code for its."""
    tree = Path(__file__).resolve().parents[2]
    if not (tree / "suites").is_dir():
        tree = Path.cwd()
    command = [sys.executable, "-m", "pytest", *arguments]
    code = subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False).returncode
    passed, failed, stopped, internal, usage, nothing = range(6)
    return {
        passed: Exit.OK,
        failed: Exit.FAILED,
        stopped: Exit.STOPPED,
        internal: Exit.BROKEN,
        usage: Exit.USAGE,
        nothing: Exit.USAGE,
    }.get(code, Exit.BROKEN)


def recover(
    inventory: InventoryOption = None,
    tenant: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.", metavar="ID")] = None,
    settle: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for a write that got no answer.")
    ] = 60.0,
    in_flight: Annotated[
        bool, typer.Option("--in-flight", help="Also what was begun and waits to be finished after an upgrade.")
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Also list what carries a run's marker in the ERP, where its journal is lost."),
    ] = False,
    older: Annotated[
        str, typer.Option(metavar="TIME", help="With --sweep: only what was made longer ago than this.")
    ] = "1 h",
    yes: Annotated[bool, typer.Option("--yes", help="With --sweep: take back what is listed.")] = False,
    shared: SharedOption = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Take back what runs that were killed left in the ERP.

    A write that was on its way when its run was killed is waited for, and an ERP that is slow is asked again. Begun
    work that waits for an upgrade is listed, and left alone. With --shared it takes up what any machine left whose
    processes gave no sign of life for half a minute.

    --sweep needs no journal: it asks the ERP itself for what carries a run's marker and is still open, and lists it;
    with --yes it is taken back. It cannot know of runs that are under way on other machines, nor of begun work that
    waits there for an upgrade: choose --older so that there are none.

    Ends with 0 if nothing of what ran here is left (--sweep: nothing that was looked for), 1 if something is.
    """
    from ringgate.cli.common import UsageMistake
    from ringgate.cli.sweeping import looked_for, print_swept, swept_as_json
    from ringgate.drivers.registry import Drivers
    from ringgate.execution.recovery import recover as take_back
    from ringgate.execution.recovery import waiting
    from ringgate.execution.setup import journal_and_locks
    from ringgate.execution.undo import Patience
    from ringgate.host.secrets import redact
    from ringgate.inventory import Inventory

    known = Inventory.load(inventory)
    chosen = frozenset(each.id for each in known.select(tenant)) if tenant else None
    drivers = Drivers([each.erp for each in known.tenants])
    store, held = _store_to_be_told(results), ExitStack()
    try:
        by_id = {each.id: each for each in known.tenants}
        journal, _locks = held.enter_context(journal_and_locks(shared))
        swept = looked_for(known, chosen, drivers, journal, older, take_back=yes) if sweep else None
        done = take_back(
            journal, by_id, drivers, only=chosen, redact=redact, settle=settle, in_flight=in_flight,
            patience=Patience(), sinks=[store] if store else (),
        )  # fmt: skip
        still = waiting(journal, only=chosen)
        told = {(left.run_id, left.verb, left.marker) for each in done for left in each.left}
        known_left = store.left_behind() if store else []
        others = [x for x in known_left if x.tenant in (chosen or by_id) and (x.run_id, x.verb, x.marker) not in told]
    except ValueError as error:  # a file that is no journal; it is named, and kept
        raise UsageMistake(str(error)) from None
    finally:
        held.close()
        drivers.close()
        if store:
            store.close()
    recovered = [_as_json(each) for each in done]
    if as_json:
        told_json = swept_as_json(swept) | {"recovered": recovered} if swept else recovered
        typer.echo(json.dumps(told_json, indent=2, ensure_ascii=False))
    else:
        if swept:
            print_swept(swept, taken_back=yes)
        if done or not swept:
            _print_recovered(done, still, others)
    left = any(each.left for each in done) or (swept and swept.left(taken_back=yes))
    return Exit.FAILED if left else Exit.OK


def _as_json(each: Recovered) -> dict[str, object]:
    left = [{"verb": x.verb, "marker": x.marker, "reason": x.reason} for x in each.left]
    return {"run": each.run_id, "tenant": each.tenant, "scenario": each.scenario, "undone": each.undone, "left": left}


def _store_to_be_told(results: str | None) -> Store | None:
    """The store, so that it knows what was taken back; None where it cannot be opened, which is said."""
    from ringgate.execution.setup import results_url
    from ringgate.store import Store, StoreError

    try:
        return Store(results_url(results))
    except StoreError as error:
        complain(f"{error}; what is taken back cannot be noted there")
        return None


def _print_recovered(done: list[Recovered], still: list[Waiting], others: list[Residue]) -> None:
    screen = console()
    if not done and not still and not others:
        screen.print("Nothing to recover: every run has taken back what it wrote.")
    elif not done:
        screen.print("Nothing to recover: no run that has ended left anything here.")
    for waits in still:
        screen.print(
            f"{waits.tenant}: {waits.scenario}, run {waits.run_id}, waits to be finished ({waits.label}); "
            f"--in-flight takes its {counted(waits.writes, 'write')} back",
            soft_wrap=True,
        )
    for other in others:
        screen.print(
            f"{other.tenant}: left behind by run {other.run_id}: {other.verb} {other.marker}: its journal is not here; "
            "recover on the machine that ran it",
            style="red", soft_wrap=True,
        )  # fmt: skip
    for each in done:
        screen.print(f"{each.tenant}: {each.scenario}, run {each.run_id}: {counted(each.undone, 'write')} taken back")
        for left in each.left:
            screen.print(f"  left behind: {left.verb} {left.marker}: {left.reason}", style="red", soft_wrap=True)


def report(
    session: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The session to report on [default: the last].",
                                 show_default=False)
    ] = None,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="[default: reports/out/report.html]", show_default=False)
    ] = None,
) -> int:  # fmt: skip
    """Write the report of a session again, and print its matrix.

    Ends with 0 if the session passed, 1 if it failed, 2 if it proves nothing.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from ringgate.cli.common import UsageMistake
    from ringgate.domain.terms import Source
    from ringgate.evidence.notes import noted
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.inventory import Inventory
    from ringgate.report import build_report, conclude_results, matrix_table
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    store = Store(setup.results_url(results))
    try:
        label = session or store.last_session()
        found = store.results(session=label) if label else []
        left = set(store.left_behind())
        found = [replace(run, residue=tuple(each for each in run.residue if each in left)) for run in found]
        deployments, notes = store.deployments(), noted(store)
    finally:
        store.close()
    if not found:
        what = f'the session "{session}" has no results' if session else "there are no results yet"
        raise UsageMistake(f"{what}: run `pytest suites` first")
    # A rehearsal chooses for each tenant what is run, and judges by itself what is missing.
    planned = found[-1].source is not Source.REHEARSAL
    ran = {result.scenario for result in found}
    scenarios = [each for each in known_scenarios().values() if planned and each.id in ran]
    channels = sorted({result.channel for result in found})
    tenants = [each for each in Inventory.load(inventory).tenants if any(x.tenant == each.id for x in found)]
    page = build_report(
        found, tenants, scenarios, title="Business processes", generated_at=datetime.now(UTC),
        release=found[-1].release, out=out or paths.reports() / "report.html",
        attachments_root=paths.reports() / "evidence", channels=channels, deployments=deployments, notes=notes,
    )  # fmt: skip
    console(markup=True).print(matrix_table(found, tenants, scenarios, channels=channels))
    typer.echo(f"report: {page}")
    word = conclude_results(found, tenants, scenarios, channels=channels).word
    return {"pass": Exit.OK, "fail": Exit.FAILED}.get(word, Exit.BROKEN)
