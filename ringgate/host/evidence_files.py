"""Evidence of runs on disk, a folder for each run: what is too old goes, and the oldest where it is too much."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path


def prune(
    folder: Path, now: datetime, age: timedelta, most: int, spared: Collection[str] = frozenset()
) -> tuple[int, int]:
    """Removes folders of runs older than `age`, and then the oldest until there are at most `most` bytes; those of
    `spared` runs stay. Says how many folders and bytes were removed."""
    found = sorted(
        ((_last(each), _size(each), each) for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else (),
        key=lambda each: each[0],
    )
    whole, gone, freed = sum(size for _, size, _ in found), 0, 0
    for at, size, path in found:
        if path.name in spared or (now - at <= age and whole <= most):
            continue
        shutil.rmtree(path, ignore_errors=True)
        whole, gone, freed = whole - size, gone + 1, freed + size
    return gone, freed


def _last(folder: Path) -> datetime:
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
