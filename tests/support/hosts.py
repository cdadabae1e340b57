"""Hosts that are not there: an action channel in memory that can be slow, failing, lying, unreachable or half done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from ringgate.domain.model import Tenant
from ringgate.rollout.platforms.answers import HostAnswer
from ringgate.rollout.platforms.hosted import ActionRefused, HostAction
from ringgate.rollout.platforms.registry import PlatformError

BEFORE, AFTER = "7.0", "8.0"


class StubHosts:
    """Tenants that run a series, and remember what was done under which key.

    `say` is asked before each action, and returns how the host behaves in it: "" well, `refuse`, `unreachable` (nothing
    is done), `lost` (done, and the answer is lost), `half` (half done, and the answer is lost), `lie` (says done)."""

    takes_steps = True
    actions = frozenset({"status", "backup", "backups", "restore_beside", "remove_beside", "upgrade", "roll_back"})

    def __init__(
        self,
        say: Callable[[HostAction], str] = lambda _: "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.say, self.clock = say, clock
        self.runs: dict[str, str] = {}
        self.busy: Counter[str] = Counter()
        self.kept: dict[str, list[dict[str, object]]] = {}
        self.keys: dict[str, object] = {}
        self.done: Counter[tuple[str, str]] = Counter()
        self.called: list[HostAction] = []
        self.copies: set[str] = set()

    def settle(self, tenant: Tenant) -> None: ...

    def call(self, action: HostAction) -> HostAnswer:
        self.called.append(action)
        tenant, source = action.tenant.id, f"{action.tenant.id}: {action.name}"
        how = self.say(action)
        if how == "unreachable":
            raise PlatformError(f"{source}: nobody answers")
        if how == "refuse":
            raise ActionRefused(f"{source}: no")
        if action.key and action.key in self.keys:
            return HostAnswer(self.keys[action.key], source)
        if how == "lie":
            return HostAnswer({}, source)
        if how == "half":
            self.runs[tenant] = "half"
            raise PlatformError(f"{source}: the connection broke")
        value = getattr(self, f"_{action.name}")(tenant, action)
        if action.key:
            self.keys[action.key] = value
            self.done[action.name, tenant] += 1
        if how == "lost":
            raise PlatformError(f"{source}: the answer was lost")
        return HostAnswer(value, source)

    def _status(self, tenant: str, _: HostAction) -> dict[str, object]:
        busy = self.busy[tenant] > 0
        self.busy[tenant] -= busy
        return {"series": self.runs.get(tenant, BEFORE), "busy": busy}

    def _backup(self, tenant: str, _: HostAction) -> dict[str, object]:
        name = f"{tenant}-{len(self.kept.get(tenant, []))}"
        taken: dict[str, object] = {"name": name, "taken_at": self.clock().isoformat(), "size": 7}
        self.kept.setdefault(tenant, []).append(taken)
        return taken

    def _backups(self, tenant: str, _: HostAction) -> list[dict[str, object]]:
        return self.kept.get(tenant, [])

    def _restore_beside(self, tenant: str, action: HostAction) -> dict[str, object]:
        self.copies.add(action.values["copy"])
        return {"api": f"http://127.0.0.1:9/{action.values['copy']}"}

    def _remove_beside(self, tenant: str, action: HostAction) -> None:
        self.copies.discard(action.values["copy"])

    def _upgrade(self, tenant: str, action: HostAction) -> dict[str, object]:
        self.runs[tenant] = action.values["to"]
        return {}

    def _roll_back(self, tenant: str, action: HostAction) -> dict[str, object]:
        self.runs[tenant] = action.values["to"] or BEFORE
        return {}
