"""Makes `.venv` with the locked packages, before anything of Ringgate can be imported.

Only the standard library is at hand here, and the Python that starts this file may be too old for the rest, so it
looks for a fitting one. Start it with `-I`, or the names of this folder would hide those of the standard library.

    [1/3] Virtual environment (.venv, Python 3.11.7) ... 3.1 s
    [2/3] Locked Python packages (66) ... 4.2 s
    [3/3] Ringgate itself ... 0.6 s

A stamp in `.venv` (a hash of the lock, of pyproject.toml and of this folder's path) makes the next start skip it all.
Exit codes: 0 ready, 3 the machine lacks something; then one sentence says what to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCK = ROOT / "requirements.lock"
LOG = VENV / "bootstrap.log"
STAMP = VENV / ".ringgate-stamp"
OLDEST = (3, 11)
NEWEST = (3, 14)  # beyond it the locked packages have no ready-made wheels
STAGES = 3


class SetUpError(Exception):
    """The machine lacks something; the text is one sentence with its remedy."""


def main() -> int:
    try:
        if stamp_is_current():
            return 0
        # A second `make` in the same checkout waits here and then finds the work done.
        with (ROOT / "pyproject.toml").open() as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not stamp_is_current():
                build()
    except SetUpError as problem:
        print(f"\nringgate: {problem}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\nringgate: stopped; start again to go on.", file=sys.stderr)
        return 130
    except OSError as problem:
        print(f"\nringgate: set-up stopped: {problem}. Fix this and run it again.", file=sys.stderr)
        return 3
    return 0


def wanted_stamp() -> str:
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp_is_current() -> bool:
    ready = STAMP.is_file() and PYTHON.exists() and (VENV / "bin" / "ringgate").is_file()
    return ready and STAMP.read_text() == wanted_stamp()


def build() -> None:
    wanted = wanted_stamp()
    if STAMP.is_file():
        STAMP.unlink()
    python, version = pick_python()
    with stage(1, f"Virtual environment (.venv, Python {version})"):
        make_venv(python)
    with stage(2, f"Locked Python packages ({len(re.findall('^[a-z].*==', LOCK.read_text(), re.M))})"):
        install_packages()
    with stage(3, "Ringgate itself"):
        itself = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        run(
            [str(UV), "pip", "install", "--offline", "--python", str(PYTHON), *itself],
            "Ringgate could not be installed",
        )
    partial = STAMP.with_suffix(".new")
    partial.write_text(wanted)
    partial.replace(STAMP)


class stage:  # noqa: N801  (reads as a verb where it is used)
    """Prints the stage's name at once and its duration when it ends."""

    def __init__(self, number: int, name: str) -> None:
        self.text = f"[{number}/{STAGES}] {name} ... "

    def __enter__(self) -> None:
        self.started = time.monotonic()
        print(self.text, end="", flush=True)

    def __exit__(self, kind: type | None, *_: object) -> None:
        print("failed" if kind else f"{time.monotonic() - self.started:.1f} s", flush=True)


def pick_python() -> tuple[str, str]:
    """The newest fitting Python on PATH, as (path, version). What is there but does not start is passed over."""
    found: dict[tuple[int, ...], str] = {}
    seen = []
    for path in candidates():
        version = version_of(path)
        if version is None:
            continue
        seen.append(".".join(map(str, version)))
        if OLDEST <= version[:2] <= NEWEST:
            found.setdefault(version, path)
    if not found:
        there = f"only {', '.join(sorted(set(seen)))}" if seen else "none that starts"
        raise SetUpError(
            f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed and PATH has {there}. "
            "Install one (on Debian or Ubuntu: apt-get install python3.11 python3.11-venv) and start again."
        )
    newest = max(found)
    return found[newest], ".".join(map(str, newest))


def candidates() -> Iterator[str]:
    yield sys.executable
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)] + ["python3", "python"]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in names:
            path = Path(folder or ".") / name
            # Our own environment must not become the base of its successor.
            if VENV not in path.absolute().parents and os.access(path, os.X_OK):
                yield str(path)


def version_of(python: str) -> tuple[int, ...] | None:
    asked = "import sys; print(*sys.version_info[:3], sys.version_info[3])"
    try:
        answer = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, timeout=20, check=True)
        major, minor, micro, level = answer.stdout.split()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (int(major), int(minor), int(micro)) if level == "final" else None


def make_venv(python: str) -> None:
    """Makes `.venv` with uv in it, by the first of three ways that this machine allows."""
    if PYTHON.exists() and version_of(str(PYTHON)) == version_of(python) and UV.is_file():
        return
    VENV.mkdir(exist_ok=True)
    can = [have(python, "import ensurepip"), have(python, "import pip")]
    if not any(can) and shutil.which("apt-get") and os.geteuid() == 0:
        run(["apt-get", "update", "-q"], "apt-get update failed")
        run(["apt-get", "install", "-y", "-q", "python3-venv", "python3-pip"], "python3-venv could not be installed")
        can = [have(python, "import ensurepip"), have(python, "import pip")]
    if not any(can):
        raise SetUpError(f"{python} has neither ensurepip nor pip. Install its venv package (Debian: python3-venv).")
    with_pip = can[0]
    options = [] if with_pip else ["--without-pip"]
    run([python, "-I", "-m", "venv", "--clear", *options, str(VENV)], "The virtual environment could not be made")
    pip = [str(PYTHON), "-m", "pip"] if with_pip else [python, "-m", "pip", "--python", str(PYTHON)]
    only_uv = VENV / "uv.lock"
    only_uv.write_text(lines_of("uv"))
    run([*pip, "install", "-q", "--disable-pip-version-check", "-r", str(only_uv)], "uv could not be installed")


def have(python: str, statement: str) -> bool:
    return subprocess.run([python, "-I", "-c", statement], capture_output=True, check=False).returncode == 0


def lines_of(package: str) -> str:
    """The lines of the lock that pin one package, with its hashes."""
    found = re.search(rf"^{package}==(?:.*\\\n)*.*\n", LOCK.read_text(), re.MULTILINE)
    if not found:
        raise SetUpError(f"requirements.lock does not pin {package}; write it again with `make lock`.")
    return found.group()


def install_packages() -> None:
    locked = ["--require-hashes", "-r", str(LOCK)]
    what = "The Python packages could not be installed"
    try:
        run([str(UV), "pip", "install", "--python", str(PYTHON), *locked], what)
    except SetUpError:
        # A company's mirror is usually known to pip alone, so pip is the second way, and is named.
        if not have(str(PYTHON), "import pip"):
            raise
        print("uv failed, trying pip ... ", end="", flush=True)
        run([str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", *locked], what)


def run(command: list[str], what: str) -> None:
    """Runs a command with its output in the log; raises SetUpError with the log's telling line."""
    environment = dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    environment.setdefault("UV_SYSTEM_CERTS", "1")  # as pip and the browser: a company's own authority counts
    if "PIP_CERT" in environment:
        environment.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT, check=False
    )
    VENV.mkdir(exist_ok=True)
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    if done.returncode:
        raise SetUpError(
            f"{what}: {telling(done.stdout)}. Check network and disk, then start again (log: .venv/{LOG.name})."
        )


def telling(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|fail|could not|no space", line, re.IGNORECASE)]
    return (errors or lines or ["no output"])[-1].rstrip(".")[:300]


if __name__ == "__main__":
    sys.exit(main())
