"""The newest entry that this machine saw of each store: a chain whose end was cut off is still a chain."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from ringgate.evidence.canonical import digest_of_text
from ringgate.host import paths
from ringgate.host.atomic_files import write_atomically


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest entry of a chain: its number and digest."""

    number: int
    digest: str


class ChainWitness:
    """What this machine saw of the chain in one store. It is a file beside the store's own, not in it."""

    def __init__(self, address: str, folder: Path | None = None) -> None:
        """`address` is the store's, without its password."""
        self.file = (folder or paths.state() / "evidence") / f"{digest_of_text(address)[:16]}.json"

    def last(self) -> ChainHead | None:
        """None where nothing was seen, or what was noted cannot be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self.file.read_text(encoding="utf-8"))
            return ChainHead(int(found["number"]), str(found["digest"]))
        return None

    def saw(self, head: ChainHead) -> None:
        """Notes it, unless a later one was seen. Where the disk is full the earlier note stands: it proves less, and
        nothing wrong."""
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.file}.lock", timeout=10):
                known = self.last()
                if known is None or known.number < head.number:
                    write_atomically(self.file, json.dumps(asdict(head)))
