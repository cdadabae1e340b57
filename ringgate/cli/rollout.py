"""`ringgate rollout`: the same release and the same controller as in a rehearsal, on the tenants' own platform."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, JsonOption, UsageMistake, console, counted
from ringgate.cli.elevations import elevated, revoke
from ringgate.cli.rehearse import OutOption, SettleOption, conclude, definition_of, exit_code, write_record_pages
from ringgate.cli.release import ReleaseArgument
from ringgate.cli.roll_back_decision import decided_by
from ringgate.cli.rollout_record import folder_of, found_record, id_of, keeper_of
from ringgate.cli.runs import ResultsOption

if TYPE_CHECKING:
    from ringgate.rollout.controller import Rehearsal
    from ringgate.rollout.lease import RolloutLease
    from ringgate.rollout.orders import RolloutOrders
    from ringgate.rollout.pace import RolloutPace
    from ringgate.rollout.platforms.protocol import PlatformSite
    from ringgate.rollout.record import RecordKeeper, RehearsalRecord
    from ringgate.rollout.release import Release

app = typer.Typer(
    help="Roll a release out, ring by ring, on the tenants' own platform.", no_args_is_help=True, rich_markup_mode=None
)

PlatformRequired = Annotated[
    str, typer.Option("--platform", metavar="KIND=WHERE", help="Where the tenants live, such as command=hosts.toml.")
]
OwnInventory = Annotated[
    Path | None,
    typer.Option("--inventory", "-i", metavar="FOLDER", help="The inventory's folder [default: the platform's own].",
                 show_default=False),
]  # fmt: skip
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so [default: the user].")]
WhyArgument = Annotated[str, typer.Argument(metavar="WHY", help="In a sentence.")]

_LIT = {"promote": "on", "pause": "paused", "roll back": "off again"}

SOON = 14
"""Days before a flag's end in which `flags` says so by its exit code."""

LOOK = 60.0
"""Seconds between two looks at whether a rollout that waits may go on."""


@app.command()
def plan(
    release: ReleaseArgument, platform: PlatformRequired, inventory: OwnInventory = None,
    as_json: JsonOption = False, results: ResultsOption = None,
) -> int:  # fmt: skip
    """Show who is upgraded when and in which order, what is checked, and what stands against it. Changes nothing.

    Ends with 0 if nothing stands against it, with 1 if something does.
    """
    from ringgate.rollout.planning import planned

    with _site(release, platform, inventory) as (site, definition):
        kept, now = keeper_of(folder_of(definition.id, platform)).find(), datetime.now(UTC)
        pace = _pace(definition, kept.session if kept else "", results)
        rings = planned(definition, site.platform, pace, now)
    against = any(tenant.against for ring in rings for tenant in ring.tenants) or any(x.approval for x in rings)
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(each) for each in rings], indent=2, default=str, ensure_ascii=False))
        return Exit.FAILED if against else Exit.OK
    screen = console()
    for ring in rings:
        words = f"{counted(len(ring.tenants), 'tenant')}, {ring.at_once} at once, {ring.budget} may fail"
        screen.print(f"{ring.ring}: {words}; {ring.checks}", style="bold", soft_wrap=True)
        for each in ring.tenants:
            opens = "now" if each.now else f"{each.opens:%Y-%m-%d %H:%M} UTC" if each.opens else "not within a year"
            screen.print(f"  {each.tenant:20} {each.series:8} {opens:22} {'; '.join(each.against)}", soft_wrap=True)
        if ring.approval:
            screen.print(f"  waits for an approval: {ring.approval}", soft_wrap=True)
    approvers = ", ".join(definition.table.approvers)
    screen.print(f"{definition.table.before} to {definition.table.after}; approvers: {approvers}", soft_wrap=True)
    return Exit.FAILED if against else Exit.OK


@app.command()
def start(
    release: ReleaseArgument,
    platform: PlatformRequired,
    inventory: OwnInventory = None,
    wait: Annotated[bool, typer.Option("--wait", help="Look every minute whether it may go on.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Begin again, not where the last start stopped.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Go on from a ring that stopped the rollout: what failed is done again.")
    ] = False,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    out: OutOption = None,
) -> int:
    """Begin a rollout, or go on with it where it is.

    Does what may be done now and says what it waits for: a window, the end of a freeze, the gate, a pause. Killed at
    any point, the same command goes on. Ends with 0 if every ring was promoted, 1 if a ring stopped the rollout, 2 if
    it waits, or stopped because our own side broke or something could not be told.
    """
    from ringgate.execution import setup
    from ringgate.rollout.beginning import begin, reopen

    with _site(release, platform, inventory) as (site, definition), _led(definition, platform, site) as led:
        ledger = led.ledger
        if anew:
            ledger.forget()
        if again:
            reopen(ledger)
        if begin(ledger, definition, site.platform, setup.new_session(), activates=True):
            console().print(f"Going on with the rollout that was begun at {ledger.record.began:%Y-%m-%d %H:%M} UTC.")
        pace = _pace(definition, ledger.record.session, results, led)
        record = _run(definition, site, ledger, pace, settle, results)
        while record.waits and wait:
            typer.echo(f"{datetime.now(UTC):%H:%M:%S} waits: {record.waits}", err=True)
            time.sleep(LOOK)
            record = _run(definition, site, ledger, pace, settle, results)
        page = write_record_pages(record, definition, ledger, site, results, out, "rollout")
    conclude(record)
    typer.echo(f"report: {page}")
    return Exit.BROKEN if record.waits else exit_code(record)


@app.command("roll-back")
def roll_back(
    release: ReleaseArgument,
    why: WhyArgument,
    platform: PlatformRequired,
    by: ByOption = "",
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            show_default=False,
            help="Your own private key, where the release says who decides it (approvals.roll_back).",
        ),
    ] = None,
    inventory: OwnInventory = None,
    settle: SettleOption = 60.0,
    results: ResultsOption = None,
    out: OutOption = None,
) -> int:
    """Take back every tenant that this rollout upgraded, the last ring first. No window is waited for.

    Where the release names who decides it, it is done with the key of one of them, and their signed decision is
    evidence. Ends with 0 if the books of all are as they were, with 1 if some are not, with 2 if the decision is
    refused or cannot be noted, with 3 if there is no such rollout.
    """
    with _site(release, platform, inventory) as (site, definition), _led(definition, platform, site) as led:
        ledger = led.ledger
        by = decided_by(definition, found_record(ledger), key, results) or by
        with site.running():
            record = _controller(definition, site, ledger, settle, results).roll_back(by or getpass.getuser(), why)
        page = write_record_pages(record, definition, ledger, site, results, out, "rollout")
    conclude(record)
    typer.echo(f"report: {page}")
    stages = [each.stages.get("rollback") for each in record.tenants.values()]
    return Exit.FAILED if record.left or any(each and each.reasons for each in stages) else Exit.OK


@app.command("switch-off")
def switch_off(
    release: ReleaseArgument,
    why: WhyArgument,
    platform: PlatformRequired,
    by: ByOption = "",
    inventory: OwnInventory = None,
    results: ResultsOption = None,
) -> int:
    """Switch off, on every tenant, the features that this rollout switched on. The tenants stay upgraded.

    No window and no approval is waited for. Ends with 0 if all are off, with 1 if some are not, 2 if nobody can tell
    of some, 3 if there is no such rollout or nothing was switched on.
    """
    from ringgate.rollout.activating import switched_off
    from ringgate.rollout.conditions import Condition

    today = found_record(keeper_of(folder_of(id_of(release), platform))).began.date()  # a flag may have ended since
    with _site(release, platform, inventory, today) as (site, definition), _led(definition, platform, site) as led:
        ledger = led.ledger
        record = found_record(ledger)
        if not any("activation" in each.stages for each in record.tenants.values()):
            raise UsageMistake("this rollout has switched nothing on.")
        record = switched_off(_controller(definition, site, ledger, 0.0, results), by or getpass.getuser(), why)
    kept = [each.stages.get("deactivation") for each in record.tenants.values()]
    left = [reason for each in kept if each for reason in each.reasons]
    for reason in left:
        typer.echo(f"{reason.tenant}: {reason.sentence}", err=True)
    off = sum(1 for each in kept if each and not each.reasons)
    typer.echo(f"The features are off on {counted(off, 'tenant')}, which stay at {record.after}.")
    if any(each.condition is not Condition.INCONCLUSIVE for each in left):
        return Exit.FAILED
    return Exit.BROKEN if left else Exit.OK


@app.command()
def flags(
    release: ReleaseArgument, platform: PlatformRequired, inventory: OwnInventory = None, as_json: JsonOption = False
) -> int:
    """Show each feature of a release: whose it is, until when, and where it is on, asked now. Changes nothing.

    Ends with 0, with 1 if a flag ends within two weeks, 2 if nobody can tell where one is on.
    """
    from ringgate.rollout.flags.known import flags_of
    from ringgate.rollout.flags.protocol import FlagUnknown

    told, code = [], int(Exit.OK)
    with _site(release, platform, inventory) as (_, definition):
        for flag in flags_of(definition.table.activation, definition.path.parent):
            states: dict[str, bool | None] = {}
            for tenant in definition.tenants:
                try:
                    states[tenant.id] = flag.state(tenant)
                except FlagUnknown as unknown:
                    states[tenant.id], code = None, int(Exit.BROKEN)
                    typer.echo(str(unknown), err=True)
            left = (flag.table.ends - datetime.now(UTC).date()).days
            code = code or (int(Exit.FAILED) if left < SOON else code)
            told.append((flag.table, states))
    if as_json:
        listed = [{"flag": x.name, "owner": x.owner, "ends": str(x.ends), "on": states} for x, states in told]
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return code
    for each, states in told:
        on = ", ".join(name for name, state in states.items() if state) or "nowhere"
        typer.echo(f"{each.name}: of {each.owner}, until {each.ends}; on: {on}")
    return code


@app.command()
def status(release: ReleaseArgument, platform: PlatformRequired, as_json: JsonOption = False) -> int:
    """Show how far a rollout is, from its record: asks no host.

    Ends with 0 if every ring was promoted, 1 if a ring stopped the rollout, 2 if it is under way or waits, 3 if there
    is none.
    """
    from ringgate.rollout.lease import RolloutLease
    from ringgate.rollout.orders import RolloutOrders

    folder = folder_of(id_of(release), platform)
    ledger = keeper_of(folder)
    record, lease, paused = found_record(ledger), RolloutLease(folder), RolloutOrders(folder).paused()
    led = lease.said() if lease.taken() else ""
    if as_json:
        told = record.model_dump(mode="json") | {"paused": paused, "led_by": led}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        screen = console()
        for name, ring in record.rings.items():
            said = ring.decision.value if ring.decision else "under way" if ring.began else "not begun"
            screen.print(f"{name}: {said}", style="bold", soft_wrap=True)
            for tenant, kept in record.tenants.items():
                if kept.ring == name:
                    done = ", ".join(f"{stage} {each.outcome}" for stage, each in kept.stages.items())
                    screen.print(f"  {tenant:20} {done or 'not begun'}", soft_wrap=True)
        for name, ring in record.activation.items():
            said = _LIT[ring.decision.value] if ring.decision else "being switched on" if ring.began else "dark"
            screen.print(f"features of {name}: {said}", soft_wrap=True)
        for line in filter(None, (f"led by {led}" if led else "nobody leads it at the moment", paused,
                                  f"waits: {record.waits}" if record.waits else "")):  # fmt: skip
            screen.print(line, soft_wrap=True)
    return Exit.BROKEN if record.ended is None else exit_code(record)


@app.command()
def pause(release: ReleaseArgument, why: WhyArgument, platform: PlatformRequired, by: ByOption = "") -> int:
    """Have nothing more begun. What is under way is verified to its end.

    Ends with 0, with 3 if there is no such rollout.
    """
    from ringgate.rollout.orders import RolloutOrders

    folder = folder_of(id_of(release), platform)
    found_record(keeper_of(folder))
    RolloutOrders(folder).pause(by or getpass.getuser(), why)
    typer.echo("Paused. `ringgate rollout resume` ends it.")
    return Exit.OK


@app.command()
def resume(release: ReleaseArgument, platform: PlatformRequired) -> int:
    """End a pause; `ringgate rollout start` goes on.

    Ends with 0, with 3 if it is not paused.
    """
    from ringgate.rollout.orders import RolloutOrders

    if not RolloutOrders(folder_of(id_of(release), platform)).resume():
        raise UsageMistake("this rollout is not paused.")
    typer.echo("No longer paused; `ringgate rollout start` goes on.")
    return Exit.OK


app.command()(revoke)


def _run(
    definition: Release, site: PlatformSite, ledger: RecordKeeper, pace: RolloutPace, settle: float, results: str | None
) -> RehearsalRecord:
    from ringgate.rollout.view import RolloutDisplay

    with RolloutDisplay(console(), ledger.record) as board, site.running():
        controller = _controller(definition, site, ledger, settle, results, board)
        controller.pace = pace
        return elevated(definition, ledger, results, controller.run)


def _controller(
    definition: Release, site: PlatformSite, ledger: RecordKeeper, settle: float, results: str | None,
    board: object | None = None,
) -> Rehearsal:  # fmt: skip
    from ringgate.execution import setup
    from ringgate.judging import RegionalJudge, load_policy
    from ringgate.rollout.baking import GateBake
    from ringgate.rollout.flags.known import flags_of
    from ringgate.rollout.setup import assembled
    from ringgate.rollout.view import RolloutDisplay
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    watcher = board if isinstance(board, RolloutDisplay) else RolloutDisplay(console(), ledger.record)
    flags = flags_of(definition.table.activation, definition.path.parent)
    found = assembled(definition, site.inventory, site.platform, ledger, watcher, results, settle, flags)
    if definition.table.rollout.bake:
        policy = load_policy(definition.path.parent / definition.table.rollout.bake, site.inventory, known_scenarios())
        url = setup.results_url(results)
        judge = RegionalJudge(lambda: Store(url), site.inventory, policy)
        found.bake = GateBake(
            judge,
            lambda: Store(url),
            lambda: ledger.record,
            lambda condition, said: found.objection(condition, "", said),
        )
    return found


@dataclass(frozen=True)
class _LedRollout:
    """A rollout whose lease is held."""

    ledger: RecordKeeper
    lease: RolloutLease
    orders: RolloutOrders


def _pace(definition: Release, session: str, results: str | None, led: _LedRollout | None = None) -> RolloutPace:
    from ringgate.evidence import this_actor
    from ringgate.host.paths import results_url
    from ringgate.rollout.noted_approvals import NotedApprovals
    from ringgate.rollout.pace import RolloutPace
    from ringgate.store import Store

    url = results_url(results)
    approvals = NotedApprovals(lambda: Store(url), this_actor(), definition, session)
    found = RolloutPace(definition.table.rollout, definition.calendar, approvals)
    if led:
        found.paused, found.check, found.clock = led.orders.paused, led.lease.check, led.ledger.clock
    return found


@contextmanager
def _site(
    release: Path, platform: str, inventory: Path | None, today: date | None = None
) -> Iterator[tuple[PlatformSite, Release]]:
    from ringgate.rollout.platforms.protocol import PlatformRequest
    from ringgate.rollout.platforms.registry import platform_kind, split
    from ringgate.rollout.release import named_series

    name, where = split(platform)
    kind, request = platform_kind(name), PlatformRequest(where, inventory)
    definition_of(release, *kind.foreseen(request), today=today)
    site = kind.open(request, named_series(release), console())
    yield site, definition_of(release, site.inventory, site.series, today=today)


@contextmanager
def _led(definition: Release, platform: str, site: PlatformSite) -> Iterator[_LedRollout]:
    """The rollout, under its lease; nothing is written into its record without it."""
    from ringgate.rollout.lease import RolloutLease
    from ringgate.rollout.orders import RolloutOrders

    folder = folder_of(definition.id, platform)
    with RolloutLease(folder) as lease:
        ledger = keeper_of(folder)
        ledger.fence = lease.check
        site.led_by(lease.number, lease.check)
        yield _LedRollout(ledger, lease, RolloutOrders(folder))
