"""`ringgate event`: notes what happened to rings and tenants, so that gates, reports and pages know since when."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringgate.domain.model import Deployment, NotedEvent

ReferenceOption = Annotated[
    str, typer.Option(metavar="TEXT", help="How the tool that it comes from calls it: a number or an address.",
                      show_default=False),
]  # fmt: skip
ByOption = Annotated[str, typer.Option(metavar="NAME", help="Who or what noted it.", show_default=False)]
WhenOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="When, with its zone [default: now].", show_default=False)
]

app = typer.Typer(
    help="Note deployments, incidents, support tickets and configuration changes, and list them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command()
def incident(
    tenant: Annotated[str, typer.Option(metavar="ID", help="On whom something is wrong.")],
    what: Annotated[str, typer.Option(metavar="TEXT", help="What, in a sentence. No secrets.")],
    began: Annotated[
        str | None, typer.Option(metavar="TIME", help="Since when, with its zone [default: now].", show_default=False)
    ] = None,
    ended: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until when; noted later with --id.", show_default=False)
    ] = None,
    of: Annotated[
        str, typer.Option(metavar="NAME", show_default=False,
                          help="The release that it comes of [default: the one in force on the tenant when it began]."),
    ] = "",
    id_: Annotated[
        str, typer.Option("--id", metavar="ID", help="One that was noted before, and ended now.", show_default=False)
    ] = "",
    inventory: InventoryOption = None,
    results: ResultsOption = None,
) -> int:  # fmt: skip
    """Note that something is or was wrong on a tenant, as evidence: `ringgate review` counts it.

    It belongs to the deployment that was in force when it began, not to the latest one. Ends with 0 if it was noted, 2
    if the store cannot be written, 3 if tenant or times are wrong.
    """
    from ringgate.evidence import EvidenceChain, EvidenceKind, NewEvidence, this_actor
    from ringgate.execution import setup
    from ringgate.execution.run_once import new_run_id
    from ringgate.host.secrets import redact
    from ringgate.inventory import Inventory
    from ringgate.store import Store

    Inventory.load(inventory).tenant(tenant)
    at, wrong = _moment(began)
    wrong = [each.replace("--at", "--began") for each in wrong]
    until, more = _moment(ended) if ended else (None, [])
    wrong += [each.replace("--at", "--ended") for each in more]
    if not wrong and until and until < at:
        wrong.append("--ended is before --began")
    if wrong:
        raise UsageMistake("\n".join(wrong))
    name = id_ or new_run_id()
    body = {"id": name, "tenant": tenant, "what": redact(what), "began": at, "ended": until, "of": of}
    key = f"incident/{name}/{'ended' if id_ else 'noted'}"
    store = Store(setup.results_url(results))
    try:
        EvidenceChain(store, this_actor()).append(NewEvidence(EvidenceKind.INCIDENT, key, of, body=body))
    finally:
        store.close()
    typer.echo(f"noted: incident {name} on {tenant}")
    return Exit.OK


@app.command()
def deploy(
    ring: Annotated[str, typer.Option(metavar="NAME", help="The ring that the release reached.")],
    release: Annotated[str, typer.Option(metavar="NAME", help="What was deployed, as results are labelled with it.")],
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this tenant of the ring; may be repeated.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When, with its zone: 2027-01-31T22:00+01:00 [default: now].",
                     show_default=False),
    ] = None,
    version: Annotated[
        str,
        typer.Option(metavar="PATTERN", show_default=False,
                     help="What its servers say they are, such as 8.0.*; '*' for anything [default: RELEASE itself, if "
                     "it is a version]."),
    ] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What people should know. No secrets.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who or what deployed it.")] = "",
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Note that a release reached a ring: from here on its results are the release's, and its bake begins.

    Ends with 0 if it was noted, 2 if the store cannot be written, 3 if ring, tenant or time are wrong.
    """
    from ringgate.domain.model import Deployment
    from ringgate.evidence import this_actor
    from ringgate.evidence.deployments import note_deployment, wrong_deployment
    from ringgate.execution import setup
    from ringgate.execution.run_once import new_run_id
    from ringgate.host.secrets import redact
    from ringgate.inventory import Inventory
    from ringgate.store import Store

    known = Inventory.load(inventory)
    moment, wrong = _moment(at)
    texts = {"release": release, "version": version, "note": note, "by": by}
    wrong += [f"--{key}: {rule}" for key, rule in wrong_deployment(known, ring, tenant or (), texts)]
    if wrong:
        raise UsageMistake("\n".join(wrong))
    tenants = tuple(sorted(set(tenant or ())))
    deployment = Deployment(
        new_run_id(), moment, ring, release.strip(), tenants, redact(note), redact(by), version.strip()
    )
    store = Store(setup.results_url(results))
    try:
        note_deployment(store, this_actor(), deployment)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps(as_plain(deployment), ensure_ascii=False))
    else:
        whom = counted(len(tenants), "tenant") + " of " if tenants else ""
        typer.echo(f"noted: {release} on {whom}ring {ring}, {moment:%Y-%m-%d %H:%M:%S} UTC")
    return Exit.OK


@app.command()
def ticket(
    tenant: Annotated[str, typer.Option(metavar="ID", help="Whose user told the help desk.")],
    what: Annotated[str, typer.Option(metavar="TEXT", help="What, in a sentence. No secrets.")],
    at: WhenOption = None,
    ended: Annotated[
        str | None, typer.Option(metavar="TIME", help="Since when it is solved.", show_default=False)
    ] = None,
    of: Annotated[str, typer.Option(metavar="NAME", help="The release that it comes of.", show_default=False)] = "",
    reference: ReferenceOption = "",
    by: ByOption = "",
    inventory: InventoryOption = None,
    results: ResultsOption = None,
) -> int:
    """Note a support ticket of a tenant, as evidence: pages and `ringgate review` show it beside deployments and runs.

    It speaks neither for nor against a release: what was wrong is an incident. Ends with 0 if it was noted, 2 if the
    store cannot be written, 3 if tenant or times are wrong.
    """
    said = {"tenants": [tenant], "what": what, "began": at, "ended": ended, "of": of, "reference": reference, "by": by}
    return _note("ticket", said, inventory, results)


@app.command()
def change(
    what: Annotated[str, typer.Option(metavar="TEXT", help="What was changed, in a sentence. No secrets.")],
    tenant: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="On whom; may be repeated.", show_default=False)
    ] = None,
    ring: Annotated[
        str, typer.Option(metavar="NAME", help="On all of a ring's tenants, where none is named.", show_default=False)
    ] = "",
    at: WhenOption = None,
    reference: ReferenceOption = "",
    by: ByOption = "",
    inventory: InventoryOption = None,
    results: ResultsOption = None,
) -> int:
    """Note that a setting was changed beside any release, as evidence: who looks for a cause finds it.

    Ends with 0 if it was noted, 2 if the store cannot be written, 3 if ring, tenants or time are wrong.
    """
    said = {"tenants": tenant, "ring": ring, "what": what, "began": at, "reference": reference, "by": by}
    return _note("change", said, inventory, results)


def _note(kind: str, said: Mapping[str, object], inventory: Path | None, results: str | None) -> int:
    from dataclasses import replace
    from datetime import UTC

    from ringgate.evidence import this_actor
    from ringgate.evidence.notes import keep_note, note_said
    from ringgate.execution import setup
    from ringgate.execution.run_once import new_run_id
    from ringgate.inventory import Inventory
    from ringgate.store import Store

    note, wrong = note_said(Inventory.load(inventory), {"kind": kind, **said}, datetime.now(UTC))
    if note is None:
        options = {"tenants": "tenant", "began": "at"}
        raise UsageMistake("\n".join(f"--{options.get(key, key)}: {rule}" for key, rule in wrong))
    store = Store(setup.results_url(results))
    try:
        note, _ = keep_note(store, this_actor(), replace(note, id=new_run_id()))
    finally:
        store.close()
    typer.echo(f"noted: {kind} {note.id} on {', '.join(note.tenants) or f'ring {note.ring}'}")
    return Exit.OK


@app.command("list")
def list_events(
    ring: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this ring's.", show_default=False)
    ] = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """List the deployments that were noted, and the latest 200 incidents, tickets and changes; the latest first."""
    from rich.table import Table
    from rich.text import Text

    from ringgate.evidence.notes import noted
    from ringgate.execution import setup
    from ringgate.store import Store

    store = Store(setup.results_url(results))
    try:
        deployments = store.deployments(ring=ring)
        notes = noted(store, ring)
    finally:
        store.close()
    if as_json:
        told = [(each.at, as_plain(each)) for each in deployments] + [
            (each.began, note_as_plain(each)) for each in notes
        ]
        told.sort(key=lambda each: each[0], reverse=True)
        typer.echo(json.dumps([each for _, each in told], indent=2, ensure_ascii=False))
        return Exit.OK
    if not deployments and not notes:
        typer.echo("No deployment has been noted: `ringgate event deploy` does that.")
        return Exit.OK
    rows = [
        (each.at, ("deployment", each.ring, each.release, ", ".join(each.tenants) or "all", each.by, each.note))
        for each in deployments
    ] + [
        (each.began, (each.kind, each.ring, each.of, ", ".join(each.tenants) or "all", each.by, _told(each)))
        for each in notes
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("when (UTC)", "kind", "ring", "release", "tenants", "by", "what"):
        table.add_column(heading, overflow="fold")
    for at, cells in sorted(rows, key=lambda each: each[0], reverse=True):
        table.add_row(*map(Text, (f"{at:%Y-%m-%d %H:%M:%S}", *cells)))
    console().print(table)
    return Exit.OK


def _told(each: NotedEvent) -> str:
    return f"{each.what}{f' ({each.reference})' if each.reference else ''}"


def note_as_plain(each: NotedEvent) -> dict[str, object]:
    """An incident, a ticket or a change for other programs; `tenants` is empty for a whole ring."""
    from dataclasses import asdict

    ended = each.ended.isoformat() if each.ended else None
    return {**asdict(each), "tenants": list(each.tenants), "began": each.began.isoformat(), "ended": ended}


def as_plain(each: Deployment) -> dict[str, object]:
    """A deployment for other programs; `tenants` is empty for the whole ring."""
    return {
        "id": each.id,
        "kind": "deployment",
        "at": each.at.isoformat(),
        "ring": each.ring,
        "release": each.release,
        "tenants": list(each.tenants),
        "note": each.note,
        "by": each.by,
        "version": each.version,
    }


def _moment(text: str | None) -> tuple[datetime, list[str]]:
    """The moment in UTC, and what is wrong with the text."""
    from datetime import UTC

    from ringgate.evidence.deployments import moment_said

    moment, wrong = moment_said(text, datetime.now(UTC))
    return moment, [f"--{key}: {rule}" for key, rule in wrong]
