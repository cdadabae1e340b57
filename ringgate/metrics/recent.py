"""The latest results of everything that runs, for a page that people look at."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from datetime import datetime, timedelta

from ringgate.domain.model import RunResult
from ringgate.metrics.figures import AVAILABILITY, Key

RECENT = timedelta(hours=6)
MOST, IN_ALL = 20, 10_000
"""Results of one scenario on one tenant over one channel, and of all of them together."""


class Recent:
    """Keeps few results of each: the more there is to keep, the fewer of each, but always the last two."""

    def __init__(self) -> None:
        self._by_key: dict[Key, list[RunResult]] = {}
        self._expected = 0

    def expect(self, keys: int) -> None:
        """Of how many different ones there will be results at least."""
        self._expected = keys

    @property
    def each(self) -> int:
        """How many of each are kept."""
        return max(2, min(MOST, IN_ALL // max(1, len(self._by_key), self._expected)))

    def take(self, result: RunResult) -> None:
        """Adds one; what is known already is passed over."""
        if result.source not in AVAILABILITY:
            return
        kept = self._by_key.setdefault((result.tenant, result.scenario, result.channel.value), [])
        if any(each.run_id == result.run_id for each in kept):
            return
        failure = replace(result.failure, traceback="") if result.failure else None
        # By their start: what is recorded late must not push out what is newer.
        insort(kept, replace(result, failure=failure, attachments=(), error=None), key=lambda each: each.started_at)
        del kept[: -self.each]

    def results(self, now: datetime) -> list[RunResult]:
        """What was started in the last hours, oldest first."""
        found = [each for kept in self._by_key.values() for each in kept if each.started_at >= now - RECENT]
        return sorted(found, key=lambda each: each.started_at)
