"""Drivers, leased to one run at a time. A driver keeps its users signed in, so runs of a tenant get its own again.

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

DriverSet = Mapping[tuple[str, Channel], Driver]

MOST = 4096
"""Sets of drivers that are kept while nobody uses them. Each holds a tenant's signed-in users."""

WORN = 300
"""After so many runs a browser is closed, and a new one is started for the next: browsers grow."""


class ApiDriverPool:
    """The drivers of all tenants over the API. `make` makes a new set for a tenant. For threads."""

    def __init__(self, make: Callable[[Tenant], Drivers], most: int = MOST) -> None:
        self._make, self._most = make, most
        self._alone = threading.Lock()
        self._idle: OrderedDict[int, tuple[str, Drivers]] = OrderedDict()  # the one used last comes last
        self._of: dict[str, list[int]] = {}

    @contextmanager
    def lease(self, tenant: Tenant) -> Iterator[DriverSet]:
        drivers = self._take(tenant.id)
        if drivers is None:
            drivers = self._make(tenant)
        try:
            yield drivers
        finally:
            for worn in self._put(tenant.id, drivers):
                _close(worn)

    def _take(self, tenant: str) -> Drivers | None:
        with self._alone:
            if not (numbers := self._of.get(tenant)):
                return None
            return self._idle.pop(numbers.pop())[1]

    def _put(self, tenant: str, drivers: Drivers) -> list[Drivers]:
        with self._alone:
            self._idle[id(drivers)] = (tenant, drivers)
            self._of.setdefault(tenant, []).append(id(drivers))
            over = []
            while len(self._idle) > self._most:
                number, (owner, oldest) = self._idle.popitem(last=False)
                self._of[owner].remove(number)
                over.append(oldest)
            return over

    def close(self, until: float) -> None:
        """Sign out, one set after the other, until then (monotonic); other threads may help. Who is left signed in is
        signed out by the ERP, some time."""
        while time.monotonic() < until:
            with self._alone:
                if not self._idle:
                    return
                number, (owner, drivers) = self._idle.popitem()
                self._of[owner].remove(number)
            _close(drivers)


class BrowserDriverLease:
    """The drivers of one thread, with a browser of their own. Not for other threads."""

    def __init__(self, make: Callable[[], Drivers]) -> None:
        self._make, self._drivers, self._runs = make, make(), 0

    @contextmanager
    def lease(self, _tenant: Tenant) -> Iterator[DriverSet]:
        if self._runs >= WORN:
            _close(self._drivers)
            self._drivers, self._runs = self._make(), 0
        self._runs += 1
        yield self._drivers

    def close(self, _until: float) -> None:
        _close(self._drivers)


def _close(drivers: Drivers) -> None:
    with contextlib.suppress(DriverError):  # it is given up in any case
        drivers.close()
