"""`ringgate estate`: the ERP servers and tenants that stand on this machine.

Its commands live with the estate and are loaded only when one is called, because they need a lot.
"""

from __future__ import annotations

import typer

HELP = "The real ERP on this machine: up, down, break, repair."


def add_to(app: typer.Typer) -> None:
    """Puts `estate` on `ringgate`; everything after the word is the estate's own."""
    forward = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("estate", help=HELP, context_settings=forward, add_help_option=False)(_estate)


def _estate(context: typer.Context) -> int:
    from ringgate.estate.cli import app

    answer = app(context.args, prog_name="ringgate estate", standalone_mode=False)
    return answer if isinstance(answer, int) else 0
