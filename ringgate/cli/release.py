"""`ringgate release`: check a release definition, ask what may stand in one, and tell people about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, counted, print_check, print_keys
from ringgate.domain.terms import Audience, ReleaseState

app = typer.Typer(
    help="Check a release definition, and tell people about it.", no_args_is_help=True, rich_markup_mode=None
)

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


@app.command()
def text(
    release: ReleaseArgument,
    state: Annotated[ReleaseState, typer.Option(help="How far the release is on the tenant.")],
    audience: Annotated[
        Audience, typer.Option("--for", help="The help desk is also told components, contacts and addresses.")
    ] = Audience.CUSTOMERS,
    tenant: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only for this tenant; may be repeated.", show_default=False)
    ] = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:
    """Print what users or the help desk are told of a release: a subject and a text for each of its tenants.

    In the tenant's language where there is a text in it (en, de, fr, es), else in English. When a tenant may be
    upgraded is computed from the release's windows and freezes. Ends with 0, 3 for a file that cannot be read or an
    unknown tenant.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from ringgate.estate.registry import series_of
    from ringgate.inventory import Inventory
    from ringgate.rollout.release import load_release, named_erp
    from ringgate.rollout.status_texts import StatusTexts

    known = Inventory.load(inventory)
    erps = {named_erp(release)} - {""} or {each.erp for each in known.tenants}
    found, texts = load_release(release, known, series_of(erps)), StatusTexts.shipped()
    chosen = {each.id for each in known.select(tenants=tenant)} if tenant else {each.id for each in found.tenants}
    now, runway = datetime.now(UTC), found.table.rollout.runway.whole
    told = []
    for each in found.tenants:
        if each.id in chosen:
            when = found.calendar.opening(each, now, runway) if found.calendar.windows else None
            told.append(texts.of(found, each, state, audience, when))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in told], indent=2, ensure_ascii=False))
    else:
        typer.echo("\n\n".join(f"{each.tenant} ({each.language})\n{each.subject}\n\n{each.body}" for each in told))
    return Exit.OK
