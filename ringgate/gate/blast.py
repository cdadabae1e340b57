"""Blast radius: what the failing tenants have in common and the well ones have not, and who in later rings has it, too.

radius = blast_radius({"aldgate"}, {"bleecker", "cologne"}, tenants, later)
radius.suspects[0]      # Suspect("tax rounding", "line", failing=1, well=0)
radius.exposed["kyoto"] # (Suspect("currency", "JPY", ...),)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ringgate.domain.model import Tenant

Trait = tuple[str, str]
"""What a tenant is like: a property and its value."""


def traits(tenant: Tenant) -> frozenset[Trait]:
    """All that could make one tenant meet a defect that another does not."""
    policy = tenant.policy
    known = {
        ("series", f"{tenant.erp} {tenant.series}".strip()),
        ("region", tenant.region),
        ("residency", tenant.residency),
        ("service level", tenant.sla),
        ("language", tenant.language),
        ("time zone", tenant.timezone),
        ("currency", policy.currency.code),
        ("decimals of the currency", str(policy.currency.digits)),
        ("tax rates", str(len(policy.taxes)) if policy.taxes else "none"),
        ("tax rounding", policy.tax_rounding.value if policy.taxes else "none"),
        ("rounding of halves", policy.rounding_mode.value),
        ("approval", f"{policy.approval.steps} above {policy.approval.threshold}" if policy.approval.steps else "none"),
        ("invoice method", policy.invoice_method.value),
        ("payment term", str(policy.term)),
    }
    known |= {("cohort", cohort) for cohort in tenant.cohorts}
    known |= {("feature", name) for name, feature in tenant.features.items() if feature.on}
    known |= {("extension", f"{name} {version}") for name, version in tenant.extensions.items()}
    known |= {("lacks", capability.value) for capability in tenant.lacks}
    return frozenset(known)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A trait that all failing tenants have. `failing` and `well` count the tenants of the ring that have it."""

    name: str
    value: str
    failing: int
    well: int

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """`suspects`: what all failing tenants have and no well one has, in the order of names. Empty with no well tenant
    to compare with, or where failing and well ones are alike; `sentence` says which.

    `exposed` maps tenants of later rings to the suspects that they have; where there are none, all of them are."""

    failing: tuple[str, ...]
    well: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    sentence: str
    exposed: Mapping[str, tuple[Suspect, ...]] = field(default_factory=dict)
    spared: tuple[str, ...] = ()


def blast_radius(
    failing: Collection[str], well: Collection[str], ring: Sequence[Tenant], later: Sequence[Tenant]
) -> BlastRadius | None:
    """None where nobody fails. `well` are the tenants of the ring that were tested and do not fail."""
    sick = [tenant for tenant in ring if tenant.id in failing]
    fine = [tenant for tenant in ring if tenant.id in well and tenant.id not in failing]
    if not sick:
        return None
    shared = frozenset.intersection(*map(traits, sick))
    elsewhere = frozenset().union(*map(traits, fine))
    suspects = tuple(Suspect(n, v, len(sick), 0) for n, v in sorted(shared - elsewhere)) if fine else ()
    exposed = {tenant.id: _shared(tenant, suspects) for tenant in later}
    if suspects:
        exposed = {tenant: having for tenant, having in exposed.items() if having}
    return BlastRadius(
        failing=tuple(tenant.id for tenant in sick),
        well=tuple(tenant.id for tenant in fine),
        suspects=suspects,
        sentence=_sentence(len(sick), len(fine), suspects),
        exposed=exposed,
        spared=tuple(tenant.id for tenant in later if tenant.id not in exposed),
    )


def _shared(tenant: Tenant, suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    has = traits(tenant)
    return tuple(suspect for suspect in suspects if (suspect.name, suspect.value) in has)


def _sentence(sick: int, fine: int, suspects: Sequence[Suspect]) -> str:
    if not fine:
        return "Every tenant that was tested fails: nothing tells who would be spared."
    if not suspects:
        return "What the failing tenants have in common, tenants that are well have, too: it tells nobody apart."
    if sick == 1:
        return "Only this tenant of the ring fails; these it has alone, and any of them may be why."
    return f"These all {sick} failing tenants have, and none of the {fine} that are well."
