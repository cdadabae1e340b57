"""`ringgate surface`: what a tenant's ERP offers to programs, and what a change of it breaks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, console, counted
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ringgate.surface import SurfaceChange, Usage
    from ringgate.surface.accepted import SurfaceJudgement
    from ringgate.surface.model import Surface

MOST_UNUSED = 12
"""Models whose unused changes are listed by name unless all are asked for."""

app = typer.Typer(help="Take and compare what an ERP offers to programs.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def take(
    tenant: Annotated[str, typer.Option(metavar="ID", help="Whose.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="[default: surface-<tenant>-<series>.json]", show_default=False),
    ] = None,
    inventory: InventoryOption = None,
) -> int:
    """Read a tenant's models, fields, methods and rights over its API, and keep them in a file."""
    from ringgate.domain.terms import Channel
    from ringgate.drivers.protocol import Call
    from ringgate.drivers.registry import Drivers
    from ringgate.execution.run_once import new_run_id
    from ringgate.inventory import Inventory
    from ringgate.surface.encoding import dumps

    chosen = Inventory.load(inventory).tenant(tenant)
    drivers = Drivers([chosen.erp])
    try:
        connection = drivers[chosen.erp, Channel.API].connect(chosen, Call(new_run_id(), "0" * 31 + "1"))
        try:
            surface = connection.surface()
        finally:
            connection.close()
    finally:
        drivers.close()
    file = out or Path(f"surface-{surface.tenant}-{surface.series}.json")
    file.write_text(dumps(surface))
    fields = sum(len(model.fields or ()) for model in surface.models.values())
    typer.echo(
        f"{file}: {surface.tenant} on {surface.erp} {surface.series}, {counted(len(surface.models), 'model')}, "
        f"{counted(fields, 'field')}"
    )
    return Exit.OK


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A file of `ringgate surface take`.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another one, of the same tenant.")],
    everything: Annotated[bool, typer.Option("--all", help="List every change, compatible ones too.")] = False,
    used_only: Annotated[bool, typer.Option("--used-only", help="Leave out what no scenario uses.")] = False,
    accepted: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accepted changes, in TOML.", show_default=False),
    ] = None,
    release: Annotated[
        str, typer.Option(metavar="ID", help="The release between them, for waivers that are of one alone.",
                          show_default=False)
    ] = "",
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Say what changed, and first what breaks that the scenarios use.

    What they use is what their stored runs touched. Ends with 0 if no used change breaks, 1 if one does, 2 if changes
    break and no run has recorded what it uses.
    """
    from datetime import UTC, datetime

    from ringgate.surface import compare as changes_between
    from ringgate.surface.accepted import judge, read_accepted

    old, new = _surface(before), _surface(after)
    if old.tenant != new.tenant:
        raise UsageMistake(f"{before} is of {old.tenant}, {after} of {new.tenant}: compare two of one tenant")
    if old.erp != new.erp:
        raise UsageMistake(f"{before} is of {old.erp}, {after} of {new.erp}: nothing of them can be compared")
    waivers = read_accepted(accepted) if accepted else ()
    usage = _usage(results)
    judged = judge(changes_between(old, new, usage), waivers, old.tenant, datetime.now(UTC).date(), release)
    code = _verdict(judged, usage)
    shown = [change for change in judged.open if change.used or not used_only]
    if as_json:
        typer.echo(json.dumps(_as_json(old, new, shown, judged, code), indent=2, ensure_ascii=False))
    else:
        _print(old, new, shown, judged, usage, everything)
    return code


def _surface(path: Path) -> Surface:
    from ringgate.surface.encoding import loads

    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageMistake(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return loads(text, str(path))


def _usage(results: str | None) -> Usage:
    from ringgate.execution import setup
    from ringgate.store import Store

    store = Store(setup.results_url(results))
    try:
        return store.usage()
    finally:
        store.close()


def _verdict(judged: SurfaceJudgement, usage: Usage) -> Exit:
    from ringgate.surface import Severity

    breaking = [change for change in judged.open if change.klass is Severity.BREAKING]
    if any(change.used for change in breaking):
        return Exit.FAILED
    return Exit.BROKEN if breaking and not usage else Exit.OK


def _as_json(
    old: Surface, new: Surface, shown: Sequence[SurfaceChange], judged: SurfaceJudgement, code: Exit
) -> dict[str, Any]:
    def plain(change: SurfaceChange) -> dict[str, Any]:
        return {
            "class": change.klass.value,
            "kind": change.kind,
            "signature": change.signature,
            "model": change.model,
            "element": change.element,
            "before": change.before,
            "after": change.after,
            "uses": dict(sorted(change.uses.items())),
            "sentence": change.sentence,
        }

    return {
        "tenant": old.tenant,
        "before": {"series": old.series, "taken_at": old.taken_at.isoformat()},
        "after": {"series": new.series, "taken_at": new.taken_at.isoformat()},
        "verdict": code.name.lower(),
        "changes": [plain(change) for change in shown],
        "accepted": [
            {**plain(change), "owner": by.owner, "reason": by.reason, "expires": by.expires.isoformat()}
            for change, by in judged.accepted
        ],
        "expired": [change.signature for change, _ in judged.expired],
        "idle": [each.signature for each in judged.idle],
    }


# --- for people --------------------------------------------------------------------------------------------------


def _print(
    old: Surface, new: Surface, shown: Sequence[SurfaceChange], judged: SurfaceJudgement, usage: Usage, everything: bool
) -> None:
    from ringgate.surface import Severity

    screen = console()
    scenarios = {name for uses in usage.values() for name in uses}
    screen.print(f"{old.tenant}: {old.erp} {old.series} -> {new.series}", style="bold")
    if usage:
        screen.print(f"weighed by what {counted(len(scenarios), 'scenario')} touched: {len(usage)} calls and fields")
    else:
        screen.print("no run has recorded what it uses: every change counts as unused, and nothing is proved")
    used = [change for change in shown if change.used]
    for klass, style, words in (
        (Severity.BREAKING, "red", "breaks what your scenarios use"),
        (Severity.RISKY, "yellow", "may break what your scenarios use"),
    ):
        _section(screen, words, style, [change for change in used if change.klass is klass])
    unused = [change for change in shown if not change.used and change.klass is not Severity.COMPATIBLE]
    if everything:
        _section(screen, "breaks or may break what no scenario uses", "", unused)
        _section(screen, "compatible", "dim", [change for change in shown if change.klass is Severity.COMPATIBLE])
    else:
        _print_unused(screen, unused)
        _print_counts(screen, shown)
    _print_accepted(screen, judged)


def _section(screen: Console, words: str, style: str, changes: Sequence[SurfaceChange]) -> None:
    from rich.table import Table

    if not changes:
        return
    screen.print(f"\n{words} ({len(changes)})", style=f"bold {style}".strip())
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold", ratio=3)
    table.add_column(overflow="fold", ratio=1)
    for change in changes:
        table.add_row(change.sentence, _users(change))
    screen.print(table)


def _users(change: SurfaceChange) -> str:
    """`invoice-correction over api and 4 more, 31 runs`."""
    if not change.uses:
        return ""
    first, *more = sorted(change.uses, key=lambda name: (-change.uses[name], name))
    others = f" and {len(more)} more" if more else ""
    return f"{first}{others}, {counted(change.runs, 'run')}"


def _print_unused(screen: Console, changes: Sequence[SurfaceChange]) -> None:
    """By model, the worst first: what nobody uses is counted, not told."""
    if not changes:
        return
    from ringgate.surface import Severity

    screen.print(f"\nbreaks or may break, but no scenario uses it ({len(changes)})", style="bold")
    models: dict[str, Counter[str]] = {}
    for change in changes:
        models.setdefault(change.model, Counter())[change.klass.value] += 1
    ranked = sorted(models.items(), key=lambda each: (-each[1][Severity.BREAKING.value], -each[1].total(), each[0]))
    for model, counts in ranked[:MOST_UNUSED]:
        told = ", ".join(f"{counts[klass.value]} {klass.value}" for klass in Severity if counts[klass.value])
        screen.print(f"  {model or 'the wire'}: {told}")
    if (rest := len(ranked) - MOST_UNUSED) > 0:
        screen.print(f"  and {counted(rest, 'more model')}; --all lists them")


def _print_counts(screen: Console, changes: Sequence[SurfaceChange]) -> None:
    from ringgate.surface import Severity

    kinds = Counter(change.kind for change in changes if change.klass is Severity.COMPATIBLE)
    if kinds:
        told = ", ".join(f"{number} x {kind}" for kind, number in kinds.most_common())
        screen.print(f"\ncompatible ({kinds.total()}): {told}", style="dim", soft_wrap=True)


def _print_accepted(screen: Console, judged: SurfaceJudgement) -> None:
    if judged.accepted:
        screen.print(f"\naccepted ({len(judged.accepted)})", style="bold")
        for change, by in judged.accepted:
            screen.print(f"  {change.signature}: {by.reason} ({by.owner}, through {by.expires})", soft_wrap=True)
    for change, by in judged.expired:
        screen.print(
            f"accepted through {by.expires} and no longer: {change.signature} ({by.owner})", style="red", soft_wrap=True
        )
    for each in judged.idle:
        screen.print(f"accepted, but it did not happen: {each.signature} ({each.owner})", soft_wrap=True)
