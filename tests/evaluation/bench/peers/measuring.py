"""One start of a tool: wall and processor time of all its processes, and what it asked of the ERP meanwhile."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.evaluation.bench.peers.counter import Asked, Counter


class ToolFailed(Exception):
    """A tool did not pass. Holds the end of what it said."""


@dataclass(frozen=True)
class Measured:
    """Seconds of one start. `own` is the wall time in which it did not wait for the ERP, `before` that part of it
    which went by before the first request; `cpu` is that of the tool's processes, without the ERP's."""

    wall: float
    cpu: float
    own: float
    before: float
    asked: Asked

    @property
    def requests(self) -> int:
        return self.asked.requests.total()


def measured(command: Sequence[str], folder: Path, env: Mapping[str, str], counter: Counter) -> Measured:
    """Starts the command in the folder and waits for its end. Raises ToolFailed."""
    counter.taken()
    output = folder / "output.txt"
    with output.open("wb") as file:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)  # with those of all descendants that were waited for
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    asked = counter.taken()
    if process.returncode:
        end = output.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise ToolFailed(f"{' '.join(command)} ended with {process.returncode}:\n{end}")
    return Measured(wall, used.ru_utime + used.ru_stime, wall - asked.waited, asked.first - begun, asked)
