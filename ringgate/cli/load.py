"""`ringgate load`: so many users at once on chosen tenants, what the platform says meanwhile, and what gives way."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringgate.cli.common import Exit, InventoryOption, JsonOption, UsageMistake, complain
from ringgate.cli.runs import SharedOption

if TYPE_CHECKING:
    from ringgate.load.comparison import ProcessChange
    from ringgate.load.outcome import LoadOutcome

EXITS = """\
\b
Exit codes:
  0    the load was made, all it wrote is taken back, and with --before nothing is worse
  1    it was stopped because too much went wrong, something is left in the ERP, or with --before something is worse
  2    no result: it was told to stop (SIGTERM), a user could not run, or the two loads cannot be compared
  3    nothing was run: wrong use, an inventory with errors, a tenant that allows no load
  130  stopped by the keyboard
"""
LONGEST = 4 * 3600.0
"""Seconds that a load may last."""


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command(epilog=EXITS)(load)


def _many(what: str, metavar: str = "NAME") -> Any:
    return typer.Option(help=what, metavar=metavar, show_default=False)


def load(
    scenario: Annotated[list[str], _many("A process that users run; may be repeated, then in turn.", "ID")],
    tenant: Annotated[list[str] | None, _many("Only this one; may be repeated, as all of these.", "ID")] = None,
    cohort: Annotated[list[str] | None, _many("Only this cohort.")] = None,
    ring: Annotated[list[str] | None, _many("Only this ring.")] = None,
    region: Annotated[list[str] | None, _many("Only this region.")] = None,
    users: Annotated[
        int, typer.Option(min=1, max=512, help="Users at once, shared out over the tenants; with --arrivals the most.")
    ] = 4,
    arrivals: Annotated[
        float,
        typer.Option(min=0.0, max=1000.0, metavar="N", show_default=False,
                     help="So many arrivals a second by chance, however slow the ERP is, instead of users that wait."),
    ] = 0.0,
    ramp: Annotated[
        str, typer.Option(metavar="TIME", help="In which the load goes up, in five steps; 0s: none.")
    ] = "1 min",
    hold: Annotated[str, typer.Option(metavar="TIME", help="For which it then is held.")] = "5 min",
    think: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="Between two processes of a user, on average.")
    ] = 5.0,
    retries: Annotated[
        int, typer.Option(min=0, max=10, help="How often what was not answered is tried again, as programs do.")
    ] = 2,
    stop_at: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="The part of the last 20 runs that may go wrong before it stops.")
    ] = 0.5,
    signals: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="Platform signals to read meanwhile; see deploy/signals.toml. Those with a resource are what "
                     "the bottleneck is named by."),
    ] = None,
    read_every: Annotated[
        float, typer.Option(min=1.0, max=300.0, metavar="SECONDS", help="Between two readings of --signals.")
    ] = 5.0,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the result, for --before.", show_default=False)
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Compare with this result of the same load."),
    ] = None,
    after: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="With --before: compare these two, and run nothing."),
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="In which what runs at the end is finished or undone.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Of what comes by chance.")] = 0,
    shared: SharedOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> int:  # fmt: skip
    """Run processes over the API as so many users at once, and name what gives way first.

    Only on tenants whose inventory says load_users: any other is taken for production. Each run is taken back as a
    probe is, and its undo journal outlives this process (`ringgate recover`). Meanwhile nothing else of Ringgate's runs
    these processes on these tenants; results are kept in --save alone, and are no evidence for a gate.

    It ends by itself: after its time, when too much goes wrong, or on SIGTERM; a second SIGTERM undoes at once.
    """
    from ringgate.inventory import Inventory
    from ringgate.load.comparison import compared, unlike
    from ringgate.load.outcome import LoadOutcome
    from ringgate.load.profile import LoadProfile
    from ringgate.load.setup import LoadPlan
    from ringgate.scenario.discovery import check_known, known_scenarios

    if after and not before:
        raise UsageMistake("--after needs --before")
    earlier = LoadOutcome.load(before) if before else None
    if after:
        outcome = LoadOutcome.load(after)
        interrupted = False
    else:
        profile = LoadProfile(users, arrivals, _seconds("--ramp", ramp), _seconds("--hold", hold), think, retries, seed)
        if not 0 < profile.hold <= profile.seconds <= LONGEST:
            raise UsageMistake(
                f"--hold must be more than 0, and --ramp and --hold together at most {LONGEST / 3600:g} h"
            )
        known, scenarios = Inventory.load(inventory), known_scenarios()
        check_known(scenario, scenarios)
        chosen = known.select(tenant or (), cohort or (), ring or (), region or ())
        plan = LoadPlan(profile, [scenarios[each] for each in dict.fromkeys(scenario)], chosen, known.tenants)
        outcome, interrupted = _made(plan, signals, read_every, grace, stop_at, shared)
        if save:
            outcome.save(save)
    changes, unfit = None, list[str]()
    if earlier and not (unfit := unlike(earlier, outcome)):
        changes = compared(earlier, outcome)
    _print(outcome, changes, as_json)
    for each in unfit:
        complain(f"it cannot be compared with {before}: {each}")
    return _exit(outcome, changes, unfit, interrupted)


def _made(
    plan: Any, signals: Path | None, read_every: float, grace: float, stop_at: float, shared: str | None
) -> tuple[LoadOutcome, bool]:
    """The load's outcome, and whether it was stopped by the keyboard."""
    from ringgate.load.generator import LoadTerms
    from ringgate.load.setup import loading
    from ringgate.probing.supervisor import on_signals
    from ringgate.signals import load as signals_of

    interrupted = False
    read = signals_of(signals, plan.everybody) if signals else None
    terms = LoadTerms(grace=grace, stop_at=stop_at, read_every=read_every)
    with loading(plan, terms, read, shared, complain) as generator:

        def stop(number: int, _frame: object) -> None:
            nonlocal interrupted
            interrupted = interrupted or number == signal.SIGINT
            generator.stop(TOLD)

        with on_signals(stop):
            return generator.run(), interrupted


TOLD = "it was told to"


def _print(outcome: LoadOutcome, changes: list[ProcessChange] | None, as_json: bool) -> None:
    from ringgate.host.secrets import redact
    from ringgate.load.words import as_plain, as_text, comparison_text

    if as_json:
        typer.echo(redact(json.dumps(as_plain(outcome, changes), indent=2, ensure_ascii=False)))
        return
    lines = as_text(outcome)
    if changes is not None:
        lines += ["", *comparison_text(changes)]
    typer.echo(redact("\n".join(lines)))


def _exit(outcome: LoadOutcome, changes: list[ProcessChange] | None, unfit: list[str], interrupted: bool) -> Exit:
    if outcome.left or any(each.slower or each.worse for each in changes or ()):
        return Exit.FAILED
    if interrupted:
        return Exit.STOPPED
    if outcome.stopped and "went wrong" in outcome.stopped:
        return Exit.FAILED
    return Exit.BROKEN if outcome.stopped or unfit or not outcome.runs else Exit.OK


def _seconds(option: str, text: str) -> float:
    from ringgate.inventory.kinds import duration

    try:
        return duration(text).total_seconds()
    except ValueError as error:
        raise UsageMistake(f"{option} {error}") from None
