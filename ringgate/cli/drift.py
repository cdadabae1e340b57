"""`ringgate drift`: what is not as the inventory says, as in the rest of the cohort, as in staging, or as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringgate.domain.model import Tenant
    from ringgate.inventory import Inventory
    from ringgate.rollout.drift import DriftDifference, DriftJudgement, TenantState


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(drift)


def drift(
    inventory: InventoryOption = None,
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", metavar="ID", help="Only these; repeatable.", show_default=False)
    ] = None,
    cohort: Annotated[
        list[str] | None, typer.Option("--cohort", metavar="NAME", help="Only these cohorts'.", show_default=False)
    ] = None,
    staging: Annotated[
        Path | None,
        typer.Option("--staging", metavar="FOLDER", show_default=False,
                     help="The inventory of staging: tenants of the same id are compared with theirs here."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FOLDER", help="Keep there what was read, for --since.", show_default=False),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="FOLDER", help="Also compare with what --keep kept there.", show_default=False),
    ] = None,
    upgraded: Annotated[
        bool, typer.Option("--upgraded", help="Between --since and now the version was meant to change.")
    ] = False,
    surface: Annotated[
        bool, typer.Option("--surface", help="Also read models, fields, methods and rights: some 400 calls a tenant.")
    ] = False,
    accepted: Annotated[
        Path | None,
        typer.Option("--accepted", metavar="FILE", help="Differences that somebody answers for.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Compare the inventory with what the ERPs say, tenants of a cohort with each other, staging with production.

    Versions, extensions, settings, rights; with --surface also what is offered to programs. Reads only. Ends with 0 if
    every difference is explained, 1 if one is not, 2 if a tenant could not be read, 3 for wrong use.
    """
    from datetime import UTC, datetime

    from ringgate.inventory import Inventory
    from ringgate.rollout import drift as pure
    from ringgate.rollout.drift_reading import keep_states, read_states
    from ringgate.surface.accepted import read_accepted

    known = Inventory.load(inventory)
    chosen = known.select(tenant or (), cohort or ())
    waivers = read_accepted(accepted) if accepted else ()
    earlier = _kept(since) if since else {}
    others = Inventory.load(staging) if staging else None
    states, errors = read_states(chosen, surface=surface)
    if keep:
        keep_states(states, keep)
    found = _against(chosen, states)
    for name in cohort or sorted({each for one in chosen for each in one.cohorts}):
        found += pure.among_cohort(name, states, chosen)
    explained = ("version", "surface") if upgraded else ()
    for name, state in states.items():
        if since and name in earlier:
            found += pure.between(state, earlier[name], "before", explained=explained)
    if others:
        more, wrong = _staging(others, states, surface)
        found, errors = found + more, errors | wrong
    judged = pure.judged(found, waivers, datetime.now(UTC).date())
    missing = sorted(set(states) - set(earlier)) if since else []
    errors |= {f"{name} before": "nothing was kept of it" for name in missing}
    _print(judged, errors, len(states), as_json)
    return Exit.BROKEN if errors else Exit.FAILED if judged.open else Exit.OK


def _against(chosen: Sequence[Tenant], states: Mapping[str, TenantState]) -> list[DriftDifference]:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from ringgate.rollout.drift import against_inventory

    found = []
    for each in chosen:
        if each.id in states:
            today = datetime.now(UTC).astimezone(ZoneInfo(each.timezone)).date()
            found += against_inventory(each, states[each.id], today)
    return found


def _kept(folder: Path) -> dict[str, TenantState]:
    from ringgate.rollout.drift_reading import kept_states

    found = kept_states(folder)
    if not found:
        raise UsageMistake(f"{folder} holds nothing that `ringgate drift --keep` kept.")
    return found


def _staging(
    others: Inventory, states: Mapping[str, TenantState], surface: bool
) -> tuple[list[DriftDifference], dict[str, str]]:
    from ringgate.rollout.drift import between
    from ringgate.rollout.drift_reading import read_states

    same = [each for each in others.tenants if each.id in states]
    if not same:
        raise UsageMistake("staging has no tenant whose id is one of these.")
    theirs, errors = read_states(same, surface=surface)
    found = [each for name, state in theirs.items() for each in between(states[name], state, "in staging")]
    return found, {f"{name} in staging": why for name, why in errors.items()}


def _print(judged: DriftJudgement, errors: Mapping[str, str], tenants: int, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        told = {
            "open": [asdict(each) for each in judged.open],
            "accepted": [asdict(each) | {"waiver": str(waiver)} for each, waiver in judged.accepted],
            "errors": dict(errors),
        }  # fmt: skip
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=str))
        return
    screen = console()
    ended = {id(each): waiver for each, waiver in judged.expired}
    for each in judged.open:
        late = f" (no longer accepted: {ended[id(each)]})" if id(each) in ended else ""
        screen.print(f"{each}{late}", style="red", soft_wrap=True)
    for each, waiver in judged.accepted:
        screen.print(f"{each.tenant}: {each.signature}: accepted by {waiver}", soft_wrap=True)
    for name, why in errors.items():
        screen.print(f"{name}: could not be read: {why}", style="yellow", soft_wrap=True)
    words = f"{counted(len(judged.open), 'unexplained difference')}, {len(judged.accepted)} accepted"
    screen.print(f"{counted(tenants, 'tenant')}: {words}", style="green" if not judged.open else "", soft_wrap=True)
