"""Durations as strips: one dot for each run, the median and the spread, on one tidy axis in seconds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Channel, Outcome
from ringgate.report.matrix import Matrix
from ringgate.report.text import CHANNEL_WORDS, DASH, clean, count, humanise, seconds

MOST_DOTS = 60
"""More dots than this on one strip would be a bar; the slowest, the fastest and an even choice between them stay."""


@dataclass(frozen=True, slots=True)
class TimingSample:
    """One duration. `ok` is False for a step that failed: shown as a cross, and kept out of median and spread."""

    seconds: float
    label: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Dot:
    """A sample's place on the axis, in percent."""

    at: float
    title: str
    ok: bool


@dataclass(frozen=True, slots=True)
class TimingStrip:
    """One line of a plot. Places are in percent of the axis; `quartiles` is None for fewer than five samples."""

    label: str
    dots: tuple[Dot, ...]
    ends: tuple[float, float] | None
    quartiles: tuple[float, float] | None
    median: float | None
    median_text: str
    range_text: str
    words: str


@dataclass(frozen=True, slots=True)
class AxisMark:
    """A mark of the axis: its place in percent and its text, the last one with the unit."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Strips over one axis, for one channel."""

    channel: str
    runs: int
    ticks: tuple[AxisMark, ...]
    strips: tuple[TimingStrip, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A scenario's plots, one for each channel that ran."""

    scenario: str
    plots: tuple[Plot, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Slow:
    """One of the slowest steps. `share` is in percent of the slowest."""

    step: str
    scenario: str
    tenant: str
    channel: str
    seconds: str
    share: float


def axis(longest: float) -> tuple[float, tuple[AxisMark, ...]]:
    """Where an axis from 0 ends, in seconds, and its three to six ticks at round values."""
    longest = max(longest, 0.01)
    rough = longest / 4
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= rough * 0.999)
    number = math.ceil(longest / step - 1e-9)
    end = number * step
    ticks = [AxisMark(100 * i / number, f"{i * step:.4g}") for i in range(number + 1)]
    return end, (*ticks[:-1], AxisMark(100.0, f"{ticks[-1].text} s"))


def strip(label: str, samples: Sequence[TimingSample], end: float) -> TimingStrip:
    """Place samples on an axis that ends at `end` seconds."""

    def at(value: float) -> float:
        return round(min(100.0, 100 * value / end), 2)

    good = sorted(sample.seconds for sample in samples if sample.ok)
    shown = sorted(samples, key=lambda sample: sample.seconds)
    if len(shown) > MOST_DOTS:
        shown = [shown[round(i * (len(shown) - 1) / (MOST_DOTS - 1))] for i in range(MOST_DOTS)]
    dots = tuple(Dot(at(s.seconds), f"{s.label}: {seconds(s.seconds)}", s.ok) for s in shown)
    failed = len(samples) - len(good)
    if not good:
        return TimingStrip(label, dots, None, None, None, DASH, "", f"{count(failed, 'run')}, none finished")
    middle = statistics.median(good)
    spread = _range(good[0], good[-1]) if len(good) > 1 else ""
    quarters = statistics.quantiles(good, n=4, method="inclusive") if len(good) > 4 else None
    words = f"{count(len(good), 'run')}, median {seconds(middle)}"
    words += f", from {seconds(good[0])} to {seconds(good[-1])}" if len(good) > 1 else ""
    words += f"; {failed} did not finish" if failed else ""
    return TimingStrip(
        label,
        dots,
        (at(good[0]), at(good[-1])),
        (at(quarters[0]), at(quarters[2])) if quarters else None,
        at(middle),
        seconds(middle),
        spread,
        words,
    )


def plot(channel: Channel, runs: int, rows: Iterable[tuple[str, Sequence[TimingSample]]]) -> Plot:
    """Strips for these labelled samples on one axis."""
    held = [(label, samples) for label, samples in rows if samples]
    end, ticks = axis(max((sample.seconds for _, samples in held for sample in samples), default=0))
    return Plot(CHANNEL_WORDS[channel], runs, ticks, tuple(strip(label, s, end) for label, s in held))


def overview(matrix: Matrix, results: Sequence[RunResult]) -> tuple[Plot, ...]:
    """Whole runs: for each channel one plot with a strip for each scenario."""
    plots = []
    for channel in matrix.channels:
        ran = [
            run for run in results if run.channel is channel and run.outcome not in (Outcome.SKIPPED, Outcome.STOPPED)
        ]
        rows = [(humanise(s), [_whole(run) for run in ran if run.scenario == s]) for s in matrix.scenarios]
        if ran:
            plots.append(plot(channel, len(ran), rows))
    return tuple(plots)


def panels(matrix: Matrix, results: Sequence[RunResult]) -> tuple[Panel, ...]:
    """Steps: for each scenario that has any, one plot for each channel."""
    made = []
    for scenario in matrix.scenarios:
        plots = []
        for channel in matrix.channels:
            runs = [run for run in results if run.scenario == scenario and run.channel is channel and run.steps]
            if runs:
                plots.append(plot(channel, len(runs), _steps(runs)))
        if plots:
            whole = [
                (p.channel, _median(results, scenario, c))
                for c in matrix.channels
                for p in plots
                if p.channel == CHANNEL_WORDS[c]
            ]
            total = ", ".join(f"{name} {text}" for name, text in whole if text)
            made.append(Panel(humanise(scenario), tuple(plots), total))
    return tuple(made)


def slowest(results: Iterable[RunResult], most: int = 10) -> tuple[Slow, ...]:
    """The slowest steps of all runs."""
    steps = [(step, run) for run in results for step in run.steps]
    steps.sort(key=lambda pair: (-pair[0].seconds, pair[1].run_id))
    longest = steps[0][0].seconds if steps else 0.0
    return tuple(
        Slow(
            clean(step.name, 120),
            humanise(run.scenario),
            clean(run.tenant, 60),
            CHANNEL_WORDS[run.channel],
            seconds(step.seconds),
            round(100 * step.seconds / longest, 1) if longest else 0.0,
        )
        for step, run in steps[:most]
    )


def _steps(runs: Sequence[RunResult]) -> list[tuple[str, list[TimingSample]]]:
    """Samples by step name, in the order of the run that came furthest, with other runs' own steps after them."""
    rows: dict[str, list[TimingSample]] = {}
    for run in sorted(runs, key=lambda run: -len(run.steps)):
        for step in run.steps:
            label = (
                f"{clean(run.tenant, 60)}"
                if step.outcome is Outcome.PASSED
                else f"{clean(run.tenant, 60)} ({step.outcome})"
            )
            rows.setdefault(clean(step.name, 120), []).append(
                TimingSample(step.seconds, label, step.outcome is Outcome.PASSED)
            )
    return list(rows.items())


def _range(shortest: float, longest: float) -> str:
    """`0.21-0.30 s`, `40.1 s - 2 min 3 s`, with the longer dash."""
    low, high = seconds(shortest), seconds(longest)
    if low == high:
        return high
    return f"{low} {DASH} {high}" if "min" in high or " h" in high else f"{low.removesuffix(' s')}{DASH}{high}"


def _whole(run: RunResult) -> TimingSample:
    ok = run.outcome is Outcome.PASSED
    return TimingSample(run.seconds, clean(run.tenant, 60) if ok else f"{clean(run.tenant, 60)} ({run.outcome})", ok)


def _median(results: Sequence[RunResult], scenario: str, channel: Channel) -> str:
    good = [
        r.seconds for r in results if r.scenario == scenario and r.channel is channel and r.outcome is Outcome.PASSED
    ]
    return seconds(statistics.median(good)) if good else ""
