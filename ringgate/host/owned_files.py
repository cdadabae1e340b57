"""Files that belong to the process that writes them, and to nobody once it is dead.

The process holds a lock on its file, which ends with the process: a file that can be taken is that of a dead one. A new
file gets its name when it is locked and whole, so that nobody takes it for a dead one's before.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

NEW = ".new"
STALE = 60.0
"""Seconds after which nobody is about to give a file its name any more; it takes a few milliseconds."""


def make(path: Path, content: bytes, *, durable: bool = False) -> int:
    """A new file in place of what is there, open for appending and held. `durable`: it is on the disk, too."""
    new = path.with_suffix(NEW)
    handle = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(handle, content)
    if durable:
        os.fdatasync(handle)
    new.rename(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return handle


def take(path: Path) -> int | None:
    """The file, open for appending and held; None if somebody holds it, or it is gone."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:  # it was not taken away before we held it
            return handle
    except BlockingIOError:
        pass
    os.close(handle)
    return None


def sweep(folder: Path) -> None:
    """Removes what processes left that died before their file had its name; what is young may yet be given one."""
    for path in folder.glob(f"*{NEW}"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()
