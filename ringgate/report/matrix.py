"""What the results amount to: one cell for each tenant, scenario and channel, and one verdict over all of them.

Fails closed: what was expected and has no result is `missing`, and nothing but applicable checks that all ran and all
passed makes a `pass`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringgate.domain.model import RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.report.text import CHANNEL_WORDS, clean, count, humanise, listed, unique


class CellState(StrEnum):
    """A cell's state: the worst outcome of its runs, or `missing` where a run was expected and there is none."""

    FAILED = "failed"
    BROKEN = "broken"
    MISSING = "missing"
    PASSED = "passed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


STATE_WORDS = {
    CellState.PASSED: "passed",
    CellState.FAILED: "failed",
    CellState.BROKEN: "broken",
    CellState.MISSING: "not run",
    CellState.STOPPED: "stopped",
    CellState.SKIPPED: "not applicable",
}
STATE_MEANINGS = {
    CellState.PASSED: "the ERP did what it must",
    CellState.FAILED: "the ERP is wrong",
    CellState.BROKEN: "our side is at fault",
    CellState.MISSING: "no result, so nothing is known",
    CellState.STOPPED: "we were asked to stop before its end, so nothing is known",
    CellState.SKIPPED: "not part of this tenant, or not selected",
}
_WORST_FIRST = (Outcome.FAILED, Outcome.BROKEN, Outcome.PASSED, Outcome.STOPPED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One check. `runs` is empty where it is missing, or was never meant to run; then `reason` says why."""

    scenario: str
    tenant: str
    channel: Channel
    state: CellState
    runs: tuple[RunResult, ...] = ()
    reason: str = ""

    @property
    def decisive(self) -> RunResult | None:
        """The run that made the cell what it is: the first of the worst."""
        return next((run for run in self.runs if run.outcome.value == self.state.value), None)

    @property
    def seconds(self) -> float | None:
        """Median duration of the runs that ran, in seconds."""
        ran = sorted(run.seconds for run in self.runs if run.outcome is not Outcome.SKIPPED)
        return ran[len(ran) // 2] if ran else None


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells, with the order in which tenants, scenarios and channels are shown."""

    tenants: tuple[str, ...]
    scenarios: tuple[str, ...]
    channels: tuple[Channel, ...]
    cells: dict[tuple[str, str, Channel], MatrixCell]

    def __getitem__(self, key: tuple[str, str, Channel]) -> MatrixCell:
        """The cell of (tenant, scenario, channel)."""
        return self.cells[key]

    def of(self, *states: CellState) -> list[MatrixCell]:
        """The cells in any of these states, by tenant, scenario and channel."""
        return [cell for cell in self.cells.values() if cell.state in states]

    @property
    def tenants_across(self) -> bool:
        """Whether tenants are columns: the shorter side lies across, so that four tenants fit on a phone."""
        return len(self.tenants) <= 6


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict in words. `word` is `pass`, `fail` or `inconclusive`; `notes` are further sentences."""

    word: str
    sentence: str
    notes: tuple[str, ...]
    counts: dict[CellState, int]

    @property
    def applicable(self) -> int:
        return sum(self.counts.values()) - self.counts[CellState.SKIPPED]


def build_matrix(
    results: Iterable[RunResult],
    tenants: Sequence[Tenant] = (),
    scenarios: Sequence[Scenario] = (),
    channels: Sequence[Channel] | None = None,
) -> Matrix:
    """The cells of everything that was expected, and of everything else that has a result.

    Expected is each given scenario on each given tenant over each of `channels`; None means every channel.
    """
    by_key: dict[tuple[str, str, Channel], list[RunResult]] = defaultdict(list)
    for run in results:
        by_key[run.tenant, run.scenario, run.channel].append(run)
    expected_tenants = {tenant.id for tenant in tenants}
    known = {scenario.id: scenario for scenario in scenarios}
    expected_channels = set(Channel if channels is None else channels)

    def cell(tenant: str, scenario: str, channel: Channel) -> MatrixCell | None:
        runs = tuple(sorted(by_key.get((tenant, scenario, channel), ()), key=lambda run: run.started_at))
        if runs:
            worst = next(outcome for outcome in _WORST_FIRST if any(run.outcome is outcome for run in runs))
            said = next((run.reason for run in runs if run.reason), "")
            reason = said if worst in (Outcome.SKIPPED, Outcome.STOPPED) else ""
            return MatrixCell(scenario, tenant, channel, CellState(worst.value), runs, reason)
        if scenario in known and channel not in known[scenario].channels:
            return MatrixCell(
                scenario, tenant, channel, CellState.SKIPPED, (), "this check was not selected over this channel"
            )
        if channel not in expected_channels:
            return MatrixCell(scenario, tenant, channel, CellState.SKIPPED, (), "this channel was not selected")
        if tenant in expected_tenants and scenario in known:
            return MatrixCell(scenario, tenant, channel, CellState.MISSING)
        return None

    shown = tuple(c for c in Channel if c in expected_channels or any(key[2] is c for key in by_key))
    order_tenants = tuple(unique([*(tenant.id for tenant in tenants), *(key[0] for key in by_key)]))
    order_scenarios = tuple(unique([*known, *(key[1] for key in by_key)]))
    cells = {}
    for t in order_tenants:
        for s in order_scenarios:
            for c in shown:
                made = cell(t, s, c)
                cells[t, s, c] = made or MatrixCell(s, t, c, CellState.SKIPPED, (), "this check was not selected")
    return Matrix(order_tenants, order_scenarios, shown, cells)


def conclude(matrix: Matrix) -> Conclusion:
    """The verdict over a matrix, in words."""
    found = Counter(cell.state for cell in matrix.cells.values())
    counts = {state: found[state] for state in CellState}
    applicable = sum(counts.values()) - counts[CellState.SKIPPED]
    ran = {CellState.PASSED, CellState.FAILED, CellState.BROKEN}
    untested = [t for t in matrix.tenants if not any(c.tenant == t and c.state in ran for c in matrix.cells.values())]
    holes = _holes(counts)

    if counts[CellState.FAILED]:
        sentence = f"{_part(counts[CellState.FAILED], applicable)} failed: {_named(matrix, CellState.FAILED)}"
        return Conclusion("fail", sentence, tuple([holes] if holes else []), counts)
    if not any(counts[state] for state in ran):
        about = f" about {listed(matrix.tenants, 3)}" if matrix.tenants else ""
        return Conclusion("inconclusive", f"No check was run, so nothing is known{about}", (), counts)
    if counts[CellState.BROKEN]:
        named = _named(matrix, CellState.BROKEN)
        sentence = f"{_part(counts[CellState.BROKEN], applicable)} could not be carried out: {named}"
        return Conclusion("inconclusive", sentence, _rest(counts, _holes(counts, but=CellState.BROKEN)), counts)
    if untested:
        sentence = f"{_capital(listed(untested, 3))} {'was' if len(untested) == 1 else 'were'} not tested at all"
        return Conclusion("inconclusive", sentence, _rest(counts, holes), counts)
    for state, what in ((CellState.STOPPED, "stopped before the end"), (CellState.MISSING, "did not run")):
        if counts[state]:
            sentence = f"{_part(counts[state], applicable)} {_was(counts[state], state)}{what}: {_named(matrix, state)}"
            return Conclusion("inconclusive", sentence, _rest(counts, _holes(counts, but=state)), counts)
    where = matrix.tenants[0] if len(matrix.tenants) == 1 else count(len(matrix.tenants), "tenant")
    checks = "The one check" if applicable == 1 else f"All {applicable:,} checks"
    return Conclusion("pass", f"{checks} passed on {clean(where, 60)}", (), counts)


def _part(number: int, applicable: int) -> str:
    if applicable == number:
        return "The one check" if number == 1 else f"All {number:,} checks"
    return f"{number:,} of {count(applicable, 'check')}"


def _was(number: int, state: CellState) -> str:
    return "" if state is not CellState.STOPPED else "was " if number == 1 else "were "


def _holes(counts: dict[CellState, int], but: CellState | None = None) -> str:
    """What is not known, apart from what is told already."""
    told = {
        CellState.BROKEN: "could not be carried out",
        CellState.STOPPED: "stopped",
        CellState.MISSING: "did not run",
    }
    parts = [
        f"{counts[state]:,} {_was(counts[state], state)}{words}"
        for state, words in told.items()
        if counts[state] and state is not but
    ]
    return f"{_capital(listed(parts))}." if parts else ""


def _rest(counts: dict[CellState, int], holes: str) -> tuple[str, ...]:
    passed = f"{count(counts[CellState.PASSED], 'check')} passed." if counts[CellState.PASSED] else ""
    return tuple(note for note in (holes, passed) if note)


def _named(matrix: Matrix, state: CellState) -> str:
    """`invoicing from time on cologne and time entry on kyoto (browser)`: channels only where not all of them are."""
    groups: dict[tuple[str, str], list[Channel]] = defaultdict(list)
    for cell in matrix.of(state):
        groups[cell.scenario, cell.tenant].append(cell.channel)
    names = []
    for (scenario, tenant), channels in groups.items():
        name = f"{humanise(scenario).lower()} on {clean(tenant, 60)}"
        partly = len(channels) < len(matrix.channels)
        names.append(f"{name} ({listed(CHANNEL_WORDS[c].replace('B', 'b') for c in channels)})" if partly else name)
    return listed(names, 3)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
