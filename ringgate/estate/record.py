"""What an estate remembers between commands, and what it reports about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ringgate.estate.processes import write_atomically
from ringgate.estate.registry import DEFAULT

FILE = "estate.json"


class Upgrading(BaseModel):
    """An upgrade under way: to which series, and the backup that the tenant is restored from if it does not succeed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str
    backup: str


class Place(BaseModel):
    """Where one tenant stands: the demo tenant whose books it has, its port on the front door, its ERP's series.

    While `upgrade` is set the tenant is under maintenance and its database must be taken as half migrated. `came_from`
    names the backup from before the last upgrade.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    archetype: str
    port: int
    series: str
    upgrade: Upgrading | None = None
    came_from: str = ""


class EstateRecord(BaseModel):
    """`estate.json`. `erp` is the estate's kind, `first_series` the series that its tenants begin at ("": its kind's
    first), `image` the golden image that the databases were copied from, `integrations` whether far ends stand
    beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    erp: str = DEFAULT
    port_base: int
    first_series: str = ""
    image: str = ""
    integrations: bool = False
    tenants: Mapping[str, Place] = {}

    @classmethod
    def read(cls, folder: Path) -> EstateRecord | None:
        """The record of an estate, or None if there is none that can be read."""
        try:
            return cls.model_validate_json((folder / FILE).read_text())
        except (OSError, ValidationError):
            return None

    def served_from(self, series: str) -> list[str]:
        """The tenants of one series, without those under maintenance."""
        return [name for name, place in self.tenants.items() if place.series == series and place.upgrade is None]

    def with_place(self, tenant: str, **changes: object) -> EstateRecord:
        """The record with one tenant's place changed."""
        place = self.tenants[tenant].model_copy(update=changes)
        return self.model_copy(update={"tenants": {**self.tenants, tenant: place}})

    def write(self, folder: Path) -> None:
        write_atomically(folder / FILE, self.model_dump_json(indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class TenantRow:
    """One tenant as reported. `state` is `ready`, `down`, or in a few words why it is not ready."""

    tenant: str
    ring: str
    currency: str
    web: str
    api: str
    state: str
    series: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """An estate as it is now. `servers` maps each server to `running` or `stopped`."""

    name: str
    folder: Path
    inventory: Path
    servers: Mapping[str, str]
    rows: tuple[TenantRow, ...]

    @property
    def standing(self) -> bool:
        """Whether every tenant can be used."""
        return bool(self.rows) and all(row.state == "ready" for row in self.rows)
