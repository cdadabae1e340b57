"""`ringgate integrations`: what receives documents from which tenant, and what arrived there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringgate.domain.integrations import Arrival, Integration
    from ringgate.domain.model import Tenant

NOWHERE = "RG-NOWHERE-0000000000000000"
"""A marker that no document carries."""

app = typer.Typer(
    help="Look at the systems that receive what tenants' ERPs do.", no_args_is_help=True, rich_markup_mode=None
)

TenantsOption = Annotated[
    list[str] | None, typer.Option("--tenant", metavar="ID", help="Only this tenant; may be repeated.")
]
NamesOption = Annotated[
    list[str] | None, typer.Option("--name", metavar="NAME", help="Only this integration; may be repeated.")
]


@app.command("list")
def list_integrations(
    tenant: TenantsOption = None,
    name: NamesOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:
    """List every tenant's integrations: how the far end is read, how soon documents must be there, who owns it."""
    from rich.table import Table

    rows = [_row(whose, each) for whose, each in _chosen(tenant, name, inventory)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return Exit.OK
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("tenant", "integration", "kind", "within", "owner", "address"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            row["tenant"], row["name"], row["kind"], f"{row['within_seconds']:g} s", row["owner"], row["address"]
        )
    console().print(table)
    return Exit.OK


@app.command()
def check(
    tenant: TenantsOption = None,
    name: NamesOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read each far end once, and say which can be read and which not. Nothing is changed there.

    Ends with 0 if all can, 2 if one cannot: then nothing would be known of what arrives.
    """
    found = []
    for whose, each in _chosen(tenant, name, inventory):
        arrivals, error = _seen(each, NOWHERE, datetime.now(UTC))
        found.append(
            {**_row(whose, each), "error": error or ("" if not arrivals else "it finds a marker that is nowhere")}
        )
    wrong = [row for row in found if row["error"]]
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for row in found:
            typer.echo(f"{row['tenant']} {row['name']}: {row['error'] or 'can be read'}")
        can = "all can be read" if not wrong else f"{counted(len(wrong), 'far end')} cannot be read"
        typer.echo(f"{counted(len(found), 'integration')}: {can}")
    return Exit.BROKEN if wrong else Exit.OK


@app.command()
def seen(
    marker: Annotated[str, typer.Argument(metavar="MARKER", help="What the document carries, such as a run's marker.")],
    tenant: Annotated[str, typer.Option(metavar="ID", help="Whose document.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="How far back to look, such as 30 min.")] = "1 d",
    name: NamesOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what arrived of one document at the tenant's integrations.

    Ends with 0 if it arrived anywhere, 1 if nowhere, 2 if a far end could not be read.
    """
    from ringgate.inventory.kinds import duration

    try:
        back = duration(since)
    except ValueError as error:
        raise UsageMistake(f"--since {error}") from None
    found: list[dict[str, Any]] = []
    errors = []
    for _, each in _chosen([tenant], name, inventory):
        arrivals, why_not = _seen(each, marker, datetime.now(UTC) - back)
        found += [_told(each, arrival) for arrival in arrivals]
        errors += [why_not] if why_not else []
    if as_json:
        typer.echo(json.dumps({"arrivals": found, "errors": errors}, indent=2, ensure_ascii=False))
    else:
        for row in found:
            stated = (f"{key} {value}" for key, value in row.items() if key not in ("integration", "id") and value)
            typer.echo(f"{row['integration']}: {row['id']}, {', '.join(stated)}")
        for why_not in errors:
            typer.echo(f"not known: {why_not}")
        if not found and not errors:
            typer.echo(f"{marker} arrived nowhere")
    return Exit.BROKEN if errors else Exit.OK if found else Exit.FAILED


def _chosen(
    tenants: Sequence[str] | None, names: Sequence[str] | None, inventory: Any
) -> list[tuple[Tenant, Integration]]:
    from ringgate.inventory import Inventory
    from ringgate.inventory.files import nearest

    chosen = Inventory.load(inventory).select(tenants or ())
    known = sorted({name for each in chosen for name in each.integrations})
    for name in names or ():
        if name not in known:
            raise UsageMistake(f"no such integration: {name}{nearest(name, known)}")
    found = [(t, each) for t in chosen for key, each in sorted(t.integrations.items()) if not names or key in names]
    if not found:
        raise UsageMistake("the inventory states no integration for these tenants: add [integrations.<name>]")
    return found


def _seen(each: Integration, marker: str, since: datetime) -> tuple[Sequence[Arrival], str]:
    """What is there, or why that is not known."""
    from ringgate.domain.errors import RinggateError
    from ringgate.host.secrets import redact
    from ringgate.integrations import observer_of

    try:
        observer = observer_of(each)
        try:
            return observer.seen(marker, since), ""
        finally:
            observer.close()
    except RinggateError as error:
        return (), redact(str(error))


def _row(tenant: Tenant, each: Integration) -> dict[str, Any]:
    return {
        "tenant": tenant.id, "name": each.name, "kind": each.kind, "within_seconds": each.within.total_seconds(),
        "owner": each.owner, "address": each.address or (each.password.reference if each.password else ""),
    }  # fmt: skip


def _told(each: Integration, arrival: Arrival) -> dict[str, Any]:
    def stated() -> Iterator[tuple[str, Any]]:
        yield from (("integration", each.name), ("id", arrival.id), ("tenant", arrival.tenant))
        yield from (("amount", _text(arrival.amount)), ("currency", arrival.currency), ("hours", _text(arrival.hours)))
        yield from ((f"tax at {rate}", str(tax)) for rate, tax in sorted(arrival.taxes.items()))
        yield "at", arrival.at.isoformat() if arrival.at else ""
        yield "reversal", "yes" if arrival.reversal else ""

    return dict(stated())


def _text(value: object) -> str:
    return "" if value is None else str(value)
