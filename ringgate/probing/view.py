"""How a prober is watched: a live board on a terminal, a line for each run that ended anywhere else.

08:41:07  canary  aldgate   time-entry          api      passed    1.2 s
08:41:09  early   bleecker  financial-posting   api      failed    3.4 s  check the posting: debit: expected 114.00 ...
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome
from ringgate.host.secrets import redact
from ringgate.probing.counters import SKIPPED
from ringgate.probing.plan import Probe
from ringgate.probing.timetable import Tick

_STYLES: Mapping[Outcome, str] = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.BROKEN: "bold yellow",
    Outcome.SKIPPED: "dim",
    Outcome.STOPPED: "magenta",
}
FEW = 30
"""So many tenants have a row each on the board; more are told ring by ring."""

MINUTE = 60.0
"""Seconds between summaries where only errors are told."""


@dataclass
class _Row:
    """What is known of one tenant, or of one ring."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    last: RunResult | None = None
    problem: RunResult | None = None


class ProbeDisplay:
    """Shows what one prober does on a console. A context manager, told by several threads.

    `quiet`: where there is no board, only what did not pass is told, and once a minute how things stand. `board`:
    there may be one; several processes on one terminal have none."""

    def __init__(self, console: Console, probes: Sequence[Probe], *, quiet: bool = False, board: bool = True) -> None:
        self._console, self._quiet = console, quiet
        due = [probe for probe in probes if not probe.never]
        tenants = {probe.tenant.id: probe.tenant for probe in due}
        self._by_ring = len(tenants) > FEW
        self._title = f"{_counted(len(due), 'probe')} on {_counted(len(tenants), 'tenant')}"
        names = [tenant.ring if self._by_ring else tenant.id for tenant in tenants.values()]
        self._rows = {name: _Row() for name in names}
        self._ring = {tenant.id: tenant.ring for tenant in tenants.values()}
        wide = max((len(probe.scenario.id) for probe in due), default=8)
        self._widths = (max(map(len, self._ring.values()), default=6), max(map(len, tenants), default=6), wide)
        self.counters: Mapping[str, int] = {}
        self._alone = threading.Lock()
        self._running: dict[tuple[object, ...], tuple[float, Tick]] = {}
        self._began = self._told = time.monotonic()
        self._spinner = Spinner("dots")
        live = console.is_terminal and board
        self._live = Live(self, console=console, refresh_per_second=4, transient=True) if live else None

    def __enter__(self) -> ProbeDisplay:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._console.print(self.__rich__())
        else:
            self._console.print(self._summary(), soft_wrap=True)

    # --- what is told -------------------------------------------------------------------------------------------------

    def began(self, tick: Tick) -> None:
        with self._alone:
            self._running[_id(tick)] = (time.monotonic(), tick)

    def left(self, tick: Tick) -> None:
        with self._alone:
            self._running.pop(_id(tick), None)

    def ended(self, tick: Tick, result: RunResult) -> None:
        with self._alone:
            self._running.pop(_id(tick), None)
            self._ring.setdefault(result.tenant, result.ring)  # the inventory may have changed meanwhile
            row = self._rows.setdefault(result.ring if self._by_ring else result.tenant, _Row())
            if not tick.self_test:
                row.outcomes[result.outcome] += 1
                row.last = result
                if result.outcome not in (Outcome.PASSED, Outcome.STOPPED):
                    row.problem = result
        problem = result.outcome is not Outcome.PASSED or bool(result.residue)
        if problem or not (self._live or self._quiet):
            self._console.print(self._line(tick, result), soft_wrap=True)
        if self._quiet and not self._live and time.monotonic() - self._told > MINUTE:
            self._told = time.monotonic()
            self._console.print(self._summary(), soft_wrap=True)

    def remark(self, sentence: str, style: str = "") -> None:
        self._console.print(Text(f"{_now()}  {redact(sentence)}", style), soft_wrap=True)

    def _line(self, tick: Tick, result: RunResult) -> Text:
        ring, tenant, scenario = self._widths
        words = f"{_now()}  {result.ring:{ring}}  {result.tenant:{tenant}}  {result.scenario:{scenario}}  "
        outcome = (f"{result.outcome:8}", _STYLES[result.outcome])
        line = Text.assemble(words, f"{result.channel:8} ", outcome, f"{result.seconds:6.1f} s", _why(result))
        return line.append("  (self-test)") if tick.self_test else line

    def _summary(self) -> str:
        total: Counter[Outcome] = Counter()
        for row in self._rows.values():
            total.update(row.outcomes)
        runs = ", ".join(f"{total[outcome]} {outcome}" for outcome in Outcome if total[outcome]) or "nothing was run"
        return f"{_now()}  {self._title}: {runs}{_counters(self.counters)}"

    # --- the board ----------------------------------------------------------------------------------------------------

    def __rich__(self) -> Group:
        with self._alone:
            running = [*self._running.values()]
            rows = [(name, Counter(row.outcomes), row.last, row.problem) for name, row in self._rows.items()]
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        title = f"{self._title}, {minutes:02d}:{seconds:02d}{_counters(self.counters)}"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        heads = ("ring",) if self._by_ring else ("ring", "tenant")
        for name, width in zip(heads, self._widths, strict=False):
            table.add_column(name, no_wrap=True, min_width=width)
        for outcome in _SHOWN:
            table.add_column(outcome, justify="right", no_wrap=True, min_width=len(outcome))
        table.add_column("last run", no_wrap=True, overflow="ellipsis")
        table.add_column("last that did not pass", no_wrap=True, overflow="ellipsis")
        for name, outcomes, last, problem in rows:
            cells = [Text(str(outcomes[each]), _STYLES[each] if outcomes[each] else "dim") for each in _SHOWN]
            who = (name,) if self._by_ring else (self._ring[name], name)
            table.add_row(*who, *cells, _brief(last), _brief(problem, dated=True))
        return Group(table, self._under_way(running))

    def _under_way(self, running: list[tuple[float, Tick]]) -> Text:
        now = time.monotonic()
        if not running:
            return Text("nothing is due", "dim")
        told = [
            f"{tick.probe.tenant} {tick.probe.scenario.id} {tick.probe.channel} {now - since:.0f} s"
            for since, tick in running[:6]
        ]
        more = f" and {len(running) - 6} more" if len(running) > 6 else ""
        return Text(f"{self._spinner.render(now)} {', '.join(told)}{more}", "cyan", no_wrap=True, overflow="ellipsis")


_SHOWN = (Outcome.PASSED, Outcome.FAILED, Outcome.BROKEN)


def _id(tick: Tick) -> tuple[object, ...]:
    return (*tick.probe.key, tick.self_test)


def _why(result: RunResult) -> str:
    failure = result.failure
    step = f"{failure.step}: " if failure and failure.step else ""
    left = f"  left behind: {', '.join(each.marker for each in result.residue)}" if result.residue else ""
    return (f"  {redact(step + failure.message if failure else result.reason)}").rstrip() + left


def _brief(result: RunResult | None, *, dated: bool = False) -> Text:
    if result is None:
        return Text("·", "dim")
    at = f"{result.started_at.astimezone():%H:%M}  " if dated else ""
    words = f"{result.scenario} {result.channel}, {result.seconds:.1f} s"
    return Text.assemble(at, (words, _STYLES[result.outcome]))


def _counters(counters: Mapping[str, int]) -> str:
    counters = dict(counters)  # others go on counting
    skipped = sum(number for what, number in counters.items() if what.startswith(SKIPPED))
    told = {what: number for what, number in sorted(counters.items()) if not what.startswith(SKIPPED)}
    told |= {"skipped": skipped} if skipped else {}
    return "".join(f", {number} {what}" for what, number in told.items() if number)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _now() -> str:
    return datetime.now(UTC).astimezone().strftime("%H:%M:%S")
