"""A load in words, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ringgate.load.bottleneck import bottleneck_of
from ringgate.load.comparison import ProcessChange
from ringgate.load.outcome import LoadOutcome, quantile, span_of


def as_text(outcome: LoadOutcome) -> list[str]:
    """Lines: stages, processes, signals, what gave way, what went wrong, what is left."""
    lines = [f"{'load':<16} {'runs':>6} {'runs/s':>7} {'median':>8} {'95 %':>8} {'went wrong':>11}"]
    lines += [
        f"{each.stage.name:<16} {each.runs:>6} {each.rate:>7.2f} {_seconds(each.median):>8} {_seconds(each.p95):>8} "
        f"{each.wrong:>10.1%}"
        for each in outcome.figures()
    ]
    lines += ["", f"{'held: process':<28} {'runs':>6} {'calls':>6} {'tries':>6} {'median':>8} {'95 %':>8} {'undo':>8}"]
    for name, runs in outcome.by_scenario().items():
        well = [run.taken for run in runs if not run.kind]
        calls = sum(run.calls for run in runs) / max(len(runs), 1)
        tries = sum(run.tries for run in runs) / max(len(runs), 1)
        undo = quantile([run.undo for run in runs], 0.5)
        lines.append(f"{name:<28} {len(runs):>6} {calls:>6.1f} {tries:>6.2f} {_seconds(quantile(well, 0.5)):>8} "
                     f"{_seconds(quantile(well, 0.95)):>8} {_seconds(undo):>8}")  # fmt: skip
    signals = list(dict.fromkeys(each.signal for each in outcome.readings))
    if signals:
        lines += ["", f"{'signal':<28} {'before':>10} {'held':>10} {'most':>10} {'limit':>10}"]
    for name in signals:
        span, one = span_of(outcome, name), next(each for each in outcome.readings if each.signal == name)
        cells = [quantile(span.before, 0.5), quantile(span.held, 0.5), max(span.held, default=None), one.limit]
        told = " ".join(f"{'-' if cell is None else format(cell, '.4g'):>10}" for cell in cells)
        lines.append(f"{name:<28} {told} {one.unit}")
    found = bottleneck_of(outcome)
    lines += ["", f"bottleneck: {found.resource or 'none found'}: {found.because}"]
    if outcome.kinds():
        lines.append(f"went wrong: {', '.join(f'{kind} {number}' for kind, number in outcome.kinds().items())}")
    lines += [f"not read: {each}" for each in outcome.unread]
    if outcome.stopped:
        lines.append(f"stopped after {outcome.lasted:.0f} s: {outcome.stopped}")
    lines += [f"left in the ERP: {each}" for each in outcome.left] or ["nothing is left in the ERP"]
    return lines


def comparison_text(changes: Sequence[ProcessChange]) -> list[str]:
    lines = [f"{'process':<28} {'runs':>13} {'95 % before':>12} {'after':>8} {'wrong':>11}"]
    for each in changes:
        words = {"slower": each.slower, "goes wrong more often": each.worse}
        said = each.unknown or ", ".join(word for word, so in words.items() if so) or "as before"
        lines.append(f"{each.scenario:<28} {each.runs[0]:>6}/{each.runs[1]:>6} {_seconds(each.p95[0]):>12} "
                     f"{_seconds(each.p95[1]):>8} {each.wrong[0]:>5}/{each.wrong[1]:>5}  {said}")  # fmt: skip
    return lines


def as_plain(outcome: LoadOutcome, changes: Sequence[ProcessChange] | None) -> dict[str, Any]:
    """For other programs. Seconds throughout; None where there is nothing to say."""
    return {
        "name": outcome.name,
        "began": outcome.began.isoformat(timespec="seconds"),
        "lasted": round(outcome.lasted, 3),
        "stopped": outcome.stopped,
        "profile": asdict(outcome.profile),
        "scenarios": outcome.scenarios,
        "tenants": outcome.tenants,
        "stages": [
            {"load": each.stage.name, "runs": each.runs, "runs_per_second": round(each.rate, 4), "median": each.median,
             "p95": each.p95, "wrong": round(each.wrong, 4)}
            for each in outcome.figures()
        ],
        "bottleneck": asdict(bottleneck_of(outcome)),
        "went_wrong": outcome.kinds(),
        "late": outcome.late,
        "own_cpu": round(outcome.ours, 3),
        "not_read": outcome.unread,
        "left": outcome.left,
        "comparison": None if changes is None else [asdict(each) for each in changes],
    }  # fmt: skip


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
