"""Drivers, lent to one run at a time. A driver keeps its users signed in, so runs of a tenant get its own again.

Drivers of the API may be used by any thread, one at a time. A browser belongs to the thread that started it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Driver
from ringgate.drivers.registry import DriverError, Drivers

Lane = Mapping[tuple[str, Channel], Driver]

MOST = 4096
"""Lanes that are kept while nobody uses them. Each holds a tenant's signed-in users."""

WORN = 300
"""After so many runs a browser is closed, and a new one is started for the next: browsers grow."""


class ApiDriverPool:
    """The lanes of all tenants over the API. `make` makes a new one for a tenant. For threads."""

    def __init__(self, make: Callable[[Tenant], Drivers], most: int = MOST) -> None:
        self._make, self._most = make, most
        self._alone = threading.Lock()
        self._idle: OrderedDict[int, tuple[str, Drivers]] = OrderedDict()  # the one used last comes last
        self._of: dict[str, list[int]] = {}

    @contextmanager
    def lent(self, tenant: Tenant) -> Iterator[Lane]:
        lane = self._take(tenant.id)
        if lane is None:
            lane = self._make(tenant)
        try:
            yield lane
        finally:
            for worn in self._put(tenant.id, lane):
                _close(worn)

    def _take(self, tenant: str) -> Drivers | None:
        with self._alone:
            if not (numbers := self._of.get(tenant)):
                return None
            return self._idle.pop(numbers.pop())[1]

    def _put(self, tenant: str, lane: Drivers) -> list[Drivers]:
        with self._alone:
            self._idle[id(lane)] = (tenant, lane)
            self._of.setdefault(tenant, []).append(id(lane))
            over = []
            while len(self._idle) > self._most:
                number, (owner, oldest) = self._idle.popitem(last=False)
                self._of[owner].remove(number)
                over.append(oldest)
            return over

    def close(self, until: float) -> None:
        """Sign out, one lane after the other, until then (monotonic); other threads may help. Who is left signed in is
        signed out by the ERP, some time."""
        while time.monotonic() < until:
            with self._alone:
                if not self._idle:
                    return
                number, (owner, lane) = self._idle.popitem()
                self._of[owner].remove(number)
            _close(lane)


class BrowserDriverLease:
    """The lane of one thread, with a browser of its own. Not for other threads."""

    def __init__(self, make: Callable[[], Drivers]) -> None:
        self._make, self._lane, self._runs = make, make(), 0

    @contextmanager
    def lent(self, _tenant: Tenant) -> Iterator[Lane]:
        if self._runs >= WORN:
            _close(self._lane)
            self._lane, self._runs = self._make(), 0
        self._runs += 1
        yield self._lane

    def close(self, _until: float) -> None:
        _close(self._lane)


def _close(lane: Drivers) -> None:
    with contextlib.suppress(DriverError):  # it is given up in any case
        lane.close()
