"""The embedded PostgreSQL: one cluster for each estate, in its own folder, reachable by a socket in that folder alone.

It is tuned for a throw-away: nothing is synced to disk, so a power cut may spoil it, and `up` then makes it again.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from ringgate.estate.errors import EstateError
from ringgate.estate.processes import last_line, wait_until

SUPERUSER = "postgres"
READER = "ringgate_reader"
"""A database user that may read everything and write nothing."""

LONGEST_SOCKET = 100
"""Bytes in a socket's path; the kernel refuses a little more."""

SETTINGS = """\
# Written by Ringgate at every start.
listen_addresses = ''
unix_socket_directories = '{sockets}'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
shared_buffers = 128MB
max_connections = 300
max_prepared_transactions = 8
autovacuum_naptime = {naptime}
autovacuum_analyze_threshold = 50
autovacuum_analyze_scale_factor = 0.05
checkpoint_timeout = 30min
logging_collector = off
"""


class Cluster:
    """One PostgreSQL cluster. `binaries` is the folder with `initdb` and `pg_ctl`, `data` the cluster's folder.

    `growing`: tables and rows come fast, so the statistics of the planner are renewed each second. Without that the ERP
    takes half as long again to create its tables, for its look at constraints is then planned as if there were none.
    """

    def __init__(self, binaries: Path, data: Path, sockets: Path, log: Path, growing: bool = False) -> None:
        self.binaries = binaries
        self.data = data
        self.sockets = _short(sockets)
        self.log = log
        self.growing = growing

    # --- life ---------------------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    def create(self) -> None:
        """Makes an empty cluster. A folder that an interrupted start left behind is replaced."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_folder(self.data)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-U", SUPERUSER]
        self._run("initdb", *options, "-D", str(self.data))
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists 'ringgate.conf'\n")
        self.start()
        self.execute(f"CREATE ROLE {READER} LOGIN", f"GRANT pg_read_all_data TO {READER}")

    def start(self) -> None:
        """Starts the server unless it runs; it outlives this process."""
        if self.running:
            return
        self._make_folder(self.sockets)
        values = {"sockets": str(self.sockets).replace("'", "''"), "naptime": "1s" if self.growing else "1min"}
        (self.data / "ringgate.conf").write_text(SETTINGS.format(**values))
        # The server may run as another user than we, so its log starts in a folder that is its own.
        self.log.touch()
        if _server_user():
            shutil.chown(self.log, *_server_user_and_group())
        try:
            self._run("pg_ctl", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.log), "start")
        except EstateError as problem:
            raise EstateError(
                f"The estate's database does not start ({last_line(self.log)}): "
                f"`ringgate estate destroy` and `ringgate estate up` make it again (log: {self.log})."
            ) from problem

    def stop(self) -> None:
        """Stops it cleanly: open transactions are rolled back, what was committed is on disk."""
        if self.running:
            self._run("pg_ctl", "-w", "-t", "60", "-m", "fast", "-D", str(self.data), "stop")
        with suppress(OSError):
            self.sockets.rmdir()

    @property
    def running(self) -> bool:
        """Whether this cluster's own server runs; another process with a recycled number does not count."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            ready = len(lines) > 7 and lines[7].strip() == "ready"
            return ready and Path(process.cwd()) == self.data.resolve()
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def copy_to(self, data: Path) -> None:
        """Copies the stopped cluster, sharing blocks where the file system can."""
        _let_others_through(data.parent)
        command = ["cp", "-a", "--reflink=auto", str(self.data), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            why = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise EstateError(f"The databases could not be copied ({why[0]}): make room on the disk and start again.")

    # --- databases ----------------------------------------------------------------------------------------------

    def connect(self, database: str = "postgres", user: str = SUPERUSER, **options: Any) -> psycopg.Connection[Any]:
        """A new connection; the caller closes it."""
        try:
            return psycopg.connect(host=str(self.sockets), user=user, dbname=database, connect_timeout=10, **options)
        except psycopg.OperationalError as problem:
            raise EstateError(
                f"The estate's database {database} cannot be reached ({str(problem).splitlines()[-1].strip()}): "
                "start the estate with `ringgate estate up`."
            ) from problem

    def execute(self, *statements: str | sql.Composable, database: str = "postgres") -> None:
        """Runs statements one by one, each in a transaction of its own."""
        with self.connect(database, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def url(self, database: str = "") -> str:
        """The cluster (or one database) as a URL for programs that speak libpq."""
        return f"postgresql://{SUPERUSER}:@/{database}?host={quote(str(self.sockets), safe='/')}"

    def databases(self) -> set[str]:
        with self.connect() as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    def clone(self, template: str, database: str) -> None:
        """Makes `database` a copy of `template`, in place of any that was there. Its sessions are ended."""
        names = {"new": sql.Identifier(database), "old": sql.Identifier(template)}
        self.drop(database)
        self.execute(sql.SQL("CREATE DATABASE {new} TEMPLATE {old}").format(**names))

    def rename(self, database: str, name: str) -> None:
        """Gives a database another name, and the owner of the one that had it, if any: that one goes."""
        names = {"old": sql.Identifier(database), "new": sql.Identifier(name)}
        owner = self._owner(name)
        self.drop(name)
        self._end_sessions(database)
        self.execute(sql.SQL("ALTER DATABASE {old} RENAME TO {new}").format(**names))
        if owner:  # an ERP may show its pages for the databases of its own user alone
            self.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(names["new"], sql.Identifier(owner)))

    def _owner(self, database: str) -> str:
        """ "" if there is no such database."""
        asked = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
        with self.connect(autocommit=True) as connection:
            row = connection.execute(asked, [database]).fetchone()
        return str(row[0]) if row else ""

    def drop(self, database: str) -> None:
        name = sql.Identifier(database)
        with self.connect(autocommit=True) as connection:
            known = connection.execute(
                "SELECT datistemplate FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
            if known is None:
                return
            if known[0]:
                connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(name))
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def create_database(self, database: str) -> None:
        """Makes an empty database, in place of any that had its name."""
        self.drop(database)
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def dump(self, database: str, file: Path) -> None:
        """Writes one database to a file, as it is at one moment. Others go on using it."""
        options = ["--format=custom", "--compress=1", f"--file={file}"]
        self._tool("pg_dump", "be backed up", database, *options, database)

    def load(self, file: Path, database: str) -> None:
        """Makes `database` anew from a file that `dump` wrote."""
        self.create_database(database)
        options = ["--no-owner", "--jobs=2", "--exit-on-error", f"--dbname={database}"]
        self._tool("pg_restore", "be restored", database, *options, str(file))
        # A dump carries no statistics, and without them the first plans are bad ones.
        self.execute("ANALYZE", database=database)

    def _tool(self, program: str, what: str, database: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-h", str(self.sockets), "-U", SUPERUSER, "-w", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
            raise EstateError(f"Database {database} could not {what} ({said[0].rstrip('.')}): see {self.log}.")

    def seal(self, database: str, name: str | None = None) -> None:
        """Keeps a database as it is: hidden from the ERP and closed to connections, so it can always be cloned."""
        sealed = sql.Identifier(name or database)
        statements: list[sql.Composable] = []
        if name and name != database:
            statements.append(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(database), sealed))
        statements.append(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false").format(sealed))
        self._end_sessions(database)
        self.execute(*statements)

    def _end_sessions(self, database: str) -> None:
        with self.connect(autocommit=True) as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            left = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"

            def gone() -> bool:
                if connection.execute(left, [database]).fetchone() == (0,):
                    return True
                connection.execute(ended, [database])
                return False

            if not wait_until(gone, within=20):
                raise EstateError(f"Sessions on database {database} do not end: see {self.log}.")

    # --- the server's user --------------------------------------------------------------------------------------

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if _server_user():
            shutil.chown(folder, *_server_user_and_group())
            _let_others_through(folder.parent)
            _let_others_through(self.binaries)
            _let_others_through(self.log.parent)

    def _run(self, program: str, *arguments: str) -> None:
        user: dict[str, Any] = {}
        if _server_user():
            name, group = _server_user_and_group()
            user = {"user": name, "group": group, "extra_groups": []}
        # pg_ctl's server would keep a pipe open for ever, so the output goes to a file.
        with tempfile.TemporaryFile("w+") as said:
            command = [str(self.binaries / program), *arguments]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", check=False, **user
            )
            said.seek(0)
            lines = [line.strip() for line in said if line.strip()]
        if done.returncode:
            why = lines[-1].rstrip(".") if lines else f"exit code {done.returncode}"
            raise EstateError(f"{program} failed ({why}): see {self.log}.")


def _server_user() -> bool:
    """Whether the server must run as another user: PostgreSQL refuses to run as root."""
    return os.geteuid() == 0


def _server_user_and_group() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise EstateError("PostgreSQL refuses to run as root and there is no user `nobody`: start as an ordinary user.")


def _let_others_through(folder: Path) -> None:
    """As root: lets the server's user pass through the folders above its own. Passing is not reading."""
    if not _server_user():
        return
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode
        if not mode & stat.S_IXOTH:
            place.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _short(sockets: Path) -> Path:
    """`sockets`, or a stand-in for it in the temporary folder if its path is too long for a socket."""
    if len(os.fsencode(sockets)) + len("/.s.PGSQL.5432") <= LONGEST_SOCKET:
        return sockets
    name = hashlib.sha256(os.fsencode(sockets)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ringgate-{os.geteuid()}-{name}"
