"""Where the record of a rollout is, by its release and its platform."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ringgate.cli.common import UsageMistake

if TYPE_CHECKING:
    from ringgate.rollout.record import RecordKeeper, RehearsalRecord


def folder_of(release: str, platform: str) -> Path:
    """One for each release and platform; a file is known by where it lies, however it was written."""
    from ringgate.host import paths
    from ringgate.rollout.platforms.registry import split

    name, where = split(platform)
    file = Path(where).resolve()
    known = f"{file.stem}-{hashlib.sha256(str(file).encode()).hexdigest()[:6]}" if where and file.is_file() else where
    return paths.state() / "rollouts" / "-".join(filter(None, (name, known, release)))


def keeper_of(folder: Path) -> RecordKeeper:
    from ringgate.rollout.record import RecordKeeper

    return RecordKeeper(folder)


def found_record(ledger: RecordKeeper) -> RehearsalRecord:
    record = ledger.find()
    if record is None:
        raise UsageMistake("there is no such rollout: `ringgate rollout start` begins one.")
    return record


def id_of(release: Path) -> str:
    """The id that a release's file gives, right or wrong otherwise."""
    from ringgate.inventory.files import Problem, read_layer
    from ringgate.rollout.release import ReleaseError

    layer = read_layer(release)
    if isinstance(layer, Problem):
        raise ReleaseError([layer])
    if not isinstance(name := layer.data.get("id"), str):
        raise ReleaseError([Problem(str(release), "id", "is required")])
    return name
