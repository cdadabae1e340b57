"""What kind of change it is, where many records may have had the same: a shift of dates, a factor, a rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from ringgate.fingerprint.change import CHANGED, BookChange
from ringgate.fingerprint.sections import shown

_ALONE = ("settings", "users", "sequences")
"""Sections in which each record stands for itself."""


def most_common(changes: Sequence[BookChange]) -> list[str]:
    """For each change the pattern that it shares with most others; "" for one that stands for itself."""
    possible = [tuple(_patterns(change)) for change in changes]
    often = Counter(
        (id(change.section), pattern) for change, each in zip(changes, possible, strict=True) for pattern in each
    )
    return [
        max(each, key=lambda pattern: often[id(change.section), pattern], default="")
        for change, each in zip(changes, possible, strict=True)
    ]


def _patterns(change: BookChange) -> Iterator[str]:
    before, after = change.before, change.after
    if change.what != CHANGED or change.section.attribute in _ALONE:
        return
    if isinstance(before, date) and isinstance(after, date):
        days = (after - before).days
        yield f"{abs(days)} day{'' if abs(days) == 1 else 's'} {'later' if days > 0 else 'earlier'}"
    elif isinstance(before, Decimal) and isinstance(after, Decimal):
        for places in (0, 1, 2):
            near = abs(after - before) <= Decimal(5).scaleb(-places - 1)
            if near and round(after, places) == after and round(before, places) != before:
                yield "rounded to whole units" if places == 0 else f"rounded to {places} decimals"
                break
        if before and after:
            yield f"multiplied by {(after / before).normalize():f}"
    else:
        yield f"{shown(after)} instead of {shown(before)}"
