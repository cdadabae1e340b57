"""`ringgate fingerprint`: take a tenant's books down to comparable totals and documents, and compare two of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, console, counted

if TYPE_CHECKING:
    from ringgate.fingerprint import BooksJudgement
    from ringgate.fingerprint.model import Fingerprint

SHOWN = 200
"""Causes in the table; all of them are in --json."""

app = typer.Typer(
    name="fingerprint",
    help="Compare a tenant's books before and after a change.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def take(
    tenant: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.", metavar="ID")] = None,
    inventory: InventoryOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go [default: reports/out/fingerprints].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read tenants' books as their auditor, and write each to a file of its own."""
    from ringgate.domain.terms import Channel
    from ringgate.drivers.protocol import Call
    from ringgate.drivers.registry import Drivers
    from ringgate.execution.run_once import new_run_id
    from ringgate.fingerprint import files
    from ringgate.host import paths
    from ringgate.inventory import Inventory

    chosen = Inventory.load(inventory).select(tenant or ())
    folder, rows = out or paths.reports() / "fingerprints", []
    drivers = Drivers([each.erp for each in chosen])
    try:
        for each in chosen:
            driver = drivers[each.erp, Channel.API]
            connection = driver.connect(each, Call(new_run_id(), "0" * 31 + "1"))
            try:
                found = connection.books().fingerprint()
            finally:
                connection.close()
            path = folder / f"{each.id}-{found.series}-{found.taken_at:%Y%m%dT%H%M%S}.json.gz"
            files.write(found, path)
            rows.append({"tenant": each.id, "file": str(path), **_summary(found)})
    finally:
        drivers.close()
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_taken(rows)


def _summary(found: Fingerprint) -> dict[str, str]:
    receivable = sum(found.ageing("receivable").values())
    return {
        "series": found.series,
        "postings": str(len(found.entries)),
        "documents": str(len(found.documents)),
        "receivable": f"{receivable} {found.currency}",
        "hours": f"{sum(each.hours for each in found.hours):f}",
        "unbilled": f"{sum(value for _, value in found.work_in_progress().values()):.2f} {found.currency}",
        "users": str(len(found.users)),
        "seconds": f"{found.seconds:.2f}",
    }


def _print_taken(rows: list[dict[str, str]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    console().print(table)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The fingerprint taken before.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The fingerprint taken after.")],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Tolerances and waivers, in TOML [default: none].")
    ] = None,
    release: Annotated[
        str, typer.Option(metavar="ID", help="The release between them, for waivers that are of one alone.",
                          show_default=False)
    ] = "",
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Say why two fingerprints of a tenant differ. Ends with 0 if they are equal or what differs is waived, else 1."""
    from ringgate.cli.common import UsageMistake
    from ringgate.fingerprint import ComparisonPolicy, files, judge, load
    from ringgate.fingerprint import compare as differences

    rules = load(policy) if policy else ComparisonPolicy()
    was, is_ = files.read(before), files.read(after)
    if was.tenant != is_.tenant:
        raise UsageMistake(f"{before} is of {was.tenant} and {after} of {is_.tenant}: compare one tenant with itself.")
    found = judge(was.tenant, differences(was, is_, rules.tolerances), rules, datetime.now(UTC).date(), release)
    if as_json:
        typer.echo(json.dumps(_as_json(found, was, is_), indent=2, ensure_ascii=False))
    else:
        _print_judgement(found, was, is_)
    return Exit.OK if found.accepted else Exit.FAILED


def _as_json(found: BooksJudgement, was: Fingerprint, is_: Fingerprint) -> dict[str, object]:
    return {
        "tenant": was.tenant,
        "before": {"series": was.series, "taken_at": was.taken_at.isoformat()},
        "after": {"series": is_.series, "taken_at": is_.taken_at.isoformat()},
        "accepted": found.accepted,
        "differences": [asdict(each) for each in found.left],
        "waived": [
            {**asdict(each), "waiver": {**asdict(waiver), "expires": waiver.expires.isoformat()}}
            for each, waiver in found.waived
        ],
        "expired": list(found.expired),
        "remarks": list(found.remarks),
    }


def _print_judgement(found: BooksJudgement, was: Fingerprint, is_: Fingerprint) -> None:
    from rich.table import Table

    screen = console()
    if found.left:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("cause", "before", "after", "where", "signature"):
            table.add_column(heading, overflow="fold")
        for each in found.left[:SHOWN]:
            more = f"\n  and so {_several(each.follows)}" if each.follows else ""
            table.add_row(each.cause + more, each.before, each.after, " > ".join(each.path), each.signature)
        screen.print(table)
        if len(found.left) > SHOWN:
            screen.print(f"... and {len(found.left) - SHOWN} more: --json lists all.")
    for difference, waiver in found.waived:
        screen.print(f"waived through {waiver.expires} by {waiver.owner}: {difference.cause} ({waiver.reason})")
    for sentence in found.expired:
        screen.print(sentence)
    for sentence in found.remarks:
        screen.print(f"remark: {sentence}")
    verdict = "the same books" if found.accepted else counted(len(found.left), "difference")
    if found.accepted and found.waived:
        verdict = f"accepted, with {counted(len(found.waived), 'waived difference')}"
    if found.expired:
        verdict += f", {counted(len(found.expired), 'expired waiver')}"
    screen.print(f"{was.tenant}, {was.series} -> {is_.series}: {verdict}.")


def _several(follows: tuple[str, ...]) -> str:
    return "; ".join(follows[:3]) + (f"; and {len(follows) - 3} more" if len(follows) > 3 else "")
