"""A driver whose runs end in time: every verb looks at the clock first, and at whether the prober has to stop.

What is under way inside a verb is limited by the driver's own waits. Undoing, evidence and closing are not limited.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from ringgate.domain.errors import ErpError, NeverSent, StopRequested
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.drivers.protocol import Books, Call, Driver, Outsider, SignedInUser

UNLIMITED = frozenset({"undo", "evidence", "close", "calls", "touched"})


class TooSlow(ErpError, NeverSent):
    """The process did not come to its end in the time that its probe has."""

    kind = "deadline"


class _Limited:
    """Anything whose calls are made only after a look."""

    def __init__(self, behind: Any, look: Callable[[], None]) -> None:
        self._behind, self._look = behind, look

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if name in UNLIMITED or not callable(found):
            return found

        def limited(*args: Any, **kwargs: Any) -> Any:
            self._look()
            return found(*args, **kwargs)

        return limited


class LimitedConnection(_Limited):
    """One run's way to one tenant, whose people and books look at the clock, too."""

    def sign_in(self, role: Role, **how: Any) -> SignedInUser:
        self._look()
        return _Limited(self._behind.sign_in(role, **how), self._look)

    def books(self) -> Books:
        self._look()
        return _Limited(self._behind.books(), self._look)

    def insider(self, role: Role) -> Outsider:
        self._look()
        return _Limited(self._behind.insider(role), self._look)

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Outsider]:
        for outsider in self._behind.outsiders(neighbours, roles):
            self._look()
            yield _Limited(outsider, self._look)


class LimitedDriver:
    """A driver for one run that may take `deadline`; `halt` is set when every run has to end."""

    def __init__(self, driver: Driver, deadline: timedelta, halt: threading.Event) -> None:
        self.channel, self.capabilities = driver.channel, driver.capabilities
        self._driver, self._deadline, self._halt = driver, deadline, halt

    def connect(self, tenant: Tenant, call: Call) -> Any:
        until = time.monotonic() + self._deadline.total_seconds()

        def look() -> None:
            if self._halt.is_set():
                raise StopRequested("The prober was stopped while this ran: what it had written is taken back.")
            if time.monotonic() > until:
                raise TooSlow(f"{tenant.id} did not come to the end in {self._deadline.total_seconds():.0f} s.")

        return LimitedConnection(self._driver.connect(tenant, call), look)

    def close(self) -> None:
        """It is only lent."""
