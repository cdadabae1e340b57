"""Database clusters that are made once and copied for every estate: an empty ERP, and tenants with a year of books.

An image lies below `tools/images/` and is named after everything it was made from. It is built in a folder beside its
place and renamed when it is whole; what an interrupted build left running is stopped by the next one.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ringgate.domain.model import Tenant
from ringgate.estate.postgres import Cluster
from ringgate.estate.processes import free_port, write_atomically
from ringgate.estate.progress import Progress
from ringgate.estate.protocol import ErpServer, EstateKind, Seeding, ServerPlace
from ringgate.estate.tenant_data import TenantData
from ringgate.estate.tools import MARKER, Tools, key, lock
from ringgate.host.secrets import hide

TEMPLATE = "ringgate_template"
GOLDEN = "golden_"
AT_ONCE = 2
"""Tenants that are seeded at the same time."""

KEPT = 2
UNUSED = 7 * 24 * 3600
"""Golden images that are kept in any case, and the seconds after which others are removed."""


@dataclass(frozen=True, slots=True)
class Image:
    """A finished image. `admin_password` is that of every database in it; an estate replaces it."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "pg"

    @property
    def admin_password(self) -> str:
        return str(json.loads((self.folder / "image.json").read_text())["admin_password"])


@dataclass(frozen=True, slots=True)
class ImageBuilder:
    """Makes images below `tools.root`. `binaries` are PostgreSQL's programs; the ERP's are installed."""

    kind: EstateKind
    series: str
    tools: Tools
    binaries: Path

    @property
    def root(self) -> Path:
        return self.tools.root / "images"

    @property
    def progress(self) -> Progress:
        return self.tools.progress

    def template(self) -> Image:
        """A cluster with one database that the ERP has filled with its modules."""
        parts = (self._programs, self.binaries.parts[-5:], *self.kind.template_parts)
        name = f"template-{self.series}-{key(*parts)}"

        def build(folder: Path) -> None:
            password = secrets.token_urlsafe(18)
            hide(password)
            data, server = self._parts(folder)
            data.cluster.create()
            data.cluster.execute(f"CREATE DATABASE {TEMPLATE}")
            server.configure()
            server.create(TEMPLATE, password)
            data.cluster.seal(TEMPLATE)
            _describe(folder, password)

        return self._once("Template database", name, build)

    def golden(self, template: Callable[[], Image], tenants: Sequence[Tenant], seeding: Seeding) -> Image:
        """A cluster with each tenant seeded, as `golden_<id>`, beside the template. Books end in the present month."""
        days = {tenant.id: datetime.now(ZoneInfo(tenant.timezone)).date() for tenant in tenants}
        specs = [repr((*_seeded_part(tenant), f"{days[tenant.id]:%Y-%m}")) for tenant in tenants]
        parts = (self._programs, *self.kind.seeded_parts, seeding.version, *specs)
        name = f"golden-{self.series}-{key(*parts)}"

        def build(folder: Path) -> None:
            source = template()
            data, server = self._parts(folder)
            copy_image(self.kind, source, data)
            data.cluster.start()
            ids = [tenant.id for tenant in tenants]
            for each in ids:
                data.clone(TEMPLATE, each)
            server.start(ids)
            password = source.admin_password
            hide(password)

            def fill(tenant: Tenant) -> None:
                with self.progress.stage(f"Books of {tenant.id}") as stage:
                    # These passwords are for nobody: an estate sets its own.
                    roles = {role: secrets.token_urlsafe(18) for role in tenant.users}
                    seeding.seed(server.url, tenant.id, password, tenant, days[tenant.id], roles, stage.say)

            with ThreadPoolExecutor(AT_ONCE) as pool:
                try:
                    list(pool.map(fill, tenants))
                except BaseException:
                    # After a failure or Ctrl-C the other tenants would go on for a minute; without a server they end.
                    server.stop()
                    raise
            server.stop()
            for each in ids:
                data.seal(each, GOLDEN + each)
            _describe(folder, password)

        image = self._once("Seeded tenants", name, build)
        self._forget_old(image)
        return image

    def _forget_old(self, image: Image) -> None:
        """Removes golden images that have been of no use for a while: each month's books make another."""
        known = sorted(self.root.glob(f"golden-{self.series}-*"), key=lambda folder: -folder.stat().st_mtime)
        for folder in known[KEPT:]:
            if folder != image.folder and time.time() - folder.stat().st_mtime > UNUSED:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def _programs(self) -> str:
        return self.kind.installed(self.tools, self.series).name

    def _parts(self, folder: Path) -> tuple[TenantData, ErpServer]:
        """The database cluster and the ERP's server with which an image is made in `folder`."""
        run, logs = folder / "run", folder / "logs"
        cluster = Cluster(self.binaries, folder / "pg", run / "pg", logs / "postgresql.log", growing=True)
        files = folder / self.kind.files
        place = ServerPlace(
            self.series, run, files, logs / "erp.log", free_port(), cluster.sockets, cluster.url(), web=False
        )
        return TenantData(cluster, files), self.kind.server(self.tools, place)

    def _once(self, title: str, name: str, build: Callable[[Path], None]) -> Image:
        image = Image(self.root / name)
        if (image.folder / MARKER).is_file():
            with self.progress.stage(title) as stage:
                stage.already()
            return image
        with lock(self.root / "locks" / f"{name}.lock", self.progress.remark, title.lower()):
            if not (image.folder / MARKER).is_file():
                self._build(title, image.folder, build)
        return image

    def _build(self, title: str, folder: Path, build: Callable[[Path], None]) -> None:
        # The lock is held, so whatever stands here is left over from a start that was killed.
        new = folder.with_name(f".new-{folder.name}")
        self._stop(new)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        new.mkdir(parents=True, mode=0o755)
        with self.progress.stage(title):
            try:
                build(new)
            finally:
                self._stop(new)
            shutil.rmtree(new / "run", ignore_errors=True)
            (new / MARKER).touch()
            new.rename(folder)

    def _stop(self, folder: Path) -> None:
        data, server = self._parts(folder)
        server.stop()
        with suppress(OSError):
            data.cluster.stop()


def copy_image(kind: EstateKind, image: Image, target: TenantData) -> None:
    """Copies an image's databases and files; the target's cluster does not run and has no data yet."""
    cluster = target.cluster
    Cluster(cluster.binaries, image.data, cluster.sockets, cluster.log).copy_to(cluster.data)
    if (image.folder / kind.files).is_dir():
        shutil.copytree(image.folder / kind.files, target.files, symlinks=True, dirs_exist_ok=True)


def _describe(folder: Path, password: str) -> None:
    write_atomically(folder / "image.json", json.dumps({"admin_password": password}), mode=0o600)


def _seeded_part(tenant: Tenant) -> Any:
    """What of a tenant's entry its books depend on; its ring, addresses or feature flags are not part of it."""
    logins = {str(role): account.login for role, account in tenant.users.items()}
    seen = (tenant.id, tenant.name, tenant.policy, tenant.language, tenant.timezone, sorted(tenant.extensions.items()))
    return (*seen, sorted(logins.items()))
