"""Once every ring was promoted, features are switched on ring by ring; a switch-off takes them back, and nothing else.

What was decided is in the record on disk before the next ring begins. A ring whose features fail is switched off again;
its tenants stay upgraded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ringgate.domain.model import Tenant
from ringgate.rollout.activation_tables import ACTIVATION
from ringgate.rollout.conditions import Condition
from ringgate.rollout.pace import Pace
from ringgate.rollout.record import Objection, RecordKeeper, RehearsalRecord, worst
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.stages.context import StageFinding


class ActivationStages(Protocol):
    def activation(self, tenant: Tenant) -> StageFinding: ...
    def deactivation(self, tenant: Tenant) -> StageFinding: ...


class ActivationWatcher(Protocol):
    def remark(self, sentence: str) -> None: ...


class ActivationLead(Protocol):
    """What of a controller is needed: the release, its record, and how a stage is done once."""

    @property
    def release(self) -> Release: ...
    @property
    def ledger(self) -> RecordKeeper: ...
    @property
    def pace(self) -> Pace: ...
    @property
    def stages(self) -> ActivationStages: ...
    @property
    def watcher(self) -> ActivationWatcher: ...
    @property
    def opens(self) -> Callable[[str], None]: ...
    def objection(self, condition: Condition, tenant: str, sentence: str) -> Objection: ...
    def stage(
        self, ring: str, name: str, tenants: Sequence[Tenant], do: Callable[[Tenant], StageFinding]
    ) -> list[Objection]: ...


def activate(lead: ActivationLead) -> None:
    """Ring by ring, until one speaks against going on. Raises RolloutHeld while it must wait."""
    for ring, tenants in lead.release.rings:
        kept = lead.ledger.record.activation[ring]
        if kept.decision is None:
            lead.opens(ACTIVATION)
            lead.pace.open_ring(ring)
            kept.began = kept.began or lead.ledger.clock()
            whom = [each for each in tenants if _upgraded(lead.ledger, each)]
            reasons = lead.stage(ring, "activation", whom, lead.stages.activation)
            action = worst(reasons)
            if action is RolloutAction.ROLL_BACK:
                reasons += lead.stage(ring, "deactivation", whom, lead.stages.deactivation)
            lead.ledger.decide(ring, action, reasons, activation=True)
            lead.watcher.remark(f"{ring}: {_TOLD[action]}")
        if kept.decision is not RolloutAction.PROMOTE:
            break


def switch_off(lead: ActivationLead, by: str, why: str) -> list[Objection]:
    """Switches the features off in every ring in which somebody began to switch them on, the last first. Returns what
    could not be."""
    found = list[Objection]()
    for ring, tenants in reversed(lead.release.rings):
        begun = [each for each in tenants if lead.ledger.stage(each.id, "activation")]
        if not begun:
            continue
        again = [each.id for each in begun if (done := lead.ledger.stage(each.id, "deactivation")) and done.reasons]
        for tenant in again:
            lead.ledger.renew(tenant, ("deactivation",))
        reasons = [lead.objection(Condition.STOPPED_BY_PERSON, "", f"{by} had it switched off: {why}")]
        found += (left := lead.stage(ring, "deactivation", begun, lead.stages.deactivation))
        lead.ledger.decide(ring, RolloutAction.ROLL_BACK, [*reasons, *left], activation=True)
        lead.watcher.remark(f"{ring}: {_TOLD[RolloutAction.ROLL_BACK]}")
    return found


def switched_off(lead: ActivationLead, by: str, why: str) -> RehearsalRecord:
    """The same as an end of the rollout: its tenants stay upgraded."""
    record = lead.ledger.record
    switch_off(lead, by, why)
    record.ended, record.waits = lead.ledger.clock(), ""
    lead.ledger.write()
    return record


_TOLD = {
    RolloutAction.PROMOTE: "its features are on", RolloutAction.PAUSE: "the activation pauses",
    RolloutAction.ROLL_BACK: "its features are off again",
}  # fmt: skip


def _upgraded(ledger: RecordKeeper, tenant: Tenant) -> bool:
    """One that was rolled back by itself, within its ring's budget, runs the series before."""
    done = ledger.stage(tenant.id, "upgrade")
    return done is not None and done.outcome == "passed" and ledger.stage(tenant.id, "rollback") is None
