"""How a rehearsal is watched: a live board on a terminal, a line for each thing that ended anywhere else.

00:48  canary  aldgate   upgrade       passed   41.2 s  7.0 to 8.0
01:39  canary            promote
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ringgate.host.secrets import redact
from ringgate.rollout.record import ACTIVATION_STAGES, STAGES, RehearsalRecord, RingRecord, StageRecord
from ringgate.rollout.release_tables import RolloutAction

_STYLES: Mapping[str, str] = {"passed": "green", "failed": "bold red", "broken": "bold yellow"}
_MARKS: Mapping[str, str] = {"passed": "✓", "failed": "✗", "broken": "!"}
_DECISIONS = {RolloutAction.PROMOTE: "green", RolloutAction.PAUSE: "bold yellow", RolloutAction.ROLL_BACK: "bold red"}


class RolloutDisplay:
    """Shows one rehearsal on a console. A context manager.

    Called from several threads without a lock of its own: the console has one, and each change here is a single one.
    """

    def __init__(self, console: Console, record: RehearsalRecord) -> None:
        self._console, self._record = console, record
        self._began = time.monotonic() - record.spent
        self._running: dict[tuple[str, str], tuple[float, Spinner]] = {}
        live = console.is_terminal
        self._live = Live(self, console=console, refresh_per_second=4, transient=True) if live else None

    def __enter__(self) -> RolloutDisplay:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._console.print(self._table())

    # --- what is told ---------------------------------------------------------------------------------------------

    def began(self, ring: str, tenant: str, stage: str) -> None:
        self._running[tenant, stage] = (time.monotonic(), Spinner("dots"))

    def ended(self, ring: str, tenant: str, stage: str, record: StageRecord) -> None:
        self._running.pop((tenant, stage), None)
        if not self._live:
            words = f"{self._clock()}  {ring:8} {tenant:12} {stage:13}"
            took = f" {record.seconds:6.1f} s  {record.note}"
            line = Text.assemble(words, (f"{record.outcome:7}", _STYLES[record.outcome]), took)
            self._console.print(line, soft_wrap=True)
        for reason in record.reasons:
            self._say(f"{self._clock()}  {ring:8} {tenant:12} {redact(reason.sentence)}", "red")

    def decided(self, ring: str, record: RingRecord) -> None:
        assert record.decision is not None
        self._say(f"{self._clock()}  {ring:8} {record.decision.value}", _DECISIONS[record.decision])

    def remark(self, sentence: str) -> None:
        self._say(f"{self._clock()}  {redact(sentence)}", "")

    def _say(self, words: str, style: str) -> None:
        # On a terminal this stands above the board, which moves on below it.
        self._console.print(Text(words, style), soft_wrap=True)

    # --- the board ------------------------------------------------------------------------------------------------

    def __rich__(self) -> Table:
        return self._table()

    def _table(self) -> Table:
        record, running = self._record, dict(self._running)
        title = f"{record.title}: {self._clock()}"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        stages = list(STAGES)
        if any("rollback" in tenant.stages or (name, "rollback") in running for name, tenant in record.tenants.items()):
            stages.append("rollback")
        for stage in ACTIVATION_STAGES:
            if any(stage in tenant.stages or (name, stage) in running for name, tenant in record.tenants.items()):
                stages.append(stage)
        for name in ("ring", "tenant", *stages, "decision"):
            table.add_column(name, no_wrap=True)
        for ring, kept in record.rings.items():
            members = [name for name, tenant in record.tenants.items() if tenant.ring == ring]
            for index, name in enumerate(members):
                cells = [self._cell(name, stage) for stage in stages]
                decision = Text("")
                if index == 0 and kept.decision is not None:
                    decision = Text(kept.decision.value, _DECISIONS[kept.decision])
                table.add_row(ring if index == 0 else "", name, *cells, decision)
        return table

    def _cell(self, tenant: str, stage: str) -> Text:
        if running := self._running.get((tenant, stage)):
            began, spinner = running
            now = time.monotonic()
            frame = spinner.render(now)
            return Text.assemble(str(frame), f" {now - began:.0f} s", style="cyan")
        kept = self._record.tenants[tenant].stages.get(stage)
        if kept is None or kept.outcome == "running":
            return Text("·", "dim")
        return Text(f"{_MARKS[kept.outcome]} {kept.seconds:.1f} s", _STYLES[kept.outcome])

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"{seconds // 60:02d}:{seconds % 60:02d}"
