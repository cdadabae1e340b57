"""How long a property may go on drawing scenarios, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

REPORT_EVERY = 10.0
"""Seconds between two lines about how far a property is."""


class Budget:
    """The time of one property on one tenant. The first scenario always runs: a property that tried nothing shows
    nothing. What is left out once the time is used up is counted, and told.

    `seconds` is None for no limit; `planned` is how many scenarios are to be drawn; `tell` is given lines for people.
    """

    def __init__(
        self,
        seconds: float | None,
        planned: int,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._planned, self._tell, self._clock = seconds, planned, tell, clock
        self._began = self._told = clock()
        self._failed = False
        self.ran = 0
        self.left_out = 0

    @property
    def spent(self) -> float:
        return self._clock() - self._began

    def begin(self) -> None:
        """Before a scenario. One that there is no time for is not drawn (Hypothesis's `reject`).

        After a failure nothing is left out: Hypothesis runs what failed again, to show it."""
        if self._seconds is not None and self.ran and not self._failed and self.spent >= self._seconds:
            from hypothesis import reject  # where a property runs it is loaded; elsewhere it would only cost a start

            self.left_out += 1
            reject()

    def end(self, *, failed: bool) -> None:
        """After a scenario."""
        self.ran += 1
        self._failed = self._failed or failed
        if self.ran == 1 or self._clock() - self._told >= REPORT_EVERY:
            self._told = self._clock()
            self._tell(self.progress())

    def progress(self) -> str:
        to_go = max(0, self._planned - self.ran) * self.spent / self.ran
        if self._seconds is not None:
            to_go = min(to_go, max(0.0, self._seconds - self.spent))
        return f"{self.ran} of {self._planned} examples in {self.spent:.0f} s, at most {to_go:.0f} s to go"

    def conclusion(self) -> str:
        """What it came to, in words."""
        told = f"{self.ran} examples in {self.spent:.0f} s"
        if not self.left_out:
            return told
        return f"{told}, of {self._planned}: the budget of {self._seconds:.0f} s was used up (--property-budget)"
