"""`ringgate store`: how much the store of results holds, and what of it may be forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ringgate.cli.common import InventoryOption, JsonOption
from ringgate.cli.runs import ResultsOption

app = typer.Typer(no_args_is_help=True, help="The store of results: how much it holds, and what is forgotten.")


@app.command()
def stats(results: ResultsOption = None, as_json: JsonOption = False) -> None:
    """Say how much the store holds: runs by outcome, blocks and hours, platform signals, bytes."""
    from ringgate.execution import setup
    from ringgate.store import Store

    store = Store(setup.results_url(results))
    try:
        found = store.stats()
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
        return
    runs = sum(each["runs"] for each in found["runs"].values())
    each_of_them = f", {found['bytes'] / runs:.0f} bytes a run" if runs else ""
    typer.echo(f"{runs:,} runs, {_size(found['bytes'])}{each_of_them}")
    for outcome, each in sorted(found["runs"].items()):
        since, until = (f"{each[name]:%Y-%m-%d %H:%M}" for name in ("first", "last"))
        typer.echo(f"  {outcome:<8} {each['runs']:>12,}  from {since} to {until}")
    for name, words in (("blocks", "blocks, not rolled up"), ("hours", "hours, rolled up")):
        if name in found:
            each = found[name]
            typer.echo(f"  {each['number']:,} {words}: {each['runs']:,} runs in {_size(each['bytes'])}")
    typer.echo(f"  {found['samples']:,} platform signals, {found['run_sessions']:,} sessions, "
               f"{found['retention_holds']:,} holds")  # fmt: skip


@app.command()
def prune(
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="The gate's policy: failures that its waivers accept are kept as long as they do."),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Give the space back to the disk, too: this copies the whole database.")
    ] = False,
) -> None:  # fmt: skip
    """Forget what is older than the inventory says.

    `[store]` of defaults.toml says how long runs, hours, platform signals and evidence are kept; `ringgate tenants
    keys` lists its keys. What an open bake rests on, what is held and what a waiver accepts stays. The prober does
    this by itself, a little every minute.
    """
    from ringgate.execution import setup
    from ringgate.host import paths
    from ringgate.inventory import Inventory
    from ringgate.judging import load_policy
    from ringgate.judging.forgetting import Forgetting
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    known = Inventory.load(inventory)
    waivers = load_policy(policy, known, known_scenarios()).waivers if policy else ()
    forgetting = Forgetting(known.retention, paths.reports() / "evidence", waivers)
    now, sums = datetime.now(UTC), dict[str, int]()
    store = Store(setup.results_url(results))
    try:
        while True:
            done = forgetting.prune(store, now)
            for kind, number in {**done.removed, "rolled up": done.rolled_up}.items():
                sums[kind] = sums.get(kind, 0) + number
            if not done.more:
                break
        folders, freed = forgetting.prune_evidence(store, now)
        if compact:
            store.compact()
    finally:
        store.close()
    typer.echo(
        f"forgotten: {sums['passed']:,} passed runs, {sums['failures']:,} failures, {sums['samples']:,} platform "
        f"signals, {sums['hours']:,} hours, evidence of {folders:,} runs ({_size(freed)}); "
        f"{sums['rolled up']:,} blocks were rolled up to hours"
    )


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"
