"""`ringgate gate`: may the rollout go on? The answer is the exit code; the page says why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringgate.cli.common import Exit, InventoryOption, UsageMistake, complain
from ringgate.cli.runs import RegionsOption, ResultsOption

if TYPE_CHECKING:
    from ringgate.domain.columns import ResultColumns
    from ringgate.domain.model import Tenant
    from ringgate.gate import Verdict
    from ringgate.inventory import Inventory
    from ringgate.judging import Judge

POLL = 10.0
"""Seconds between two looks at the store, or a tick if that is shorter."""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def add_to(app: typer.Typer) -> None:
    """Puts the command on `ringgate` itself."""
    app.command()(gate)


def gate(
    release: Annotated[str, typer.Option(metavar="NAME", help="The release, as its results are labelled.")],
    ring: Annotated[
        str | None, typer.Option(metavar="NAME", help="The ring that the release has reached.", show_default=False)
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Judge this tenant alone. Says nothing of its ring, and is not noted.",
                     show_default=False),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Look again and again until it is decided or its deadline is over.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="When it may go on, in TOML [default: as deploy/gate.toml explains].",
                     show_default=False),
    ] = None,
    self_test: Annotated[
        str | None,
        typer.Option("--self-test", metavar="SCENARIO", show_default=False,
                     help="First run this scenario on falsified answers, where no prober does, and keep the result."),
    ] = None,
    regions: RegionsOption = None,
    inventory: InventoryOption = None,
    results: ResultsOption = None,
    format_: Annotated[Format, typer.Option("--format", help="A page for people, or for programs.")] = Format.TEXT,
    keep: Annotated[
        bool, typer.Option(help="Note the verdict as evidence in the store. A pass that cannot be noted ends with 2.")
    ] = True,
) -> int:  # fmt: skip
    """Say whether a rollout may go on from a ring, or whether one tenant is well.

    Tests the release's results against those from before it. Ends with 0 for pass (promote it), 1 for fail (pause or
    roll back), 2 for inconclusive (do not go on): no data, old data, a tenant untested, a store that cannot be read, a
    self-test that was not caught, too few runs so far, or a region of --regions that sent nothing for five minutes.
    """
    from ringgate.host.paths import results_url
    from ringgate.inventory import Inventory
    from ringgate.judging import RegionalJudge, load_policy
    from ringgate.probing.silence import planned
    from ringgate.scenario.discovery import known_scenarios
    from ringgate.store import Store

    known = Inventory.load(inventory)
    scenarios = known_scenarios()
    rules = load_policy(policy, known, scenarios)
    ring = _ring_of(known, ring, tenant)
    tenants = known.select(rings=[ring], tenants=[tenant] if tenant else ())
    url = results_url(results)
    if self_test:
        _test_ourselves(self_test, tenants, known, release, url)
    due = planned(known, scenarios.values())
    _take_in(regions, url)
    judge = RegionalJudge(lambda: Store(url), known, rules, due=due, tenant=tenant or "")
    try:
        verdict = judge.verdict(ring, release)
        if wait:
            patience = rules.deadline.total_seconds()
            poll = min(POLL, rules.tick.total_seconds())
            verdict = wait_for(judge, verdict, patience, poll, before=lambda: _take_in(regions, url))
    finally:
        judge.close()
    _print(verdict, format_)
    code = exit_code(verdict)
    kept = not keep or bool(tenant) or _keep(verdict, known, url, judge.read(ring, release))
    return Exit.BROKEN if code is Exit.OK and not kept else code


def _ring_of(known: Inventory, ring: str | None, tenant: str | None) -> str:
    """Raises UsageMistake, and SelectionError for a tenant that is none."""
    if tenant:
        its = known.tenant(tenant).ring
        if ring and ring != its:
            raise UsageMistake(f"--ring: {tenant} is in ring {its}, not in {ring}")
        return its
    if not ring:
        raise UsageMistake("name the ring with --ring, or a tenant with --tenant")
    return ring


def _keep(verdict: Verdict, known: Inventory, url: str, read: ResultColumns | None) -> bool:
    """Notes it as evidence, with the digest of what was read for it. Says on standard error why it could not be, unless
    the verdict says that already."""
    from ringgate.evidence import EvidenceChain, this_actor
    from ringgate.evidence.verdicts import hold_for, verdict_evidence
    from ringgate.execution.run_once import new_run_id
    from ringgate.store import Store, StoreError

    try:
        store = Store(url)
        try:
            hold_for(verdict, store)
            made = verdict_evidence(verdict, known, store, new_run_id(), read=read)
            EvidenceChain(store, this_actor()).append(*made)
        finally:
            store.close()
    except StoreError as error:
        if not verdict.facts.unreadable:
            complain(f"the verdict was not noted as evidence: {error}")
        return False
    return True


def _test_ourselves(name: str, tenants: Sequence[Tenant], known: Inventory, release: str, url: str) -> None:
    """Run a self-test over the API on the first tenant of the ring that is not paused. The store keeps what came of it;
    whether it was caught is the gate's to say."""
    from ringgate.domain.terms import Channel, Source
    from ringgate.execution import setup
    from ringgate.execution.self_test import self_test
    from ringgate.inventory import pause_of
    from ringgate.scenario.discovery import check_known, known_scenarios

    scenarios = known_scenarios()
    check_known([name], scenarios)
    tenant = next((each for each in tenants if not pause_of(each)), tenants[0])
    with setup.engine(
        [tenant], session=setup.new_session(), release=release, source=Source.SELF_TEST, results=url,
        neighbours=known.tenants,
    ) as engine:  # fmt: skip
        self_test(scenarios[name], tenant, Channel.API, engine)


def _take_in(regions: Path | None, url: str) -> None:
    """Into the store, as far as it goes: what is wrong with a region is said, and its silence is in the verdict."""
    if regions is None:
        return
    from ringgate.judging.regions import take_in
    from ringgate.store import StoreError

    try:
        problems = [f"region {each.region}: {each.problem}" for each in take_in(url, regions) if each.problem]
    except (StoreError, OSError) as error:
        problems = [f"nothing was taken in from {regions}: {error}"]
    for each in problems:
        complain(each)


def wait_for(
    judge: Judge,
    verdict: Verdict,
    patience: float,
    poll: float,
    sleep: Callable[[float], None] = time.sleep,
    before: Callable[[], None] = lambda: None,
) -> Verdict:
    """Asks until it is decided; for `patience` seconds at most, for a bake that never begins has no deadline. `before`
    is done before each look."""
    until, told = time.monotonic() + patience, ""
    while not verdict.decided and time.monotonic() < until:
        why = verdict.reasons[0].sentence if verdict.reasons else ""
        if (now := f"{verdict.action.value}: {verdict.reasons[0].rule if verdict.reasons else ''}") != told:
            typer.echo(f"{datetime.now(UTC):%H:%M:%S} {verdict.action.value}: {why}", err=True)
            told = now
        sleep(poll)
        before()
        verdict = judge.verdict(verdict.facts.ring, verdict.facts.release)
    return verdict


def _print(verdict: Verdict, format_: Format) -> None:
    from ringgate.host.secrets import redact
    from ringgate.judging import as_json, as_junit, as_text

    if format_ is Format.JSON:
        typer.echo(redact(json.dumps(as_json(verdict), indent=2, ensure_ascii=False, allow_nan=False)))
    elif format_ is Format.JUNIT:
        typer.echo(redact(as_junit(verdict)), nl=False)
    else:
        colour = {"pass": "green", "fail": "red"}.get(verdict.word.value, "yellow")
        first, headline, rest = as_text(verdict).split("\n", 2)
        typer.echo(first)
        typer.secho(headline, fg=colour, bold=True)
        typer.echo(rest, nl=False)


def exit_code(verdict: Verdict) -> Exit:
    """0 only for a pass."""
    return {"pass": Exit.OK, "fail": Exit.FAILED}.get(verdict.word.value, Exit.BROKEN)
