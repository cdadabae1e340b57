"""Whether a scenario applies to a tenant over a channel, decided before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Capability, Channel, Effect
from ringgate.drivers.registry import lacking


def others(tenant: Tenant, tenants: Iterable[Tenant], today: date) -> tuple[Tenant, ...]:
    """The tenants whose sessions can be tried on this one: of the same ERP, and not paused."""
    return tuple(each for each in tenants if _is_other(each, tenant, today))


def _is_other(each: Tenant, tenant: Tenant, today: date) -> bool:
    return each.id != tenant.id and each.erp == tenant.erp and not (each.paused_until and today < each.paused_until)


def not_applicable(  # noqa: PLR0911 - one for each reason
    scenario: Scenario,
    tenant: Tenant,
    channel: Channel,
    capabilities: frozenset[Capability] | None,
    today: date,
    neighbours: Iterable[Tenant] = (),
) -> str:
    """Why this scenario does not apply to this tenant over this channel; "" if it does. Nothing is sent to find out."""
    if channel not in scenario.channels:
        return f"{scenario.id} is not run over the {channel} channel"
    needs = scenario.needs
    if Capability.APPROVALS in needs and tenant.policy.approval.steps > 1:
        needs = needs | {Capability.APPROVAL_CHAINS}
    if reason := lacking(needs, tenant, channel, capabilities):
        return reason
    if Capability.OUTSIDERS in scenario.needs and not any(_is_other(each, tenant, today) for each in neighbours):
        return f"the inventory has no other {tenant.erp} tenant whose sessions could be tried on {tenant.id}"
    if absent := sorted(scenario.roles - set(tenant.users)):
        return f"{tenant.id} has no synthetic user for {', '.join(absent)}"
    undone = Capability.UNDO in (capabilities or ()) and Capability.UNDO not in tenant.lacks
    if scenario.effect is Effect.REVERSIBLE and not undone and tenant.policy.effects is not Effect.PERMANENT:
        return f"nothing can be taken back on {tenant.id} over the {channel} channel, so {scenario.id} would stay"
    if scenario.effect > tenant.policy.effects:
        return f"{tenant.id} allows {tenant.policy.effects.word} effects, {scenario.id} is {scenario.effect.word}"
    if scenario.receives and not any(scenario.receives in each.receives for each in tenant.integrations.values()):
        return f"no integration of {tenant.id} receives {scenario.receives}"
    if tenant.paused_until and today < tenant.paused_until:
        return f"{tenant.id} is paused until {tenant.paused_until}: {tenant.paused_reason}"
    return ""
