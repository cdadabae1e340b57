"""A verdict on one page, for the release manager who has to act on it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ringgate.gate import Attribution, BlastRadius, GateState, SignalEvidence, Verdict, Word
from ringgate.gate.words import counted, listed, moment, percent, span, units
from ringgate.host.secrets import redact

WIDTH = 110
MOST_GROUPS = 5
MOST_SUSPECTS = 6

HEADLINES = {
    GateState.PROMOTE: "PROMOTE. The release is no worse than what was before it.",
    GateState.INCONCLUSIVE: "INCONCLUSIVE. Nothing is decided, so the rollout does not go on.",
    GateState.HOLD: "HOLD. The next ring waits while the probes go on; this ends by itself if it was nothing.",
    GateState.PAUSE: "PAUSE. The release is worse than what was before it. Somebody has to decide.",
    GateState.ROLL_BACK: "ROLL BACK. The release does harm.",
}
_FAILING = {GateState.PROMOTE: "What failed, no more than before"}
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 24


def as_text(verdict: Verdict, width: int = WIDTH) -> str:
    """The whole page, no line longer than `width` but for those of a table."""
    facts = verdict.facts
    parts = [
        f"{facts.ring}, release {facts.release}, {moment(facts.now)}",
        HEADLINES[verdict.state],
        "",
        *_bullets(_why(verdict), width),
        *_section(_FAILING.get(verdict.state, "What fails"), _failures(verdict.attributions, width)),
        *_section("What our own side could not carry out", _failures(verdict.ours, width)),
        *_section("Whose business it is", _bullets(_cause(verdict), width)),
        *_section("Whom it may hit", _radius(verdict.radius, width) if verdict.attributions else ()),
        *_section("The bets", _bets(verdict, width)),
        *_section("What it rests on", _bullets(_evidence_lines(verdict), width)),
        *_section("What would change it", _bullets(verdict.outlook.sentences, width)),
        *_section("What is accepted", _bullets(_waivers(verdict), width)),
        *_section("Remarks", _bullets(verdict.remarks, width)),
    ]
    return redact("\n".join(parts)) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    return ["", title, *lines] if lines else []


def _bullets(sentences: Iterable[str], width: int) -> list[str]:
    return [line for sentence in sentences for line in _wrapped(sentence, width, "  - ", "    ")]


def _wrapped(text: str, width: int, first: str, then: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), width, initial_indent=first, subsequent_indent=then, break_on_hyphens=False
    )


def _why(verdict: Verdict) -> Iterator[str]:
    """The reasons; where it failed, without those of a bake that is not finished yet."""
    if verdict.state is GateState.PROMOTE:
        yield (
            f"The bet that the release is fine stands at {units(verdict.facts.fine)} units, and "
            f"{units(verdict.facts.fine_at)} are needed. No bet against it holds, every tenant was tested lately, it "
            "has soaked, and the self-test was caught."
        )
    for reason in verdict.reasons:
        if verdict.word is not Word.FAIL or reason.rule not in ("soaking", "undecided"):
            yield reason.sentence


# --- the parts --------------------------------------------------------------------------------------------------------


def _cause(verdict: Verdict) -> Iterator[str]:
    """Said where it stops, and what fails has more than one cause or none of its own."""
    causes = {each.cause for each in (*verdict.attributions, *verdict.ours)}
    if verdict.cause and verdict.state is not GateState.PROMOTE and causes != {verdict.cause[0]}:
        yield f"{verdict.cause[0].value.upper()}: {verdict.cause[1]}."


def _failures(attributions: Sequence[Attribution], width: int) -> Iterator[str]:
    for each in attributions[:MOST_GROUPS]:
        scenario, step, kind, _ = each.group.signature
        where = f'{scenario}, "{step}"' if step else scenario
        over = listed(channel.value for channel in each.group.channels)
        yield from _wrapped(
            f"{counted(each.group.runs, 'run')}: {where} on {listed(each.group.tenants)} over {over} ({kind}) -> "
            f"{each.cause.value.upper()}: {each.because}. {each.remark}",
            width, "  - ", "    ",
        )  # fmt: skip
        told = textwrap.shorten(each.group.failure.message, 2 * width, placeholder=" ...")
        yield from _wrapped(f"{told} (run {each.group.example.run_id})", width, "    ", "    ")
    if (more := len(attributions) - MOST_GROUPS) > 0:
        yield f"  - and {counted(more, 'more kind')} of failure; --format json lists them."


def _radius(radius: BlastRadius | None, width: int) -> Iterator[str]:
    if radius is None:
        return
    sentences = [f"Failing: {listed(radius.failing)}. Well: {listed(radius.well) or 'none'}. {radius.sentence}"]
    if radius.suspects:
        sentences.append(f"Suspects: {listed(map(str, radius.suspects), MOST_SUSPECTS)}.")
    if radius.exposed:
        told = [f"{t} ({listed(map(str, shared))})" if shared else t for t, shared in radius.exposed.items()]
        sentences.append(f"In later rings it may hit {listed(told, MOST_SUSPECTS)}.")
    if radius.spared:
        sentences.append(f"Nothing speaks for {listed(radius.spared)} being hit.")
    yield from _bullets(sentences, width)


def _bets(verdict: Verdict, width: int) -> Iterator[str]:
    if not verdict.evidence:
        return
    each, policy = verdict.evidence[0].alpha, verdict.facts.policy
    split = f"; alpha is {percent(policy.alpha)}, split evenly over {counted(len(verdict.facts.signals), 'signal')}"
    yield from _wrapped(
        "Start with 1 unit and bet it against the release, at odds that are fair under the old failure rate. At "
        f"{units(1 / each)} units we pause. A healthy release gets there at most once in {round(1 / policy.alpha)} "
        f"bakes, however often anybody looks ({percent(each)} a signal{split}).",
        width, "  ", "  ",
    )  # fmt: skip
    yield ""
    heads = ("signal", "now", "highest", "stops at", "bad of runs", "before", "at most", "since the start")
    rows = [heads, *(_row(evidence) for evidence in verdict.evidence)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        yield (
            "  "
            + "  ".join(
                cell.ljust(size) if index in (0, 7) else cell.rjust(size)
                for index, (cell, size) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        )
    yield ""
    facts = verdict.facts
    yield from _wrapped(
        f"The bet for the release: {units(facts.fine)} of {units(facts.fine_at)} units that promote it.",
        width,
        "  ",
        "  ",
    )
    for evidence in verdict.evidence:
        if sick := [f"{tenant} {units(stands)}" for tenant, stands in evidence.tenants if stands >= 10]:
            yield from _wrapped(
                f"Against single tenants, by {evidence.signal}: {listed(sick)} units.", width, "  ", "  "
            )
        if evidence.own_nulls:
            told = listed(f"{who} {percent(rate)}" for who, rate in evidence.own_nulls)
            yield from _wrapped(
                f"Worse before already, and granted that, by {evidence.signal}: {told}.", width, "  ", "  "
            )
    for signal, why in verdict.unused.items():
        yield f"  {signal.value} is not judged: {why}."


def _row(each: SignalEvidence) -> tuple[str, ...]:
    before = f"{each.bad_before:,} of {each.runs_before:,}" if each.runs_before else "-"
    stops = units(each.pause_at) if each.pause_at else f"{units(each.hold_at)} (hold)"
    return (
        each.signal.value, units(each.quick), units(each.peak), stops, f"{each.bad:,} of {each.runs:,}", before,
        percent(each.null), sparkline([point.quick for point in each.curve], each.hold_at),
    )  # fmt: skip


def sparkline(values: Sequence[float], top: float) -> str:
    """Evidence over time on a logarithmic scale, from 1 unit or less up to `top`; each column is its highest value."""
    if not values:
        return ""
    size = max(1, -(-len(values) // _COLUMNS))
    peaks = [max(values[at : at + size]) for at in range(0, len(values), size)]
    steps = len(_BARS) - 1

    def bar(value: float) -> str:
        height = math.log(max(value, 1.0)) / math.log(max(top, math.e))
        return _BARS[min(steps, int(height * steps))]

    return "".join(map(bar, peaks))


def _evidence_lines(verdict: Verdict) -> Iterator[str]:
    facts, samples, before = verdict.facts, verdict.samples, verdict.baseline
    if facts.started is not None:
        yield (
            f"Deployed {moment(facts.started)}, {span(facts.now - facts.started)} ago; soaks for "
            f"{span(facts.policy.soak)}, decided by {moment(facts.started + facts.policy.deadline)} at the latest."
        )
    missing = f"; not {listed(facts.untested)}" if facts.untested else ""
    yield f"Tenants tested: {len(facts.tested)} of {len(facts.expected)} expected{missing}."
    if samples.newest is not None:
        parts = [f"{samples.passed:,} passed", f"{samples.failed:,} failed"]
        parts += [f"{samples.broken:,} broken on our side"] if samples.broken else []
        parts += [f"{samples.waived:,} failed as a waiver accepts"] if samples.waived else []
        yield f"Runs of the release: {listed(parts, 4)}; the newest is {span(facts.now - samples.newest)} old."
    if before is not None and before.since is not None and before.until is not None:
        yield (
            f"Baseline: {counted(before.runs, 'run')}, {before.failed:,} failed, from {moment(before.since)} to "
            f"{moment(before.until)}."
        )
    if facts.self_tests:
        last, caught = max(facts.self_tests, key=lambda test: test.at), sum(test.caught for test in facts.self_tests)
        yield (
            f"Self-test: {last.scenario} on {last.tenant}, {moment(last.at)}, "
            f"{'caught' if last.caught else 'NOT caught'} ({caught} of {len(facts.self_tests)} caught)."
        )


def _waivers(verdict: Verdict) -> Iterator[str]:
    for waiver, _ in verdict.waived:
        yield f"{waiver}: {waiver.reason}."
    for waiver in verdict.expired:
        yield f"EXPIRED, covers nothing: {waiver}: {waiver.reason}."
