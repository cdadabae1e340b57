"""`ringgate twins`: what was learned of whole documents, and forgetting it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, JsonOption, UsageMistake, console, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ringgate.twins.model import LearnedTwin

app = typer.Typer(
    help="Look at what was learned of whole documents on this machine, and forget it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

TenantOption = Annotated[
    list[str] | None, typer.Option("--tenant", metavar="ID", help="Only of this tenant; may be repeated.")
]
ScenarioOption = Annotated[
    list[str] | None, typer.Option("--scenario", metavar="ID", help="Only of this scenario; may be repeated.")
]
SeriesOption = Annotated[
    list[str] | None, typer.Option("--series", metavar="SERIES", help="Only of this series; may be repeated.")
]


@app.command("list")
def list_twins(
    tenant: TenantOption = None,
    scenario: ScenarioOption = None,
    series: SeriesOption = None,
    as_json: JsonOption = False,
) -> int:
    """List what was learned: of which tenant, scenario, channel and series, from how many runs of which release."""
    from rich.table import Table

    rows = [_row(file, learned) for file, learned in _chosen(tenant, scenario, series)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return Exit.OK
    if not rows:
        typer.echo("Nothing was learned of such runs on this machine.")
        return Exit.OK
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    headings = ("tenant", "scenario", "channel", "series", "version", "release", "runs", "records", "file")
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading in ("runs", "records") else "left")
    for row in rows:
        table.add_row(*(str(row[heading]) for heading in headings))
    console().print(table)
    return Exit.OK


@app.command()
def forget(
    tenant: TenantOption = None,
    scenario: ScenarioOption = None,
    series: SeriesOption = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that was learned on this machine.")] = False,
) -> int:
    """Forget what was learned: the next passing runs are learned from anew.

    Meant for what changed on purpose, once the release is accepted for good."""
    if not (tenant or scenario or series or every):
        raise UsageMistake("Say what to forget: --tenant, --scenario, --series, or --all.")
    files = [file for file, _ in _chosen(tenant, scenario, series)]
    for file in files:
        file.unlink(missing_ok=True)
    typer.echo(f"forgot {counted(len(files), 'file')}")
    return Exit.OK


def _chosen(
    tenants: Sequence[str] | None, scenarios: Sequence[str] | None, series: Sequence[str] | None
) -> Iterator[tuple[Path, LearnedTwin | None]]:
    """Each file with what it holds, None where that cannot be read."""
    from ringgate.host import paths
    from ringgate.twins.files import TwinFolder, UnreadableTwin, load

    for file in TwinFolder(paths.twins()).all():
        scenario, _, rest = file.name.removesuffix(".json.gz").partition(".")
        wanted = ((tenants, file.parent.name), (scenarios, scenario), (series, rest.partition(".")[2]))
        if all(not asked or found in asked for asked, found in wanted):
            try:
                yield file, load(file)
            except UnreadableTwin:
                yield file, None


def _row(file: Path, learned: LearnedTwin | None) -> dict[str, Any]:
    scenario, _, rest = file.name.removesuffix(".json.gz").partition(".")
    channel, _, series = rest.partition(".")
    told = {"tenant": file.parent.name, "scenario": scenario, "channel": channel, "series": series}
    if learned is None:
        return {**told, "version": "unreadable", "release": "", "runs": 0, "records": 0, "file": str(file)}
    records = sum(len(those) for those in learned.records.values())
    kept = {"version": learned.version, "release": learned.release, "runs": learned.runs, "records": records}
    return {**told, **kept, "file": str(file)}
