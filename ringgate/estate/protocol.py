"""What an estate needs to know about an ERP: a kind, found by entry point, and the server of each of its series.

    class EstateKind                      class ErpServer
        series, install, tenants              start, load, let_go, reload, stop     serving
        server(tools, place) -> ErpServer     create, hashes                        databases
        let_in, vary, endpoints, ready        migrate, end_migrations, call         upgrades
        seeding, dialect                      beside                                restore drills

Everything else is the estate's own: the database cluster, ports, processes, the front door, images, backups, the
record, network and process faults. A kind keeps no state; what it needs comes with each call. One that can also be
broken in its ERP's own ways has `faults`, as in `ringgate.estate.faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import psycopg

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role
from ringgate.estate.members import Member, TenantNames
from ringgate.estate.processes import Daemon
from ringgate.estate.tools import Tools

READY = "ready"


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where one series' server runs.

    `folder` takes its configuration and pid files, `files` what the ERP keeps beside its databases, `log` its output.
    `port` is on 127.0.0.1. `cluster` is the socket folder of PostgreSQL, `database_uri` the cluster as a libpq URL that
    ends where a database's name would begin. `web` says whether browsers are served, too.
    """

    series: str
    folder: Path
    files: Path
    log: Path
    port: int
    cluster: Path
    database_uri: str
    web: bool = True


class ErpServer(Protocol):
    """The server of one series of an estate; it serves every tenant of that series.

    Methods may be called from any process. All raise EstateError with one sentence that ends in the remedy.
    """

    @property
    def series(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...  # without a path, past the front door
    @property
    def daemon(self) -> Daemon: ...  # the process whose pid file lies in the run folder
    @property
    def running(self) -> bool: ...

    # Serving. A server serves the databases it was started with or told to load since.
    def configure(self) -> None: ...  # writes what the server and the ERP's own tools read
    def serves(self, databases: Collection[str]) -> bool: ...  # it runs, answers, and has all of these
    def start(self, databases: Sequence[str]) -> None: ...  # returns when it answers
    def load(self, databases: Collection[str]) -> None: ...  # while it runs; requests under way go on
    def forget(self, database: str) -> None: ...  # at its next start or reload this one is not loaded
    def let_go(self, database: str) -> None: ...  # returns when nothing of it uses the database
    def reload(self) -> None: ...  # drops all caches; requests under way go on
    def stop(self) -> None: ...

    # A database that is no tenant's, for the length of a `with` block: yields the address of its API.
    def beside(self, database: str, tenants: Collection[str]) -> AbstractContextManager[str]: ...

    # Databases.
    def create(self, database: str, admin_password: str) -> None: ...  # fills an empty one: all modules, no company
    def hashes(self, passwords: Sequence[str]) -> list[str]: ...  # each as the ERP stores it

    # Upgrades, on a database that nobody uses.
    def migrate(self, database: str, process: Daemon) -> None: ...  # to this series; runs as `process`, waits for it
    def end_migrations(self, database: str) -> None: ...  # also one whose starter was killed
    def call(self, tool: Sequence[str], database: str) -> None: ...  # the ERP's own command line tool


class Seed(Protocol):
    """Fills a tenant's empty database with a year of books that ends in `today`'s month, over the ERP's own API."""

    def __call__(
        self,
        url: str,
        database: str,
        admin_password: str,
        tenant: Tenant,
        today: date,
        secrets: Mapping[Role, str],
        progress: Callable[[str], None],
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Seeding:
    """What to fill tenants with. `version` changes whenever the same tenant would get other books."""

    version: str
    seed: Seed


class EstateKind(Protocol):
    """How one ERP is installed, served, filled, upgraded and broken on this machine.

    Registered under the entry point group `ringgate.estates` by the name that inventories have in `erp`.
    """

    @property
    def name(self) -> str: ...  # "tryton"
    @property
    def title(self) -> str: ...  # "Tryton", for people
    @property
    def series(self) -> tuple[str, ...]: ...  # that can run here, in their order; new tenants begin at the first
    @property
    def seeded_series(self) -> tuple[str, ...]: ...  # those of them that new tenants can begin at
    @property
    def admin(self) -> str: ...  # the administrator's login
    @property
    def files(self) -> PurePosixPath: ...  # below the estate's folder: a folder for each database that has files
    @property
    def tenants(self) -> TenantNames: ...  # the demo tenants' inventory, and names for further ones
    @property
    def dialect(
        self,
    ) -> str: ...  # "package.module:Class" of its TrafficDialect, loaded by the front door

    # Installing: below `tools.root`, by `tools.once`, so that what is there is not made again.
    def install(self, tools: Tools, series: str) -> Path: ...  # the programs of a series
    def installed(self, tools: Tools, series: str) -> Path: ...  # where they are or will be; the name says what of
    def install_web_client(self, tools: Tools, series: str) -> None: ...
    def server(self, tools: Tools, place: ServerPlace) -> ErpServer: ...

    # Golden images: what they depend on beside programs, seeding and tenants; another value makes another image.
    @property
    def template_parts(self) -> tuple[object, ...]: ...
    @property
    def seeded_parts(self) -> tuple[object, ...]: ...
    @property
    def seeding(self) -> Seeding: ...

    # Tenants.
    def let_in(self, database: psycopg.Connection[Any], hashes: Mapping[str, str]) -> None: ...
    # login -> hash; sets the passwords, ends all sessions, and gives a copied database an identity of its own
    def vary(self, database: psycopg.Connection[Any], member: Member) -> None: ...  # a copy under another name
    def endpoints(self, base: str, database: str) -> Mapping[str, str]: ...  # `api` and `web` at the front door
    def ready(self, tenant: Tenant, series: str, base: str) -> str: ...

    # "ready" if a user can sign in at `base` (the front door or the server itself), else why not, in a few words
