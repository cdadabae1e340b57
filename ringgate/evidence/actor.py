"""Who runs this program, where, and which code it is."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ringgate.evidence.entry import EvidenceActor
from ringgate.host import paths

_CI_USERS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
"""Where a CI job says for whom it runs; the operating system's user is the runner's there."""


def this_actor(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> EvidenceActor:
    """Of this process. `folder` is where it was started."""
    named = next((environment[name] for name in _CI_USERS if environment.get(name)), "")
    return EvidenceActor(
        user=named or _user(), host=socket.gethostname(), commit=_commit(folder or Path.cwd()), version=_version(),
        code=code_digest(),
    )  # fmt: skip


@cache
def code_digest() -> str:
    """SHA-256 over the names and contents of Ringgate's own Python files and of the scenarios that come with it."""
    told = hashlib.sha256()
    for root in (Path(__file__).resolve().parents[1], paths.shipped("scenarios")):
        for path in sorted(root.rglob("*.py")):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            told.update(f"{root.name}/{path.relative_to(root).as_posix()} {content}\n".encode())
    return told.hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return str(os.getuid())


def _version() -> str:
    try:
        return version("ringgate")
    except PackageNotFoundError:
        return ""


def _commit(folder: Path) -> str:
    """Of the repository that the inventory and the suites most likely come from."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        return head + ("+" if head and _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
