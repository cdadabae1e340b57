"""What the commands share: exit codes, how they complain, where they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.domain.errors import ErpError, OurSideError, RinggateError

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 200
"""Columns of a table that nobody looks at on a terminal, so that grep finds whole rows."""

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        envvar="RINGGATE_INVENTORY",
        metavar="FOLDER",
        help="The inventory's folder [default: tenants].",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


class Exit(IntEnum):
    """What a command's end means; the same for all."""

    OK = 0
    FAILED = 1
    BROKEN = 2
    USAGE = 3
    STOPPED = 130


class UsageMistake(RinggateError):
    """A command was called in a way that cannot work."""


def exit_code_of(error: Exception) -> Exit:
    """Whose fault an error is, as an exit code."""
    if isinstance(error, ErpError):
        return Exit.FAILED
    # An estate that does not stand means that nothing was run, just as an inventory that cannot be read does.
    broke = isinstance(error, OurSideError) and error.kind != "estate"
    return Exit.BROKEN if broke else Exit.USAGE


def counted(number: int, word: str) -> str:
    """`1 tenant`, `4 tenants`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def complain(message: str) -> None:
    """One message to the user on standard error, without secrets."""
    from ringgate.host.secrets import redact

    print(f"ringgate: {redact(message)}", file=sys.stderr)


def console(markup: bool = False, *, beside: bool = False) -> Console:
    """Where tables go. Nothing is cut off when the output is piped; `markup` is for what escapes its own texts. What
    goes on is told `beside` an output that another program reads: by the way of errors."""
    from rich.console import Console

    screen = Console(highlight=False, markup=markup, stderr=beside)
    return screen if screen.is_terminal else Console(highlight=False, markup=markup, stderr=beside, width=PIPED_WIDTH)


def print_check(what: str, holds: str, errors: Sequence[str], warnings: Sequence[str] = ()) -> None:
    """What was found wrong with files that people write, or that all is well. `holds` is what they describe."""
    from rich.text import Text

    screen = console()
    for mark, style, lines in (("error", "bold red", errors), ("warning", "yellow", warnings)):
        for line in lines:
            screen.print(Text.assemble((f"{mark}: ", style), line), soft_wrap=True)
    found = ", ".join(counted(len(x), word) for word, x in (("error", errors), ("warning", warnings)) if x)
    screen.print(f"{what}: {found}" if errors else f"{what}: {holds}, {found or 'all is well'}", soft_wrap=True)


def print_keys(rows: Iterable[tuple[str, str, str, str]], as_json: bool) -> None:
    """Keys of files that people write: each with its meaning, default and an example."""
    import json

    from rich.table import Table

    headings = ("key", "meaning", "default", "example")
    if as_json:
        typer.echo(json.dumps([dict(zip(headings, row, strict=True)) for row in rows], indent=2, ensure_ascii=False))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
