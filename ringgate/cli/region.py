"""`ringgate region`: what leaves a region, and how far what regions sent was taken in."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, complain, console, counted
from ringgate.cli.runs import ResultsOption

app = typer.Typer(
    help="Judge several regions together, from counts that leave each of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the regions' files lie.")]


@app.command()
def send(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the region's files are written.")],
    region: Annotated[str, typer.Option(metavar="NAME", help="The region; only its tenants are told of.")],
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False,
                     help="Again and again, until it is stopped (SIGTERM, Ctrl-C), such as 30s."),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="How far back the first file reaches; a gate's baseline is in it.")
    ] = "8 d",
    inventory: InventoryOption = None,
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Write what leaves a region: times, outcomes and durations of runs by tenant, process and channel.

    No message, no document and no record of a tenant is in it; docs/workers.md has the whole list. Each call adds what
    was recorded since the last one, up to a minute ago. Carry the files to where the regions are judged together:
    `ringgate gate --regions FOLDER`, `ringgate serve --regions FOLDER`.

    Ends with 0 if all was written or it was stopped, 2 if the store or the folder cannot be read or written, 3 for
    wrong use.
    """
    from ringgate.domain.errors import RinggateError
    from ringgate.host.paths import results_url
    from ringgate.inventory import Inventory
    from ringgate.judging.regions import send_segments, step_words
    from ringgate.probing.supervisor import on_signals
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    pause, back = _time("--every", every) if every else None, _time("--since", since)
    known = Inventory.load(inventory)
    known.select(regions=[region])
    words = step_words(known_scenarios())
    stop = threading.Event()

    def once() -> None:
        store = Store(results_url(results))
        try:
            made = send_segments(store, folder, region, known, words, datetime.now(UTC), back)
        finally:
            store.close()
        if made:
            typer.echo(f"{datetime.now(UTC):%H:%M:%S} {made[0].name}{f' to {made[-1].name}' if made[1:] else ''}")
        elif pause is None:
            typer.echo("nothing is older than a minute and not sent yet")

    if pause is None:
        once()
        return Exit.OK
    with on_signals(lambda *_: stop.set()):
        told = ""
        while not stop.is_set():
            try:
                once()
                told = ""
            except (RinggateError, OSError) as error:  # it goes on where it stopped
                if str(error) != told:
                    complain(str(error))
                told = str(error)
            stop.wait(pause.total_seconds())
    return Exit.OK


@app.command()
def take(folder: FolderArgument, results: ResultsOption = None) -> int:
    """Take in what regions sent, into a store of its own. `ringgate gate --regions` does this by itself.

    Ends with 0 if all went in, 1 if a file of a region is missing, cut off or changed, 2 if the store or the folder
    cannot be used.
    """
    from ringgate.host.paths import results_url
    from ringgate.judging.regions import take_in

    if not folder.is_dir():
        raise UsageMistake(f"{folder} is no folder")
    taken = take_in(results_url(results), folder)
    for each in taken:
        typer.echo(f"{each.region}: {counted(each.runs, 'run')} in {counted(each.segments, 'file')}")
        if each.problem:
            complain(f"region {each.region}: {each.problem}")
    if not taken:
        typer.echo(f"no file of a region is in {folder}")
    return Exit.FAILED if any(each.problem for each in taken) else Exit.OK


@app.command()
def status(inventory: InventoryOption = None, results: ResultsOption = None, as_json: JsonOption = False) -> int:
    """Say up to when each region of the inventory has told everything.

    Ends with 0 if all are fresh, 1 if one is silent: then no verdict on a ring with its tenants is a pass.
    """
    from rich.table import Table

    from ringgate.host.paths import results_url
    from ringgate.inventory import Inventory
    from ringgate.judging.regions import RegionState, feeds_of
    from ringgate.store import Store

    known, now = Inventory.load(inventory), datetime.now(UTC)
    store = Store(results_url(results))
    try:
        feeds = {each.region: each for each in feeds_of(store).feeds}
    finally:
        store.close()
    regions = sorted({tenant.region for tenant in known.tenants} | feeds.keys())
    found = [feeds.get(each, RegionState(each)) for each in regions]
    if as_json:
        rows = [
            {"region": each.region, "file": each.number, "problem": each.problem, "silent": each.why_silent(now),
             "until": each.until.isoformat() if each.until else None}
            for each in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("region", "files", "told up to (UTC)", ""):
            table.add_column(heading)
        for each in found:
            until = f"{each.until:%Y-%m-%d %H:%M:%S}" if each.until else "-"
            table.add_row(each.region, str(each.number), until, each.why_silent(now) or "fresh")
        console().print(table)
    return Exit.FAILED if any(each.why_silent(now) for each in found) else Exit.OK


def _time(option: str, text: str) -> timedelta:
    from ringgate.inventory.kinds import duration

    try:
        return duration(text)
    except ValueError as error:
        raise UsageMistake(f"{option} {error}") from None
