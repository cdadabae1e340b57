"""Shows what the estate is doing: live on a terminal, one line for each finished stage elsewhere.

Tryton 7.0                    3.4 s
Embedded PostgreSQL           already there
Template database            41.0 s
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

THERE = "already there"


@dataclass
class Stage:
    """One stage: `note` is what it is doing now, `result` how it ended ("" while it runs), `took` in seconds."""

    name: str
    started: float = field(default_factory=time.monotonic)
    note: str = ""
    result: str = ""
    took: float = 0.0
    failed: bool = False

    def say(self, note: str) -> None:
        """What is being done at this moment."""
        self.note = note

    def already(self) -> None:
        """Nothing had to be done."""
        self.result = THERE


class Progress:
    """Keeps the stages and prints nothing, for use as a library."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._guard = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        stage = Stage(name)
        with self._guard:
            self.stages.append(stage)
        self.began(stage)
        try:
            yield stage
        except BaseException:
            stage.failed = True
            raise
        finally:
            stage.took = time.monotonic() - stage.started
            stage.result = "failed" if stage.failed else stage.result or f"{stage.took:.1f} s"
            self.ended(stage)

    def began(self, stage: Stage) -> None:
        """Called when a stage begins, in the thread that runs it."""

    def ended(self, stage: Stage) -> None:
        """Called when a stage ends, in the thread that ran it."""

    def remark(self, sentence: str) -> None:
        """Something the user should know, such as that another start is being waited for."""


class ProgressDisplay(Progress):
    """Prints the stages to a console. Use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.console = console or Console(highlight=False)
        self._spinner = Spinner("dots")
        self.live = Live(console=self.console, refresh_per_second=8, get_renderable=self._table, transient=False)

    def __enter__(self) -> ProgressDisplay:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.refresh()
            self.live.stop()

    def ended(self, stage: Stage) -> None:
        if not self.console.is_terminal:
            self.console.print(f"{stage.name:<34} {stage.result}")

    def remark(self, sentence: str) -> None:
        self.console.print(sentence)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for stage in list(self.stages):
            if stage.result:
                style = "red" if stage.failed else "dim" if stage.result == THERE else "green"
                table.add_row(Text("✗" if stage.failed else "✓", style), stage.name, Text(stage.result, style), "")
            else:
                elapsed = f"{time.monotonic() - stage.started:.0f} s"
                table.add_row(self._spinner, stage.name, elapsed, Text(stage.note, "dim"))
        return table
