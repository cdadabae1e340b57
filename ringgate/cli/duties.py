"""`ringgate evidence duties`: for each change who authorised, tested, approved and deployed it, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, JsonOption, console
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.evidence.duties import DutiesReport, DutyDone


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate evidence`."""
    app.command()(duties)


def duties(
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this release's changes.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write it as a page.", show_default=False)
    ] = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show for each change who authorised, tested, approved and deployed it, and whether its controls are unchanged.

    A change is a release on a ring. All that evidence, deployments or runs know of are there; what is missing is named.
    Ends with 0 if nothing is missing, 1 if something is, 2 if the store cannot be read or the evidence was changed.
    """
    from dataclasses import asdict

    from ringgate.evidence import EvidenceChain, this_actor
    from ringgate.evidence.duties import duties as judged
    from ringgate.evidence.duties_page import write_duties
    from ringgate.host.paths import results_url
    from ringgate.store import Store

    store = Store(results_url(results))
    try:
        chain = EvidenceChain(store, this_actor())
        entries, problems = chain.entries(), chain.verify().problems
        seen = {(each.release, each.ring) for each in store.labels().values()}
        report = judged(entries, store.deployments(), seen, release or "")
    finally:
        store.close()
    if out:
        write_duties(report, problems, out)
    if as_json:
        told = {"complete": report.complete, "problems": list(problems), **asdict(report)}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=str))
    else:
        _print(report, problems)
        if out:
            typer.echo(f"page: {out}")
    return Exit.BROKEN if problems else Exit.OK if report.complete else Exit.FAILED


def _print(report: DutiesReport, problems: tuple[str, ...]) -> None:
    screen = console()
    for problem in problems:
        screen.print(f"error: the evidence was changed: {problem}", style="bold red", soft_wrap=True)
    for each in report.changes:
        screen.print(f"{each.release} on {each.ring} ({each.led_as})", style="bold", soft_wrap=True)
        for name in ("authorisation", "test", "approval", "deployment"):
            screen.print(f"  {name:14} {_duty(getattr(each, name))}", soft_wrap=True)
        for control in each.controls:
            at = f", {control.tested:%Y-%m-%d %H:%M} UTC, entry {control.entry}" if control.tested else ""
            screen.print(f"  control        {control.name}: {control.state} ({control.words}{at})", soft_wrap=True)
        for gap in each.gaps:
            screen.print(f"  gap            {gap}", style="yellow", soft_wrap=True)
    for release, ring in report.unknown:
        words = f"{release} on {ring}: there are runs of it, and no evidence of a deployment"
        screen.print(words, style="yellow", soft_wrap=True)
    known = ", ".join(f"{number} by {name}" for name, number in report.population.items())
    gaps = sum(len(each.gaps) for each in report.changes) + len(report.unknown)
    screen.print(f"{len(report.changes)} changes, {gaps} gaps. Known from: {known}.", soft_wrap=True)


def _duty(duty: DutyDone) -> str:
    at = f", {duty.at:%Y-%m-%d %H:%M} UTC" if duty.at else ""
    by = f" by {', '.join(duty.by)}" if duty.by else ""
    entries = f" (entries {', '.join(map(str, duty.entries[:6]))})" if duty.entries else ""
    return f"{duty.what}{by}{at}{entries}"
