"""One estate from its first start to its end. Every step finds out what is there, so all can be repeated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from ringgate.domain.model import Tenant
from ringgate.estate import tenant_set
from ringgate.estate.backups import BackupFile
from ringgate.estate.base import EstateBase
from ringgate.estate.building import Building
from ringgate.estate.errors import EstateError
from ringgate.estate.progress import Progress
from ringgate.estate.protocol import READY
from ringgate.estate.readiness import states
from ringgate.estate.record import EstateRecord, Report, TenantRow
from ringgate.estate.upgrading import ManualStep, Stages, Upgrades


class Estate(EstateBase):
    """An estate and what may be done with it. All methods may be called from any process; two that change things wait
    for each other."""

    # --- life -----------------------------------------------------------------------------------------------------

    def up(
        self,
        tenants: int = 4,
        progress: Progress | None = None,
        port_base: int | None = None,
        also: Sequence[str] = (),
        integrations: bool = False,
    ) -> Report:
        """Makes `tenants` of them stand and be ready, doing only what is not done yet. Raises EstateError.

        Tenants that stand already stay, also if there are more than asked for; an upgrade of theirs that was cut off
        is taken back. `also` names series that are to be installed, too, for upgrades to come. With
        `integrations` far ends stand beside it from then on.
        """
        progress = progress or Progress()
        with self.work(progress):
            Building(self, progress).build(tenants, port_base, also, integrations)
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
        if record.integrations and self._installed:
            running.update({each.name: each.running for each in self.far_ends.daemons})
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
