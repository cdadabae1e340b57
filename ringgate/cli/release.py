"""`ringgate release`: check a release definition, and ask what may stand in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, counted, print_check, print_keys

app = typer.Typer(help="Check a release definition.", no_args_is_help=True, rich_markup_mode=None)

ReleaseArgument = Annotated[Path, typer.Argument(metavar="RELEASE", help="The release definition, a TOML file.")]
PlatformOption = Annotated[
    str | None,
    typer.Option("--platform", metavar="KIND[=WHERE]", help="Where the tenants live [default: estate=demo].",
                 show_default=False),
]  # fmt: skip


@app.command()
def check(
    release: ReleaseArgument,
    inventory: InventoryOption = None,
    platform: Annotated[
        str | None,
        typer.Option("--platform", metavar="KIND[=WHERE]", help="Whose series it may name [default: those of estates].",
                     show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Check a release definition against the inventory, with the files beside it, and report all errors at once.

    Ends with 0 if there is none, 1 if there is one, 3 if the file or the inventory cannot be read.
    """
    from ringgate.estate.registry import series_of
    from ringgate.inventory import Inventory
    from ringgate.rollout.platforms.registry import series_on
    from ringgate.rollout.release import ReleaseError, load_release, named_erp, named_series

    known = Inventory.load(inventory)
    named_series(release)  # a file that is no TOML at all is wrong use
    errors: list[str] = []
    holds = ""
    try:
        erps = {named_erp(release)} - {""} or {tenant.erp for tenant in known.tenants}
        series = series_on(platform) if platform else series_of(erps)
        found = load_release(release, known, series)
    except ReleaseError as error:
        errors = [str(problem) for problem in error.problems]
    else:
        rings = ", ".join(f"{ring} ({', '.join(each.id for each in tenants)})" for ring, tenants in found.rings)
        holds = f"{counted(len(found.tenants), 'tenant')} through {rings}; risk {found.table.risk}"
    if as_json:
        typer.echo(json.dumps({"ok": not errors, "errors": errors}, indent=2, ensure_ascii=False))
    else:
        print_check(str(release), holds, errors)
    return Exit.FAILED if errors else Exit.OK


@app.command()
def keys(as_json: JsonOption = False) -> None:
    """Explain every key that may stand in a release definition: its meaning, default and an example."""
    from ringgate.inventory.schema import keys_of
    from ringgate.rollout.release_tables import ReleaseTable

    print_keys(keys_of(ReleaseTable), as_json)
