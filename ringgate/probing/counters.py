"""What a prober counts, for good and across processes (`Store.count`): nothing that was due and did not run is silent.

| counter                  | of one probe                                                                              |
|------------------------|-------------------------------------------------------------------------------------------|
| `late`                 | ran, but began more than `LATE_AFTER` after it was due                                    |
| `missed`               | was due, and nobody ran it: a stall, no room all the while, no prober, or one that stops  |
| `overlapping`          | was due while it still ran, here or in another process: this time it was left out         |
| `skipped:paused`, ...  | was due in a time when the tenant is left alone: also `maintenance`, `hours`, `holiday`   |
| `stuck`                | did not end long after its deadline: its thread is given up                               |
"""

from __future__ import annotations

from datetime import timedelta

from ringgate.probing.plan import Probe
from ringgate.store import CounterKey

LATE, MISSED, OVERLAPPING, STUCK = "late", "missed", "overlapping", "stuck"
SKIPPED = "skipped:"
"""The kind of reason follows: see `calendar.Closed`."""

LATE_AFTER = timedelta(seconds=5)


def counter(what: str, probe: Probe) -> CounterKey:
    """As the store keeps it."""
    return (what, probe.tenant.id, probe.scenario.id, probe.channel.value)
