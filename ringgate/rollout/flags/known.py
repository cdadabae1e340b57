"""The features of a release, each by what switches it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ringgate.rollout.activation_tables import ActivationTable
from ringgate.rollout.flags.commands import CommandFlag
from ringgate.rollout.flags.flagd import FlagdFlag
from ringgate.rollout.flags.protocol import FlagSwitch


def flags_of(table: ActivationTable | None, folder: Path) -> Sequence[FlagSwitch]:
    """In the order in which they are switched on. `folder` is that of the release's file."""
    return [
        FlagdFlag(folder / each.file, each) if each.file else CommandFlag(folder, each)
        for each in (table.flags if table else ())
    ]
