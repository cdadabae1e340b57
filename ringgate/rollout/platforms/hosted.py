"""A platform on hosts of one's own, over whatever carries actions to them: commands, or HTTP.

Each action is noted on disk before it is asked for, with an idempotency key that stays the same until it is known what
came of it. Whether something was done is never taken from the answer alone: the host's status is asked afterwards.

| what comes back                               | what it means                                                  |
|-----------------------------------------------|----------------------------------------------------------------|
| done, and the status says the new series      | upgraded                                                       |
| done, and the status says the old series      | refused: the host says done and did not do it                  |
| refused, and the status says the old series   | refused: the tenant is as it was                               |
| refused, and the status says another series   | rolled back to its backup, then refused                        |
| no answer, or none that can be understood     | unknown: PlatformError, and the same key at the next attempt   |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.rollout.platforms.answers import HostAnswer, HostBackup, HostCopy, HostStatus, HostUpgrade
from ringgate.rollout.platforms.attempts import AttemptBook, PendingAction
from ringgate.rollout.platforms.protocol import Stages, UpgradeRefused
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.release_tables import ManualStepTable

REQUIRED = ("status", "backup", "backups", "restore_beside", "remove_beside", "upgrade", "roll_back")
"""The actions that a host must be able to do. `repair` is optional: without it, what was cut off is rolled back."""

SKEW = timedelta(seconds=30)
"""How far a host's clock may be behind ours."""

RECENT = timedelta(minutes=5)
"""How old a backup may be whose first answer was lost."""

SETTLED = 1800.0
"""Seconds to wait for what is under way on a tenant."""


class ActionRefused(RinggateError):
    """The host understood what it was asked and did not do it: a command's exit code, HTTP 409 or 422. `doubtful`: it
    says that something was only waited for in vain."""

    kind = "platform-refused"

    def __init__(self, sentence: str, *, doubtful: bool = False) -> None:
        super().__init__(sentence)
        self.doubtful = doubtful


@dataclass(frozen=True, slots=True)
class HostAction:
    """What is asked of a host: `name` is the action, `values` fill its placeholders. `key` and `attempt` are "" for
    what only reads. `steps` are a release's manual steps, of an upgrade. `lease` is the number of the controller's
    lease, "" for none: a host that keeps the highest refuses a lower one."""

    name: str
    tenant: Tenant
    key: str = ""
    attempt: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[ManualStepTable] = ()
    lease: str = ""


class ActionChannel(Protocol):
    """Carries actions to hosts. `actions` are those that it has, `takes_steps` says whether a release's manual steps
    reach the host."""

    @property
    def actions(self) -> frozenset[str]: ...
    @property
    def takes_steps(self) -> bool: ...
    def call(self, action: HostAction) -> HostAnswer:
        """Raises ActionRefused where the host said no, PlatformError where nobody can tell."""
        ...

    def settle(self, tenant: Tenant) -> None:
        """Returns when nothing that an earlier, killed process of ours began on the tenant is under way."""
        ...


class HostedPlatform:
    """Tenants on hosts, as a rollout sees them. Safe for threads, one for each tenant."""

    def __init__(
        self,
        channel: ActionChannel,
        tenants: Sequence[Tenant],
        attempts: AttemptBook,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        poll: float = 5.0,
    ) -> None:
        """`poll`: seconds between two looks at a tenant on which something is under way."""
        self._channel, self._attempts = channel, attempts
        self._tenants = {tenant.id: tenant for tenant in tenants}
        self._clock, self._sleep, self._poll = clock, sleep, poll
        self._lease = ""

    def led_by(self, number: int, check: Callable[[], None]) -> None:
        """From now on a controller with this lease leads it. `check` raises what ends one whose lease was taken: it is
        asked before each action that changes something, and before each note of one."""
        self._lease, self._attempts.fence = str(number), check

    # --- what only reads ----------------------------------------------------------------------------------------------

    def status(self, tenant: str) -> HostStatus:
        """What the host says of the tenant now. Raises PlatformError for an answer about another, or an old one."""
        asked = self._clock()
        answer = self._read("status", tenant)
        said = answer.as_a(HostStatus)
        if said.tenant not in ("", tenant):
            raise PlatformError(f"{answer.source}: the status is of {said.tenant}, asked was {tenant}")
        if said.observed_at and said.observed_at < asked - SKEW:
            age = (asked - said.observed_at).total_seconds()
            raise PlatformError(f"{answer.source}: the status was observed {age:.0f} s before it was asked for")
        return said

    def series(self, tenant: str) -> str:
        return self.status(tenant).series

    def artefacts(self, tenant: str) -> Mapping[str, str]:
        return self.status(tenant).artefacts

    def backups(self, tenant: str) -> Sequence[HostBackup]:
        found: list[HostBackup] = self._read("backups", tenant).as_a(list[HostBackup])
        return sorted(found, key=lambda each: each.taken_at)

    def upgraded_from(self, tenant: str) -> HostBackup | None:
        done = self._attempts.upgraded(tenant)
        return done.backup if done else None

    # --- backups ------------------------------------------------------------------------------------------------------

    def backup(self, tenant: str) -> HostBackup:
        """One asked for so long ago that it got no answer is not asked about again: it would lack what came since."""
        began, known = time.monotonic(), self._attempts.pending(tenant, "backup")
        if known and self._clock() - known.began > RECENT:
            self._attempts.end(tenant, "backup")
        with self._asked(tenant, "backup", "") as pending:
            taken = self._call(tenant, "backup", pending).as_a(HostBackup)
        if taken.taken_at < pending.began - SKEW:
            raise PlatformError(f"{tenant}: the backup {taken.name} was taken before it was asked for")
        return taken if taken.seconds else taken.model_copy(update={"seconds": time.monotonic() - began})

    @contextmanager
    def beside(self, tenant: str, backup: str) -> Iterator[Tenant]:
        """The copy is removed afterwards; one that could not be is removed by the next `repair`."""
        home = self._tenants[tenant]
        pending = self._attempts.begin(tenant, "restore_beside", backup)
        values = {"backup": backup, "copy": f"{tenant}-{pending.key[:8]}"}
        try:
            copy = self._call(tenant, "restore_beside", pending, values).as_a(HostCopy)
            yield replace(home, api=copy.api, web=copy.web)
        finally:
            with suppress(PlatformError):
                self._remove(tenant, pending)

    def _remove(self, tenant: str, pending: PendingAction) -> None:
        values = {"backup": pending.subject, "copy": f"{tenant}-{pending.key[:8]}"}
        self._call(tenant, "remove_beside", pending, values)
        self._attempts.end(tenant, "restore_beside")

    # --- the change and the way back ----------------------------------------------------------------------------------

    def upgrade(self, tenant: str, to: str, steps: Sequence[ManualStepTable], stages: Stages) -> HostBackup:
        if steps and not self._channel.takes_steps:
            raise PlatformError(
                f"{tenant}: the release has manual steps, and the platform's upgrade does not take them"
            )
        with stages("look up"):
            now = self._settled(tenant)
            pending = self._attempts.pending(tenant, "upgrade")
            if pending and pending.undoing:
                self._as_it_was(tenant, pending, anyway=True)
                now, pending = self._settled(tenant), None
            if pending and pending.subject == to and _tells(pending) and now.series == to:
                return self._upgraded(tenant, pending)
        with stages("backup"):
            taken = pending.backup if pending and pending.subject == to else self.backup(tenant)
        try:
            with stages("upgrade"):
                asked = self._attempts.begin(tenant, "upgrade", to, now.series, taken)
                assert asked.backup
                values = {"from": asked.before, "to": to, "backup": asked.backup.name}
                answer = self._call(tenant, "upgrade", asked, values, steps)
            with stages("status"):
                after = self._settled(tenant)
        except ActionRefused as refused:
            self._as_it_was(tenant, asked)
            said = _sentence(str(refused))
            raise UpgradeRefused(tenant, "upgrade", said, doubtful=refused.doubtful) from refused
        if after.series != to:
            self._as_it_was(tenant, asked)
            reason = f"{answer.source} says that it is done, and the status says {after.series}."
            raise UpgradeRefused(tenant, "status", reason)
        closed = answer.or_nothing(HostUpgrade)
        if closed and closed.backup:
            asked = asked.model_copy(update={"backup": closed.backup})
        return self._upgraded(tenant, asked)

    def roll_back(self, tenant: str, backup: str) -> None:
        done = self._attempts.upgraded(tenant) or self._attempts.pending(tenant, "upgrade")
        before = done.before if done else ""
        with self._asked(tenant, "roll_back", backup) as pending:
            self._settled(tenant)
            self._call(tenant, "roll_back", pending, {"backup": backup, "to": before})
            after = self._settled(tenant)
            if before and after.series != before:
                raise PlatformError(f"{tenant}: the rollback ended, and the status says {after.series}, not {before}")
        self._attempts.note_upgraded(tenant, None)

    def repair(self, tenant: str) -> bool:
        """Asks the host only where something is pending: a fleet of tenants is not asked at each start."""
        if self._attempts.at_rest(tenant):
            return False
        if copy := self._attempts.pending(tenant, "restore_beside"):
            self._remove(tenant, copy)
        if back := self._attempts.pending(tenant, "roll_back"):
            self.roll_back(tenant, back.subject)
            return True
        pending = self._attempts.pending(tenant, "upgrade")
        if pending is None:
            return False
        if not pending.undoing and self._settled(tenant).series == pending.subject and _tells(pending):
            self._upgraded(tenant, pending)  # it came to its end without us
            return False
        self._as_it_was(tenant, pending, anyway=True)
        return True

    # --- how ----------------------------------------------------------------------------------------------------------

    def _upgraded(self, tenant: str, pending: PendingAction) -> HostBackup:
        assert pending.backup
        self._attempts.note_upgraded(tenant, pending)
        return pending.backup

    def _as_it_was(self, tenant: str, pending: PendingAction, *, anyway: bool = False) -> None:
        """The tenant runs the series before. `anyway`: how far an upgrade had come is not known. Raises PlatformError
        where it cannot be brought there; the upgrade stays pending then."""
        assert pending.backup
        if anyway or not _tells(pending) or self._settled(tenant).series != pending.before:
            action = "repair" if "repair" in self._channel.actions else "roll_back"
            values = {"backup": pending.backup.name, "to": pending.before}
            self._attempts.undoing(tenant)
            back = pending.model_copy(update={"key": f"{pending.key}-back"})
            self._call(tenant, action, back, values)
            if (now := self._settled(tenant).series) != pending.before:
                raise PlatformError(f"{tenant}: after {action} the status says {now}, not {pending.before}")
        self._attempts.end(tenant, "upgrade")

    def _read(self, action: str, tenant: str) -> HostAnswer:
        """Who cannot be asked is not known to be well, nor to be unwell."""
        try:
            return self._channel.call(HostAction(action, self._tenants[tenant]))
        except ActionRefused as refused:
            raise PlatformError(str(refused)) from refused

    def _settled(self, tenant: str) -> HostStatus:
        """Its status when nothing is under way on it any more."""
        self._channel.settle(self._tenants[tenant])
        until = time.monotonic() + SETTLED
        while (now := self.status(tenant)).busy:
            if time.monotonic() > until:
                raise PlatformError(f"{tenant}: something was under way for {SETTLED:.0f} s, and is still")
            self._sleep(self._poll)
        return now

    @contextmanager
    def _asked(self, tenant: str, action: str, subject: str) -> Iterator[PendingAction]:
        """Pending until it is known what came of it: done, or refused."""
        pending = self._attempts.begin(tenant, action, subject)
        try:
            yield pending
        except ActionRefused:
            self._attempts.end(tenant, action)
            raise
        self._attempts.end(tenant, action)

    def _call(
        self,
        tenant: str,
        action: str,
        pending: PendingAction,
        values: Mapping[str, str] | None = None,
        steps: Sequence[ManualStepTable] = (),
    ) -> HostAnswer:
        key = (
            pending.key if action in ("backup", "restore_beside", "upgrade", "roll_back") else f"{pending.key}-{action}"
        )
        self._attempts.fence()
        asked = HostAction(action, self._tenants[tenant], key, pending.attempt, values or {}, steps, self._lease)
        return self._channel.call(asked)


def _tells(pending: PendingAction) -> bool:
    """Whether the series says how far it came: not where a release stays in its series."""
    return pending.before != pending.subject


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
