"""Makes an estate stand, step by step, doing only what is not done yet."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ringgate.estate import ports, tenant_set
from ringgate.estate.base import EstateBase
from ringgate.estate.chromium import ensure_browser
from ringgate.estate.errors import EstateError
from ringgate.estate.images import Image, ImageBuilder, copy_image
from ringgate.estate.members import Member
from ringgate.estate.postgres import Cluster
from ringgate.estate.progress import Progress
from ringgate.estate.record import EstateRecord, Place
from ringgate.estate.tenant_data import TenantData
from ringgate.estate.tools import Tools

NEEDED_SPACE = 2 * 1024**3
"""Bytes that must be free before anything is started or made."""


class Building:
    """The steps of `Estate.up`, in their order. The estate's lock is held."""

    def __init__(self, estate: EstateBase, progress: Progress) -> None:
        self.estate = estate
        self.progress = progress

    def build(self, tenants: int, port_base: int | None, also: Sequence[str], integrations: bool = False) -> None:
        """Installs, fills and starts. `also` names further series that are to be installed, `integrations` says whether
        far ends are to stand beside it; those that stand already stay. Raises EstateError."""
        estate = self.estate
        old = EstateRecord.read(estate.folder)
        members = tenant_set.members(estate.names, max(tenants, len(old.tenants) if old else 0))
        self._check_space()
        base = port_base or (old.port_base if old else ports.choose(estate.name))
        # Asked again when the servers start; asked now so that nobody waits minutes for this answer.
        listening = [base, *(base + 1 + index for index in range(len(members)))]
        record = EstateRecord(name=estate.name, erp=estate.kind.name, port_base=base)
        estate.serving_of(record).check_ports(listening)
        tools = estate.tools(self.progress)
        used = {estate.first_series, *also, *(place.series for place in (old.tenants.values() if old else ()))}
        with ThreadPoolExecutor(4) as pool:
            web: list[Future[Any]] = [pool.submit(estate.kind.install_web_client, tools, name) for name in sorted(used)]
            further: list[Future[Any]] = [
                pool.submit(estate.kind.install, tools, name) for name in used - {estate.first_series}
            ]
            browser = pool.submit(self._browser)
            image = self._image(old, tools, pool)
            record = self._record(base, members, image, integrations)
            self._start(record, members, image, [*web, *further])
            browser.result()

    def _browser(self) -> Path:
        with self.progress.stage("Browser") as stage:
            return ensure_browser(stage)

    def _image(self, old: EstateRecord | None, tools: Tools, pool: ThreadPoolExecutor) -> Image | None:
        """The golden image to copy, or None if this estate has its databases already."""
        kind, series = self.estate.kind, self.estate.first_series
        erp, database = pool.submit(kind.install, tools, series), pool.submit(tools.install_database)
        erp.result()
        binaries = database.result()
        if old and old.image and (self.estate.pg / "PG_VERSION").is_file():
            return None
        builder = ImageBuilder(kind, series, tools, binaries)
        tenants = tenant_set.archetypes(self.estate.names.folder)
        return builder.golden(builder.template, tenants, self.estate.seeding)

    def _record(self, base: int, members: Sequence[Member], image: Image | None, integrations: bool) -> EstateRecord:
        """Writes down what is to stand, before it does: a later command must find what this one may leave half done."""
        old = EstateRecord.read(self.estate.folder)
        if old and old.port_base != base:
            self.estate.stop_servers()
        name = image.folder.name if image else old.image if old else ""
        known = old.tenants if old and not image else {}
        places = {
            member.id: known[member.id].model_copy(update={"port": base + 1 + index})
            if member.id in known
            else Place(archetype=member.archetype.id, port=base + 1 + index, series=self.estate.first_series)
            for index, member in enumerate(members)
        }
        record = EstateRecord(
            name=self.estate.name,
            erp=self.estate.kind.name,
            port_base=base,
            first_series=self.estate.first_series,
            image=name if not image else "",
            integrations=integrations or bool(old and old.integrations),
            tenants=places,
        )
        record.write(self.estate.folder)
        return record

    def _start(
        self,
        record: EstateRecord,
        members: Sequence[Member],
        image: Image | None,
        installed: Sequence[Future[Any]],
    ) -> None:
        with self.progress.stage("Database") as stage:
            if self._start_database(image):
                stage.already()
        if image:
            record = record.model_copy(update={"image": image.folder.name})
            record.write(self.estate.folder)
        databases = self.estate.databases()
        with self.progress.stage("Tenants") as stage:
            missing = databases.missing(members)
            locked_out = [member for member in databases.locked_out(members) if member not in missing]
            if missing:
                stage.say(", ".join(member.id for member in missing))
                databases.make(missing)
                for member in missing:
                    record = record.with_place(member.id, series=self.estate.first_series, upgrade=None, came_from="")
                record.write(self.estate.folder)
            if locked_out:
                databases.let_in(locked_out)
            if not missing and not locked_out:
                stage.already()
            self.estate.write_inventory(record, members)
        for each in installed:
            each.result()
        serving = self.estate.serving_of(record)
        for series in self.estate.kind.series:
            if series != self.estate.first_series and not record.served_from(series):
                continue
            with self.progress.stage(f"ERP server {series}") as stage:
                if serving.start(record, series):
                    stage.already()
        with self.progress.stage("Front door") as stage:
            if serving.open_door(record):
                stage.already()
        if record.integrations:
            self._start_far_ends(record)

    def _start_far_ends(self, record: EstateRecord) -> None:
        far_ends, began = self.estate.far_ends, time.monotonic()
        with self.progress.stage("Integrations") as stage:
            tenants = [each for each in self.estate.inventory().tenants if each.id in record.tenants]
            if far_ends.start(self.estate.tools(self.progress), tenants):
                stage.already()
                return
        sizes = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in far_ends.memory().items())
        self.progress.remark(f"Integrations: started in {time.monotonic() - began:.1f} s; {sizes}.")

    def _start_database(self, image: Image | None) -> bool:
        """Says whether it ran already."""
        cluster = self.estate.database
        if image:
            cluster.stop()
            new = self.estate.pg.with_name("pg.new")
            for leftover in (new, self.estate.pg):
                shutil.rmtree(leftover, ignore_errors=True)
            beside = Cluster(cluster.binaries, new, cluster.sockets, cluster.log)
            copy_image(self.estate.kind, image, TenantData(beside, self.estate.data.files))
            new.rename(self.estate.pg)
        ran = cluster.running
        cluster.start()
        return ran

    def _check_space(self) -> None:
        place = next(folder for folder in (self.estate.folder, *self.estate.folder.parents) if folder.is_dir())
        free = shutil.disk_usage(place).free
        if free < NEEDED_SPACE:
            raise EstateError(
                f"Only {free / 1024**3:.1f} GB are free on the disk of {place} and an estate needs 2: "
                "make room, or set RINGGATE_HOME to a folder on a larger disk."
            )
