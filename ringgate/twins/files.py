"""Learned twins on disk: one gzipped JSON file for each tenant, scenario, channel and series.

    <folder>/aldgate/project-to-cash.api.7.0.json.gz

A file's size does not grow with the runs that it was learned from, so nothing of it must ever be pruned.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from ringgate.domain.errors import OurSideError
from ringgate.host.atomic_files import write_atomically
from ringgate.twins.model import LearnedTwin, Twin, TwinKey

_LEARNED: Final = TypeAdapter(LearnedTwin)
_TWIN: Final = TypeAdapter(Twin)


class UnreadableTwin(OurSideError):
    """A file is no learned twin; the message names it, and what to do."""

    kind = "twin-file"


class TwinFolder:
    """The learned twins of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, key: TwinKey, series: str) -> LearnedTwin | None:
        """What was learned of that key and series. Raises UnreadableTwin."""
        path = self._path(key, series)
        return load(path) if path.exists() else None

    def earlier(self, key: TwinKey, series: str) -> LearnedTwin | None:
        """What was learned of the key on the highest other series; None where there is nothing."""
        found = [each for each in self._of(key) if each != self._path(key, series)]
        learned = [load(each) for each in found]
        return max(learned, key=lambda each: _order(each.series), default=None)

    def write(self, learned: LearnedTwin) -> None:
        path = self._path(learned.key, learned.series)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, gzip.compress(_LEARNED.dump_json(learned), mtime=0))

    @contextmanager
    def held(self, key: TwinKey) -> Iterator[None]:
        """For one process at a time, while what was learned is read, added to and written."""
        folder = self.folder / key.tenant
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{key.scenario}.{key.channel}.lock"):
            yield

    def all(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*/*.json.gz"))

    def forget(self, key: TwinKey) -> int:
        """Removes what was learned of a key, of every series: how many files."""
        found = list(self._of(key))
        for each in found:
            each.unlink(missing_ok=True)
        return len(found)

    def _of(self, key: TwinKey) -> Iterator[Path]:
        yield from sorted((self.folder / key.tenant).glob(f"{key.scenario}.{key.channel}.*.json.gz"))

    def _path(self, key: TwinKey, series: str) -> Path:
        return self.folder / key.tenant / f"{key.scenario}.{key.channel}.{series}.json.gz"


def load(path: Path) -> LearnedTwin:
    """Raises UnreadableTwin."""
    try:
        return _LEARNED.validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValidationError) as error:
        what = getattr(error, "strerror", None) or "its content is not what this version writes"
        raise UnreadableTwin(f"{path} cannot be read ({what}); remove it, and it is learned anew.") from None


def dump(twin: Twin) -> bytes:
    """A run's twin as evidence: JSON."""
    return _TWIN.dump_json(twin, indent=1)


def _order(series: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in series.split("."))
