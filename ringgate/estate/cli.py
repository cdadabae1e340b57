"""`ringgate estate up|down|status|destroy|fault`: the ERP on this machine.

Exit codes: 0 it stands (or is gone, as asked), 1 `status` found it not ready, 3 the machine lacks something; then one
sentence says what to do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringgate.domain.errors import RinggateError
from ringgate.estate import registry
from ringgate.estate.base import DEMO
from ringgate.estate.estate import Estate
from ringgate.estate.faults.cli import app as faults
from ringgate.estate.progress import ProgressDisplay
from ringgate.estate.record import Report
from ringgate.host.secrets import redact

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="The ERP on this machine, for demo, rehearsal and tests.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(faults, name="fault")

NameOption = Annotated[str, typer.Option("--name", help="Which estate; several can run side by side.")]

KINDS = f"Which ERP: {', '.join(registry.names())} [default: {registry.DEFAULT}]."


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Turns what cannot be repaired into one sentence and exit code 3."""
    try:
        yield
    except RinggateError as problem:
        typer.echo(f"ringgate: {redact(str(problem))}", err=True)
        raise typer.Exit(3) from None
    except OSError as problem:
        typer.echo(f"ringgate: {redact(str(problem))}: repair that and start again.", err=True)
        raise typer.Exit(3) from None


@app.command()
def up(
    tenants: Annotated[
        int, typer.Option("--tenants", min=1, max=24, help="Tenants of the estate; those that are there stay.")
    ] = 4,
    port_base: Annotated[
        int | None, typer.Option("--port-base", min=1024, max=65500, help="The ERP's port; the tenants' follow it.")
    ] = None,
    name: NameOption = DEMO,
    erp: Annotated[
        str,
        typer.Option(
            "--erp", metavar="KIND", help=f"Which ERP: {', '.join(registry.names())}. [default: {registry.DEFAULT}]"
        ),
    ] = "",
    integrations: Annotated[
        bool, typer.Option("--integrations", help="Also far ends: mail, SFTP, a warehouse, and what connects them.")
    ] = False,
    series: Annotated[
        str, typer.Option("--series", help="The series that its tenants begin at. [default: the ERP's first]")
    ] = "",
) -> None:
    """Starts the estate: installs, starts and fills whatever is not there yet."""
    console = _console()
    with _one_sentence(), ProgressDisplay(console) as progress:
        report = Estate.at(name, erp, series).up(tenants, progress, port_base, integrations=integrations)
    console.print()
    _show(console, report)


@app.command()
def down(name: NameOption = DEMO) -> None:
    """Stops all servers of the estate. Nothing is lost."""
    with _one_sentence():
        Estate.at(name).down()
    typer.echo(f"The estate {name} is down.")


@app.command()
def status(
    name: NameOption = DEMO, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Shows what runs, by asking every tenant. Exit code 1 unless all are ready."""
    with _one_sentence():
        report = Estate.at(name).status()
    if as_json:
        typer.echo(json.dumps({**asdict(report), "standing": report.standing}, default=str, indent=1))
    else:
        _show(_console(), report)
    if not report.standing:
        raise typer.Exit(1)


@app.command()
def destroy(
    name: NameOption = DEMO, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Removes the estate with all its books. What is installed stays, so the next `up` is quick."""
    with _one_sentence():
        estate = Estate.at(name)
    if not yes and not sys.stdin.isatty():
        typer.echo("ringgate: nobody can be asked here: say --yes to remove the estate.", err=True)
        raise typer.Exit(3)
    if not yes:
        typer.confirm(f"Remove the estate {name} with all its tenants ({estate.folder})?", abort=True)
    with _one_sentence():
        estate.destroy()
    typer.echo(f"The estate {name} is gone.")


def _console() -> Console:
    console = Console(highlight=False)
    # A log has no width of its own, and addresses should stand on one line in it.
    return console if console.is_terminal else Console(highlight=False, width=140)


def _show(console: Console, report: Report) -> None:
    if not report.rows:
        option = "" if report.name == DEMO else f" --name {report.name}"
        console.print(f"There is no estate {report.name}: `ringgate estate up{option}` makes it.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("tenant", "ring", "currency", "web address", "api address", "state"):
        table.add_column(title, overflow="fold")
    for row in report.rows:
        style = "green" if row.state == "ready" else "red"
        table.add_row(row.tenant, row.ring, row.currency, row.web, row.api, Text(row.state, style))
    console.print(table)
    if any(word != "running" for word in report.servers.values()):
        console.print(", ".join(f"{name}: {word}" for name, word in report.servers.items()))
    console.print(f"inventory: {report.inventory}", soft_wrap=True)
