"""`ringgate before` and `ringgate after`: checks round an upgrade that somebody else makes, in a pipeline of theirs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted
from ringgate.cli.rehearse import SettleOption, definition_of
from ringgate.cli.release import ReleaseArgument
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.rollout.controller import Rehearsal
    from ringgate.rollout.record import Objection

TenantChoice = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="ID", help="Only these tenants; may be repeated.", show_default=False),
]
RingChoice = Annotated[
    list[str] | None,
    typer.Option("--ring", metavar="NAME", help="Only these rings; may be repeated.", show_default=False),
]
HostsOption = Annotated[
    str | None,
    typer.Option("--platform", metavar="KIND=WHERE", show_default=False,
                 help="Where the tenants live: with it, backups are looked at and one is restored, too."),
]  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Puts the commands on `ringgate` itself."""
    app.command()(before)
    app.command()(after)


def before(
    release: ReleaseArgument,
    tenant: TenantChoice = None,
    ring: RingChoice = None,
    platform: HostsOption = None,
    inventory: InventoryOption = None,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look at tenants before somebody else upgrades them: how they run, their books, what they offer, work in flight.

    `ringgate after` compares with it. Killed at any point, the same command does it again. Ends with 0 if the upgrade
    may begin, with 1 if something speaks against it, with 2 if something could not be told, with 3 for wrong use.
    """
    from ringgate.rollout import bracket

    controller, chosen = _controller(
        release, tenant, ring, platform, inventory, settle, results, begins=True, beside=as_json
    )
    found = bracket.before(controller, chosen)
    controller.settled()
    return _told(found, chosen, "may be upgraded", as_json)


def after(
    release: ReleaseArgument,
    tenant: TenantChoice = None,
    ring: RingChoice = None,
    inventory: InventoryOption = None,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look at tenants after somebody else upgraded them: books, what they offer, every check, work that was in flight.

    Ends with 0 if all is well, with 1 if something speaks against the upgrade, with 2 if something could not be told,
    with 3 for wrong use, such as tenants for which `ringgate before` was not run.
    """
    from ringgate.rollout import bracket

    controller, chosen = _controller(
        release, tenant, ring, None, inventory, settle, results, begins=False, beside=as_json
    )
    if missing := bracket.unprepared(controller, chosen):
        raise UsageMistake(
            f"`ringgate before` was not run to its end for {', '.join(missing)}: nothing to compare with."
        )
    found = bracket.after(controller, chosen)
    controller.settled()
    return _told(found, chosen, "are as they should be", as_json)


def _controller(
    release: Path, tenants: list[str] | None, rings: list[str] | None, platform: str | None, inventory: Path | None,
    settle: float, results: str | None, *, begins: bool, beside: bool,
) -> tuple[Rehearsal, list[str]]:  # fmt: skip
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.inventory import Inventory
    from ringgate.rollout.beginning import begin
    from ringgate.rollout.platforms.protocol import PlatformRequest
    from ringgate.rollout.platforms.registry import platform_kind, split
    from ringgate.rollout.platforms.somebody_elses import SomebodyElses
    from ringgate.rollout.record import RecordKeeper
    from ringgate.rollout.setup import assembled
    from ringgate.rollout.view import RolloutDisplay

    if platform:
        name, where = split(platform)
        site = platform_kind(name).open(PlatformRequest(where, inventory), (), console(beside=beside))
        known, hosts = site.inventory, site.platform
        definition = definition_of(release, known, site.series)
    else:
        known = Inventory.load(inventory)
        definition = definition_of(release, known, ())
        hosts = SomebodyElses(definition.table.before)
    led = {each.id: ring for ring, whom in definition.rings for each in whom}
    chosen = [each for each, ring in led.items()
              if (not tenants or each in tenants) and (not rings or ring in rings)]  # fmt: skip
    unknown = sorted({*(tenants or ())} - set(led)) + sorted({*(rings or ())} - set(led.values()))
    if unknown or not chosen:
        raise UsageMistake(f"the release leads no such tenant or ring: {', '.join(unknown) or 'nobody is chosen'}.")
    ledger = RecordKeeper(paths.state() / "brackets" / definition.id)
    kept = ledger.find()
    if begins and (kept is None or kept.digest != definition.digest or set(kept.tenants) != set(led)):
        ledger.forget()
        begin(ledger, definition, hosts, setup.new_session())
    elif kept is None or kept.digest != definition.digest:
        raise UsageMistake("`ringgate before` was not run for this text of the release: nothing to compare with.")
    board = RolloutDisplay(console(beside=beside), ledger.record)
    return assembled(definition, known, hosts, ledger, board, results, settle), chosen


def _told(found: Sequence[Objection], chosen: Sequence[str], fine: str, as_json: bool) -> int:
    from ringgate.rollout.conditions import Condition

    unknown = all(each.condition is Condition.INCONCLUSIVE for each in found)
    code = Exit.OK if not found else Exit.BROKEN if unknown else Exit.FAILED
    if as_json:
        told = {"tenants": list(chosen), "exit": int(code), "against": [each.model_dump(mode="json") for each in found]}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return code
    screen = console()
    for each in found:
        screen.print(f"{each.tenant}: {each.condition.value} ({each.action.value}): {each.sentence}", soft_wrap=True)
    if not found:
        screen.print(f"{counted(len(chosen), 'tenant')}: {', '.join(chosen)} {fine}.", style="green", soft_wrap=True)
    return code
