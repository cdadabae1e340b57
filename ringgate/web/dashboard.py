"""What the dashboard shows: the rollout's rings first, then tenants, failures, timings, deployments and signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringgate.domain.model import Deployment, NotedEvent, RunResult
from ringgate.domain.terms import Outcome
from ringgate.evidence import EvidenceUnreadable
from ringgate.evidence.entry import entry_of
from ringgate.evidence.notes import notes_of
from ringgate.inventory import Inventory
from ringgate.metrics import HORIZON
from ringgate.metrics.families import OUTLIVED, Horizons
from ringgate.metrics.follower import Around
from ringgate.report import timing
from ringgate.report.links import links_of
from ringgate.report.matrix import build_matrix
from ringgate.report.text import CHANNEL_WORDS, clean, count, humanise, listed
from ringgate.report.timeline import note_words
from ringgate.web import cells, rings, signals
from ringgate.web.board import LiveState
from ringgate.web.filters import STATES, TenantFilter
from ringgate.web.times import Age, age

MOST_FAILURES, MOST_DEPLOYMENTS, MOST_NOTES, MOST_PANELS = 12, 12, 12, 24

SHORTLY = timedelta(hours=4)
"""What was noted of a tenant so long before it began to fail is shown beside that."""

SILENT_PROBER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class LiveFailure:
    """Something whose last run did not pass. `since` is when that began, as far as it is remembered; `beside` is what
    was noted of the tenant shortly before or since, `links` are names and addresses in others' tools."""

    state: str
    scenario: str
    tenant: str
    channel: str
    step: str
    message: str
    since: Age
    times: int
    trace_id: str
    beside: tuple[NoteView, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NoteView:
    """An incident, a ticket or a change that was noted."""

    kind: str
    what: str
    where: str
    at: Age
    small: str


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A release that reached a ring."""

    release: str
    ring: str
    tenants: str
    at: Age
    note: str
    by: str


@dataclass(frozen=True, slots=True)
class ProberView:
    """A prober, and whether it is still heard of."""

    id: str
    state: str
    word: str
    seen: Age


def context(
    board: LiveState,
    horizons: Horizons = lambda now: None,
    horizon: timedelta = HORIZON,
    wanted: TenantFilter | None = None,
) -> dict[str, Any]:
    """Everything the templates read. `wanted` are the tenants that the table shows."""
    wanted = wanted or TenantFilter()
    now, error = board.clock(), board.store_error()
    with board.follower.reading() as (figures, around, read_at):
        last = dict(figures.last)
        self_tests = {key: each.number for key, each in figures.self_tests.items()}
    recent, inventory = board.follower.recent(), board.inventory
    judgements = {each.ring: each for each in board.judgements()}
    table = cells.table(inventory.tenants, last, recent, now, horizons(now), horizon, wanted)
    try:
        notes, unreadable = notes_of([entry_of(each) for each in around.notes]), ""
    except EvidenceUnreadable as problem:
        notes, unreadable = [], str(problem)
    failing = _failures(recent, notes, {each.id: each.links for each in inventory.tenants}, now)
    views = rings.views(inventory, around.deployments if around.at else None, judgements, table.failing, now)
    return {
        "title": "Rollout",
        "now": age(now, now),
        "read": age(read_at, now) if read_at else None,
        "noted": around.at is not None,
        "error": clean(error, 400),
        "errors": [(name, clean(text, 400)) for name, text in board.errors.items() if name != "store"]
        + [("evidence", clean(unreadable, 400))] * bool(unreadable),
        "headline": rings.headline(views, error, table),
        "facts": _facts(recent, table, around, now) if read_at else [],
        "rings": views,
        "table": table,
        "wanted": wanted,
        "choices": _choices(inventory, table, wanted),
        "failures": failing[:MOST_FAILURES],
        "more_failures": max(0, len(failing) - MOST_FAILURES),
        "overview": _overview(recent),
        "panels": _panels(recent),
        "deployments": [_deployment(each, now) for each in around.deployments[::-1][:MOST_DEPLOYMENTS]],
        "more_deployments": max(0, len(around.deployments) - MOST_DEPLOYMENTS),
        "notes": [_note(each, now) for each in notes[::-1][:MOST_NOTES]],
        "signals": signals.views(around.samples, now),
        "probers": _probers(around, now),
        "schedule": _schedule(around),
        "self_tests": [(clean(ring, 40), word, number) for (ring, word), number in sorted(self_tests.items())],
    }


def _choices(
    inventory: Inventory, table: cells.LiveTable, wanted: TenantFilter
) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """What the table can be narrowed to: name, words, what is chosen, and each choice with its words."""
    regions = sorted({each.region for each in inventory.tenants if each.region})
    return [
        ("ring", "Ring", wanted.ring, [(each, clean(each, 40)) for each in inventory.rings]),
        ("cohort", "Cohort", wanted.cohort, [(each, clean(each, 40)) for each in sorted(inventory.cohorts)]),
        ("region", "Region", wanted.region, [(each, clean(each, 40)) for each in regions]),
        ("state", "State", wanted.state, [(k, f"{v} ({table.states.get(k, 0):,})") for k, v in STATES.items()]),
    ]


def _facts(
    recent: Sequence[RunResult], table: cells.LiveTable, around: Around, now: datetime
) -> list[tuple[str, str, str]]:
    hour = [each for each in recent if each.started_at >= now - timedelta(hours=1)]
    ran = sum(each.outcome is not Outcome.SKIPPED for each in hour)
    alive = sum(each.stopped_at is None and now - each.seen_at <= SILENT_PROBER for each in around.probers)
    left = f"{len(around.left):,}" if around.left else "none"
    return [
        ("Tenants", f"{table.fresh} of {table.known}", "have fresh results"),
        ("Failing now", str(len(table.failing)) if table.failing else "none", listed(sorted(table.failing), 3)),
        ("Runs", f"{ran:,}", "in the last hour, as far as remembered"),
        ("Probers", str(alive) if alive else "none", "at work"),
        ("Left behind", left, "records now; ringgate recover" if around.left else "every run undid what it wrote"),
    ]


def _failures(
    recent: Sequence[RunResult], notes: Sequence[NotedEvent], links: Mapping[str, Mapping[str, str]], now: datetime
) -> list[LiveFailure]:
    by_key: dict[tuple[str, str, str], list[RunResult]] = {}
    for each in recent:
        if each.outcome not in (Outcome.SKIPPED, Outcome.STOPPED):
            by_key.setdefault((each.tenant, each.scenario, each.channel.value), []).append(each)
    found = []
    for runs in by_key.values():
        streak: list[RunResult] = []
        for each in reversed(runs):
            if each.outcome is Outcome.PASSED:
                break
            streak.append(each)
        if streak:
            found.append(
                (streak[0].outcome is Outcome.BROKEN, streak[-1].started_at, _failure(streak, notes, links, now))
            )
    return [view for _, _, view in sorted(found, key=lambda each: each[:2])]


def _failure(
    streak: Sequence[RunResult], notes: Sequence[NotedEvent], links: Mapping[str, Mapping[str, str]], now: datetime
) -> LiveFailure:
    run, began = streak[0], streak[-1].started_at
    beside = [each for each in notes if each.concerns(run.tenant, run.ring) and each.began >= began - SHORTLY]
    said = run.failure
    return LiveFailure(
        state=run.outcome.value,
        scenario=humanise(run.scenario),
        tenant=clean(run.tenant, 60),
        channel=CHANNEL_WORDS[run.channel],
        step=clean(said.step, 120) if said else "",
        message=clean(said.message, 400) if said else "No reason was recorded.",
        since=age(began, now),
        times=len(streak),
        trace_id=clean(run.trace_id, 40),
        beside=tuple(_note(each, now) for each in beside[-3:]),
        links=links_of(links.get(run.tenant, {}), run),
    )


def _note(each: NotedEvent, now: datetime) -> NoteView:
    where = listed((clean(name, 60) for name in each.tenants), 3) or f"ring {clean(each.ring, 60)}"
    return NoteView(each.kind, clean(each.what, 300), where, age(each.began, now), note_words(each))


def _overview(recent: Sequence[RunResult]) -> tuple[timing.Plot, ...]:
    return timing.overview(build_matrix(recent, channels=()), recent) if recent else ()


def _panels(recent: Sequence[RunResult]) -> tuple[timing.Panel, ...]:
    return timing.panels(build_matrix(recent, channels=()), recent)[:MOST_PANELS] if recent else ()


def _deployment(each: Deployment, now: datetime) -> DeploymentView:
    return DeploymentView(
        release=clean(each.release, 80),
        ring=clean(each.ring, 60),
        tenants=listed((clean(name, 60) for name in each.tenants), 3),
        at=age(each.at, now),
        note=clean(each.note, 300),
        by=clean(each.by, 60),
    )


def _probers(around: Around, now: datetime) -> list[ProberView]:
    views = []
    for each in around.probers[:20]:
        silent = now - each.seen_at
        if each.stopped_at is None and silent >= OUTLIVED:
            continue
        state, word = ("skipped", "stopped") if each.stopped_at else ("passed", "at work")
        if not each.stopped_at and silent > SILENT_PROBER:
            state, word = "failed", "silent"
        views.append(ProberView(clean(each.id, 64), state, word, age(each.seen_at, now)))
    return views


def _schedule(around: Around) -> Mapping[str, str]:
    """`late` -> `12 runs`: what did not go as planned, over all tenants."""
    sums: dict[str, int] = {}
    for (what, *_), number in around.counters.items():
        if "/" not in what:
            sums[what] = sums.get(what, 0) + number
    return {clean(what, 32): count(number, "time") for what, number in sorted(sums.items())}
