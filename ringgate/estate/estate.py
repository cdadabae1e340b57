"""One estate from its first start to its end. Every step finds out what is there, so all can be repeated."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from ringgate import paths
from ringgate.estate import ports, roster
from ringgate.estate.browser import ensure_browser
from ringgate.estate.databases import TenantDatabases
from ringgate.estate.frontdoor import FaultControl, Route, Routes
from ringgate.estate.images import Image, Seeding, Workshop
from ringgate.estate.postgres import Cluster
from ringgate.estate.processes import Daemon, answers
from ringgate.estate.progress import Progress
from ringgate.estate.readiness import READY, states
from ringgate.estate.record import Place, Record, Report, Row
from ringgate.estate.roster import Member
from ringgate.estate.series import DEFAULT, SERIES, Series
from ringgate.estate.server import ErpServer
from ringgate.estate.tools import Tools, lock
from ringgate.estate.trouble import EstateTrouble, in_one_sentence
from ringgate.inventory import Inventory
from ringgate.model import Tenant

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
            raise EstateTrouble(f'"{name}" cannot name an estate: use lower-case letters, digits and hyphens.')
        self.name = name
        self.folder = paths.estate(name)
        self.tenants_folder = tenants_folder or roster.source()
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
    def record(self) -> Record:
        """What stands here. Raises EstateTrouble if nothing does."""
        record = Record.read(self.folder)
        if record is None:
            raise EstateTrouble(f"There is no estate {self.name}: `ringgate estate up{self._option}` makes it.")
        return record

    @property
    def server_url(self) -> str:
        """The ERP's server itself, without the front door; a tenant's API is at `/<tenant>/`."""
        return self._server(self.record.port_base).url

    def front_door(self, tenant: str) -> str:
        """A tenant's public address, without a path. Raises EstateTrouble for an unknown tenant."""
        return f"http://127.0.0.1:{self._place(tenant).port}"

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
        self._place(tenant)
        return self.database.connect(tenant, user=user, autocommit=True)

    def admin_password(self, tenant: str) -> str:
        """The password of the tenant's ERP administrator, whose login is `admin`."""
        self._place(tenant)
        return (self.folder / "secrets" / tenant / "admin").read_text()

    # --- life -----------------------------------------------------------------------------------------------------

    def up(self, tenants: int = 4, progress: Progress | None = None, port_base: int | None = None) -> Report:
        """Makes `tenants` of them stand and be ready, doing only what is not done yet. Raises EstateTrouble.

        Tenants that stand already stay, also if there are more than asked for.
        """
        progress = progress or Progress()
        with self._work(progress):
            old = Record.read(self.folder)
            members = roster.members(self.tenants_folder, max(tenants, len(old.tenants) if old else 0))
            self._check_space()
            base = port_base or (old.port_base if old else ports.choose(self.name))
            # Asked again when the servers start; asked now so that nobody waits minutes for this answer.
            self._check_ports(base, [base, *(base + 1 + index for index in range(len(members)))])
            tools = self._tools(progress)
            with ThreadPoolExecutor(4) as pool:
                web = pool.submit(tools.install_web_client, self.series)
                browser = pool.submit(self._browser, progress)
                image = self._image(old, tools, pool, progress)
                record = self._record(base, members, image)
                self._start(record, members, image, web, progress)
                browser.result()
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
            self._place(tenant)
        members = roster.members(self.tenants_folder, len(record.tenants))
        chosen = [member for member in members if member.id in tenants]
        with self._work(Progress()):
            self._routes(record, closed=tenants)
            try:
                self._databases(record.port_base).make(chosen)
                self.reload()
            finally:
                self._routes(record)

    def reload(self) -> None:
        """Drops what the ERP has cached, as needed after its tables were changed by SQL. Requests under way go on."""
        self._server(self.record.port_base).reload()

    def status(self) -> Report:
        """What stands now, found out by asking."""
        record = Record.read(self.folder)
        if record is None:
            return Report(self.name, self.folder, self.inventory_path, {}, ())
        server, door = self._server(record.port_base), self._door
        database = self._pg.is_dir() and self._installed and self.database.running
        running = {"PostgreSQL": database, server.daemon.name: server.daemon.running, "front door": door.running}
        known = {tenant.id: tenant for tenant in self._inventory()}
        if all(running.values()):
            found = states(known, {name: SERIES[place.series] for name, place in record.tenants.items()})
        else:
            found = dict.fromkeys(known, "down")
        rows = [
            Row(tenant.id, tenant.ring, tenant.policy.currency.code, tenant.web, tenant.api, found[tenant.id])
            for tenant in sorted(known.values(), key=lambda tenant: record.tenants[tenant.id].port)
        ]
        words = {name: "running" if runs else "stopped" for name, runs in running.items()}
        return Report(self.name, self.folder, self.inventory_path, words, tuple(rows))

    # --- up, step by step -----------------------------------------------------------------------------------------

    def _browser(self, progress: Progress) -> Path:
        with progress.stage("Browser") as stage:
            return ensure_browser(stage)

    def _image(self, old: Record | None, tools: Tools, pool: ThreadPoolExecutor, progress: Progress) -> Image | None:
        """The golden image to copy, or None if this estate has its databases already."""
        erp, database = pool.submit(tools.install_erp, self.series), pool.submit(tools.install_database)
        environment, binaries = erp.result(), database.result()
        if old and old.image and (self._pg / "PG_VERSION").is_file():
            return None
        workshop = Workshop(tools.root / "images", self.series, binaries, environment, progress)
        tenants = roster.archetypes(self.tenants_folder)
        return workshop.golden(workshop.template, tenants, self._seeding or Seeding.default())

    def _record(self, base: int, members: Sequence[Member], image: Image | None) -> Record:
        """Writes down what is to stand, before it does: a later command must find what this one may leave half done."""
        old = Record.read(self.folder)
        if old and old.port_base != base:
            self._stop()
        name = image.folder.name if image else old.image if old else ""
        places = {
            member.id: Place(archetype=member.archetype.id, port=base + 1 + index, series=self.series.name)
            for index, member in enumerate(members)
        }
        record = Record(name=self.name, port_base=base, image=name if not image else "", tenants=places)
        record.write(self.folder)
        return record

    def _start(
        self, record: Record, members: Sequence[Member], image: Image | None, web: Future[Path], progress: Progress
    ) -> None:
        with progress.stage("Database") as stage:
            if self._start_database(image):
                stage.already()
        if image:
            record = record.model_copy(update={"image": image.folder.name})
            record.write(self.folder)
        databases = self._databases(record.port_base)
        with progress.stage("Tenants") as stage:
            missing = databases.missing(members)
            locked_out = [member for member in databases.locked_out(members) if member not in missing]
            if missing:
                stage.say(", ".join(member.id for member in missing))
                databases.make(missing)
            if locked_out:
                databases.let_in(locked_out)
            if not missing and not locked_out:
                stage.already()
            self._write_inventory(record, members)
        web.result()
        with progress.stage(f"ERP server {self.series.name}") as stage:
            if self._start_server(record):
                stage.already()
        with progress.stage("Front door") as stage:
            if self._start_door(record):
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

    def _start_server(self, record: Record) -> bool:
        server = self._server(record.port_base)
        if server.serves(record.tenants):
            return True
        server.stop()
        self._check_ports(record.port_base, [server.port])
        server.start(list(record.tenants))
        return False

    def _start_door(self, record: Record) -> bool:
        door = self._door
        listening = [place.port for place in record.tenants.values()]
        ran = door.running
        before = [route.port for route in Routes.read(self.run).tenants.values()]
        self._check_ports(record.port_base, listening)
        if not ran:
            self.front_door_faults.clear()
        self._routes(record)
        if not ran:
            command = [sys.executable, "-m", "ringgate.estate.frontdoor", str(self.run), str(self.logs)]
            door.start(command, env=ports.environment(), cwd=self.folder)
        door.await_ready(lambda: all(map(answers, listening)), within=20)
        return ran and sorted(before) == sorted(listening)

    def _ready(self, progress: Progress) -> Report:
        with progress.stage("Readiness"):
            report = self.status()
            for row in report.rows:
                if row.state != READY:
                    raise EstateTrouble(f"Tenant {row.tenant} is not ready: {row.state} (logs: {self.logs}).")
        return report

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def _pg(self) -> Path:
        return self.folder / "pg"

    @property
    def _option(self) -> str:
        return "" if self.name == DEMO else f" --name {self.name}"

    @property
    def _door(self) -> Daemon:
        return Daemon("front door", self.run / "front-door.pid", self.logs / "front-door.log")

    @property
    def _installed(self) -> bool:
        return paths.tools().is_dir()

    def _tools(self, progress: Progress) -> Tools:
        return Tools(paths.tools(), progress)

    def _server(self, port_base: int) -> ErpServer:
        tools = self._tools(Progress())
        return ErpServer(
            series=self.series,
            environment=tools.erp_folder(self.series),
            folder=self.run,
            log=self.logs / f"erp-{self.series.name}.log",
            port=port_base,
            database_uri=Cluster(Path(), self._pg, self.run / "pg", self.logs).url(),
            web_root=tools.web_client_folder(self.series),
        )

    def _databases(self, port_base: int) -> TenantDatabases:
        server = self._server(port_base)
        server.configure()
        return TenantDatabases(self.database, server, self.folder / "secrets")

    def _place(self, tenant: str) -> Place:
        places = self.record.tenants
        if tenant not in places:
            raise EstateTrouble(f"Estate {self.name} has no tenant {tenant}: it has {', '.join(places)}.")
        return places[tenant]

    def _routes(self, record: Record, closed: Sequence[str] = ()) -> None:
        def route(name: str, place: Place) -> Route:
            server, series = self._server(record.port_base), SERIES[place.series]
            backend = server.url.removeprefix("http://")
            return Route(port=place.port, backend=backend, root_rpc=series.root_rpc, open=name not in closed)

        Routes(tenants={name: route(name, place) for name, place in record.tenants.items()}).write(self.run)

    def _write_inventory(self, record: Record, members: Sequence[Member]) -> None:
        places: Mapping[str, int] = {name: place.port for name, place in record.tenants.items()}
        secrets = f"${{RINGGATE_HOME}}/estates/{self.name}/secrets"
        roster.write_inventory(self.inventory_path, self.tenants_folder, members, places, secrets)

    def _inventory(self) -> tuple[Tenant, ...]:
        return Inventory.load(self.inventory_path).tenants if self.inventory_path.is_dir() else ()

    def _stop(self) -> None:
        record = Record.read(self.folder)
        self._door.stop()
        if record is not None:
            self._server(record.port_base).stop()
        if self._pg.is_dir() and self._installed:
            self.database.stop()

    def _check_ports(self, base: int, wanted: Sequence[int]) -> None:
        """A port that this estate's own running servers hold is not taken by somebody else."""
        record, own = Record.read(self.folder), set[int]()
        if record and self._server(record.port_base).daemon.running:
            own.add(record.port_base)
        if self._door.running:
            own |= {route.port for route in Routes.read(self.run).tenants.values()}
        ports.check([port for port in wanted if port not in own], self.folder, base)

    def _check_space(self) -> None:
        place = next(folder for folder in (self.folder, *self.folder.parents) if folder.is_dir())
        free = shutil.disk_usage(place).free
        if free < NEEDED_SPACE:
            raise EstateTrouble(
                f"Only {free / 1024**3:.1f} GB are free on the disk of {place} and an estate needs 2: "
                "make room, or set RINGGATE_HOME to a folder on a larger disk."
            )

    @contextmanager
    def _work(self, progress: Progress) -> Iterator[None]:
        """Alone with the estate; what goes wrong is one sentence."""
        guard = self.folder.parent / f".{self.name}.lock"
        with in_one_sentence(), lock(guard, progress.remark, f"the estate {self.name}"):
            yield
