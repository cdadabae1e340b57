"""The ERP's server: its WSGI application under gunicorn, several processes with several threads each.

The application and its databases are loaded once, before the workers are forked. So the workers share that memory,
and a reload (which drops every cache) costs a fork instead of a start.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ringgate.estate.errors import EstateError
from ringgate.estate.processes import Daemon, answers, stop_tree, wait_until, write_atomically
from ringgate.estate.protocol import ServerPlace
from ringgate.estate.tools import run
from ringgate.estate.tryton.series import LANGUAGES, MODULES, Series

HASHING = """\
[passlib]
schemes = argon2
argon2__time_cost = 1
argon2__memory_cost = 1024
argon2__parallelism = 1
"""
"""Signing in costs 5 ms instead of 240 ms of processor time; these are throw-away passwords of 24 random characters."""

CONFIGURATION = """\
[database]
retry = 40
uri = {uri}
path = {files}
list = False

[web]
root = {root}

[session]
max_attempt_ip_network = 100000

[password]
passlib = {passlib}
"""

GUNICORN = """\
bind = "127.0.0.1:{port}"
raw_env = ["TRYTOND_CONFIG={configuration}", "TRYTOND_DATABASE_NAMES={databases}"]
workers = {workers}
threads = {threads}
worker_class = "gthread"
preload_app = {preload}
timeout = 300
graceful_timeout = 20
keepalive = 30
control_socket_disable = True
worker_tmp_dir = {shared!r}

# Several databases are loaded at once, in threads that change what they share: none may interrupt another.
import sys

sys.setswitchinterval(60.0)


def post_fork(server, worker):
    import sys

    sys.setswitchinterval(0.005)


def worker_exit(server, worker):
    # All requests are answered. Taking the loaded ERP apart would cost seconds of processor time for nothing.
    import os

    if worker.booted:
        os._exit(0)
"""


def _told(said: str) -> str:
    """The sentence of the exception that a Python program ended with."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Undefined\w*|Violation\w*)\b.*:", line)]
    return (errors or lines or ["it said nothing"])[-1][:300].rstrip(".") + "."


THREADS = 8
START = 120.0
"""Seconds that a start may take; loading a database costs about one."""


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """One series' server. `environment` is its virtual environment, `web_root` what browsers are given, if anything."""

    facts: Series
    environment: Path
    place: ServerPlace
    web_root: Path | None

    @property
    def series(self) -> str:
        return self.facts.name

    @property
    def folder(self) -> Path:
        return self.place.folder

    @property
    def log(self) -> Path:
        return self.place.log

    @property
    def port(self) -> int:
        return self.place.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def daemon(self) -> Daemon:
        return Daemon(f"ERP server {self.series}", self.folder / f"erp-{self.series}.pid", self.log)

    @property
    def configuration(self) -> Path:
        return self.folder / f"trytond-{self.series}.conf"

    @property
    def running(self) -> bool:
        return self.daemon.running

    def configure(self) -> None:
        """Writes what the server and the ERP's own command line read."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.place.files.mkdir(exist_ok=True)
        hashing = self.folder / "passlib.ini"
        write_atomically(hashing, HASHING)
        values = {
            "uri": self.place.database_uri,
            "files": self.place.files,
            "root": self.web_root or "",
            "passlib": hashing,
        }
        write_atomically(self.configuration, CONFIGURATION.format(**values))

    def _tell(self, databases: Sequence[str]) -> None:
        """Writes what the server reads when it starts, and again when it reloads."""
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(self.folder)  # noqa: S108
        workers = max(2, min(4, os.cpu_count() or 2))
        gunicorn = GUNICORN.format(
            port=self.port, workers=workers, threads=THREADS, preload=self.facts.preload, shared=shared,
            configuration=self.configuration, databases=",".join(databases),
        )  # fmt: skip
        write_atomically(self._gunicorn, gunicorn)

    @property
    def _gunicorn(self) -> Path:
        return self.folder / f"gunicorn-{self.series}.py"

    @property
    def _loaded(self) -> Path:
        return self.folder / f"erp-{self.series}.databases.json"

    @property
    def loaded(self) -> frozenset[str]:
        """The databases that it was started with, or has taken up since."""
        with suppress(OSError, ValueError):
            return frozenset(json.loads(self._loaded.read_text()))
        return frozenset()

    def serves(self, databases: Collection[str]) -> bool:
        """Whether it runs on its port and has these databases loaded."""
        return self.daemon.running and self.loaded.issuperset(databases) and answers(self.port)

    def start(self, databases: Sequence[str]) -> None:
        """Starts it with these databases loaded, and waits until it answers."""
        self.configure()
        self._note(databases)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("TRYTOND_", "PYTHON"))}
        env |= {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
        python = str(self.environment / "bin" / "python")
        command = [python, "-m", "gunicorn", "-c", str(self._gunicorn), "trytond.application:app"]
        self.daemon.start(command, env=env, cwd=self.folder)
        self.daemon.await_ready(lambda: answers(self.port), START)

    def load(self, databases: Collection[str]) -> None:
        """Has the running server serve these databases, too: its workers are replaced, requests under way go on."""
        self._note(self.loaded.union(databases))
        self.reload()

    def forget(self, database: str) -> None:
        """The next workers do not load this database: it has gone elsewhere."""
        if database in self.loaded:
            self._note(self.loaded - {database})

    def let_go(self, database: str) -> None:
        """No worker serves this database any more, or is about to load it: a worker whose database goes away while it
        starts takes the whole server with it."""
        left = self.loaded - {database}
        if left == self.loaded:
            return
        if not left:  # it may be in the middle of its first start, and not know yet how to reload
            self.stop()
            return
        self._note(left)
        if self.running:
            self.reload()

    def _note(self, databases: Collection[str]) -> None:
        self._tell(sorted(databases))
        write_atomically(self._loaded, json.dumps(sorted(databases)))

    def reload(self) -> None:
        """Replaces the workers: requests under way are finished, caches are dropped. Waits for the old ones to end."""
        master = self.daemon.process()
        if master is None:
            raise EstateError(f"The ERP server {self.series} does not run: start it with `ringgate estate up`.")
        old = master.children()
        master.send_signal(signal.SIGHUP)
        psutil.wait_procs(old, timeout=30)

        def replaced() -> bool:
            return answers(self.port) and bool(set(master.children()) - set(old))

        if not wait_until(replaced, within=30):
            raise EstateError(f"The ERP server {self.series} did not come back: see {self.log}.")

    def stop(self) -> None:
        self.daemon.stop()
        self._loaded.unlink(missing_ok=True)

    @contextmanager
    def beside(self, database: str, tenants: Collection[str]) -> Iterator[str]:
        """Serves one more database, for the length of a `with` block; yields the address of its API."""
        try:
            if not self.facts.on_demand:
                self.load([*tenants, database])
            yield f"{self.url}/{database}"
        finally:
            self.let_go(database)

    def create(self, database: str, admin_password: str) -> None:
        """Activates every module in an empty database. Costs 40 s of processor time."""
        passwords = self.folder / f"password-{database}"
        write_atomically(passwords, admin_password, mode=0o600)
        try:
            command = [*self._tool("trytond-admin", database), "-u", *MODULES, "--activate-dependencies"]
            env = {**os.environ, "TRYTONPASSFILE": str(passwords), "LC_ALL": "C.UTF-8"}
            more = ["--email", "admin@example.com", "-l", *LANGUAGES]
            run([*command, *more], f"The ERP could not prepare database {database}", env=env)
        finally:
            passwords.unlink(missing_ok=True)

    def call(self, tool: Sequence[str], database: str) -> None:
        """Runs one of Tryton's own commands on a database: `["trytond-admin", "-u", "ir"]`."""
        name, *arguments = tool
        if not (self.environment / "bin" / name).is_file():
            raise EstateError(f"Tryton {self.series} has no tool {name}: name one of {self.environment / 'bin'}.")
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        what, remedy = f"{name} failed on database {database}", "repair that and upgrade again"
        run([*self._tool(name, database), *arguments], what, self.folder, env, remedy=remedy)

    def _tool(self, name: str, database: str) -> list[str]:
        return [str(self.environment / "bin" / name), "-c", str(self.configuration), "-d", database]

    def migrate(self, database: str, process: Daemon) -> None:
        """Brings a database of an earlier series to this one, as `process`. Raises EstateError with what was said."""
        command = [str(self.environment / "bin" / "trytond-admin"), *self._migration_of(database)]
        process.log.unlink(missing_ok=True)
        process.start(command, env={**os.environ, "LC_ALL": "C.UTF-8"}, cwd=self.folder)
        if process.wait():
            raise EstateError(_told(process.log.read_text(errors="replace")))

    def _migration_of(self, database: str) -> list[str]:
        return ["-c", str(self.configuration), "-d", database, "--all"]

    def end_migrations(self, database: str) -> None:
        """Ends every migration of a database, also one whose starter was killed before it could note its process."""
        wanted = self._migration_of(database)
        for process in psutil.process_iter(["cmdline"]):
            if (process.info["cmdline"] or [])[-len(wanted) :] == wanted:
                stop_tree(process, patience=5.0)

    def work_off(self, database: str, done: Callable[[], bool]) -> None:
        """Has the ERP's own worker take up the tasks that wait in its queue, until `done`."""
        configuration = self.folder / f"worker-{database}.conf"
        write_atomically(configuration, "[queue]\nworker = True\n")
        worker = Daemon(
            f"worker of {database}", self.folder / f"worker-{database}.pid", self.log.with_name("worker.log")
        )
        program = str(self.environment / "bin" / "trytond-worker")
        command = [program, "-c", str(self.configuration), str(configuration), "-d", database, "-n", "1", "-t", "1"]
        worker.start(command, env={**os.environ, "LC_ALL": "C.UTF-8"}, cwd=self.folder)
        try:
            worker.await_ready(done, START)
        finally:
            worker.stop()
            configuration.unlink(missing_ok=True)

    def hashes(self, passwords: Sequence[str]) -> list[str]:
        """Each password as the ERP stores it."""
        script = (
            "import json, sys; from passlib.context import CryptContext\n"
            "context = CryptContext.from_path(sys.argv[1])\n"
            "json.dump([context.hash(password) for password in json.load(open(0))], sys.stdout)"
        )
        command = [str(self.environment / "bin" / "python"), "-c", script, str(self.folder / "passlib.ini")]
        answer = run(command, "Passwords could not be prepared", stdin=json.dumps(list(passwords)))
        return [str(each) for each in json.loads(answer)]
