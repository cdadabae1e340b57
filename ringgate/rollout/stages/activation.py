"""A feature that was deployed dark is switched on, and the scenarios that go with it are tried; and the way back, which
is quicker than that of the release: it is switched off."""

from __future__ import annotations

from collections.abc import Sequence

from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel
from ringgate.domain.waivers import holds
from ringgate.rollout.conditions import Condition
from ringgate.rollout.flags.protocol import FlagRefused, FlagSwitch, switched
from ringgate.rollout.record import Objection
from ringgate.rollout.results import ActivationResult, DeactivationResult
from ringgate.rollout.stages.beside import run_beside
from ringgate.rollout.stages.checks import Checked, job_of, judge, paces_of, settle
from ringgate.rollout.stages.context import StageContext, StageFinding


def activation(context: StageContext, tenant: Tenant) -> StageFinding:
    """Switches one after the other on. Raises FlagUnknown where nobody can tell."""
    now, on, before = context.ledger.clock().date(), list[str](), list[str]()
    for flag in context.flags:
        name = flag.table.name
        if not holds(flag.table.ends, now):
            words = f"{name} ended on {flag.table.ends}, and is not switched on: its owner is {flag.table.owner}."
            return _stopped(context, tenant, on, before, context.objection(Condition.ACTIVATION_FAILED, tenant, words))
        try:
            if not switched(flag, tenant, True):
                before.append(name)
        except FlagRefused as refused:
            reason = context.objection(Condition.ACTIVATION_FAILED, tenant, f"{refused}.")
            return _stopped(context, tenant, on, before, reason)
        on.append(name)
    paces = paces_of(context, tenant)
    chosen = [(each, Channel.API) for each in scenarios_of(context, tenant)]
    ran = run_beside(tenant, [job_of(context, tenant, each, paces) for each in chosen], context.limits)
    checked = settle(context, tenant, ran) if ran else Checked()
    words = f"with {', '.join(on)} on"
    reasons = judge(context, tenant, checked, words, lambda _: Condition.ACTIVATION_FAILED)
    wanted = {name for flag in context.flags for name in flag.table.scenarios}
    for name in sorted(wanted - {each.id for each, _ in chosen}):
        told = f"{name} is to be tried {words}, and there is no such scenario."
        reasons.append(context.objection(Condition.INCONCLUSIVE, tenant, told))
    counts = checked.counts()
    note = f"{', '.join(on)} on; {counts.get('passed', 0)} of {sum(counts.values())} scenarios passed"
    return StageFinding(note, ActivationResult(on, before, counts), reasons)


def deactivation(context: StageContext, tenant: Tenant) -> StageFinding:
    """Switches all off, the last first. One that cannot be does not keep the others on."""
    off, reasons = list[str](), list[Objection]()
    for flag in reversed(context.flags):
        try:
            switched(flag, tenant, False)
            off.append(flag.table.name)
        except FlagRefused as refused:
            reasons.append(context.objection(Condition.ACTIVATION_FAILED, tenant, f"{refused}."))
    return StageFinding(f"{', '.join(off) or 'nothing'} off", DeactivationResult(off), reasons)


def scenarios_of(context: StageContext, tenant: Tenant) -> list[Scenario]:
    """Those that go with the flags as they are now; the smoke scenarios where a flag names none."""
    states = [(flag, flag.state(tenant)) for flag in context.flags]
    return chosen_by_flags(context.scenarios, states)


def chosen_by_flags(scenarios: Sequence[Scenario], states: Sequence[tuple[FlagSwitch, bool]]) -> list[Scenario]:
    """Pure but for what was asked before: `states` has each flag, and whether it is on."""
    on = [flag.table for flag, is_on in states if is_on]
    named = {name for table in on for name in table.scenarios}
    usual = any(not table.scenarios for table in on)
    dark = {name for flag, is_on in states if not is_on for name in flag.table.scenarios} - named
    gone = {name for table in on for name in table.without}
    return [
        each for each in scenarios
        if (each.id in named or (usual and each.smoke)) and each.id not in dark and each.id not in gone
    ]  # fmt: skip


def _stopped(
    context: StageContext, tenant: Tenant, on: list[str], before: list[str], reason: Objection
) -> StageFinding:
    return StageFinding(f"stopped; on: {', '.join(on) or 'nothing'}", ActivationResult(on, before, {}), [reason])
