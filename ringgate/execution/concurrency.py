"""How many runs go beside each other on a tenant: as many as it bears, found out as congestion control does (AIMD).

It starts low. Each time that as many runs as are allowed have ended well while all of that was used, one more is
allowed, up to the tenant's `sessions`. A time-out, or a run that took far longer than usual, halves it; what was begun
before that says nothing more. Safe for threads; only `room` blocks.

    limits = ConcurrencyLimits()
    with limits.room(tenant) as room:            # waits until there is some
        room.ended(run_once(...), usual=12.0)    # seconds; None where nobody knows
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome

START = 2
"""Runs beside each other on a tenant of which nothing is known."""

FAR = 3.0
"""A run that takes so many times as long as usual shows that its tenant has too much to do."""

OVERLOAD = frozenset({"unavailable", "timed-out", "deadline", "undo-slow"})
"""Kinds of failure that a tenant shows which has too much to do; also one that is down, which has nothing to do."""


def bore(result: RunResult, usual: float | None = None) -> bool | None:
    """Whether the tenant bore this run beside what else ran; None for one that says nothing of it."""
    kind = result.failure.kind if result.failure else ""
    if kind in OVERLOAD:
        return False
    if result.outcome not in (Outcome.PASSED, Outcome.FAILED):
        return None
    return not (usual and result.outcome is Outcome.PASSED and result.seconds > FAR * usual)


class UsualPaces:
    """How long runs of each kind take on each tenant: the median of the last ones that passed. Not safe for threads."""

    def __init__(self, most: int = 20, least: int = 3) -> None:
        self._most, self._least = most, least
        self._seconds: dict[tuple[str, str, str], deque[float]] = {}

    def take(self, result: RunResult) -> None:
        if result.outcome is Outcome.PASSED:
            self._seconds.setdefault(_kind(result), deque(maxlen=self._most)).append(result.seconds)

    def usual(self, result: RunResult) -> float | None:
        """Seconds; None until `least` of its kind have passed."""
        seen = self._seconds.get(_kind(result), ())
        return median(seen) if len(seen) >= self._least else None


def _kind(result: RunResult) -> tuple[str, str, str]:
    return result.tenant, result.scenario, result.channel.value


@dataclass(slots=True)
class _State:
    """One tenant's. `well` counts good ends since the limit changed, `turn` how often it was halved."""

    allowed: int
    running: int = 0
    well: int = 0
    turn: int = 0


class Room:
    """One run's place on a tenant."""

    def __init__(self, turn: int, full: bool) -> None:
        self.turn, self.full = turn, full
        self.bore: bool | None = None

    def ended(self, result: RunResult, usual: float | None = None) -> None:
        """What came of it; `usual` is how many seconds such a run takes. What is never told changes nothing."""
        self.bore = bore(result, usual)


class ConcurrencyLimits:
    """The limits of all tenants. `start`: of one that is not known yet."""

    def __init__(self, start: int = START) -> None:
        self._changed = threading.Condition()
        self._states: defaultdict[str, _State] = defaultdict(lambda: _State(start))

    def allowed(self, tenant: Tenant) -> int:
        """Runs that may be under way on it at once: at least one, at most its `sessions`."""
        with self._changed:
            return self._allowed(tenant)

    def _allowed(self, tenant: Tenant) -> int:
        return max(1, min(self._states[tenant.id].allowed, tenant.sessions))

    def running(self, tenant: Tenant) -> int:
        """Runs that are under way on it."""
        with self._changed:
            return self._states[tenant.id].running

    def begin(self, tenant: Tenant) -> Room | None:
        """A place for one run, to be given back with `end`; None if there is none."""
        with self._changed:
            state = self._states[tenant.id]
            if state.running >= self._allowed(tenant):
                return None
            state.running += 1
            return Room(state.turn, state.running >= self._allowed(tenant))

    def end(self, tenant: Tenant, room: Room) -> None:
        """The run is over: the limit grows, or is halved."""
        with self._changed:
            state = self._states[tenant.id]
            state.running -= 1
            if room.turn == state.turn:
                self._learn(state, tenant, room)
            self._changed.notify_all()

    def _learn(self, state: _State, tenant: Tenant, room: Room) -> None:
        if room.bore is False:
            state.allowed, state.well, state.turn = max(1, self._allowed(tenant) // 2), 0, state.turn + 1
        elif room.bore and room.full:  # a limit that is not used says nothing of a higher one
            state.well += 1
            if state.well >= state.allowed and state.allowed < tenant.sessions:
                state.allowed, state.well = state.allowed + 1, 0

    @contextmanager
    def room(self, tenant: Tenant) -> Iterator[Room]:
        """Waits for a place, and gives it back."""
        with self._changed:
            self._changed.wait_for(lambda: self._states[tenant.id].running < self._allowed(tenant))
            room = self.begin(tenant)  # the lock is reentrant
        assert room is not None
        try:
            yield room
        finally:
            self.end(tenant, room)


__all__ = ["ConcurrencyLimits", "Room", "UsualPaces", "bore"]
