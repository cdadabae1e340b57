"""How a verdict says numbers, spans and lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ringgate.gate.observations import Probe

_MANY = 1_000_000


def listed(words: Iterable[str], most: int = 3) -> str:
    """`a, b and c`; `a, b, c and 5 more`."""
    items = list(words)
    if len(items) > most + 1:
        items = [*items[:most], f"{len(items) - most} more"]
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def counted(number: int, word: str, many: str = "") -> str:
    """`1 tenant`, `1,440 runs`, `2 passes`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def span(time: timedelta) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 120:
        return f"{seconds} s" if seconds < 60 or seconds % 60 else f"{seconds // 60} min"
    minutes = round(seconds / 60)
    if minutes < 120 and minutes % 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment(at: datetime) -> str:
    """`24 Nov 10:02 UTC`."""
    return f"{at:%-d %b %H:%M} {at.tzname() or 'UTC'}"


def percent(rate: float) -> str:
    """`1.2 %`, `0.05 %`, `100 %`."""
    shown = f"{100 * rate:.2g}" if rate < 0.0995 else f"{100 * rate:.0f}"
    return f"{float(shown):g} %"


def units(evidence: float) -> str:
    """What a bet stands at: `0.41`, `37`, `1,250`, `over 1,000,000`."""
    if evidence > _MANY:
        return f"over {_MANY:,}"
    return f"{evidence:,.0f}" if evidence >= 10 else f"{evidence:.2g}"


def probe_words(probe: Probe) -> str:
    """`time-entry over api on aldgate`."""
    tenant, scenario, channel = probe
    return f"{scenario} over {channel.value} on {tenant}"
