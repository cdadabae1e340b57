"""A proposed canary set: few tenants that between them show every pair of properties that any tenant has.

A fault in an upgrade mostly needs one property, or two together (a currency without decimals and tax by the line). So a
set in which each pair occurs meets most of what the whole fleet would. Chosen greedily (the tenant that adds the most
pairs first), which is at most a logarithmic factor above the fewest (Chvatal, 1979, A greedy heuristic for the
set-covering problem). Ties go to the first by id, so that the proposal is the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ringgate.domain.model import Tenant

Property = tuple[str, str]
"""A property's name and value: ("currency", "JPY")."""
Pair = tuple[Property, Property]


@dataclass(frozen=True, slots=True)
class ProposedTenant:
    """`adds` are the pairs that no tenant before it in the proposal has."""

    tenant: Tenant
    adds: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class CanaryProposal:
    """`pairs` counts those of all tenants, `uncovered` are those that the set leaves out, none without a limit."""

    tenants: tuple[ProposedTenant, ...]
    pairs: int
    uncovered: tuple[Pair, ...]


def properties(tenant: Tenant) -> tuple[Property, ...]:
    """What may make a tenant meet a fault that another does not meet."""
    policy = tenant.policy
    taxes = ", ".join(sorted(f"{tax.rate.normalize():f}" for tax in policy.taxes)) or "none"
    return (
        ("currency", policy.currency.code),
        ("tax", taxes),
        ("rounding", f"{policy.tax_rounding.value} {policy.rounding_mode.value}"),
        ("approval", f"{policy.approval.steps} steps"),
        ("method", policy.invoice_method.value),
        ("language", tenant.language),
        ("region", tenant.region),
        *(("extension", name) for name in sorted(tenant.extensions)),
    )


def proposed(tenants: Sequence[Tenant], most: int | None = None) -> CanaryProposal:
    """The set for these tenants, of at most `most` of them (None: as many as it takes)."""
    shown = {each.id: _pairs(each) for each in tenants}
    everything = frozenset[Pair]().union(*shown.values())
    left, chosen = set(everything), list[ProposedTenant]()
    waiting = sorted(tenants, key=lambda each: each.id)
    while left and waiting and (most is None or len(chosen) < most):
        best = max(waiting, key=lambda each: len(shown[each.id] & left))
        adds = shown[best.id] & left
        chosen.append(ProposedTenant(best, tuple(sorted(adds))))
        waiting.remove(best)
        left -= adds
    return CanaryProposal(tuple(chosen), len(everything), tuple(sorted(left)))


def _pairs(tenant: Tenant) -> frozenset[Pair]:
    return frozenset(combinations(sorted(properties(tenant)), 2))
