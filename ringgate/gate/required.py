"""What must have passed on every tenant before a release goes on. One rule, for a gate and for a rehearsal.

    not_tested(("sign-in", "time-entry"), ["aldgate"], passed={("aldgate", "sign-in")}, never={
        ("aldgate", "time-entry"): "aldgate allows read effects, time-entry is reversible"
    })
    -> (NotTested("aldgate", "time-entry", "aldgate allows read effects, time-entry is reversible"),)

Fails closed: what a tenant lacks, forbids or has no user for was not tested, whatever the reason is. Only a waiver lets
it go without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

PROCESSES = ("sign-in", "time-entry", "invoicing-from-time", "financial-posting", "procurement-approval")
"""Scenarios that must have passed where nobody says otherwise: sign-in, time entry, invoicing, posting, approval."""

Process = tuple[str, str]
"""A tenant and a scenario."""


@dataclass(frozen=True, slots=True)
class NotTested:
    """A process that did not pass on a tenant though it must have (`must`), or was only ever skipped there.

    `why` is a reason for people, "" where nobody knows one."""

    tenant: str
    scenario: str
    why: str = ""
    must: bool = True


def _nobody(tenant: str, scenario: str) -> bool:
    return False


def not_tested(
    must: Iterable[str],
    tenants: Iterable[str],
    passed: Collection[Process],
    *,
    skipped: Iterable[Process] = (),
    never: Mapping[Process, str] | None = None,
    waived: Callable[[str, str], bool] = _nobody,
) -> tuple[NotTested, ...]:
    """What keeps a release from going on for want of a test, in the order of tenants and of `must`.

    `must` are the ids of scenarios that must have passed on each of `tenants`, over any channel; `passed` is what did.
    `skipped` is what was skipped and never carried out; `never` says why a process does not apply to a tenant.
    `waived(tenant, scenario)` says whether somebody accepted that it goes untested."""
    must, never = tuple(must), never or {}
    skips: dict[str, list[str]] = {}
    for tenant, scenario in sorted(skipped):
        skips.setdefault(tenant, []).append(scenario)
    found = []
    for tenant in tenants:
        lacking = {scenario: True for scenario in must if (tenant, scenario) not in passed}
        lacking |= {scenario: False for scenario in skips.get(tenant, ()) if scenario not in lacking}
        for scenario, of_must in lacking.items():
            if not waived(tenant, scenario):
                found.append(NotTested(tenant, scenario, never.get((tenant, scenario), ""), of_must))
    return tuple(found)
