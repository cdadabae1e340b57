"""`ringgate estate`: the ERP servers and tenants that stand on this machine."""

from __future__ import annotations

import typer

app = typer.Typer(help="The ERP servers that stand on this machine.", no_args_is_help=True, rich_markup_mode=None)
