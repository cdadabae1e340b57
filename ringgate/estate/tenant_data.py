"""What a tenant owns: its database, and the files that the ERP keeps beside it. Both are always moved together."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.postgres import Cluster


@dataclass(frozen=True, slots=True)
class TenantData:
    """The databases of a cluster, with their files below `files/<database>`; most ERPs keep none there."""

    cluster: Cluster
    files: Path

    def clone(self, template: str, name: str) -> None:
        """Makes `name` a copy of `template`, in place of any that was there. Its sessions are ended."""
        self.cluster.clone(template, name)
        self._copy(self.files / template, self.files / name)

    def rename(self, old: str, new: str) -> None:
        """Gives data another name, in place of any that had it."""
        self.cluster.rename(old, new)
        self._move(old, new)

    def seal(self, old: str, new: str) -> None:
        """Keeps data under another name, closed to connections, so that it can always be cloned."""
        self.cluster.seal(old, new)
        self._move(old, new)

    def drop(self, name: str) -> None:
        self.cluster.drop(name)
        shutil.rmtree(self.files / name, ignore_errors=True)

    def dump(self, name: str, file: Path) -> None:
        """Writes the database to `file` and the files to the folder beside it, if there are any."""
        self.cluster.dump(name, file)
        self._copy(self.files / name, _beside(file))

    def load(self, file: Path, name: str) -> None:
        """Makes `name` anew from what `dump` wrote."""
        self.cluster.load(file, name)
        self._copy(_beside(file), self.files / name)

    def _move(self, old: str, new: str) -> None:
        shutil.rmtree(self.files / new, ignore_errors=True)
        if (self.files / old).is_dir():
            (self.files / old).rename(self.files / new)

    def _copy(self, source: Path, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)


def digest(file: Path) -> str:
    """The SHA-256 of what `dump` wrote: the file, and the names and contents of the files beside it."""
    with file.open("rb") as content:
        whole = hashlib.file_digest(content, "sha256")
    for each in sorted(path for path in _beside(file).rglob("*") if path.is_file()):
        with each.open("rb") as content:
            inner = hashlib.file_digest(content, "sha256").hexdigest()
        whole.update(f"{each.relative_to(_beside(file))}\0{inner}\n".encode())
    return whole.hexdigest()


def size(file: Path) -> int:
    """The bytes of what `dump` wrote."""
    return file.stat().st_size + sum(each.stat().st_size for each in _beside(file).rglob("*") if each.is_file())


def remove(file: Path) -> None:
    """Removes what `dump` wrote."""
    file.unlink(missing_ok=True)
    shutil.rmtree(_beside(file), ignore_errors=True)


def _beside(file: Path) -> Path:
    return file.with_suffix(".files")
