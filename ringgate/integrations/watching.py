"""Waits for a document at a far end, until the contract is settled: kept, broken, or too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ringgate.domain.integrations import ArrivalState, ExpectedArrival, Integration
from ringgate.integrations.contract import meant, state_of
from ringgate.integrations.observers import Observer

POLL = 1.0
"""Seconds between two looks at a far end."""
BACK = timedelta(hours=2)
"""How far back of what was sent is looked: the clock of a far end may be another one."""


def watch(
    integration: Integration,
    observer: Observer,
    expected: ExpectedArrival,
    *,
    seen: dict[tuple[str, bool], datetime] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    wait: Callable[[float], object] = time.sleep,
) -> ArrivalState:
    """Looks at the far end again and again until nothing can change what is known of the document.

    `seen` remembers when each arrival was first seen; give the same one again to go on, after what was expected was
    reversed. Raises ObserverError."""
    seen = {} if seen is None else seen
    while True:
        arrivals = [each for each in observer.seen(expected.marker, expected.sent - BACK) if meant(each, expected)]
        now = clock()
        for each in arrivals:
            seen.setdefault((each.id, each.reversal), now)
        state = state_of(integration, expected, arrivals, seen, now)
        if state.settled:
            return state
        wait(POLL)
