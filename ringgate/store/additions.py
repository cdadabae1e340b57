"""What runs add to the tables of a store beside their own rows: sessions, blocks, touches. Whoever writes them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ringgate.domain.integrations import arrival_name, lag_signal
from ringgate.domain.labels import microseconds
from ringgate.domain.model import RunResult
from ringgate.domain.terms import Source, StepKind
from ringgate.store import encoding

TOUCHES_KEY = ("scenario", "channel", "digest")


def session_rows(results: Sequence[RunResult]) -> list[dict[str, Any]]:
    """One for each session, by name: from its first to its last run here."""
    by_name: dict[str, list[RunResult]] = defaultdict(list)
    for each in results:
        by_name[each.session].append(each)
    rows = []
    for name, theirs in sorted(by_name.items()):
        starts = [microseconds(each.started_at) for each in theirs]
        suite = [microseconds(r.started_at) for r in theirs if r.source not in (Source.PROBE, Source.SELF_TEST)]
        last = max(suite, default=None)
        rows.append({"name": name, "first_at": min(starts), "last_at": max(starts), "last_suite_at": last})
    return rows


def block_rows(results: Sequence[RunResult], keys: Sequence[tuple[int, int]], recorded: int) -> list[dict[str, Any]]:
    """One for each ring and release."""
    parts: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    starts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for result, key in zip(results, keys, strict=True):
        parts[result.ring, result.release].append(encoding.record(result, *key))
        starts[result.ring, result.release].append(microseconds(result.started_at))
    return [
        {"ring": ring, "release": release, "recorded_at": recorded, "first_at": min(starts[ring, release]),
         "last_at": max(starts[ring, release]), "runs": len(records), "packed": False, "data": b"".join(records)}
        for (ring, release), records in sorted(parts.items())
    ]  # fmt: skip


def touch_rows(results: Sequence[RunResult]) -> list[dict[str, Any]]:
    """One for each scenario, channel and set of touches, in one order, or writers lock each other up."""
    runs: Counter[tuple[str, str, frozenset[str]]] = Counter()
    last: dict[tuple[str, str, frozenset[str]], datetime] = {}
    for each in results:
        if each.touched:
            key = (each.scenario, each.channel.value, each.touched)
            runs[key] += 1
            last[key] = each.started_at.astimezone(UTC)
    rows = [
        {"scenario": scenario, "channel": channel, "digest": _digest(touches), "touched": sorted(touches),
         "runs": runs[scenario, channel, touches], "last_at": last[scenario, channel, touches]}
        for scenario, channel, touches in runs
    ]  # fmt: skip
    return sorted(rows, key=lambda each: [each[name] for name in TOUCHES_KEY])


def sample_rows(results: Sequence[RunResult]) -> list[dict[str, Any]]:
    """One for each document that arrived at an integration: how long it took."""
    return [
        {
            "at": result.started_at.astimezone(UTC) + timedelta(seconds=step.start + step.seconds),
            "signal": lag_signal(arrival_name(step.name)), "value": step.seconds, "unit": "s", "ring": result.ring,
            "tenant": result.tenant, "limit": None,
        }
        for result in results if result.source is not Source.SELF_TEST
        for step in result.steps if step.kind is StepKind.ARRIVAL and step.seconds > 0
    ]  # fmt: skip


def _digest(touches: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(touches)).encode()).hexdigest()
