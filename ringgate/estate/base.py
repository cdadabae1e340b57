"""What an estate is made of: its places, servers, databases and record. What may be done with it is in `estate.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg

from ringgate.domain.model import Tenant
from ringgate.estate import far_ends, registry, tenant_set
from ringgate.estate.backups import Backups
from ringgate.estate.databases import TenantDatabases
from ringgate.estate.errors import EstateError, in_one_sentence
from ringgate.estate.frontdoor import FaultControl
from ringgate.estate.members import Member, TenantNames
from ringgate.estate.postgres import Cluster
from ringgate.estate.progress import Progress
from ringgate.estate.protocol import EstateKind, Seeding
from ringgate.estate.record import EstateRecord, Place
from ringgate.estate.serving import Serving
from ringgate.estate.tenant_data import TenantData
from ringgate.estate.tools import Tools, lock
from ringgate.host import paths
from ringgate.inventory import Inventory

DEMO = "demo"


class EstateBase:
    """Real ERP servers and tenant databases on this machine, below `estates/<name>/`, all of one ERP.

    `erp` names its kind; without it that is the kind of what stands, or the default. `tenants` are the demo tenants
    and `seeding` what fills them; both have a default and are parameters for tests. All methods may be called from any
    process; two that change things wait for each other.
    """

    def __init__(
        self,
        name: str,
        erp: str = "",
        tenants: TenantNames | None = None,
        seeding: Seeding | None = None,
        series: str = "",
    ) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise EstateError(f'"{name}" cannot name an estate: use lower-case letters, digits and hyphens.')
        self.name = name
        self.folder = paths.estate(name)
        old = EstateRecord.read(self.folder)
        if erp and old and old.erp != erp:
            raise EstateError(f"The estate {name} has tenants of {old.erp}: choose another --name for {erp}.")
        self.kind: EstateKind = registry.estate_kind(erp or (old.erp if old else registry.DEFAULT))
        self.names = tenants or self.kind.tenants
        self.seeding = seeding or self.kind.seeding
        if series and series not in self.kind.seeded_series:
            known = ", ".join(self.kind.seeded_series)
            raise EstateError(f"No tenant of an estate begins at {self.kind.title} {series}: choose --series {known}.")
        if series and old and old.first_series and old.first_series != series:
            raise EstateError(f"The tenants of estate {name} began at {old.first_series}: choose another --name.")
        self.first_series = series or (old.first_series if old else "") or self.kind.series[0]

    @classmethod
    def at(cls, name: str = DEMO, erp: str = "", series: str = "") -> Self:
        """The estate of that name, whether or not it stands."""
        return cls(name, erp, series=series)

    # --- places ---------------------------------------------------------------------------------------------------

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def inventory_path(self) -> Path:
        """The inventory of what stands, in the same format as `tenants/`."""
        return self.folder / "inventory"

    @property
    def record(self) -> EstateRecord:
        """What stands here. Raises EstateError if nothing does."""
        record = EstateRecord.read(self.folder)
        if record is None:
            raise EstateError(f"There is no estate {self.name}: `ringgate estate up{self._option}` makes it.")
        return record

    @property
    def server_url(self) -> str:
        """The ERP's server of the first series itself, past the front door."""
        return self.serving.server(self.first_series).url

    @property
    def serving(self) -> Serving:
        """The servers and the front door."""
        return self.serving_of(self.record)

    @property
    def backups(self) -> Backups:
        return Backups(self.folder / "backups", self.data)

    @property
    def data(self) -> TenantData:
        """The tenants' databases and files."""
        return TenantData(self.database, self.folder / self.kind.files)

    def inventory(self) -> Inventory:
        """The inventory of what stands."""
        return Inventory.load(self.inventory_path)

    @property
    def series_known(self) -> tuple[str, ...]:
        """The series that tenants can run here, in their order."""
        return self.kind.series

    def foreseen(self, tenants: int) -> Inventory:
        """The inventory of what stands, or of what `up` would make stand if that has more tenants."""
        standing = self.inventory() if self.inventory_path.is_dir() else None
        if standing and len(standing.tenants) >= tenants:
            return standing
        return tenant_set.foreseen(self.kind, self.names, tenants)

    def tenant(self, tenant: str) -> Tenant:
        """A tenant as the estate's inventory describes it."""
        return next(each for each in self._inventory() if each.id == tenant)

    def front_door(self, tenant: str) -> str:
        """A tenant's public address, without a path. Raises EstateError for an unknown tenant."""
        return f"http://127.0.0.1:{self.place(tenant).port}"

    @property
    def front_door_faults(self) -> FaultControl:
        """Network faults on the way to the tenants."""
        return FaultControl(self.run, self.logs)

    @property
    def database(self) -> Cluster:
        """The embedded PostgreSQL."""
        return Cluster(self.tools().install_database(), self.pg, self.run / "pg", self.logs / "postgresql.log")

    def sql(self, tenant: str, user: str = "postgres") -> psycopg.Connection[Any]:
        """A superuser's connection to a tenant's database, in autocommit mode. The caller closes it."""
        self.place(tenant)
        return self.database.connect(tenant, user=user, autocommit=True)

    def admin_password(self, tenant: str) -> str:
        """The password of the tenant's ERP administrator, whose login is `admin`."""
        self.place(tenant)
        return (self.folder / "secrets" / tenant / "admin").read_text()

    @property
    def far_ends(self) -> far_ends.FarEnds:
        """The far ends of integrations, whether or not they run."""
        return far_ends.of(self.name, self.folder, self.record, self.database)

    # --- the record -------------------------------------------------------------------------------------------------

    @contextmanager
    def alone(self) -> Iterator[EstateRecord]:
        """The record, which nobody else changes meanwhile; `note` writes what comes of it."""
        with self.work(Progress()):
            yield self.record

    def note(self, record: EstateRecord) -> None:
        """Writes the record, and tells the front door. To be called inside `alone`."""
        record.write(self.folder)
        self.serving_of(record).routes(record)

    def change_place(self, tenant: str, **changes: object) -> None:
        """Changes one tenant's place in the record."""
        with self.alone() as record:
            self.note(record.with_place(tenant, **changes))

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def pg(self) -> Path:
        return self.folder / "pg"

    @property
    def _option(self) -> str:
        return "" if self.name == DEMO else f" --name {self.name}"

    @property
    def _installed(self) -> bool:
        return paths.tools().is_dir()

    def tools(self, progress: Progress | None = None) -> Tools:
        return Tools(paths.tools(), progress)

    def serving_of(self, record: EstateRecord) -> Serving:
        return Serving(self.kind, self.folder, record.port_base)

    def databases(self) -> TenantDatabases:
        server = self.serving.server(self.first_series)
        server.configure()
        return TenantDatabases(self.kind, self.data, server, self.folder / "secrets")

    def place(self, tenant: str) -> Place:
        """Where a tenant stands now. Raises EstateError for one that the estate does not have."""
        places = self.record.tenants
        if tenant not in places:
            raise EstateError(f"Estate {self.name} has no tenant {tenant}: it has {', '.join(places)}.")
        return places[tenant]

    def write_inventory(self, record: EstateRecord, members: Sequence[Member]) -> None:
        places: Mapping[str, int] = {name: place.port for name, place in record.tenants.items()}
        secrets = f"${{RINGGATE_HOME}}/estates/{self.name}/secrets"
        own = {name: self.far_ends.inventory_of(name) for name in places} if record.integrations else {}
        tenant_set.write_inventory(self.inventory_path, self.kind, self.names.folder, members, places, secrets, own)

    def _inventory(self) -> tuple[Tenant, ...]:
        return Inventory.load(self.inventory_path).tenants if self.inventory_path.is_dir() else ()

    def stop_servers(self) -> None:
        record = EstateRecord.read(self.folder)
        if record is not None and record.integrations and self._installed:
            self.far_ends.stop()
        if record is not None:
            self.serving_of(record).stop()
        if self.pg.is_dir() and self._installed:
            self.database.stop()

    @contextmanager
    def work(self, progress: Progress) -> Iterator[None]:
        """Alone with the estate; what goes wrong is one sentence."""
        guard = self.folder.parent / f".{self.name}.lock"
        with in_one_sentence(), lock(guard, progress.remark, f"the estate {self.name}"):
            yield

    def install(self, series: str) -> None:
        """Installs a series, with its web client; nothing is done if it is there."""
        tools = self.tools()
        self.kind.install(tools, series)
        self.kind.install_web_client(tools, series)
