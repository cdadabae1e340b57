"""The command line. Each command imports what it needs when it runs, so that `ringgate --help` is quick.

Exit codes, the same for every command (`EXIT_CODES` is what `--help` prints):

    0 all is well   1 the ERP or what was checked is wrong   2 no verdict: our side broke   3 nothing was run
"""

from __future__ import annotations

import gc
import os
import sys
from copy import copy
from typing import Annotated

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from ringgate.cli import (
    approve,
    bracket,
    canary,
    drift,
    drivers,
    duties,
    estate,
    event,
    evidence,
    fingerprint,
    gate,
    init,
    integrations,
    load,
    probe,
    region,
    rehearse,
    release,
    review,
    rings,
    rollout,
    runbook,
    runs,
    serve,
    store,
    surface,
    tenants,
    twins,
    worker,
)
from ringgate.cli.common import Exit, complain, exit_code_of

EXIT_CODES = """\
\b
Exit codes:
  0    all is well
  1    the ERP is wrong, or a check failed
  2    no verdict: our own side broke (a secret is missing, there is no route, the store is full)
  3    nothing was run: wrong use, an inventory with errors, an empty selection, or the machine lacks something
  130  stopped by the keyboard

Names and values given by environment: RINGGATE_INVENTORY, RINGGATE_HOME (what can be made again), RINGGATE_STATE
(journal, locks, results), RINGGATE_DEBUG (tracebacks).
"""

app = typer.Typer(
    name="ringgate",
    help="Runs a firm's business processes against every tenant of its ERP, and says whether a rollout may go on.",
    epilog=EXIT_CODES,
    rich_markup_mode=None,  # plain text: quicker, and it can be piped
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
init.add_to(app)
runs.add_to(app)
gate.add_to(app)
approve.add_to(app)
probe.add_to(app)
worker.add_to(app)
load.add_to(app)
rehearse.add_to(app)
bracket.add_to(app)
runbook.add_to(app)
drift.add_to(app)
review.add_to(app)
serve.add_to(app)
canary.add_to(tenants.app)
rings.add_to(tenants.app)
duties.add_to(evidence.app)
app.add_typer(tenants.app, name="tenants")
app.add_typer(release.app, name="release")
app.add_typer(rollout.app, name="rollout")
app.add_typer(drivers.app, name="drivers")
app.add_typer(fingerprint.app, name="fingerprint")
app.add_typer(surface.app, name="surface")
app.add_typer(twins.app, name="twins")
app.add_typer(integrations.app, name="integrations")
app.add_typer(event.app, name="event")
app.add_typer(evidence.app, name="evidence")
app.add_typer(store.app, name="store")
app.add_typer(region.app, name="region")
estate.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"ringgate {version('ringgate')}")
        except PackageNotFoundError:
            typer.echo("ringgate (not installed)")
        raise typer.Exit


@app.callback()
def ringgate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Runs a firm's business processes against every tenant of its ERP, and says whether a rollout may go on."""


COLLECTED = (100_000, 20, 20)
"""How seldom Python looks for cycles: what is imported and read stays, and to look through it again and again takes a
fifth of the time."""


def main() -> None:
    """The entry point: no error leaves it as a traceback, and none with a secret."""
    gc.set_threshold(*COLLECTED)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        answer = narrowed(arguments[:1])(arguments, standalone_mode=False, prog_name="ringgate")
        code = int(answer) if isinstance(answer, int) else Exit.OK
    except KeyboardInterrupt:
        code = Exit.STOPPED
    except BrokenPipeError:
        # The reader (head, less) has had enough; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        code = _explain(error)
    if code == Exit.STOPPED:
        complain("stopped; start again to go on.")
    return code


def narrowed(names: list[str]) -> typer.Typer:
    """The command line with the command of that name alone; whole where there is none, to list them or to tell which
    was meant. To make all sixty of them takes as long as to read 500 tenants."""
    narrow = copy(app)
    narrow.registered_commands = [each for each in app.registered_commands if _name_of(each) in names]
    narrow.registered_groups = [each for each in app.registered_groups if each.name in names]
    return narrow if narrow.registered_commands or narrow.registered_groups else app


def _name_of(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _explain(error: Exception) -> int:
    from ringgate.domain.errors import RinggateError

    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(str(error))
        return Exit.OK
    if hasattr(error, "format_message"):  # a usage error of the command line's own
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "ringgate"
        said = str(error.format_message())
        complain(f"{said}{'' if said[-1:] in '.?!' else '.'} See `{command} --help`.")
        return Exit.USAGE
    if isinstance(error, RinggateError):
        complain(str(error))
        return exit_code_of(error)
    if isinstance(error, OSError):
        complain(f"{error}. Fix this and run it again.")
        return Exit.BROKEN
    if type(error).__name__ == "Abort":
        return Exit.STOPPED
    if os.environ.get("RINGGATE_DEBUG"):
        raise error
    complain(
        f"{type(error).__name__}: {error}. That is a mistake of Ringgate's own; please report it with what "
        "`RINGGATE_DEBUG=1` shows."
    )
    return Exit.BROKEN
