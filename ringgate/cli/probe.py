"""`ringgate probe`: run the scenarios again and again, as the inventory says when."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import (
    Exit,
    InventoryOption,
    JsonOption,
    UsageMistake,
    complain,
    console,
    counted,
)
from ringgate.cli.runs import ResultsOption, SignalsOption

if TYPE_CHECKING:
    from ringgate.execution.twins import Twins
    from ringgate.gate import GatePolicy
    from ringgate.inventory import Inventory
    from ringgate.probing.plan import Probe
    from ringgate.probing.prober import Prober, ProbeTotals, Terms
    from ringgate.probing.setup import ProbeSelection
    from ringgate.probing.view import ProbeDisplay

EXITS = """\
\b
Exit codes:
  0    all is well: every run passed (--once, --for); or it was told to stop, and did (SIGTERM)
  1    the ERP is wrong: a run failed (--once, --for)
  2    no verdict: a run broke, something due was left out, or could not be ended, undone or stored in time
  3    nothing was run: wrong use, an inventory with errors, an empty selection
  130  stopped by the keyboard
"""


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command(epilog=EXITS)(probe)


def _many(what: str, metavar: str = "NAME") -> Any:
    return typer.Option(help=what, metavar=metavar, show_default=False)


def probe(
    tenant: Annotated[list[str] | None, _many("Only this one; may be repeated, as all of these.", "ID")] = None,
    cohort: Annotated[list[str] | None, _many("Only this cohort.")] = None,
    ring: Annotated[list[str] | None, _many("Only this ring.")] = None,
    region: Annotated[list[str] | None, _many("Only this region.")] = None,
    scenario: Annotated[list[str] | None, _many("Only this process.", "ID")] = None,
    channel: Annotated[list[str] | None, _many("Only this channel: api or browser.")] = None,
    residency: Annotated[
        list[str] | None,
        typer.Option(envvar="RINGGATE_RESIDENCY", metavar="NAME", show_default=False,
                     help="This worker's residency: it calls tenants of this residency and of any, and no others."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would run when, and what never, and run nothing.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Run everything once, now, and end.")] = False,
    lasting: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="End after this time, such as 30min.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=512, help="Runs side by side over the API [default: as the inventory allows in all].",
                     show_default=False),
    ] = None,
    browsers: Annotated[int, typer.Option(min=1, max=64, help="Browsers, and so runs side by side over them.")] = 1,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that share tenants and workers.")] = 1,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Told to stop, it finishes or undoes what runs within this.")
    ] = 25.0,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only what did not pass, and a summary each minute.")
    ] = False,
    twins: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Compare all that one run of N made with runs before; 0: none."),
    ] = 0,
    twins_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="TOML: renamed fields that were reviewed, and accepted differences."),
    ] = None,
    signals: SignalsOption = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="The gate's policy: what its waivers accept is not forgotten; with --plan, how long a "
                     "promotion takes by it."),
    ] = None,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    as_json: JsonOption = False,
    share: Annotated[str, typer.Option(hidden=True)] = "0/1",
) -> int:  # fmt: skip
    """Run the processes again and again, as the inventory says.

    What killed probers left is taken back first, and their results are stored. A tenant is left alone while it is
    paused, under maintenance, or outside the hours of its business. Runs, and what was late, missed, overlapping or
    skipped, go into the store of results, where `ringgate gate` and `ringgate serve` find them.

    SIGTERM and SIGINT stop it: what runs is finished, or undone, within the grace time; a second one undoes it at once.
    """
    from ringgate.domain.terms import Channel
    from ringgate.execution.setup import twins as twins_of
    from ringgate.host import paths
    from ringgate.inventory import Inventory
    from ringgate.inventory.kinds import duration
    from ringgate.judging import load_policy
    from ringgate.judging.forgetting import Forgetting
    from ringgate.probing.prober import Terms
    from ringgate.probing.setup import ProbeSelection, chosen
    from ringgate.probing.setup import workers as shared_out
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.signals import polling

    try:
        time_given = duration(lasting) if lasting else None
    except ValueError as error:
        raise UsageMistake(f"--for {error}") from None
    if once and lasting:
        raise UsageMistake("--once ends by itself: leave --for out")
    if wrong := sorted(set(channel or ()) - {each.value for each in Channel}):
        raise UsageMistake(f'no channel is called "{wrong[0]}"; there is {", ".join(Channel)}')
    which, of = (int(part) for part in share.split("/"))
    wanted = ProbeSelection(
        tenants=tenant or (), cohorts=cohort or (), rings=ring or (), regions=region or (), scenarios=scenario or (),
        channels=[Channel(each) for each in channel or ()], residencies=residency or (), share=(which, of),
    )  # fmt: skip
    taken = twins_of(twins, twins_file)
    known = Inventory.load(inventory, residency=residency)
    probes = chosen(known, wanted, known_scenarios())
    if plan:
        _print_plan(probes, load_policy(policy, known), as_json)
        return Exit.OK
    if not any(not each.never for each in probes):
        if of > 1:
            return Exit.OK  # other processes have the tenants
        raise UsageMistake(f"there is nothing to probe: {probes[0].never if probes else 'no scenario is left'}")
    if processes > 1:
        from ringgate.probing.supervisor import run_shares

        return run_shares(processes, grace, endless=not (once or lasting))
    at_once = {c: max(1, n // of) for c, n in shared_out(known, probes, workers, browsers).items()}
    waivers = load_policy(policy, known).waivers if policy else ()
    forgetting = Forgetting(known.retention, paths.reports() / "evidence", waivers)
    terms = Terms(
        workers=at_once, once=once, lasting=time_given, grace=grace, covers=f"{known.path.absolute()} {wanted.words}",
        forgetting=forgetting if which == 0 else None,  # one of several processes is enough
    )  # fmt: skip
    with polling(signals if which == 0 else None, known.tenants, paths.results_url(results), complain):
        return _run(known, probes, wanted, terms, results, quiet, taken)


def _run(
    known: Inventory,
    probes: Sequence[Probe],
    wanted: ProbeSelection,
    terms: Terms,
    results: str | None,
    quiet: bool,
    twins: Twins | None,
) -> int:
    from ringgate.probing.setup import assembled
    from ringgate.probing.view import ProbeDisplay
    from ringgate.scenario.discovery import known_scenarios

    try:
        with (
            ProbeDisplay(console(), probes, quiet=quiet, board=wanted.share[1] == 1) as watch,
            assembled(
                known, probes, wanted, terms, watch, scenarios=known_scenarios(), results=results, twins=twins
            ) as prober,
        ):
            course, interrupted = until_stopped(prober, watch)
    except ValueError as error:  # a file that is no journal; it is named, and kept
        raise UsageMistake(str(error)) from None
    return verdict(course, terms, interrupted)


def until_stopped(prober: Prober, watch: ProbeDisplay) -> tuple[ProbeTotals, bool]:
    """Runs it until it ends, or a signal has it stop. Its totals, and whether that was by the keyboard."""
    from ringgate.probing.supervisor import on_signals

    interrupted = False
    watch.counters = prober.course.counters

    def stop(number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = interrupted or number == signal.SIGINT
        prober.stop()

    with on_signals(stop):
        return prober.run(), interrupted


def verdict(course: ProbeTotals, terms: Terms, interrupted: bool) -> Exit:
    """What a prober's end means."""
    from ringgate.domain.terms import Outcome

    ends_by_itself = terms.once or terms.lasting is not None
    if interrupted and course.whole:
        return Exit.STOPPED
    if ends_by_itself and course.outcomes[Outcome.FAILED]:
        return Exit.FAILED
    unknown = course.outcomes[Outcome.BROKEN] or course.outcomes[Outcome.STOPPED] or not course.outcomes
    if not course.whole or (ends_by_itself and unknown):
        return Exit.BROKEN
    return Exit.OK


# --- the plan ---------------------------------------------------------------------------------------------------------


def _print_plan(probes: Sequence[Probe], policy: GatePolicy, as_json: bool) -> None:
    from ringgate.probing.promotions import promotions

    now = datetime.now(UTC)
    due = sorted((each for each in probes if not each.never), key=lambda each: each.next_after(now))
    if as_json:
        rows = [_as_json(each, now) for each in (*due, *(each for each in probes if each.never))]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("next", "ring", "tenant", "process", "channel", "every", "at most", ""):
        table.add_column(heading, no_wrap=True)
    for each in due:
        slot = each.next_after(now)
        closed = each.closed(slot)
        local = slot.astimezone()
        day = "" if local.date() == now.astimezone().date() else f"{local:%a} "
        note = f"left out: {closed.reason}" if closed else ""
        table.add_row(f"{day}{local:%H:%M:%S}", each.tenant.ring, each.tenant.id, each.scenario.id, each.channel,
                      _span(each.every.total_seconds()), _span(each.deadline.total_seconds()), note)  # fmt: skip
    screen = console()
    screen.print(table)
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for each in probes:
        if each.never:
            why = each.never.replace(each.tenant.id, "the tenant")
            reasons.setdefault((each.scenario.id, each.channel, why), []).append(each.tenant.id)
    if reasons:
        screen.print("\nNever:", style="bold")
    for (scenario, channel, why), tenants in reasons.items():
        screen.print(f"  {scenario} over {channel} on {', '.join(tenants)}: {why}", soft_wrap=True)
    minute = sum(60 / each.every.total_seconds() for each in due)
    screen.print(
        f"\n{counted(len(due), 'probe')} on {counted(len({e.tenant.id for e in due}), 'tenant')}: "
        f"{minute:.1f} runs a minute",
        style="dim",
    )
    for forecast in promotions(probes, policy, now):
        screen.print(str(forecast), style="dim" if forecast.fits else "yellow", soft_wrap=True)


def _as_json(each: Probe, now: datetime) -> dict[str, object]:
    row: dict[str, object] = {"tenant": each.tenant.id, "scenario": each.scenario.id, "channel": each.channel.value}
    if each.never:
        return {**row, "never": each.never}
    slot = each.next_after(now)
    closed = each.closed(slot)
    return {
        **row,
        "every": each.every.total_seconds(),
        "deadline": each.deadline.total_seconds(),
        "next": slot.isoformat(timespec="seconds"),
        "left_out": closed.reason if closed else "",
    }


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
