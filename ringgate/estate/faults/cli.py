"""`ringgate estate fault list|on|off`: break a tenant of the estate, or all of it, on purpose, and repair it.

    $ ringgate estate fault on wrong-tax aldgate
    wrong-tax is on for aldgate: the tax rate is one percentage point too high.
    credit-and-payment, financial-posting, invoicing-from-time, project-to-cash must fail until
    `ringgate estate fault off wrong-tax aldgate`.

Exit codes: 0 it is as asked, 3 it cannot be; then one sentence says what to do.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ringgate.domain.errors import RinggateError
from ringgate.domain.terms import Channel
from ringgate.estate.base import DEMO
from ringgate.estate.errors import EstateError
from ringgate.estate.estate import Estate
from ringgate.estate.faults import Fault, faults_of, repair
from ringgate.estate.faults.noticing import ALL, WITHIN
from ringgate.host.secrets import redact

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Break the ERP on purpose, to see which scenario notices."
)

PIPED_WIDTH = 400
"""Columns of a table that nobody looks at on a terminal, so that grep finds whole rows."""

NameOption = Annotated[str, typer.Option("--name", help="Which estate.")]
FaultArgument = Annotated[str, typer.Argument(metavar="FAULT", help="What is to be wrong; `fault list` shows all.")]
TenantArgument = Annotated[
    str, typer.Argument(metavar="TENANT", help="The tenant to break; none for a fault of the whole estate.")
]


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (RinggateError, OSError) as problem:
        typer.echo(f"ringgate: {redact(str(problem))}", err=True)
        raise typer.Exit(3) from None


@app.command("list")
def list_faults(
    tenant: Annotated[str, typer.Option("--tenant", help="Say which are on for this tenant.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    name: NameOption = DEMO,
    erp: Annotated[str, typer.Option("--erp", metavar="KIND", help="Of which ERP, while no such estate stands.")] = "",
) -> None:
    """Shows every fault, what it is, and which scenarios must notice it."""
    with _one_sentence():
        estate = Estate.at(name, erp)
        known = faults_of(estate.kind)
        on = {each.id for each in known.values() if tenant and each.is_on(estate, _of(each, tenant))}
    if as_json:
        rows = [
            {
                "id": fault.id,
                "title": fault.title,
                "where": fault.where,
                "scope": fault.scope,
                "cause": fault.cause,
                "sign": fault.sign,
                "channel": fault.channel.value,
                "catches": sorted(fault.catches),
                "currency": fault.currency,
                **({"on": fault.id in on} if tenant else {}),
            }
            for fault in known.values()
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    screen = Console(highlight=False, markup=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, markup=False, width=PIPED_WIDTH)
    table = Table(box=None, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    table.add_column("of", no_wrap=True)
    table.add_column("called", no_wrap=True)
    table.add_column("what is wrong", no_wrap=not screen.is_terminal)
    table.add_column("noticed by", no_wrap=not screen.is_terminal)
    if tenant:
        table.add_column("on")
    for fault in known.values():
        state = ["on" if fault.id in on else ""] if tenant else []
        table.add_row(fault.id, fault.scope, fault.cause, fault.title, _noticed(fault), *state)
    screen.print(table)


@app.command("on")
def switch_on(fault: FaultArgument, tenant: TenantArgument = "", name: NameOption = DEMO) -> None:
    """Breaks a tenant, or the whole estate."""
    with _one_sentence():
        estate = Estate.at(name)
        chosen = _known(estate, fault)
        chosen.on(estate, tenant)
    option = "" if name == DEMO else f" --name {name}"
    words = " ".join(filter(None, [chosen.id, tenant]))
    typer.echo(f"{chosen.id} is on for {tenant or 'the whole estate'}: {chosen.title[0].lower()}{chosen.title[1:]}.")
    typer.echo(f"{', '.join(sorted(chosen.catches))} must {_how(chosen)} until")
    typer.echo(f"`ringgate estate fault off {words}{option}`.")


@app.command("off")
def switch_off(
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="What is to be repaired, or `all`.")],
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant to repair.")] = "",
    name: NameOption = DEMO,
) -> None:
    """Repairs a tenant, or the whole estate, whoever broke it; nothing happens if it is not broken."""
    with _one_sentence():
        estate = Estate.at(name)
        if fault == "all":
            repair(estate, tenant)
        else:
            _known(estate, fault).off(estate, tenant)
    typer.echo(f"{'Every fault' if fault == 'all' else fault} is off for {tenant or 'the whole estate'}.")


def _of(fault: Fault, tenant: str) -> str:
    return tenant if fault.scope == "tenant" else ""


def _noticed(fault: Fault) -> str:
    groups = {"all": frozenset(ALL), "all that work within the tenant": frozenset(WITHIN)}
    known = next((word for word, group in groups.items() if group == fault.catches), "")
    names = known or ", ".join(sorted(fault.catches))
    return f"{names} (browser)" if fault.channel is Channel.BROWSER else names


def _how(fault: Fault) -> str:
    """What the scenarios must do while it is on."""
    does = {"slowness": "take longer", "broken": "come out as broken"}.get(fault.sign, "fail")
    over = " over the browser" if fault.channel is Channel.BROWSER else " over https" if fault.secure else ""
    return does + over + (f", each call at a chance of {fault.chance:.0%}," if fault.chance < 1 else "")


def _known(estate: Estate, name: str) -> Fault:
    known = faults_of(estate.kind)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "`ringgate estate fault list` shows all."
        raise EstateError(f'There is no fault "{name}": {hint}')
    return known[name]
