"""`ringgate drivers`: which drivers are installed, and whether one keeps the contracts of the protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted
from ringgate.domain.terms import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringgate.conformance import Finding
    from ringgate.domain.model import Tenant
    from ringgate.inventory import Inventory

app = typer.Typer(help="Look at drivers, and check one.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_drivers(as_json: JsonOption = False) -> None:
    """List the installed drivers and what each can do."""
    from ringgate.drivers.registry import capabilities, installed

    found = {f"{erp}.{channel}": sorted(capabilities(erp, channel) or ()) for erp, channel in installed()}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for name, able in found.items():
        typer.echo(f"{name}: {', '.join(able)}")


@app.command()
def check(
    erp: Annotated[str, typer.Argument(metavar="ERP", help="The ERP as the inventory names it.")],
    tenant: Annotated[str, typer.Option(help="The tenant to try it on; its books stay as they were.", metavar="ID")],
    channel: Annotated[Channel, typer.Option(help="The channel of the driver.")] = Channel.API,
    contract: Annotated[
        list[str] | None, typer.Option(help="Only this contract; may be repeated.", metavar="ID")
    ] = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:
    """Try every contract of the driver protocol on a real tenant, and say which are kept, missing or broken, and how.

    What each contract writes is undone. Ends with 0 if none is broken, 1 if one is, 2 if one could not be tried.
    """
    from ringgate.conformance import CONTRACTS, VerbStanding
    from ringgate.inventory import Inventory, pause_of

    known = Inventory.load(inventory)
    chosen = known.tenant(tenant)
    if chosen.erp != erp:
        raise UsageMistake(f"{chosen.id} is a tenant of {chosen.erp}, not of {erp}: name a tenant whose erp is {erp}")
    if pause := pause_of(chosen):
        raise UsageMistake(f"{chosen.id} is {pause}: name another tenant")
    unknown = sorted(set(contract or ()) - set(CONTRACTS))
    if unknown:
        raise UsageMistake(f"no contract is called {', '.join(unknown)}; there are {', '.join(CONTRACTS)}")
    findings = []
    for finding in _tried(known, chosen, channel, contract or ()):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{finding.contract.id:26} {finding.standing:10} {finding.how}".rstrip())
    counts = {standing: sum(1 for each in findings if each.standing is standing) for standing in VerbStanding}
    if as_json:
        told = [{"contract": x.contract.id, "promise": x.contract.sentence, "standing": x.standing.value, "how": x.how,
                 "seconds": round(x.seconds, 3)} for x in findings]  # fmt: skip
        typer.echo(json.dumps({"erp": erp, "channel": channel.value, "contracts": told}, indent=2, ensure_ascii=False))
    else:
        words = ", ".join(f"{number} {standing}" for standing, number in counts.items() if number)
        console().print(f"\n{erp} over the {channel} channel: {counted(len(findings), 'contract')}: {words}")
    if counts[VerbStanding.BROKEN]:
        return Exit.FAILED
    return Exit.BROKEN if counts[VerbStanding.UNTRIED] else Exit.OK


def _tried(known: Inventory, tenant: Tenant, channel: Channel, only: list[str] | tuple[str, ...]) -> Iterator[Finding]:
    from datetime import UTC, datetime

    from ringgate.conformance import check_driver
    from ringgate.drivers.registry import Drivers
    from ringgate.execution.applicability import others
    from ringgate.host import paths
    from ringgate.host.run_locks import RunLocks
    from ringgate.host.undo_journal import Journal

    drivers = Drivers([tenant.erp])
    try:
        driver = drivers.get((tenant.erp, channel))
        if driver is None:
            raise UsageMistake(f"there is no {channel} driver for {tenant.erp}: see `ringgate drivers list`")
        with RunLocks(paths.locks()).room(tenant, "driver-contracts"):
            near = others(tenant, known.tenants, datetime.now(UTC).date())
            yield from check_driver(driver, tenant, Journal(paths.journal()), neighbours=near, only=only)
    finally:
        drivers.close()
