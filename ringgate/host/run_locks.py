"""Who may run where: two runs of one scenario never overlap on one tenant, and a tenant's sessions are capped.

Across all processes of this machine, by file locks that end with their process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ringgate.domain.errors import OurSideError
from ringgate.domain.model import Tenant

POSTING = 60.0
"""Seconds that a posting waits for others of ours on the same tenant."""


class Occupied(OurSideError):
    """Another run of the scenario on the tenant did not end within the time given."""

    kind = "occupied"


class Crowded(Occupied):
    """All sessions of the tenant were taken for the time given."""

    kind = "crowded"


class RunLocks:
    """The locks of this machine, kept in `folder`."""

    def __init__(self, folder: Path, *, patience: float = 600.0) -> None:
        """`patience`: seconds to wait for room before giving up; 0 for not at all."""
        self._folder, self._patience = folder, patience
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def room(self, tenant: Tenant, scenario: str) -> Iterator[None]:
        """Hold the scenario on this tenant, and one of the tenant's sessions. Raises Occupied or Crowded."""
        with ExitStack() as held:
            own = FileLock(self._folder / f"{tenant.id}.{scenario}.lock")
            try:
                held.enter_context(own.acquire(timeout=self._patience))
            except Timeout:
                raise Occupied(
                    f"another run of {scenario} on {tenant.id} did not end in {self._patience:.0f} s"
                    if self._patience
                    else f"another run of {scenario} on {tenant.id} is under way"
                ) from None
            held.enter_context(self._session(tenant))
            yield

    @contextmanager
    def posting(self, tenant: str) -> Iterator[None]:
        """Hold what numbers a tenant's postings, so that no two of ours wait for it inside the ERP, where that is taken
        for the ERP's time. It is a courtesy: after `POSTING` seconds the posting is sent all the same."""
        lock = FileLock(self._folder / f"{tenant}.posting.lock")
        try:
            held = lock.acquire(timeout=POSTING)
        except Timeout:
            yield
            return
        with held:
            yield

    @contextmanager
    def _session(self, tenant: Tenant) -> Iterator[None]:
        slots = [self._folder / f"{tenant.id}.session-{n}.lock" for n in range(1, tenant.sessions + 1)]
        for slot in slots:
            try:
                with FileLock(slot).acquire(blocking=False):
                    yield
                    return
            except Timeout:
                continue
        try:  # all are taken: stand in line for the first
            with FileLock(slots[0]).acquire(timeout=self._patience):
                yield
        except Timeout:
            raise Crowded(
                f"all {tenant.sessions} sessions of {tenant.id} were taken for {self._patience:.0f} s"
                if self._patience
                else f"all {tenant.sessions} sessions of {tenant.id} are taken"
            ) from None
