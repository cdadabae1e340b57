"""What gave way first under a load, by what the platform said of its resources. Pure.

    bottleneck_of(outcome)
    -> Bottleneck("locks", "db-lock-waits", "db-lock-waits stood at 12 sessions in the middle, and 5 is its limit")

In this order: our own side, for then nothing is known of the ERP; the resource that was furthest over its limit for
most of the time; the one that grew most against the time before; none. What is slow because something else is full
comes last: a server's latency and a queue are where it shows, not where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from ringgate.load.outcome import LoadOutcome, span_of

BUSY = 0.9
"""The part of one core from which on this machine itself may be what is slow: threads of one process share a core."""

LATE = 0.05
"""The part of arrivals that may find nobody free."""

GROWN = 3.0
"""A signal without a limit counts if it grew by so many times."""

SHOWS = ("server", "queue")
"""Resources where it shows that another one is full."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """`resource` is "our side", one of the platform's, or "" where none was found."""

    resource: str
    signal: str
    because: str


def bottleneck_of(outcome: LoadOutcome) -> Bottleneck:
    if outcome.ours > BUSY:
        said = f"this machine took {outcome.ours:.0%} of a core to make the load: use more machines, or fewer users"
        return Bottleneck("our side", "", said)
    if outcome.runs and outcome.late > LATE * len(outcome.runs):
        said = f"for {outcome.late} of {len(outcome.runs)} arrivals no user was free: give more --users"
        return Bottleneck("our side", "", said)
    known = {each.signal: each for each in outcome.readings if each.resource}
    if not known:
        return Bottleneck("", "", "no platform signal says of a resource how full it is")
    full, grown = list[tuple[bool, float, Bottleneck]](), list[tuple[bool, float, Bottleneck]]()
    for signal, one in known.items():
        span = span_of(outcome, signal)
        if not span.held:
            continue
        middle, unit, shows = median(span.held), f" {one.unit}" if one.unit else "", one.resource not in SHOWS
        if one.limit is not None and one.limit > 0 and middle > one.limit:
            said = f"{signal} stood at {middle:.4g}{unit} in the middle, and {one.limit:g} is its limit"
            full.append((shows, middle / one.limit, Bottleneck(one.resource, signal, said)))
        elif one.limit is None and span.before and middle > GROWN * max(1.0, median(span.before)):
            said = f"{signal} grew from {median(span.before):.4g} to {middle:.4g}{unit}; it has no limit"
            grown.append((shows, middle / max(1.0, median(span.before)), Bottleneck(one.resource, signal, said)))
    for found in (full, grown):
        if found:
            return max(found, key=lambda each: each[:2])[2]
    return Bottleneck("", "", "no resource that was read was full, or had grown much")
