"""One estate from its first start to its end. Every step finds out what is there, so all can be repeated."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from ringgate.domain.model import Tenant
from ringgate.estate import ports
from ringgate.estate.backups import BackupFile, Backups
from ringgate.estate.chromium import ensure_browser
from ringgate.estate.databases import TenantDatabases
from ringgate.estate.errors import EstateError, in_one_sentence
from ringgate.estate.frontdoor import FaultControl
from ringgate.estate.images import Image, Seeding, Workshop
from ringgate.estate.postgres import Cluster
from ringgate.estate.progress import Progress
from ringgate.estate.readiness import READY, states
from ringgate.estate.record import EstateRecord, Place, Report, TenantRow
from ringgate.estate.serving import Serving
from ringgate.estate.tools import Tools, lock
from ringgate.estate.tryton import tenant_set
from ringgate.estate.tryton.series import DEFAULT, SERIES, Series
from ringgate.estate.tryton.tenant_set import Member
from ringgate.estate.tryton.upgrading import ManualStep, Stages, Upgrades
from ringgate.host import paths
from ringgate.inventory import Inventory

NEEDED_SPACE = 2 * 1024**3
"""Bytes that must be free before anything is started or made."""

DEMO = "demo"


class Estate:
    """Real ERP servers and tenant databases on this machine, below `estates/<name>/`.

    `tenants_folder` is the demo tenants' inventory and `seeding` what fills them; both have a default and are
    parameters for tests. All methods may be called from any process; two that change things wait for each other.
    """

    def __init__(self, name: str, tenants_folder: Path | None = None, seeding: Seeding | None = None) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise EstateError(f'"{name}" cannot name an estate: use lower-case letters, digits and hyphens.')
        self.name = name
        self.folder = paths.estate(name)
        self.tenants_folder = tenants_folder or tenant_set.source()
        self._seeding = seeding
        self.series: Series = DEFAULT

    @classmethod
    def at(cls, name: str = DEMO) -> Estate:
        """The estate of that name, whether or not it stands."""
        return cls(name)

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
        """What stands here. Raises EstateTrouble if nothing does."""
        record = EstateRecord.read(self.folder)
        if record is None:
            raise EstateError(f"There is no estate {self.name}: `ringgate estate up{self._option}` makes it.")
        return record

    @property
    def server_url(self) -> str:
        """The ERP's server of the first series itself, without the front door; a tenant's API is at `/<tenant>/`."""
        return self.serving.server(self.series).url

    @property
    def serving(self) -> Serving:
        """The servers and the front door."""
        return self._serving(self.record)

    @property
    def backups(self) -> Backups:
        return Backups(self.folder / "backups", self.database)

    def inventory(self) -> Inventory:
        """The inventory of what stands."""
        return Inventory.load(self.inventory_path)

    series_known = tuple(SERIES)
    """The series that tenants can run here, in their order."""

    def tenant(self, tenant: str) -> Tenant:
        """A tenant as the estate's inventory describes it."""
        return next(each for each in self._inventory() if each.id == tenant)

    def front_door(self, tenant: str) -> str:
        """A tenant's public address, without a path. Raises EstateTrouble for an unknown tenant."""
        return f"http://127.0.0.1:{self.place(tenant).port}"

    @property
    def front_door_faults(self) -> FaultControl:
        """Network faults on the way to the tenants."""
        return FaultControl(self.run, self.logs)

    @property
    def database(self) -> Cluster:
        """The embedded PostgreSQL."""
        return Cluster(
            self._tools(Progress()).install_database(), self._pg, self.run / "pg", self.logs / "postgresql.log"
        )

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
        """Makes `tenants` of them stand and be ready, doing only what is not done yet. Raises EstateTrouble.

        Tenants that stand already stay, also if there are more than asked for; an upgrade of theirs that was cut off
        is taken back. `also` names series that are to be installed, too, for upgrades to come.
        """
        progress = progress or Progress()
        with self._work(progress):
            old = EstateRecord.read(self.folder)
            members = tenant_set.members(self.tenants_folder, max(tenants, len(old.tenants) if old else 0))
            self._check_space()
            base = port_base or (old.port_base if old else ports.choose(self.name))
            # Asked again when the servers start; asked now so that nobody waits minutes for this answer.
            listening = [base, *(base + 1 + index for index in range(len(members)))]
            Serving(self.folder, base).check_ports(listening)
            tools = self._tools(progress)
            used = {self.series.name, *also, *(place.series for place in (old.tenants.values() if old else ()))}
            with ThreadPoolExecutor(4) as pool:
                web = [pool.submit(tools.install_web_client, SERIES[name]) for name in sorted(used)]
                further = [pool.submit(tools.install_erp, SERIES[name]) for name in used - {self.series.name}]
                browser = pool.submit(self._browser, progress)
                image = self._image(old, tools, pool, progress)
                record = self._record(base, members, image)
                self._start(record, members, image, [*web, *further], progress)
                browser.result()
        for name in Upgrades(self).repair_all():
            progress.remark(f"An upgrade of tenant {name} had been cut off; it is as it was before.")
        return self._ready(progress)

    def down(self) -> None:
        """Stops all servers; nothing is lost."""
        with self._work(Progress()):
            self._stop()

    def destroy(self) -> None:
        """Stops all servers and removes the estate's folder. What is installed stays, for the next one."""
        with self._work(Progress()):
            self._stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self, *tenants: str) -> None:
        """Gives tenants fresh books: new databases, no sessions, nothing cached by the ERP."""
        record = self.record
        for tenant in tenants:
            self.place(tenant)
        members = tenant_set.members(self.tenants_folder, len(record.tenants))
        chosen = [member for member in members if member.id in tenants]
        with self._work(Progress()):
            serving = self._serving(record)
            serving.routes(record, closed=tenants)
            try:
                self._databases().make(chosen)
                for tenant in tenants:
                    record = record.with_place(tenant, series=self.series.name, upgrade=None, came_from="")
                record.write(self.folder)
                for tenant in tenants:
                    for server in serving.servers:
                        if server.series is not self.series:
                            server.forget(tenant)
                serving.start(record, self.series)
                serving.server(self.series).reload()
            finally:
                serving.routes(record)

    def reload(self) -> None:
        """Drops what the ERP has cached, as needed after its tables were changed by SQL. Requests under way go on."""
        for server in self.serving.servers:
            if server.running:
                server.reload()

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
        name, server = f"drill_{backup.tenant}", self.serving.server(SERIES[backup.series])
        try:
            self.backups.restore(backup, name)
            if backup.series != DEFAULT.name:
                server.load([*self.record.served_from(backup.series), name])
            yield replace(self.tenant(backup.tenant), api=f"{server.url}/{name}", web="")
        finally:
            server.let_go(name)
            self.database.drop(name)

    @contextmanager
    def alone(self) -> Iterator[EstateRecord]:
        """The record, which nobody else changes meanwhile; `note` writes what comes of it."""
        with self._work(Progress()):
            yield self.record

    def note(self, record: EstateRecord) -> None:
        """Writes the record, and tells the front door. To be called inside `alone`."""
        record.write(self.folder)
        self._serving(record).routes(record)

    def arepair(self, tenant: str, **changes: object) -> None:
        """Changes one tenant's place in the record."""
        with self.alone() as record:
            self.note(record.with_place(tenant, **changes))

    def status(self) -> Report:
        """What stands now, found out by asking."""
        record = EstateRecord.read(self.folder)
        if record is None:
            return Report(self.name, self.folder, self.inventory_path, {}, ())
        serving = self._serving(record)
        database = self._pg.is_dir() and self._installed and self.database.running
        used = {place.series for place in record.tenants.values()}
        servers = [server for server in serving.servers if server.series.name in used]
        running = {"PostgreSQL": database, **{server.daemon.name: server.running for server in servers}}
        running["front door"] = serving.door.running
        known = {tenant.id: tenant for tenant in self._inventory()}
        if all(running.values()):
            found = states(known, {name: SERIES[place.series] for name, place in record.tenants.items()})
        else:
            found = dict.fromkeys(known, "down")
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

    # --- up, step by step -----------------------------------------------------------------------------------------

    def _browser(self, progress: Progress) -> Path:
        with progress.stage("Browser") as stage:
            return ensure_browser(stage)

    def _image(
        self, old: EstateRecord | None, tools: Tools, pool: ThreadPoolExecutor, progress: Progress
    ) -> Image | None:
        """The golden image to copy, or None if this estate has its databases already."""
        erp, database = pool.submit(tools.install_erp, self.series), pool.submit(tools.install_database)
        environment, binaries = erp.result(), database.result()
        if old and old.image and (self._pg / "PG_VERSION").is_file():
            return None
        workshop = Workshop(tools.root / "images", self.series, binaries, environment, progress)
        tenants = tenant_set.archetypes(self.tenants_folder)
        return workshop.golden(workshop.template, tenants, self._seeding or Seeding.default())

    def _record(self, base: int, members: Sequence[Member], image: Image | None) -> EstateRecord:
        """Writes down what is to stand, before it does: a later command must find what this one may leave half done."""
        old = EstateRecord.read(self.folder)
        if old and old.port_base != base:
            self._stop()
        name = image.folder.name if image else old.image if old else ""
        known = old.tenants if old and not image else {}
        places = {
            member.id: known[member.id].model_copy(update={"port": base + 1 + index})
            if member.id in known
            else Place(archetype=member.archetype.id, port=base + 1 + index, series=self.series.name)
            for index, member in enumerate(members)
        }
        record = EstateRecord(name=self.name, port_base=base, image=name if not image else "", tenants=places)
        record.write(self.folder)
        return record

    def _start(
        self,
        record: EstateRecord,
        members: Sequence[Member],
        image: Image | None,
        installed: Sequence[Future[Path]],
        progress: Progress,
    ) -> None:
        with progress.stage("Database") as stage:
            if self._start_database(image):
                stage.already()
        if image:
            record = record.model_copy(update={"image": image.folder.name})
            record.write(self.folder)
        databases = self._databases()
        with progress.stage("Tenants") as stage:
            missing = databases.missing(members)
            locked_out = [member for member in databases.locked_out(members) if member not in missing]
            if missing:
                stage.say(", ".join(member.id for member in missing))
                databases.make(missing)
                for member in missing:
                    record = record.with_place(member.id, series=self.series.name, upgrade=None, came_from="")
                record.write(self.folder)
            if locked_out:
                databases.let_in(locked_out)
            if not missing and not locked_out:
                stage.already()
            self._write_inventory(record, members)
        for each in installed:
            each.result()
        serving = self._serving(record)
        for series in SERIES.values():
            if series is not self.series and not record.served_from(series.name):
                continue
            with progress.stage(f"ERP server {series.name}") as stage:
                if serving.start(record, series):
                    stage.already()
        with progress.stage("Front door") as stage:
            if serving.open_door(record):
                stage.already()

    def _start_database(self, image: Image | None) -> bool:
        """Says whether it ran already."""
        cluster = self.database
        if image:
            cluster.stop()
            new = self._pg.with_name("pg.new")
            for leftover in (new, self._pg):
                shutil.rmtree(leftover, ignore_errors=True)
            Cluster(cluster.binaries, image.data, cluster.sockets, cluster.log).copy_to(new)
            new.rename(self._pg)
        ran = cluster.running
        cluster.start()
        return ran

    def _ready(self, progress: Progress) -> Report:
        with progress.stage("Readiness"):
            report = self.status()
            for row in report.rows:
                if row.state != READY:
                    raise EstateError(f"Tenant {row.tenant} is not ready: {row.state} (logs: {self.logs}).")
        return report

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def _pg(self) -> Path:
        return self.folder / "pg"

    @property
    def _option(self) -> str:
        return "" if self.name == DEMO else f" --name {self.name}"

    @property
    def _installed(self) -> bool:
        return paths.tools().is_dir()

    def _tools(self, progress: Progress) -> Tools:
        return Tools(paths.tools(), progress)

    def _serving(self, record: EstateRecord) -> Serving:
        return Serving(self.folder, record.port_base)

    def _databases(self) -> TenantDatabases:
        server = self.serving.server(self.series)
        server.configure()
        return TenantDatabases(self.database, server, self.folder / "secrets")

    def place(self, tenant: str) -> Place:
        """Where a tenant stands now. Raises EstateTrouble for one that the estate does not have."""
        places = self.record.tenants
        if tenant not in places:
            raise EstateError(f"Estate {self.name} has no tenant {tenant}: it has {', '.join(places)}.")
        return places[tenant]

    def _write_inventory(self, record: EstateRecord, members: Sequence[Member]) -> None:
        places: Mapping[str, int] = {name: place.port for name, place in record.tenants.items()}
        secrets = f"${{RINGGATE_HOME}}/estates/{self.name}/secrets"
        tenant_set.write_inventory(self.inventory_path, self.tenants_folder, members, places, secrets)

    def _inventory(self) -> tuple[Tenant, ...]:
        return Inventory.load(self.inventory_path).tenants if self.inventory_path.is_dir() else ()

    def _stop(self) -> None:
        record = EstateRecord.read(self.folder)
        if record is not None:
            self._serving(record).stop()
        if self._pg.is_dir() and self._installed:
            self.database.stop()

    def _check_space(self) -> None:
        place = next(folder for folder in (self.folder, *self.folder.parents) if folder.is_dir())
        free = shutil.disk_usage(place).free
        if free < NEEDED_SPACE:
            raise EstateError(
                f"Only {free / 1024**3:.1f} GB are free on the disk of {place} and an estate needs 2: "
                "make room, or set RINGGATE_HOME to a folder on a larger disk."
            )

    @contextmanager
    def _work(self, progress: Progress) -> Iterator[None]:
        """Alone with the estate; what goes wrong is one sentence."""
        guard = self.folder.parent / f".{self.name}.lock"
        with in_one_sentence(), lock(guard, progress.remark, f"the estate {self.name}"):
            yield
