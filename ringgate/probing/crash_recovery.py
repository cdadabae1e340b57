"""What killed runs left behind is taken back: before anything else runs on their tenant, and again once it is settled.

A write that was on its way when its run was killed may still be done by the ERP: it stays in the journal until that can
no longer be, and is looked for again every minute. So is what an outage kept from being taken back.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Mapping

from ringgate.domain.model import Tenant
from ringgate.drivers.registry import DriverError, Drivers
from ringgate.execution.recovery import Recovered, recover
from ringgate.host.undo_journal import Journal

THREADS = 4


class CrashRecovery:
    """Works beside the runs, in threads of its own. `told` gets what was taken up, `freed` each tenant that was tried,
    `failed` what went wrong on our side."""

    def __init__(
        self,
        journal: Journal,
        tenants: Mapping[str, Tenant],
        make: Callable[[Tenant], Drivers],
        *,
        redact: Callable[[str], str],
        told: Callable[[Recovered], None],
        freed: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._journal, self._tenants, self._make, self._redact = journal, tenants, make, redact
        self._told, self._freed, self._failed = told, freed, failed
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._under_way: set[str] = set()
        self._alone = threading.Lock()
        self._threads: list[threading.Thread] = []

    def take_back(self, tenants: Collection[str] | None = None) -> None:
        """Begin to take back what there is (or what there is on these tenants). Who is being taken care of is passed
        over. Raises ValueError for a file that is no journal."""
        for tenant in self._journal.tenants_hit(frozenset(self._tenants)) if tenants is None else tenants:
            with self._alone:
                if tenant in self._under_way:
                    continue
                self._under_way.add(tenant)
                if len(self._threads) < min(THREADS, len(self._under_way)):
                    thread = threading.Thread(target=self._work, name="crash_recovery", daemon=True)
                    self._threads.append(thread)
                    thread.start()
            self._asked.put(tenant)

    def _work(self) -> None:
        while True:
            tenant = self._asked.get()
            try:
                self._recover(tenant)
            except Exception as problem:
                self._failed(problem)
            finally:
                with self._alone:
                    self._under_way.discard(tenant)
                self._freed(tenant)

    def _recover(self, tenant: str) -> None:
        drivers = self._make(self._tenants[tenant])
        try:
            for each in recover(
                self._journal, self._tenants, drivers, only=frozenset({tenant}), redact=self._redact, wait=False
            ):
                self._told(each)
        finally:
            with contextlib.suppress(DriverError):
                drivers.close()
