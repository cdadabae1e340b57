"""What happened around the runs: deployments, incidents, tickets and changes that were noted of them, and the runs
themselves, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringgate.domain.model import Deployment, NotedEvent, RunResult
from ringgate.domain.terms import Outcome
from ringgate.report.text import clean, clock, count, listed, seconds

MOST_NOTES = 40

LOOK_BACK = timedelta(days=30)
"""Deployments longer before the first run than this are left out."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline. `kind` is `deployment`, `runs` or a note's; `small` is what people noted."""

    kind: str
    iso: str
    when: str
    what: str
    where: str
    small: str


def timeline(
    results: Sequence[RunResult], deployments: Sequence[Deployment], notes: Sequence[NotedEvent] = ()
) -> tuple[TimelineEntry, ...]:
    """Oldest first; empty where nothing but runs is to be told of."""
    ran = [run for run in results if run.outcome is not Outcome.SKIPPED]
    if not ran:
        return ()
    began = min(run.started_at for run in ran)
    ended = max(run.started_at + timedelta(seconds=run.seconds + run.undo_seconds) for run in ran)
    rings, tenants = {run.ring for run in ran}, {run.tenant for run in ran}
    told = [each for each in deployments if _concerns(each, rings, tenants) and began - LOOK_BACK <= each.at <= ended]
    beside = [
        each for each in notes
        if any(each.concerns(run.tenant, run.ring) for run in ran) and began - LOOK_BACK <= each.began <= ended
    ]  # fmt: skip
    if not told and not beside:
        return ()
    took = seconds((ended - began).total_seconds())
    runs = (
        began,
        TimelineEntry("runs", began.isoformat(), clock(began)[:16], count(len(ran), "run"), "", f"took {took}"),
    )
    entries: list[tuple[datetime, TimelineEntry]] = [runs, *((each.at, _entry(each)) for each in told)]
    entries += [(each.began, _noted(each)) for each in beside[-MOST_NOTES:]]
    return tuple(entry for _, entry in sorted(entries, key=lambda pair: pair[0]))


def _concerns(each: Deployment, rings: set[str], tenants: set[str]) -> bool:
    return each.ring in rings and (not each.tenants or bool(tenants & set(each.tenants)))


def _entry(each: Deployment) -> TimelineEntry:
    whom = f"ring {clean(each.ring, 60)}"
    if each.tenants:
        whom += f": {listed((clean(name, 60) for name in each.tenants), 3)}"
    said = ", ".join(filter(None, (clean(each.note, 300), f"by {clean(each.by, 60)}" if each.by else "")))
    return TimelineEntry("deployment", each.at.isoformat(), clock(each.at)[:16], clean(each.release, 80), whom, said)


def _noted(each: NotedEvent) -> TimelineEntry:
    whom = listed((clean(name, 60) for name in each.tenants), 3) or f"ring {clean(each.ring, 60)}"
    what = f"{each.kind.capitalize()}: {clean(each.what, 300)}"
    return TimelineEntry(each.kind, each.began.isoformat(), clock(each.began)[:16], what, whom, note_words(each))


def note_words(each: NotedEvent) -> str:
    """`HD-4711, until 2026-11-28 09:40:00, by servicedesk`"""
    return ", ".join(filter(None, (
        clean(each.reference, 300), f"of {clean(each.of, 80)}" if each.of else "",
        f"until {clock(each.ended)}" if each.ended else "", f"by {clean(each.by, 60)}" if each.by else "",
    )))  # fmt: skip
