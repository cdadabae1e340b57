"""A tenant, results of its checks, and stages that need no ERP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ringgate.domain.errors import ErpTimedOut
from ringgate.domain.model import Failure, Residue, RunResult, Scenario
from ringgate.domain.terms import Capability, Channel, Effect, Invariant, Layer, Outcome, ResidueCause
from ringgate.execution.concurrency import ConcurrencyLimits
from ringgate.rollout.record import Objection
from ringgate.rollout.release_tables import ConditionsTable
from tests.support.samples import tenant

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALDGATE = tenant()


def came(outcome: Outcome = Outcome.PASSED, kind: str = "", scenario: str = "time-entry", **more: Any) -> RunResult:
    """A run of a scenario on aldgate over the API."""
    failure = Failure(kind, f"{kind} it was.", invariant=more.pop("invariant", None)) if kind else None
    values: dict[str, Any] = {
        "run_id": "r1", "trace_id": "0" * 32, "scenario": scenario, "tenant": "aldgate", "ring": "canary",
        "channel": Channel.API, "outcome": outcome, "started_at": NOON, "seconds": 1.5, "failure": failure,
    }  # fmt: skip
    return RunResult(**{**values, **more})


WRONG = came(Outcome.FAILED, "expectation")
REFUSED = came(Outcome.FAILED, "refused")
INVARIANT = came(Outcome.FAILED, "odd", invariant=Invariant.ISOLATED)
SLOW = came(Outcome.FAILED, "unavailable", error=ErpTimedOut("x"))
DOWN = came(Outcome.FAILED, "unavailable", error=OSError("x"))
SCREEN = came(Outcome.FAILED, "misbehaved", channel=Channel.BROWSER)
BROKEN = came(Outcome.BROKEN, "browser")
LATE = came(Outcome.BROKEN, "undo-slow", run_id="late")
STUBBORN = came(Outcome.FAILED, "undo-refused", run_id="stubborn")
FINE, ABSENT = came(), came(Outcome.SKIPPED, reason="it has no such thing")


def left(run_id: str = "late", cause: ResidueCause = ResidueCause.SLOW) -> Residue:
    return Residue("aldgate", run_id, "post_invoice", f"RG-{run_id}-1", "no answer came", cause)


def scenario(name: str, *needs: Capability, effect: Effect = Effect.REVERSIBLE) -> Scenario:
    return Scenario(
        id=name, title=name, effect=effect, needs=frozenset(needs), roles=frozenset(), layer=Layer.PROCESS,
        channels=frozenset(Channel), function=lambda erp, make, run: None,
    )  # fmt: skip


class Context:
    """What stages ask of their context. `again` is what each second run comes to, `kept_back` what each attempt to
    take back leaves."""

    def __init__(self, again: Sequence[RunResult] = (), kept_back: Sequence[Sequence[Residue]] = ()) -> None:
        self.scenarios = [scenario("time-entry"), scenario("billing", Capability.INVOICING)]
        self.limits, self.done = ConcurrencyLimits(), list[str]()
        self._again, self._kept_back = list(again), list(kept_back)
        self.platform = SimpleNamespace(backups=lambda tenant: self.backups)
        self.backups: list[Any] = []

    def run(self, tenant: Any, scenario: Scenario, channel: Channel) -> RunResult:
        self.done.append(f"{scenario.id} over {channel}")
        return self._again.pop(0)

    def pause(self) -> None:
        self.done.append("pause")

    def take_back(self, tenant: Any) -> Sequence[Residue]:
        self.done.append("take back")
        return self._kept_back.pop(0) if self._kept_back else ()

    def since(self, tenant: Any, stage: str) -> datetime:
        return NOON

    def objection(self, condition: Any, tenant: Any, sentence: str) -> Objection:
        action = ConditionsTable().action(condition)
        return Objection(condition=condition, action=action, tenant=tenant.id, sentence=sentence)


def backup(minutes: float) -> Any:
    """One that was taken so long before noon."""
    return SimpleNamespace(name=f"b{minutes}", taken_at=NOON - timedelta(minutes=minutes), size=1, seconds=1.0)
