"""`ringgate review`: what a release cost, how well the gate did, and what to change for the next one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, console
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringgate.evidence.measures import Measure
    from ringgate.rollout.review import ReleaseReview


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(review)


def review(
    release: Annotated[str, typer.Argument(metavar="NAME", help="The release, as its evidence is labelled.")],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="The gate's policy; a change of it is proposed as a diff.",
                     show_default=False),
    ] = None,
    definition: Annotated[
        Path | None,
        typer.Option("--definition", metavar="FILE", help="The release's file; a change of it is proposed as a diff.",
                     show_default=False),
    ] = None,
    replay: Annotated[
        bool, typer.Option(help="Replay the gate on the stored runs, under this and other policies.")
    ] = True,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Review a release: the five DORA measures, exposure, false holds, detection delay, rules that fired, proposals.

    Shares and medians come as n of N with a 95 % interval. A change is proposed only if, on the stored runs, it makes
    nothing worse. Where no rollout is known, its rehearsals are reviewed. Ends with 0, with 2 if the store cannot be
    read, with 3 for wrong use.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from ringgate.evidence import EvidenceChain, this_actor
    from ringgate.host.paths import results_url
    from ringgate.host.secrets import redact
    from ringgate.inventory import Inventory
    from ringgate.judging import load_policy
    from ringgate.rollout.release import load_release
    from ringgate.rollout.replay import Replays
    from ringgate.rollout.review import ReviewSources, reviewed
    from ringgate.rollout.rollout_tables import RolloutTable
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    known, url = Inventory.load(inventory), results_url(results)
    rules = load_policy(policy, known, known_scenarios())
    pace = load_release(definition, known).table.rollout if definition else RolloutTable()
    store = Store(url)
    try:
        sources = ReviewSources(
            store, EvidenceChain(store, this_actor()).entries(), known, _text(policy), _text(definition),
            Replays(lambda: Store(url), known, rules) if replay else None, pace,
        )  # fmt: skip
        found = reviewed(release, sources, datetime.now(UTC))
    finally:
        store.close()
    if as_json:
        typer.echo(redact(json.dumps(asdict(found), indent=2, default=str, ensure_ascii=False)))
    else:
        _print(found)
    return Exit.OK


def _text(file: Path | None) -> str:
    return file.read_text(encoding="utf-8") if file else ""


def _print(found: ReleaseReview) -> None:
    screen = console()
    for line, style in lines_of(found):
        screen.print(line, style=style, soft_wrap=True)


def lines_of(found: ReleaseReview) -> Iterator[tuple[str, str]]:
    """The review as lines with their styles."""
    what = "its rehearsals (no rollout of it is known)" if found.rehearsed else "its rollout"
    yield f"{found.release}: review of {what}, up to {found.until:%Y-%m-%d %H:%M} UTC", "bold"
    yield from ((f"  {in_words(each)}", "") for each in (*found.of_release, found.exposure, found.detection))
    yield "All releases", "bold"
    yield from ((f"  {in_words(each)}", "") for each in (*found.dora, found.false_holds))
    for title, table in (("By tenant", found.by_tenant), ("By release", found.by_release)):
        yield title, "bold"
        yield from ((f"  {name}: {'; '.join(map(in_words, measures))}", "") for name, measures in table.items())
    yield from _rules(found)
    yield "Incidents, tickets and changes that were noted", "bold"
    for note in found.noted:
        whom = ", ".join(note.tenants) or f"ring {note.ring}"
        more = f" ({note.reference})" if note.reference else ""
        yield f"  {note.began:%Y-%m-%d %H:%M} {note.kind} on {whom}: {note.what}{more}", ""
    if not found.noted:
        yield "  none", ""
    yield "Consumption", "bold"
    for use in found.use:
        size = f", backup {use.backup / 1e6:.1f} MB" if use.backup else ""
        yield f"  {use.tenant}: {use.calls:,} calls, {use.seconds:.0f} s of stages{size}", ""
    for proposal in found.proposals:
        yield f"Proposed for {proposal.file}: {proposal.why}", "bold"
        yield from ((f"  {words}", "") for words in proposal.replayed)
        yield proposal.diff.rstrip(), ""
    if not found.proposals:
        yield "No change is proposed: none makes nothing worse and something better on the stored runs.", ""
    yield from ((f"{remark}.", "") for remark in found.remarks)
    if found.unattributed:
        yield f"{found.unattributed} incidents belong to no deployment that is known.", "yellow"


def _rules(found: ReleaseReview) -> Iterator[tuple[str, str]]:
    yield "Rules that fired first", "bold"
    for fired in found.fired:
        after = f"{fired.minutes:.0f} min after its first tenant" if fired.minutes is not None else "before any upgrade"
        yield f"  {fired.ring}: {fired.rule} ({fired.action}), {after}, entry {fired.entry}", ""
    if not found.fired:
        yield "  none", ""
    for each in found.replays:
        first = ", ".join(f"{rule} after {minutes:.0f} min" for rule, minutes in each.first.items()) or "nothing"
        yield f"  replayed on {each.ring}, {each.runs} runs: {each.verdict}; would have stopped it: {first}", ""


def in_words(each: Measure) -> str:
    """`change fail rate 40 % (2 of 5, 5 % to 85 %)`"""
    if each.value is None:
        told = f"{each.name} not known ({each.n} of {each.of})"
    else:
        value, low, high = (_number(each, number) for number in (each.value, each.low, each.high))
        span = f", {low} to {high}" if low and high else ""
        told = f"{each.name} {value} ({each.n} of {each.of}{span})"
    return f"{told}{f'; {each.remark}' if each.remark else ''}"


def _number(each: Measure, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if not each.unit else f"{value:,.1f} {each.unit}"
