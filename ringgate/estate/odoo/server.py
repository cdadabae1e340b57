"""Odoo's own server, one process with threads for each series. It loads a database at the first request for it.

A tenant is picked by the Host of a request (`<tenant>.localhost`), which the front door sets; nobody at one tenant's
address gets at another's database.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from ringgate.estate.errors import EstateError
from ringgate.estate.odoo import hop
from ringgate.estate.odoo.hop import Hop
from ringgate.estate.odoo.series import LIBRARIES, SeriesFacts
from ringgate.estate.processes import Daemon, answers, stop_tree, write_atomically
from ringgate.estate.protocol import ServerPlace
from ringgate.estate.tools import run

USER = "ringgate_odoo"
"""The database user: the ERP refuses to run as PostgreSQL's own."""

CONFIGURATION = """\
[options]
addons_path = {addons}
data_dir = {data}
db_host = {cluster}
db_user = {user}
http_interface = 127.0.0.1
http_port = {port}
list_db = False
admin_passwd = {nobody}
workers = 0
max_cron_threads = 0
dbfilter = {filter}
"""
START = 60.0
ROUNDS = 25_000
"""Of the password hash; the ERP hashes anew at the first sign-in where it asks for more."""


@dataclass(frozen=True, slots=True)
class OdooServer:
    """One series' server. `environment` holds its programs, `hop` is the way to it from the series before."""

    facts: SeriesFacts
    environment: Path
    place: ServerPlace
    hop: Hop

    @property
    def series(self) -> str:
        return self.facts.name

    @property
    def port(self) -> int:
        return self.place.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def daemon(self) -> Daemon:
        pid = self.place.folder / f"odoo-{self.series}.pid"
        return Daemon(f"Odoo server {self.series}", pid, self.place.log)

    @property
    def running(self) -> bool:
        return self.daemon.running

    @property
    def configuration(self) -> Path:
        return self.place.folder / f"odoo-{self.series}.conf"

    @property
    def hop_configuration(self) -> Path:
        """What the ERP reads while it brings a database here from an earlier series."""
        return self.place.folder / f"odoo-{self.series}-hop.conf"

    @property
    def _noted(self) -> Path:
        return self.place.folder / f"odoo-{self.series}.databases.json"

    # --- serving ----------------------------------------------------------------------------------------------------

    def configure(self) -> None:
        """Writes what the server and the ERP's own command line read."""
        self.place.folder.mkdir(parents=True, exist_ok=True)
        self.place.files.mkdir(parents=True, exist_ok=True)
        # A restored database is served beside the tenants; without a front door the address picks no database at all.
        picks = r"^(%d|drill_.*)$" if self.place.web else ".*"
        values = {
            "addons": self.environment / "tree" / self.facts.addons,
            "data": self.place.files.parent,
            "cluster": self.place.cluster,
            "user": USER,
            "port": self.port,
            "nobody": os.urandom(16).hex(),
            "filter": picks,
        }
        write_atomically(self.configuration, CONFIGURATION.format(**values), mode=0o600)

    def serves(self, databases: Collection[str]) -> bool:
        return self.running and self._known.issuperset(databases) and answers(self.port)

    @property
    def _known(self) -> frozenset[str]:
        with suppress(OSError, ValueError):
            return frozenset(json.loads(self._noted.read_text()))
        return frozenset()

    def start(self, databases: Sequence[str]) -> None:
        self.configure()
        self._let_the_server_in()
        self._note(databases)
        self.daemon.start(self._command(), env=self._environment(), cwd=self.place.folder)
        self.daemon.await_ready(lambda: answers(self.port), START)

    def load(self, databases: Collection[str]) -> None:
        """It loads a database when it is first asked for it."""
        self._note(self._known.union(databases))

    def forget(self, database: str) -> None:
        self._note(self._known - {database})

    def let_go(self, database: str) -> None:
        """The server keeps idle connections to every database it has served, and opens new ones when it is asked."""
        self._note(self._known - {database})
        with suppress(psycopg.Error), self._connect("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
                [database, USER],
            )

    def reload(self) -> None:
        """Tells the server, in each database, that everything it has in memory is out of date."""
        for database in sorted(self._known):
            with suppress(psycopg.OperationalError), self._connect(database) as connection:
                stale(connection)

    def stop(self) -> None:
        self.daemon.stop()
        self._noted.unlink(missing_ok=True)

    @contextmanager
    def beside(self, database: str, tenants: Collection[str]) -> Iterator[str]:
        try:
            yield f"{self.url}/{database}"
        finally:
            self.let_go(database)

    def _note(self, databases: Collection[str]) -> None:
        write_atomically(self._noted, json.dumps(sorted(databases)))

    # --- databases ---------------------------------------------------------------------------------------------------

    def create(self, database: str, admin_password: str) -> None:
        """Installs every module into an empty database. Costs about 50 s of processor time."""
        self._let_the_server_in()
        modules = ",".join(self.facts.modules)
        arguments = ["-d", database, "-i", modules, self.facts.without_demo, "--stop-after-init", "--no-http"]
        self._administer(arguments, f"The ERP could not prepare database {database}")
        (hashed,) = self.hashes([admin_password])
        with self._connect(database) as connection:
            connection.execute("UPDATE res_users SET password = %s WHERE login = 'admin'", [hashed])

    def hashes(self, passwords: Sequence[str]) -> list[str]:
        script = (
            "import json; from passlib.context import CryptContext\n"
            f"context = CryptContext(['pbkdf2_sha512'], pbkdf2_sha512__rounds={ROUNDS})\n"
            "print(json.dumps([context.hash(password) for password in json.load(open(0))]))"
        )
        command = [str(self.environment / "bin" / "python"), "-c", script]
        answer = run(command, "Passwords could not be prepared", stdin=json.dumps(list(passwords)))
        return [str(each) for each in json.loads(answer)]

    def migrate(self, database: str, process: Daemon) -> None:
        """Brings a database of 14.0 to 19.0, as `process`: one hop, which OCA do not support. One of this series stays
        as it is. Raises EstateError with what was said."""
        if self._series_of(database) == self.series:
            return
        self._let_the_server_in()
        process.log.unlink(missing_ok=True)
        command, env = self._migration(database), self._environment(self.hop.library)
        process.start(command, env=env, cwd=self.place.folder)
        code, told = process.wait(), process.log.read_text(errors="replace")
        if code or (failed := hop.why_unfinished(told)):
            raise EstateError(f"{hop.NOTE}: {failed if not code else hop.last_error(told)}")

    def _migration(self, database: str) -> list[str]:
        self.configure()
        settings, found = re.subn(
            r"(?m)^addons_path = .*$", rf"\g<0>,{self.hop.addons}", self.configuration.read_text(encoding="utf-8")
        )
        assert found == 1
        settings += f"server_wide_modules = base,web,{hop.FRAMEWORK},{hop.ADDON}\nupgrade_path = {self.hop.scripts}\n"
        write_atomically(self.hop_configuration, settings, mode=0o600)
        more = ["-d", database, "-u", "all", "--stop-after-init", "--no-http"]
        return [*self._command(self.hop_configuration), *more]

    def _series_of(self, database: str) -> str:
        with self._connect(database) as connection:
            row = connection.execute("SELECT latest_version FROM ir_module_module WHERE name = 'base'").fetchone()
        return ".".join(str(row[0] if row else "").split(".")[:2])

    def end_migrations(self, database: str) -> None:
        for process in _processes_on(database, self.hop_configuration):
            stop_tree(process, patience=5.0)

    def call(self, tool: Sequence[str], database: str) -> None:
        """Runs Odoo's own command line on a database: `["odoo", "-u", "sale"]`."""
        name, *arguments = tool
        if name != "odoo":
            raise EstateError(f"Odoo {self.series} has no tool {name}: its only one is odoo.")
        more = ["-d", database, *arguments, "--stop-after-init", "--no-http"]
        self._administer(more, f"odoo failed on database {database}", "repair that and upgrade again")

    def _administer(self, arguments: Sequence[str], what: str, remedy: str = "see the log and start again") -> None:
        log = self.place.log.with_name(f"odoo-{self.series}-command.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        run([*self._command(), f"--logfile={log}", *arguments], what, self.place.folder, self._environment(),
            remedy=remedy)  # fmt: skip

    # --- parts -------------------------------------------------------------------------------------------------------

    def _command(self, configuration: Path | None = None) -> list[str]:
        tree = self.environment / "tree"
        program = [str(tree / part) if part.startswith("usr/") else part for part in self.facts.command]
        file = str(configuration or self.configuration)
        return [str(self.environment / "bin" / "python"), "-W", "ignore", *program, "-c", file]

    def _environment(self, *libraries: Path) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PG", "ODOO"))}
        path = os.pathsep.join(map(str, (self.environment / "tree" / LIBRARIES, *libraries)))
        env["XDG_RUNTIME_DIR"] = str(self.place.folder)
        return env | {"PYTHONPATH": path, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        options = {"host": str(self.place.cluster), "user": "postgres", "connect_timeout": 10}
        return psycopg.connect(dbname=database, autocommit=True, **options)  # type: ignore[arg-type]

    def _let_the_server_in(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [USER]).fetchone()
            if not known:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER").format(sql.Identifier(USER)))


def stale(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Has every server process load a database anew at its next request, with nothing remembered."""
    rows = connection.execute("SELECT relname, relkind FROM pg_class WHERE relname ~ %s", [_SIGNALS]).fetchall()
    for name, kind in rows:
        if kind == "S":
            connection.execute("SELECT nextval(%s::regclass)", [str(name)])
        elif kind == "r":  # 19.0 keeps a table for each
            connection.execute(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier(str(name))))


_SIGNALS = r"^(base_registry_signaling|base_cache_signaling.*|orm_signaling_[a-z]+)$"


def _processes_on(database: str, configuration: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if str(configuration) in line and re.search(rf"-d {re.escape(database)}( |$)", " ".join(line)):
            yield process
