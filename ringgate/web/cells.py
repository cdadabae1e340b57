"""Tenants by scenarios as they are now: the last outcome of each, how old it is, and the ones before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.inventory import pause_of
from ringgate.metrics import HORIZON
from ringgate.metrics.figures import Key, Last
from ringgate.report.matrix import STATE_WORDS, CellState
from ringgate.report.text import CHANNEL_WORDS, clean, humanise, seconds
from ringgate.web.filters import STATES, TenantFilter
from ringgate.web.times import Age, age

MOST_TENANTS = 60
"""Rows that are shown; those with errors first."""
MOST_ACROSS = 6
"""Up to so many tenants stand across, as in the report; more stand down."""
MOST_BEFORE = 12


@dataclass(frozen=True, slots=True)
class LiveCell:
    """One scenario on one tenant over one channel. `before` are the outcomes before the last, oldest first.

    A result that is too old has the state `missing`, and `word` says what it once was.
    """

    channel: str
    state: str
    word: str
    time: str
    at: Age | None
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """A tenant with its ring, or a scenario. `paused` says until when and why, "" where it is not."""

    name: str
    ring: str = ""
    paused: str = ""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """What is shown, the shorter side across; and counts over all tenants: how many are known, how many have a fresh
    result, and which are failing. `matching` of them are asked for, `states` says how many are how. `rows` has for each
    head one group of cells for each of `across`."""

    across: tuple[ColumnHead, ...]
    rows: tuple[tuple[ColumnHead, tuple[tuple[LiveCell, ...], ...]], ...]
    corner: str
    left_out: int
    known: int
    fresh: int
    failing: frozenset[str]
    matching: int = 0
    page: int = 1
    pages: int = 1
    states: Mapping[str, int] = field(default_factory=dict)


def table(
    tenants: Sequence[Tenant],
    last: Mapping[Key, Last],
    recent: Sequence[RunResult],
    now: datetime,
    due: Mapping[Key, timedelta] | None = None,
    horizon: timedelta = HORIZON,
    wanted: TenantFilter | None = None,
) -> LiveTable:
    """Tenants of the inventory that are wanted: what is wrong stands first, and then the order of the rollout. Of too
    many there are pages."""
    wanted = wanted or TenantFilter()
    names = {each.id for each in tenants}
    scenarios = sorted({scenario for tenant, scenario, _ in last if tenant in names})
    history = _history(recent)
    allowed = due or {}
    fresh = {key for key, each in last.items() if now - each.at <= allowed.get(key, horizon)}
    failing = frozenset(key[0] for key in fresh if last[key].outcome is Outcome.FAILED and key[0] in names)
    states = _states(tenants, last, fresh, now)
    fitting = [each for each in tenants if wanted.fits(each)]
    counts = Counter(states[each.id] for each in fitting)
    ranks = {state: rank for rank, state in enumerate(STATES)}
    chosen = [each for each in fitting if wanted.state in ("", states[each.id])]
    chosen.sort(key=lambda each: ranks[states[each.id]])
    pages = max(1, -(-len(chosen) // MOST_TENANTS))
    page = min(wanted.page, pages)
    shown = chosen[(page - 1) * MOST_TENANTS : page * MOST_TENANTS]

    def group(tenant: str, scenario: str) -> tuple[LiveCell, ...]:
        keys = [(tenant, scenario, channel.value) for channel in Channel]
        return tuple(_cell(key, last[key], history.get(key, ()), key in fresh, now) for key in keys if key in last)

    heads = {each.id: _head(each, now) for each in shown}
    titles = {each: ColumnHead(humanise(each)) for each in scenarios}
    if len(shown) <= MOST_ACROSS:
        rows = tuple((titles[s], tuple(group(t, s) for t in heads)) for s in scenarios)
    else:
        rows = tuple((heads[t], tuple(group(t, s) for s in scenarios)) for t in heads)
    return LiveTable(
        across=tuple((heads if len(shown) <= MOST_ACROSS else titles).values()),
        rows=rows,
        corner="Process" if len(shown) <= MOST_ACROSS else "Tenant",
        left_out=len(chosen) - len(shown),
        matching=len(chosen),
        page=page,
        pages=pages,
        states={state: counts[state] for state in STATES if counts[state]},
        known=len(tenants),
        fresh=len({key[0] for key in fresh} & names),
        failing=failing,
    )


def _states(
    tenants: Sequence[Tenant], last: Mapping[Key, Last], fresh: Collection[Key], now: datetime
) -> dict[str, str]:
    """How each tenant is, in a word of `filters.STATES`."""
    of: dict[str, set[str]] = {each.id: set() for each in tenants}
    for key, each in last.items():
        if key[0] in of:
            of[key[0]].add(each.outcome.value if key in fresh else "old")

    def state(tenant: Tenant) -> str:
        seen = of[tenant.id]
        if Outcome.FAILED.value in seen:
            return "failing"
        if pause_of(tenant, now):
            return "paused"
        if Outcome.BROKEN.value in seen:
            return "broken"
        return "old" if "old" in seen else "well" if seen else "never"

    return {each.id: state(each) for each in tenants}


def _head(tenant: Tenant, now: datetime) -> ColumnHead:
    return ColumnHead(clean(tenant.id, 60), clean(tenant.ring, 40), clean(pause_of(tenant, now), 200))


def _history(recent: Sequence[RunResult]) -> Mapping[Key, list[str]]:
    history: dict[Key, list[str]] = defaultdict(list)
    for each in recent:
        if each.outcome not in (Outcome.SKIPPED, Outcome.STOPPED):
            history[each.tenant, each.scenario, each.channel.value].append(each.outcome.value)
    return history


def _cell(key: Key, run: Last, history: Sequence[str], fresh: bool, now: datetime) -> LiveCell:
    word, state = STATE_WORDS[CellState(run.outcome.value)], run.outcome.value
    at = age(run.at, now)
    if not fresh:
        state, word = CellState.MISSING.value, f"too old: {word} {at.words}"
    channel = CHANNEL_WORDS[Channel(key[2])]
    return LiveCell(channel, state, word, seconds(run.seconds), at, tuple(history[-MOST_BEFORE - 1 : -1]))
