"""The inventory: a folder of TOML files that describes every tenant, read whole or refused whole.

    tenants/
      defaults.toml          what holds for every tenant; names the rings in their order
      cohorts/emea.toml      what holds for the tenants of a cohort; may be empty
      aldgate.toml           one tenant; the file is named after its id

Later files win over earlier ones: defaults, the tenant's cohorts in the order it lists them, the tenant. All errors of
all files are reported at once, each with its file, key and rule:

    tenants/aldgate.toml: policy.tax.rate: must be below 1 (got "20")
    tenants/kyoto.toml: cohorts[0]: there is no tenants/cohorts/apec.toml; did you mean apac?
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ringgate.domain.errors import RinggateError, SecretWithheld
from ringgate.domain.model import Tenant
from ringgate.domain.retention import Retention
from ringgate.domain.secrets import Secret
from ringgate.inventory.files import Problem, nearest
from ringgate.inventory.reader import InventorySetting, read
from ringgate.inventory.residency import residencies, withhold
from ringgate.inventory.ring_rules import RingChoice

__all__ = [
    "Inventory",
    "InventoryError",
    "InventorySetting",
    "Problem",
    "SelectionError",
    "default_path",
    "pause_of",
    "secret_problems",
]


class InventoryError(RinggateError):
    """The inventory is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class SelectionError(RinggateError):
    """A selection names what does not exist, or selects nothing."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every tenant, in the order of the rollout: by ring, then by id.

    `rings` are in the order of a rollout, `cohorts` maps each cohort to its description, `warnings` does not stop
    anybody (an expired flag, a password sent in the clear). `sessions` is how many probes may be under way at once,
    `retention` how long the store keeps what, `derived` why tenants whose files set no ring are in theirs.
    """

    path: Path
    tenants: tuple[Tenant, ...]
    rings: tuple[str, ...]
    cohorts: Mapping[str, str]
    warnings: tuple[Problem, ...] = ()
    sessions: int = 16
    retention: Retention = field(default_factory=Retention)
    derived: Mapping[str, RingChoice] = field(default_factory=dict)
    _settings: Mapping[str, Callable[[], tuple[InventorySetting, ...]]] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls, path: Path | str | None = None, today: date | None = None, *, residency: Collection[str] | None = None
    ) -> Inventory:
        """Reads and checks the folder (default: `default_path()`). Raises InventoryError with all problems.

        Secrets of tenants that a process of this residency (default: RINGGATE_RESIDENCY) may not call are withheld."""
        folder = default_path() if path is None else Path(path)
        found = read(folder, today or datetime.now(UTC).date())
        if found.problems:
            raise InventoryError(found.problems)
        mine = residencies(residency)
        return cls(
            folder,
            tuple(withhold(each, mine) for each in found.tenants),
            found.rings,
            found.cohorts,
            found.warnings,
            found.sessions,
            found.retention,
            found.derived,
            found.settings,
        )

    def tenant(self, name: str) -> Tenant:
        """One tenant by id. Raises SelectionError."""
        return self.select(tenants=[name])[0]

    def settings(self, name: str) -> tuple[InventorySetting, ...]:
        """All values of a tenant, each with its origin. Raises SelectionError."""
        return self._settings[self.tenant(name).id]()

    def select(
        self,
        tenants: Collection[str] = (),
        cohorts: Collection[str] = (),
        rings: Collection[str] = (),
        regions: Collection[str] = (),
    ) -> tuple[Tenant, ...]:
        """The tenants that fit: any of the names of one kind, and every kind that is given; all if none is.

        Raises SelectionError for every unknown name at once, and for an empty selection.
        """
        wanted = {"tenant": set(tenants), "cohort": set(cohorts), "ring": set(rings), "region": set(regions)}
        known = {
            "tenant": [tenant.id for tenant in self.tenants],
            "cohort": list(self.cohorts),
            "ring": list(self.rings),
            "region": [tenant.region for tenant in self.tenants],
        }
        unknown = [
            f'no {kind} is called "{name}"{nearest(name, known[kind])}'
            for kind, names in wanted.items()
            for name in sorted(names - set(known[kind]))
        ]
        if unknown:
            raise SelectionError(f"{self.path}: {'. '.join(unknown)}")
        chosen = tuple(
            tenant
            for tenant in self.tenants
            if (not wanted["tenant"] or tenant.id in wanted["tenant"])
            and (not wanted["cohort"] or wanted["cohort"] & set(tenant.cohorts))
            and (not wanted["ring"] or tenant.ring in wanted["ring"])
            and (not wanted["region"] or tenant.region in wanted["region"])
        )
        if not chosen:
            said = " and ".join(f"{kind} {' or '.join(sorted(names))}" for kind, names in wanted.items() if names)
            raise SelectionError(f"{self.path}: no tenant has {said}, so there is nothing to do. Widen the selection.")
        return chosen


def default_path() -> Path:
    """`RINGGATE_INVENTORY`, else `tenants/` of the folder that Ringgate is started in."""
    return Path(os.environ.get("RINGGATE_INVENTORY") or "tenants")


def pause_of(tenant: Tenant, now: datetime | None = None) -> str:
    """Why a tenant is to be left alone today (its own today), or "" if it is not."""
    today = (now or datetime.now(UTC)).astimezone(ZoneInfo(tenant.timezone)).date()
    if tenant.paused_until is None or today >= tenant.paused_until:
        return ""
    return f"paused until {tenant.paused_until}: {tenant.paused_reason}"


def secret_problems(inventory: Inventory) -> tuple[list[str], list[str]]:
    """What keeps references from being revealed on this machine, and what is unsafe about the rest."""
    missing, unsafe = [], []
    for tenant in inventory.tenants:
        named: list[tuple[str, Secret]] = []
        for role, account in tenant.users.items():
            where = f"{tenant.id}: users.{role}"
            named += [(where, secret) for secret in account.secrets]
        for name, each in tenant.integrations.items():
            where = f"{tenant.id}: integrations.{name}"
            named += [(where, secret) for secret in (each.password, each.key) if secret is not None]
        for where, secret in named:
            try:
                secret.reveal()
            except SecretWithheld:  # it is not for this machine, and may well be there
                continue
            except RinggateError as error:
                missing.append(f"{where}: {error}")
            if warning := secret.warning():
                unsafe.append(f"{where}: {warning}")
    return missing, unsafe
