"""The report: one HTML page that stands alone, and the matrix for the terminal.

The page holds its styles, plots and pictures itself and asks for nothing over the network. It can be read without
JavaScript, on a phone, in the dark and on paper. It says `pass` only where everything expected ran and passed.

    out = Path("reports/out")
    page = out / "index.html"
    build_report(results, tenants, scenarios, title="Nightly", generated_at=now, out=page, attachments_root=out)
    Console().print(matrix_table(results, tenants, scenarios))
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from ringgate.domain.model import Deployment, NotedEvent, RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel
from ringgate.report import timing, views
from ringgate.report.matrix import (
    STATE_MEANINGS,
    STATE_WORDS,
    CellState,
    Conclusion,
    Matrix,
    MatrixCell,
    build_matrix,
    conclude,
)
from ringgate.report.page import write_page
from ringgate.report.text import CHANNEL_WORDS, DASH, TIMES, clean, clock, humanise, moment, seconds
from ringgate.report.timeline import timeline

__all__ = ["build_report", "conclude_results", "matrix_table"]

_VERDICT_WORDS = {"pass": "Passed", "fail": "Failed", "inconclusive": "Inconclusive"}
_VERDICT_STATES = {"pass": "passed", "fail": "failed", "inconclusive": "broken"}
_MARKS = {
    CellState.PASSED: ("✓", "green"),
    CellState.FAILED: ("✗", "bold red"),
    CellState.BROKEN: ("!", "bold yellow"),
    CellState.MISSING: ("?", "bold magenta"),
    CellState.STOPPED: ("■", "magenta"),
    CellState.SKIPPED: (DASH, "dim"),
}


def conclude_results(
    results: Sequence[RunResult],
    tenants: Sequence[Tenant] = (),
    scenarios: Sequence[Scenario] = (),
    *,
    channels: Sequence[Channel] | None = None,
) -> Conclusion:
    """The report's verdict on its own: `.word` (`pass`, `fail`, `inconclusive`), `.sentence`, `.notes`, `.counts`."""
    return conclude(build_matrix(results, tenants, scenarios, channels))


def build_report(
    results: Sequence[RunResult],
    tenants: Sequence[Tenant],
    scenarios: Sequence[Scenario],
    *,
    title: str,
    generated_at: datetime,
    release: str = "",
    out: Path,
    attachments_root: Path,
    channels: Sequence[Channel] | None = None,
    deployments: Sequence[Deployment] = (),
    notes: Sequence[NotedEvent] = (),
    part_of: tuple[str, str] | None = None,
) -> Path:
    """Write the page to the file `out` and return it; an older page is replaced only by a complete one.

    `tenants`, `scenarios` and `channels` (None: all) are what was meant to run: what of it has no result counts as not
    run, and makes the verdict inconclusive. `generated_at` is aware. `attachments_root` is the folder from which the
    attachments' paths count. `deployments` are those that were noted; the ones that concern these runs are told, as
    are `notes`. `part_of` is name and address of a page that this one belongs to.

    Raises RinggateError if `out` cannot be written.
    """
    results = list(results)
    context = _context(results, tenants, scenarios, channels, title, generated_at, release, out, attachments_root)
    context |= {"timeline": timeline(results, deployments, notes), "part_of": part_of}
    return write_page("report.html.j2", context, out)


def matrix_table(
    results: Sequence[RunResult],
    tenants: Sequence[Tenant] = (),
    scenarios: Sequence[Scenario] = (),
    *,
    channels: Sequence[Channel] | None = None,
) -> Group:
    """The matrix for a terminal: a sentence, one cell for each tenant and scenario, one mark in it for each channel.

    Up to six tenants stand across, more stand down. Marks differ by shape, not only by colour.
    """
    matrix = build_matrix(results, tenants, scenarios, channels)
    conclusion = conclude(matrix)
    legend = "  ".join(f"{_MARKS[state][0]} {STATE_WORDS[state]}" for state in _MARKS if conclusion.counts[state])
    order = " / ".join(CHANNEL_WORDS[channel] for channel in matrix.channels)
    table = Table()
    across = matrix.tenants if matrix.tenants_across else matrix.scenarios
    down = matrix.scenarios if matrix.tenants_across else matrix.tenants
    table.add_column("scenario" if matrix.tenants_across else "tenant", no_wrap=True)
    for name in across:
        heading = clean(name, 40) if matrix.tenants_across else clean(name, 40).replace("-", "\n")
        table.add_column(escape(heading), justify="center")
    for row in down:
        keys = [(col, row) if matrix.tenants_across else (row, col) for col in across]
        marks = [" / ".join(_mark(matrix[t, s, c]) for c in matrix.channels) for t, s in keys]
        table.add_row(escape(clean(row, 40)), *marks)
    below = f"[dim]{order}\n{legend}[/]" if legend else "[dim]no checks[/]"
    return Group(escape(f"{conclusion.sentence}."), table, below)


def _mark(cell: MatrixCell) -> str:
    sign, style = _MARKS[cell.state]
    return f"[{style}]{sign}[/]"


def _context(
    results: Sequence[RunResult],
    tenants: Sequence[Tenant],
    scenarios: Sequence[Scenario],
    channels: Sequence[Channel] | None,
    title: str,
    generated_at: datetime,
    release: str,
    out: Path,
    root: Path,
) -> dict[str, Any]:
    """Everything the templates read."""
    matrix = build_matrix(results, tenants, scenarios, channels)
    conclusion = conclude(matrix)
    where = views.anchors(results)
    absent, absences = views.absences(matrix)
    rings = {run.tenant: run.ring for run in results} | {tenant.id: tenant.ring for tenant in tenants}
    return {
        "title": clean(title, 120) or "Ringgate report",
        "verdict": conclusion,
        "verdict_word": _VERDICT_WORDS[conclusion.word],
        "verdict_state": _VERDICT_STATES[conclusion.word],
        "generated": moment(generated_at),
        "generated_iso": generated_at.isoformat(timespec="seconds"),
        "generated_clock": clock(generated_at),
        "facts": views.facts(results, tenants, matrix, release),
        "counter": [(s.value, STATE_WORDS[s], STATE_MEANINGS[s], conclusion.counts[s]) for s in _MARKS],
        "matrix": _matrix_view(matrix, where, absent, {t: clean(r, 40) for t, r in rings.items()}, scenarios),
        "failures": views.failures(results, matrix, where, out, root, tenants),
        "residue": views.residue(results),
        "overview": timing.overview(matrix, results),
        "panels": timing.panels(matrix, results),
        "slowest": timing.slowest(results),
        "absences": absences,
        "tenants": views.tenant_views(tenants),
        "audit": views.audit(results, where),
        "writes": any(scenario.effect for scenario in scenarios) or not scenarios,
    }


def _matrix_view(
    matrix: Matrix,
    where: dict[int, str],
    absent: dict[tuple[str, str, str], str],
    rings: dict[str, str],
    scenarios: Sequence[Scenario],
) -> dict[str, Any]:
    """The matrix as rows of cells, with the shorter side across."""
    titles = views.scenario_titles(scenarios)
    heads_t = [{"id": t, "name": clean(t, 60), "note": rings.get(t, ""), "hint": ""} for t in matrix.tenants]
    heads_s = [{"id": s, "name": humanise(s), "note": "", "hint": titles.get(s, "")} for s in matrix.scenarios]
    across, down = (heads_t, heads_s) if matrix.tenants_across else (heads_s, heads_t)

    def view(key: tuple[str, str], channel: Channel) -> dict[str, Any]:
        cell = matrix[(*key, channel)]
        run, href = cell.decisive, ""
        if cell.state is CellState.SKIPPED:
            href = absent[cell.tenant, cell.scenario, channel.value]
        elif run is not None:
            href = where[id(run)]
        ran = [r for r in cell.runs if r.outcome.value != CellState.SKIPPED.value]
        same = sum(1 for r in ran if r.outcome.value == cell.state.value)
        return {
            "state": cell.state.value,
            "word": STATE_WORDS[cell.state],
            "href": href,
            "time": seconds(cell.seconds) if cell.seconds is not None else "",
            "of": "" if len(ran) < 2 else f"{TIMES}{same}" if same == len(ran) else f"{same} of {len(ran)}",
            "reason": clean(cell.reason, 300),
            "about": f"{humanise(cell.scenario)} on {clean(cell.tenant, 60)}, {CHANNEL_WORDS[channel]}",
        }

    rows = []
    for head in down:
        keys = [(col["id"], head["id"]) if matrix.tenants_across else (head["id"], col["id"]) for col in across]
        lines = [(CHANNEL_WORDS[c], [view(key, c) for key in keys]) for c in matrix.channels]
        rows.append({"head": head, "lines": lines})
    return {
        "across": across,
        "rows": rows,
        "tenants_across": matrix.tenants_across,
        "fits": len(across) <= 4,
        "tall": len(across) > 4 or any(len(head["name"]) > 8 for head in across),
    }
