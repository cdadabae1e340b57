"""`ringgate tenants canary`: which tenants would make a good canary ring, and why."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ringgate.cli.common import InventoryOption, JsonOption, console, counted


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate tenants`."""
    app.command()(canary)


def canary(
    inventory: InventoryOption = None,
    most: Annotated[
        int | None, typer.Option("--most", min=1, metavar="N", help="At most so many tenants.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose few tenants that between them show every pair of properties.

    Properties are currency, tax, rounding, approval, invoice method, language, region and extensions. It proposes only:
    the rings stay as the inventory has them. With --most it says what stays uncovered.
    """
    from ringgate.inventory import Inventory
    from ringgate.inventory.canary_set import proposed

    found = proposed(Inventory.load(inventory).tenants, most)
    if as_json:
        told = {
            "tenants": [{"id": each.tenant.id, "ring": each.tenant.ring, "adds": each.adds} for each in found.tenants],
            "pairs": found.pairs, "uncovered": found.uncovered,
        }  # fmt: skip
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    screen, covered = console(), 0
    for each in found.tenants:
        covered += len(each.adds)
        adds = counted(len(each.adds), "pair")
        screen.print(
            f"{each.tenant.id:20} {each.tenant.ring:10} adds {adds}, {covered} of {found.pairs}", soft_wrap=True
        )
    for (name, value), (other, its) in found.uncovered:
        screen.print(f"uncovered: {name} {value} with {other} {its}", soft_wrap=True)
