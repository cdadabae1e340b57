"""No result where one was due: a signal of its own, since an ERP that hangs, and a prober that died, report nothing."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringgate.gate.observations import Probe
from ringgate.gate.required import Process

PATIENCE, ALLOWANCE = 1.5, timedelta(seconds=60)
"""A result is overdue when this many intervals, and a minute for a long run, have passed since the one before."""


def never(probe: Probe, since: datetime, until: datetime) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Due:
    """Which probes are due, and how often. `rests` says whether a probe had a right to silence at some time between
    two moments: outside business hours, on a holiday, in a maintenance window. `inapplicable` says of what is not run
    on a tenant over any channel, why."""

    every: Mapping[Probe, timedelta] = field(default_factory=dict)
    rests: Callable[[Probe, datetime, datetime], bool] = never
    inapplicable: Mapping[Process, str] = field(default_factory=dict)
    always: Collection[Probe] = frozenset()
    """Those that never have a right to silence: nobody needs to be asked about them."""


class ExpectedResults:
    """Follows when each probe had its last result, and tells each due result that came or did not."""

    def __init__(self, due: Due, starts: Mapping[str, datetime]) -> None:
        """`starts` says from when on a tenant is watched; what is due on others is not."""
        self._due = due
        self._last = {probe: starts[probe[0]] for probe in due.every if probe[0] in starts}
        self._came: dict[Probe, list[datetime]] = {}
        self.missed: dict[Probe, int] = {}

    def came(self, probe: Probe, at: datetime) -> None:
        """Any result counts, our own side's failure as well: silence is what leaves none."""
        if probe in self._last:
            insort(self._came.setdefault(probe, []), at)

    def until(self, now: datetime) -> Iterator[tuple[Probe, datetime, bool]]:
        """Each due result up to now: its probe, the moment, and whether it was missing."""
        for probe in sorted(self._last):
            last, every = self._last[probe], self._due.every[probe]
            grace = every * PATIENCE + ALLOWANCE
            came = self._came.pop(probe, [])
            later = [at for at in came if at >= now]
            for at in [*(at for at in came if at < now), None]:
                while (overdue := last + grace) < (at or now):
                    if not self._due.rests(probe, last, overdue):
                        self.missed[probe] = self.missed.get(probe, 0) + 1
                        yield probe, overdue, True
                    last += every
                if at is not None:
                    last = max(last, at)
                    yield probe, at, False
            if later:
                self._came[probe] = later
            self._last[probe] = last
