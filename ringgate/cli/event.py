"""`ringgate event`: notes what happened to a ring, so that gates, reports and dashboards know since when it holds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.domain.model import Deployment

app = typer.Typer(
    help="Note deployments and incidents, and list deployments.",
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


@app.command("list")
def list_events(
    ring: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this ring's.", show_default=False)
    ] = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """List the deployments that were noted, the latest first."""
    from rich.table import Table
    from rich.text import Text

    from ringgate.execution import setup
    from ringgate.store import Store

    store = Store(setup.results_url(results))
    try:
        found = store.deployments(ring=ring)[::-1]
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([as_plain(each) for each in found], indent=2, ensure_ascii=False))
        return Exit.OK
    if not found:
        typer.echo("No deployment has been noted: `ringgate event deploy` does that.")
        return Exit.OK
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("when (UTC)", "ring", "release", "tenants", "by", "note"):
        table.add_column(heading, overflow="fold")
    for each in found:
        whom = ", ".join(each.tenants) or "all"
        cells = (f"{each.at:%Y-%m-%d %H:%M:%S}", each.ring, each.release, whom, each.by, each.note)
        table.add_row(*map(Text, cells))
    console().print(table)
    return Exit.OK


def as_plain(each: Deployment) -> dict[str, object]:
    """A deployment for other programs; `tenants` is empty for the whole ring."""
    return {
        "id": each.id,
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
