"""One estate from its first start to its end. Every step finds out what is there, so all can be repeated."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from ringgate.domain.model import Tenant
from ringgate.estate import registry, tenant_set
from ringgate.estate.backups import BackupFile, Backups
from ringgate.estate.building import Building
from ringgate.estate.databases import TenantDatabases
from ringgate.estate.errors import EstateError, in_one_sentence
from ringgate.estate.frontdoor import FaultControl
from ringgate.estate.postgres import Cluster
from ringgate.estate.progress import Progress
from ringgate.estate.protocol import READY, EstateKind, Seeding
from ringgate.estate.readiness import states
from ringgate.estate.record import EstateRecord, Place, Report, TenantRow
from ringgate.estate.serving import Serving
from ringgate.estate.tenant_data import TenantData
from ringgate.estate.tenant_set import Member, TenantNames
from ringgate.estate.tools import Tools, lock
from ringgate.estate.upgrading import ManualStep, Stages, Upgrades
from ringgate.host import paths
from ringgate.inventory import Inventory

DEMO = "demo"


class Estate:
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
        known = ", ".join(self.kind.series)
        if series and series not in self.kind.series:
            raise EstateError(f"{self.kind.title} {series} cannot run in an estate: choose --series {known}.")
        if series and old and old.first_series and old.first_series != series:
            raise EstateError(f"The tenants of estate {name} began at {old.first_series}: choose another --name.")
        self.first_series = series or (old.first_series if old else "") or self.kind.series[0]

    @classmethod
    def at(cls, name: str = DEMO, erp: str = "", series: str = "") -> Estate:
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

    # --- life -----------------------------------------------------------------------------------------------------

    def up(
        self, tenants: int = 4, progress: Progress | None = None, port_base: int | None = None, also: Sequence[str] = ()
    ) -> Report:
        """Makes `tenants` of them stand and be ready, doing only what is not done yet. Raises EstateError.

        Tenants that stand already stay, also if there are more than asked for; an upgrade of theirs that was cut off
        is taken back. `also` names series that are to be installed, too, for upgrades to come.
        """
        progress = progress or Progress()
        with self.work(progress):
            Building(self, progress).build(tenants, port_base, also)
        for name in Upgrades(self).repair_all():
            progress.remark(f"An upgrade of tenant {name} had been cut off; it is as it was before.")
        with progress.stage("Readiness"):
            report = self.status()
            for row in report.rows:
                if row.state != READY:
                    raise EstateError(f"Tenant {row.tenant} is not ready: {row.state} (logs: {self.logs}).")
        return report

    def down(self) -> None:
        """Stops all servers; nothing is lost."""
        with self.work(Progress()):
            self.stop_servers()

    def destroy(self) -> None:
        """Stops all servers and removes the estate's folder. What is installed stays, for the next one."""
        with self.work(Progress()):
            self.stop_servers()
            shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self, *tenants: str) -> None:
        """Gives tenants fresh books: new databases, no sessions, nothing cached by the ERP."""
        record = self.record
        for tenant in tenants:
            self.place(tenant)
        members = tenant_set.members(self.names, len(record.tenants))
        chosen = [member for member in members if member.id in tenants]
        with self.work(Progress()):
            serving = self.serving_of(record)
            serving.routes(record, closed=tenants)
            try:
                self.databases().make(chosen)
                for tenant in tenants:
                    record = record.with_place(tenant, series=self.first_series, upgrade=None, came_from="")
                record.write(self.folder)
                for tenant in tenants:
                    for server in serving.servers:
                        if server.series != self.first_series:
                            server.forget(tenant)
                serving.start(record, self.first_series)
                serving.server(self.first_series).reload()
            finally:
                serving.routes(record)

    def reload(self) -> None:
        """Drops what the ERP has cached, as needed after its tables were changed by SQL. Requests under way go on."""
        for server in self.serving.servers:
            if server.running:
                server.reload()

    def install(self, series: str) -> None:
        """Installs a series, with its web client; nothing is done if it is there."""
        tools = self.tools()
        self.kind.install(tools, series)
        self.kind.install_web_client(tools, series)

    # --- moving tenants between series ----------------------------------------------------------------------------

    def backup(self, tenant: str) -> BackupFile:
        """Backs up a tenant while it is in use."""
        return self.backups.take(tenant, self.place(tenant).series)

    def upgrade(
        self, tenant: str, to: str, steps: Sequence[ManualStep] = (), stages: Stages = nullcontext
    ) -> BackupFile:
        """Brings a tenant to a later series at its same address. Returns the backup taken when it was closed for it.

        Raises UpgradeFailed; then the tenant is served as before, from that backup.
        """
        return Upgrades(self).upgrade(tenant, to, steps, stages)

    def roll_back(self, tenant: str, backup: BackupFile, stages: Stages = nullcontext) -> None:
        """Serves a tenant as it was when the backup was taken."""
        Upgrades(self).roll_back(tenant, backup, stages)

    def repair(self, tenant: str) -> bool:
        """Takes back an upgrade or rollback of a tenant that was cut off. Says whether there was one."""
        return Upgrades(self).repair(tenant)

    @contextmanager
    def beside(self, backup: BackupFile) -> Iterator[Tenant]:
        """The tenant as restored from a backup, in a database of its own that ends with the context."""
        name, server = f"drill_{backup.tenant}", self.serving.server(backup.series)
        try:
            self.backups.restore(backup, name)
            with server.beside(name, self.record.served_from(backup.series)) as api:
                yield replace(self.tenant(backup.tenant), api=api, web="")
        finally:
            self.data.drop(name)

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

    def status(self) -> Report:
        """What stands now, found out by asking."""
        record = EstateRecord.read(self.folder)
        if record is None:
            return Report(self.name, self.folder, self.inventory_path, {}, ())
        serving = self.serving_of(record)
        used = {place.series for place in record.tenants.values()}
        servers = {server.series: server for server in serving.servers if server.series in used}
        served = {series: server.running for series, server in servers.items()}
        around = {
            "PostgreSQL": self.pg.is_dir() and self._installed and self.database.running,
            "front door": serving.door.running,
        }
        known = {tenant.id: tenant for tenant in self._inventory()}
        series = {name: record.tenants[name].series for name in known}
        # A tenant needs the server of its own series alone; another that is stopped is none of its business.
        asked = {name: tenant for name, tenant in known.items() if all(around.values()) and served[series[name]]}
        found = {**dict.fromkeys(known, "down"), **states(self.kind, asked, series)}
        running = {
            "PostgreSQL": around["PostgreSQL"],
            **{server.daemon.name: served[name] for name, server in servers.items()},
            "front door": around["front door"],
        }
        rows = [
            TenantRow(
                tenant.id,
                tenant.ring,
                tenant.policy.currency.code,
                tenant.web,
                tenant.api,
                found[tenant.id],
                record.tenants[tenant.id].series,
            )
            for tenant in sorted(known.values(), key=lambda tenant: record.tenants[tenant.id].port)
        ]
        words = {name: "running" if runs else "stopped" for name, runs in running.items()}
        return Report(self.name, self.folder, self.inventory_path, words, tuple(rows))

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
        tenant_set.write_inventory(self.inventory_path, self.kind, self.names.folder, members, places, secrets)

    def _inventory(self) -> tuple[Tenant, ...]:
        return Inventory.load(self.inventory_path).tenants if self.inventory_path.is_dir() else ()

    def stop_servers(self) -> None:
        record = EstateRecord.read(self.folder)
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
