"""Other programs on the same machine: some that burn processor time, and one that keeps the disk busy."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = 1 << 20
BLOCKS = 64
"""What is written, flushed and removed again and again: 64 MB."""


def burn() -> None:
    """Computes until it is ended, or whoever started it is gone."""
    number = 1
    while _wanted():
        for _ in range(100_000):
            number = (number * 48271) % 0x7FFFFFFF


def _wanted() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


def write(folder: str) -> None:
    """Writes and flushes a file until it is ended, or whoever started it is gone."""
    file, block = Path(folder) / "busy", os.urandom(BLOCK)
    while _wanted():
        with file.open("wb") as out:
            for _ in range(BLOCKS):
                out.write(block)
                out.flush()
                os.fsync(out.fileno())


@contextmanager
def load(burners: int, *, disk: bool = True) -> Iterator[None]:
    """Keeps the machine busy inside the `with` block."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="ringgate-busy-") as folder:
        started = [context.Process(target=burn, daemon=True) for _ in range(burners)]
        started += [context.Process(target=write, args=[folder], daemon=True)] if disk else []
        for each in started:
            each.start()
        try:
            yield
        finally:
            for each in started:
                each.kill()
                each.join()
