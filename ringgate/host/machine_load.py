"""Whether this machine had time to spare: what was slow on one that had none says little of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

BUSY = 0.9
"""From this share of its processors' time on, a machine is busy."""


@dataclass
class MachineLoad:
    """`share` is the part of all processors' time that was not idle, 0 to 1; waiting for a disk is not idle."""

    share: float = 0.0

    @property
    def busy(self) -> bool:
        return self.share >= BUSY

    def __str__(self) -> str:
        return f"this machine's processors were {self.share:.0%} busy"


@contextmanager
def measured() -> Iterator[MachineLoad]:
    """Measures the machine inside the `with` block; `share` is known after it."""
    found, before = MachineLoad(), psutil.cpu_times()
    try:
        yield found
    finally:
        after = psutil.cpu_times()
        total = sum(after) - sum(before)
        if total > 0:
            found.share = 1.0 - (after.idle - before.idle) / total
