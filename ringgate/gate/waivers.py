"""Which of a policy's waivers accept what of one release. A waiver names its release, and ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase

from ringgate.domain.model import RunResult
from ringgate.domain.waivers import Waiver, by_force

FAILURES = "failures"
"""The signature that accepts failures of any kind, but for broken invariants."""

UNTESTED = "untested"
"""The signature that lets a tenant of the ring, or a process on it, go untested."""


class Waivers:
    """Those of one release that are in force on a day, and which of them accepted anything.

    `expired` are those of the release that no longer hold."""

    def __init__(self, of_policy: Sequence[Waiver] = (), release: str = "", today: date = date.min) -> None:
        self._release = release
        ours = [each for each in of_policy if each.is_for(each.tenant, release, each.scenario)]
        self._all, self.expired = by_force(ours, today)
        self.used: dict[Waiver, int] = {}

    @property
    def any(self) -> bool:
        return bool(self._all)

    def accept(self, result: RunResult, times: int = 1) -> bool:
        """Whether a failed run of a tenant of the ring, that came so many times, is accepted.

        Those before the release are asked about, too: what is accepted of it is not held against it either way."""
        return self._note(next((each for each in self._all if self._accepts(each, result)), None), times)

    def exempt(self, signature: str, tenant: str, scenario: str = "", times: int = 1) -> bool:
        """Whether a signal, or going untested, is accepted of a tenant (and a scenario)."""
        fitting = (
            each for each in self._all if each.signature == signature and each.is_for(tenant, self._release, scenario)
        )
        return self._note(next(fitting, None), times)

    def _accepts(self, waiver: Waiver, result: RunResult) -> bool:
        """An invariant is accepted only if it is named: no pattern reaches it."""
        failure = result.failure
        if failure is None or not waiver.is_for(result.tenant, self._release, result.scenario):
            return False
        if failure.invariant is not None:
            return waiver.signature == failure.invariant.value
        return waiver.signature == FAILURES or fnmatchcase(failure.kind, waiver.signature)

    def _note(self, waiver: Waiver | None, times: int) -> bool:
        if waiver is None:
            return False
        if times:
            self.used[waiver] = self.used.get(waiver, 0) + times
        return True
