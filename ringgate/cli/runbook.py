"""`ringgate runbook release.toml`: what to do, in order, with this release's own commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake
from ringgate.cli.release import ReleaseArgument

if TYPE_CHECKING:
    from ringgate.rollout.platforms.protocol import PlatformSite
    from ringgate.rollout.release import Release


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(runbook)


def runbook(
    release: ReleaseArgument,
    inventory: InventoryOption = None,
    platform: Annotated[
        str | None,
        typer.Option("--platform", metavar="KIND=WHERE", show_default=False,
                     help="Where the tenants live: then it has the newest backups and the rollout's commands."),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="NAME", show_default=False,
                     help="Only infrastructure, database, integrations or application; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Write the runbook of a release: what to do, in order, who decides, and where everything is.

    Made from the release and the inventory each time. Names what neither of them says. Changes nothing. Ends with 0,
    with 3 if the release or the inventory is wrong.
    """
    from dataclasses import asdict, replace

    from ringgate.cli.rehearse import definition_of
    from ringgate.host.atomic_files import write_atomically
    from ringgate.host.secrets import redact
    from ringgate.inventory import Inventory
    from ringgate.rollout import runbook as books
    from ringgate.rollout.runbook_text import as_markdown

    known = ("infrastructure", "database", "integrations", "application")
    if unknown := sorted({*(part or ())} - set(known)):
        raise UsageMistake(f"there is no part {', '.join(unknown)} of a runbook, but {', '.join(known)}.")
    backups: dict[str, str] = {}
    if platform:
        site, definition = _on(platform, release, inventory)
        backups = _backups(site, definition)
    else:
        definition = definition_of(release, Inventory.load(inventory), ())
    place = books.RunbookPlace(str(release), platform or "", str(inventory) if inventory else "", backups)
    book = books.runbook(definition, place)
    if part:
        book = replace(book, parts=tuple(each for each in book.parts if each.name in part))
    text = redact(json.dumps(asdict(book), indent=2, ensure_ascii=False)) if as_json else as_markdown(book)
    if out:
        write_atomically(out, text)
        typer.echo(f"runbook: {out}")
    else:
        typer.echo(text.rstrip())
    return Exit.OK


def _on(platform: str, release: Path, inventory: Path | None) -> tuple[PlatformSite, Release]:
    from ringgate.cli.common import console
    from ringgate.cli.rehearse import definition_of
    from ringgate.rollout.platforms.protocol import PlatformRequest
    from ringgate.rollout.platforms.registry import platform_kind, split
    from ringgate.rollout.release import named_series

    name, where = split(platform)
    kind, request = platform_kind(name), PlatformRequest(where, inventory)
    definition_of(release, *kind.foreseen(request))
    site = kind.open(request, named_series(release), console())
    return site, definition_of(release, site.inventory, site.series)


def _backups(site: PlatformSite, definition: Release) -> dict[str, str]:
    """Each tenant's newest backup in words. What a platform cannot say now is said so."""
    from datetime import UTC, datetime

    from ringgate.domain.errors import RinggateError
    from ringgate.rollout.stages.baseline import spelled

    found = {}
    for tenant in definition.tenants:
        try:
            kept = site.platform.backups(tenant.id)
        except RinggateError as error:
            found[tenant.id] = f"its backups cannot be listed now: {error}"
            continue
        age = spelled((datetime.now(UTC) - kept[-1].taken_at).total_seconds()) if kept else ""
        found[tenant.id] = f"the newest backup is {kept[-1].name}, {age} old" if kept else "there is no backup"
    return found
