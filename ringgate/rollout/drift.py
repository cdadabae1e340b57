"""Drift: what is not as it should be, or not as it is elsewhere, and nobody explained. Pure.

    against_inventory(tenant, state, today)      the inventory against what the ERP says
    among_cohort("emea", states, tenants)        tenants of a cohort with each other: what the most have is the rule
    between(state, other, "staging")             staging with production, or before with after, of one tenant
    judged(found, waivers, today)                which of it somebody accepted

A difference has a signature, such as `cohort emea: right accountant invoices: post`; a waiver of it needs an owner, a
reason and an end, as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ringgate.domain.model import Tenant
from ringgate.domain.waivers import Waiver
from ringgate.execution.doctor import compare_configuration
from ringgate.fingerprint.model import Fingerprint
from ringgate.surface.model import Surface

FLAGS = "features."
"""What the inventory says of feature flags is about days to come, and no drift."""


@dataclass(frozen=True, slots=True)
class TenantState:
    """What an ERP says of itself at a moment: its books' fingerprint, its server's version ("" where it does not say),
    and, where somebody asked, its surface."""

    fingerprint: Fingerprint
    version: str = ""
    surface: Surface | None = None


@dataclass(frozen=True, slots=True)
class DriftDifference:
    """One thing that differs. `kind` is version, extension, setting, right or surface; `here` and `there` are words."""

    tenant: str
    kind: str
    signature: str
    here: str
    there: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.tenant}: {self.signature}: {self.here}, and {self.there}. {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class DriftJudgement:
    """Differences apart by who explained them; `expired` ones nobody explains any more."""

    open: tuple[DriftDifference, ...]
    accepted: tuple[tuple[DriftDifference, Waiver], ...]
    expired: tuple[tuple[DriftDifference, Waiver], ...]


def against_inventory(tenant: Tenant, state: TenantState, today: date, series: str = "") -> list[DriftDifference]:
    """The inventory's statements against the ERP. `series` is the one that it must run, "" for what the inventory says;
    `today` is the tenant's own day."""
    stated = replace(tenant, series=series or tenant.series)
    return [
        DriftDifference(
            tenant.id, _kind_of_key(each.key), f"inventory {each.key}", f"the inventory says {each.stated}",
            f"the ERP {each.found}", each.remedy,
        )
        for each in compare_configuration(stated, state.fingerprint, today) if not each.key.startswith(FLAGS)
    ]  # fmt: skip


def among_cohort(name: str, states: Mapping[str, TenantState], tenants: Collection[Tenant]) -> list[DriftDifference]:
    """What tenants of one cohort and one ERP have differently from the most of it; of as many, each is told. Settings
    are each tenant's own; an extension is explained where the inventory states it of the tenant or of the others."""
    by_erp: dict[str, list[Tenant]] = {}
    for tenant in tenants:
        if name in tenant.cohorts and tenant.id in states:
            by_erp.setdefault(tenant.erp, []).append(tenant)
    found = []
    for group in by_erp.values():
        facts = {each.id: _common_facts(states[each.id]) for each in group}
        stated = {extension for each in group for extension in each.extensions}
        for kind, key in sorted({key for each in facts.values() for key in each}):
            if kind == "extension" and key in stated:
                continue
            values = {each.id: facts[each.id].get((kind, key), "none") for each in group}
            found += _odd(name, kind, key, values)
    return found


def between(
    state: TenantState, other: TenantState, where: str, *, explained: Sequence[str] = ()
) -> list[DriftDifference]:
    """What a tenant has differently from itself elsewhere: `where` is staging, or before. Kinds in `explained` are left
    out, for the release says that they change."""
    tenant = state.fingerprint.tenant
    here, there = _facts(state, other), _facts(other, state)
    found = []
    for kind, key in sorted(here.keys() | there.keys()):
        ours, theirs = here.get((kind, key), "none"), there.get((kind, key), "none")
        if ours != theirs and kind not in explained:
            signature = f"{where} {kind} {key}"
            found.append(DriftDifference(tenant, kind, signature, f"it is {ours} here", f"{theirs} {where}"))
    return found


def judged(
    found: Iterable[DriftDifference], waivers: Sequence[Waiver], today: date, release: str = ""
) -> DriftJudgement:
    """Which differences somebody answers for today."""
    still, accepted, expired = list[DriftDifference](), [], []
    for each in found:
        fitting = [waiver for waiver in waivers if waiver.covers(each.signature, each.tenant, release)]
        valid = next((waiver for waiver in fitting if waiver.in_force(today)), None)
        if valid:
            accepted.append((each, valid))
            continue
        still.append(each)
        if fitting:
            expired.append((each, fitting[0]))
    return DriftJudgement(tuple(still), tuple(accepted), tuple(expired))


# --- facts ------------------------------------------------------------------------------------------------------------

_Facts = dict[tuple[str, str], str]


def _common_facts(state: TenantState) -> _Facts:
    """What tenants of one kind should have alike: versions, extensions, what each role allows, the surface."""
    books = state.fingerprint
    found: _Facts = {("version", "series"): books.series}
    if state.version:
        found["version", "server"] = state.version
    found |= {("extension", each): "installed" for each in books.extensions}
    found |= {("right", f"{role.role} {right}"): "allowed" for role in books.roles for right in role.rights}
    return found | _surface_facts(state.surface)


def _facts(state: TenantState, other: TenantState) -> _Facts:
    """Everything that one tenant should have alike in two places; the surface only if it was read in both."""
    books = state.fingerprint
    found = _common_facts(replace(state, surface=state.surface if other.surface else None))
    found |= {("setting", f"{each.subject} {each.key}"): f'"{each.value}"' for each in books.settings}
    for user in books.users:
        found["right", f"user {user.login}"] = ", ".join(user.rights) if user.active else "switched off"
    return found


def _surface_facts(surface: Surface | None) -> _Facts:
    if surface is None:
        return {}
    found: _Facts = {("surface", f"wire {name}"): value for name, value in surface.wire.items()}
    for name, model in surface.models.items():
        fields = ", ".join(sorted(f"{key}: {each.type}" for key, each in (model.fields or {}).items()))
        found["surface", name] = f"{fields}; methods {', '.join(sorted(model.methods))}"
        for role, rights in model.rights.items():
            found["right", f"{role} on {name}"] = ", ".join(sorted(rights)) or "none"
    return found


def _odd(cohort: str, kind: str, key: str, values: Mapping[str, str]) -> list[DriftDifference]:
    """Who differs from the most; where no value has the most, everybody is told."""
    counts = Counter(values.values()).most_common()
    if len(counts) < 2:
        return []
    tied = counts[0][1] == counts[1][1]
    rule = "" if tied else counts[0][0]
    found = []
    for tenant, value in values.items():
        if value == rule:
            continue
        others = [(name, each) for name, each in values.items() if each != value]
        words = f"{_short(others[0][1])} on {', '.join(name for name, each in others if each == others[0][1])}"
        signature = f"cohort {cohort}: {kind} {key}"
        found.append(DriftDifference(tenant, kind, signature, f"it is {_short(value)} here", words))
    return found


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."


def _kind_of_key(key: str) -> str:
    for start, kind in (("series", "version"), ("extensions", "extension"), ("users", "right")):
        if key.startswith(start):
            return kind
    return "setting"
