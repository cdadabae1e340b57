"""Platform signals for people: the value of the last round, against its limit; a source that failed says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ringgate.domain.model import SignalSample
from ringgate.metrics.families import UP
from ringgate.metrics.follower import FRESH
from ringgate.report.text import clean
from ringgate.web.times import Age, age

MOST_OF_ONE = 4
"""Values of one signal that are shown: the highest."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `state` is `failed` above its limit."""

    where: str
    text: str
    limit: str
    state: str


@dataclass(frozen=True, slots=True)
class SignalView:
    """A signal: its values of the last round, or none where that failed."""

    name: str
    values: tuple[Value, ...]
    left_out: int
    failed: bool
    at: Age


def views(samples: Sequence[SignalSample], now: datetime) -> list[SignalView]:
    """By name; signals that nobody reads any more are left out."""
    rounds = {each.signal.removesuffix(UP): each for each in samples if each.signal.endswith(UP)}
    found = []
    for name, last in sorted(rounds.items()):
        if now - last.at > FRESH:
            continue
        of_now = [each for each in samples if each.signal == name and each.at == last.at] if last.value else []
        of_now.sort(key=lambda each: -each.value)
        shown = tuple(_value(each) for each in of_now[:MOST_OF_ONE])
        left_out = len(of_now) - len(shown)
        found.append(SignalView(clean(name, 64), shown, left_out, not last.value, age(last.at, now)))
    return found


def _value(each: SignalSample) -> Value:
    above = each.limit is not None and each.value > each.limit
    limit = "" if each.limit is None else f"{each.limit:,.4g}"
    where = " ".join(filter(None, (clean(each.tenant, 60), f"({clean(each.ring, 40)})" if each.ring else "")))
    return Value(where, f"{each.value:,.4g} {clean(each.unit, 16)}".strip(), limit, "failed" if above else "passed")
