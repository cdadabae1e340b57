"""The commands that run scenarios or look at their results."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Puts the commands on `ringgate` itself."""
