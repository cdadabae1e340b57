"""The tenants of an estate: whose books each has, and what its inventory file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ringgate.domain.model import Tenant


@dataclass(frozen=True, slots=True)
class TenantNames:
    """`folder` is the demo tenants' inventory; `further` has the ids of further tenants by archetype; `thresholds` are
    amounts above which a request needs an approver, for variations of a tenant that has such a threshold.

    An estate takes one further tenant from each archetype in turn.
    """

    folder: Path
    further: Mapping[str, tuple[str, ...]]
    thresholds: tuple[str, ...] = ("250.00", "1000.00", "2000.00", "750.00", "100.00")


@dataclass(frozen=True, slots=True)
class Member:
    """One tenant of an estate: its id, the demo tenant whose books it has, and its inventory file's values."""

    id: str
    archetype: Tenant
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.values.get("name", self.id))

    @property
    def is_archetype(self) -> bool:
        return self.id == self.archetype.id

    @property
    def threshold(self) -> Decimal | None:
        """The approval threshold if it is another than the archetype's."""
        said = self.values.get("policy", {}).get("approval", {}).get("threshold")
        return Decimal(said) if said is not None and not self.is_archetype else None
