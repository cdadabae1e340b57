"""The stages that a tenant goes through, in one object: what the controller calls, and tests replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ringgate.domain.model import Tenant
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.stages import activation, baseline, drill, fingerprint, roll_back, upgrade, verification
from ringgate.rollout.stages.context import StageContext, StageFinding


@dataclass(frozen=True)
class TenantStages:
    """Each does its work on one tenant, and says what it came to and what speaks against going on."""

    context: StageContext

    def baseline(self, tenant: Tenant, plan: Plan) -> StageFinding:
        return baseline.baseline(self.context, tenant, plan)

    def drill(self, tenant: Tenant) -> StageFinding:
        return drill.drill(self.context, tenant)

    def upgrade(self, tenant: Tenant, begins: Callable[[], None] = lambda: None) -> StageFinding:
        return upgrade.upgrade(self.context, tenant, begins)

    def fingerprint(self, tenant: Tenant) -> StageFinding:
        return fingerprint.fingerprint(self.context, tenant)

    def keep_left(self, tenant: Tenant) -> None:
        fingerprint.keep_left(self.context, tenant)

    def verification(self, tenant: Tenant, plan: Plan, browser: bool) -> StageFinding:
        return verification.verification(self.context, tenant, plan, browser)

    def activation(self, tenant: Tenant) -> StageFinding:
        return activation.activation(self.context, tenant)

    def deactivation(self, tenant: Tenant) -> StageFinding:
        return activation.deactivation(self.context, tenant)

    def roll_back(self, tenant: Tenant) -> StageFinding:
        return roll_back.roll_back(self.context, tenant)
