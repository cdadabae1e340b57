"""Moments as people say them, with what a page needs to go on counting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Age:
    """A moment: for machines, on the clock (UTC), and how long ago it was."""

    iso: str
    clock: str
    words: str


def age(at: datetime, now: datetime) -> Age:
    """`Age(iso, "2026-11-24 08:51:20", "3 min ago")`."""
    at = at.astimezone(UTC)
    return Age(at.isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M:%S}", f"{span(now - at)} ago")


def span(length: timedelta) -> str:
    """`3 s`, `12 min`, `4 h 5 min`, `9 days`: as coarse as people think of it."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 12 else f"{hours} h"
    return f"{hours // 24} days"
