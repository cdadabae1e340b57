"""`ringgate tenants`: look at the inventory, check it, ask where a value comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, console, counted, print_check, print_keys

if TYPE_CHECKING:
    from ringgate.domain.model import Tenant
    from ringgate.domain.terms import Channel
    from ringgate.drivers.registry import Drivers
    from ringgate.execution.doctor import SetUpDifference
    from ringgate.inventory import Inventory

ROOMY = 100
"""Columns of a terminal from which on the cohorts are listed, too."""

app = typer.Typer(help="Look at the inventory and check it.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_tenants(
    inventory: InventoryOption = None,
    tenant: Annotated[list[str] | None, typer.Option(help="Only these; may be repeated.", metavar="ID")] = None,
    cohort: Annotated[list[str] | None, typer.Option(help="Only this cohort's.", metavar="NAME")] = None,
    ring: Annotated[list[str] | None, typer.Option(help="Only this ring's.", metavar="NAME")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this region's.", metavar="NAME")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the tenants, in the order of a rollout."""
    from ringgate.inventory import Inventory

    known = Inventory.load(inventory)
    chosen = known.select(tenant or (), cohort or (), ring or (), region or ())
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in chosen], indent=2, ensure_ascii=False))
        return
    _print_table(known, chosen)


def _print_table(known: Inventory, chosen: Sequence[Tenant]) -> None:
    from rich.table import Table

    from ringgate.inventory import pause_of

    screen = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("tenant", "ring", "currency", "tax", "approvers", "residency"):
        table.add_column(heading, no_wrap=True)
    roomy = screen.width >= ROOMY
    if roomy:
        table.add_column("cohorts", overflow="fold")
    pauses = []
    for tenant in chosen:
        pause = pause_of(tenant)
        pauses += [f"{tenant.id} is {pause}"] if pause else []
        policy = tenant.policy
        taxes = " + ".join(f"{tax.rate * 100:f}".rstrip("0").rstrip(".") + "%" for tax in policy.taxes)
        table.add_row(
            tenant.id,
            tenant.ring,
            policy.currency.code,
            f"{taxes} by {policy.tax_rounding}" if taxes else "none",
            _approvers(tenant),
            tenant.residency,
            *([", ".join(tenant.cohorts)] if roomy else []),
        )
    screen.print(table)
    for pause in pauses:
        screen.print(pause)
    some = f"{len(chosen)} of " if len(chosen) < len(known.tenants) else ""
    screen.print(f"\n{some}{counted(len(known.tenants), 'tenant')} in {known.path}", style="dim")


def _approvers(tenant: Tenant) -> str:
    approval = tenant.policy.approval
    if not approval.steps:
        return "none"
    return f"{approval.steps} above {approval.threshold}" if approval.threshold else f"{approval.steps} always"


def _as_json(tenant: Tenant) -> dict[str, Any]:
    from ringgate.inventory import pause_of

    policy = tenant.policy
    return {
        "id": tenant.id,
        "name": tenant.name,
        "erp": tenant.erp,
        "ring": tenant.ring,
        "cohorts": list(tenant.cohorts),
        "region": tenant.region,
        "residency": tenant.residency,
        "timezone": tenant.timezone,
        "language": tenant.language,
        "sla": tenant.sla,
        "api": tenant.api,
        "web": tenant.web,
        "currency": policy.currency.code,
        "taxes": [{"name": tax.name, "rate": str(tax.rate)} for tax in policy.taxes],
        "tax_rounding": policy.tax_rounding,
        "approval": {"steps": policy.approval.steps, "threshold": str(policy.approval.threshold)},
        "invoice_method": policy.invoice_method,
        "effects": policy.effects.word,
        "lacks": sorted(tenant.lacks),
        "paused": pause_of(tenant),
    }


@app.command()
def check(
    inventory: InventoryOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="Also read every secret that is referred to.")] = False,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The gate's policy, to say how long promotions take.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check every file of the inventory and report all errors at once.

    Ends with 0 if there is none, 1 if there is one, 3 if the folder cannot be found.
    """
    from ringgate.drivers.fit import unfit
    from ringgate.inventory import Inventory, InventoryError, default_path, secret_problems

    folder = inventory or default_path()
    errors: list[str] = []
    warnings: list[str] = []
    tenants = 0
    try:
        known = Inventory.load(folder)
    except InventoryError as error:
        if not folder.is_dir():
            raise
        errors = [str(problem) for problem in error.problems]
    else:
        tenants = len(known.tenants)
        warnings = [str(problem) for problem in known.warnings]
        errors = [*map(str, unfit(known)), *_plan_problems(known)]
        warnings += _late_promotions(known, policy) if not errors else []
        if secrets:
            missing, unsafe = secret_problems(known)
            errors += missing
            warnings += unsafe
    failed = bool(errors or (strict and warnings))
    if as_json:
        answer = {"ok": not failed, "tenants": tenants, "errors": errors, "warnings": warnings}
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        print_check(str(folder), counted(tenants, "tenant"), errors, warnings)
    return Exit.FAILED if failed else Exit.OK


def _plan_problems(known: Inventory) -> list[str]:
    """What keeps the tenants from being probed as their files say."""
    from ringgate.probing.calendars import unknown_holidays
    from ringgate.probing.plan import unknown_scenarios
    from ringgate.scenario.discovery import known_scenarios

    special = any(tenant.probes.scenarios for tenant in known.tenants)  # else the scenarios need not be read
    scenarios = known_scenarios() if special else ()
    return [*unknown_scenarios(known.tenants, scenarios), *unknown_holidays(known.tenants)]


MOST_TENANTS = 200
"""Of a ring, in a forecast: so many have a result in every tick, and more add nothing."""


def _late_promotions(known: Inventory, policy: Path | None) -> list[str]:
    """Rings in which a promotion would not come before its deadline at the inventory's probe schedules."""
    from ringgate.judging import load_policy
    from ringgate.probing.plan import plan
    from ringgate.probing.promotions import promotions
    from ringgate.scenario.discovery import known_scenarios

    rules, scenarios, now = load_policy(policy, known), known_scenarios().values(), datetime.now(UTC)
    found = []
    for ring in known.rings:
        tenants = [tenant for tenant in known.tenants if tenant.ring == ring][:MOST_TENANTS]
        probes = plan(tenants, scenarios, neighbours=known.tenants)
        found += [str(each) for each in promotions(probes, rules, now) if not each.fits]
    return found


@app.command()
def doctor(
    inventory: InventoryOption = None,
    tenant: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.", metavar="ID")] = None,
    cohort: Annotated[list[str] | None, typer.Option(help="Only this cohort's.", metavar="NAME")] = None,
    ring: Annotated[list[str] | None, typer.Option(help="Only this ring's.", metavar="NAME")] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Sign every role in over the browser, too.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare the inventory with the live ERP before anything runs: users, rights, product, customer, tax, accounts,
    payment terms, approvals, extensions, flags. Reads only.

    Ends with 0 if both agree, 1 if they differ, 2 if a tenant could not be asked.
    """
    from ringgate.domain.errors import RinggateError
    from ringgate.domain.terms import Channel
    from ringgate.drivers.registry import Drivers
    from ringgate.inventory import Inventory

    chosen = Inventory.load(inventory).select(tenant or (), cohort or (), ring or ())
    channels = [Channel.API, *([Channel.BROWSER] if browser else [])]
    drivers, answers = Drivers([each.erp for each in chosen]), []
    try:
        for each in chosen:
            try:
                answers.append((each.id, [str(found) for found in _examined(each, drivers, channels)], ""))
            except RinggateError as error:
                answers.append((each.id, [], str(error)))
    finally:
        drivers.close()
    _print_diagnosis(answers, as_json)
    if any(error for _, _, error in answers):
        return Exit.BROKEN
    return Exit.FAILED if any(found for _, found, _ in answers) else Exit.OK


def _examined(tenant: Tenant, drivers: Drivers, channels: Sequence[Channel]) -> list[SetUpDifference]:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from ringgate.domain.terms import Channel
    from ringgate.drivers.protocol import Call
    from ringgate.execution.doctor import compare_configuration, sign_in_differences
    from ringgate.execution.run_once import new_run_id

    call, found = Call(new_run_id(), "0" * 31 + "1"), []
    for channel in channels:
        if (tenant.erp, channel) in drivers and (tenant.web or channel is Channel.API):
            found += sign_in_differences(tenant, drivers[tenant.erp, channel], call)
    connection = drivers[tenant.erp, Channel.API].connect(tenant, call)
    try:
        fingerprint = connection.books().fingerprint()
    finally:
        connection.close()
    today = datetime.now(UTC).astimezone(ZoneInfo(tenant.timezone)).date()
    return found + compare_configuration(tenant, fingerprint, today)


def _print_diagnosis(answers: Sequence[tuple[str, list[str], str]], as_json: bool) -> None:
    from rich.text import Text

    from ringgate.host.secrets import redact

    if as_json:
        rows = [{"tenant": name, "differences": found, "error": redact(error)} for name, found, error in answers]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    screen = console()
    for name, found, error in answers:
        told = "could not be asked" if error else counted(len(found), "difference") if found else "agrees with its ERP"
        style = "bold red" if error or found else "green"
        screen.print(Text.assemble((f"{name}: {told}", style)), soft_wrap=True)
        for line in [*found, *([redact(error)] if error else [])]:
            screen.print(f"  {line}", soft_wrap=True)


@app.command()
def show(
    tenant: Annotated[str, typer.Argument(metavar="ID", help="The tenant's id.")],
    origin: Annotated[bool, typer.Option("--origin", help="Say which file each value comes from.")] = False,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all values of one tenant; secrets as references."""
    from rich.table import Table

    from ringgate.inventory import Inventory

    settings = Inventory.load(inventory).settings(tenant)
    if as_json:
        rows = [
            {"key": x.key, "value": x.value, "origin": x.origin} if origin else {"key": x.key, "value": x.value}
            for x in settings
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("key", "value", "from") if origin else ("key", "value"):
        table.add_column(heading, overflow="fold")
    for x in settings:
        table.add_row(*((x.key, x.value, x.origin) if origin else (x.key, x.value)))
    console().print(table)


@app.command()
def keys(as_json: JsonOption = False) -> None:
    """Explain every key that may stand in the inventory: its meaning, default and an example."""
    from ringgate.inventory.schema import documented_keys

    print_keys(documented_keys(), as_json)
