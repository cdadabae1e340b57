"""`ringgate tenants ring`: in which ring each tenant is, and why."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ringgate.cli.common import InventoryOption, JsonOption, console


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate tenants`."""
    app.command("ring")(show_rings)


def show_rings(
    tenant: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these [default: all].", show_default=False)
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why: the file, or each rule of ring_rules.")] = False,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show in which ring each tenant is. The first rule of ring_rules that fits says it, unless a file sets one."""
    from ringgate.inventory import Inventory

    known = Inventory.load(inventory)
    chosen = known.select(tenant or ())
    origins = {
        each.id: next(x.origin for x in known.settings(each.id) if x.key == "ring")
        for each in chosen if each.id not in known.derived
    }  # fmt: skip
    if as_json:
        rows = []
        for each in chosen:
            why = known.derived.get(each.id)
            rows.append({
                "tenant": each.id, "ring": each.ring, "set_in": origins.get(each.id, ""),
                "rule": why.rule if why else 0,
                "because": why.because if why else "", "fits": why.fits if why else (),
                "passed": why.passed if why else (),
            })  # fmt: skip
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    screen = console()
    for each in chosen:
        why = known.derived.get(each.id)
        told = f"rule {why.rule}, {why.because}" if why else f"set in {origins[each.id]}"
        screen.print(f"{each.id:20} {each.ring:10} {told}", soft_wrap=True)
        if explain and why:
            for words in (*why.passed, f"rule {why.rule} ({why.ring}): {', '.join(why.fits) or 'fits everybody'}"):
                screen.print(f"  {words}", soft_wrap=True)
