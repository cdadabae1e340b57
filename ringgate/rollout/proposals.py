"""What to change in gate.toml or release.toml for the next release: a diff, and what it would have done on the stored
runs. Only what makes nothing worse there is proposed."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ringgate.evidence import EvidenceEntry, EvidenceKind
from ringgate.gate import GatePolicy
from ringgate.rollout.replay import BakeReplay, Replays
from ringgate.rollout.rollout_tables import RolloutTable


@dataclass(frozen=True, slots=True)
class ReviewProposal:
    """A change of one file. `diff` is unified; `replayed` says in sentences what it would have done."""

    file: str
    why: str
    diff: str
    replayed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One key of gate.toml, its table ("" for none), the value as TOML, and the policy with it."""

    table: str
    key: str
    value: str
    policy: GatePolicy


def gate_proposals(
    replays: Replays, places: Sequence[tuple[str, str]], bad: Collection[tuple[str, str]], text: str
) -> list[ReviewProposal]:
    """The best change of one key, if there is one: it stops what was bad earlier, or lets through what was well and was
    stopped; nothing that was bad is stopped later, and nothing more that was well is stopped."""
    now = replays.all(places, bad)
    best: tuple[float, _Candidate, list[BakeReplay]] | None = None
    for each in _candidates(replays.policy):
        then = replays.all(places, bad, each.policy)
        gain = _gain(now, then)
        if gain > 0 and (best is None or gain > best[0]):
            best = (gain, each, then)
    if best is None:
        return []
    _, chosen, then = best
    changed = with_key(text, chosen.table, chosen.key, chosen.value)
    words = tuple(words for old, new in zip(now, then, strict=True) if (words := _told(old, new)))
    name = ".".join(filter(None, (chosen.table, chosen.key)))
    return [ReviewProposal("gate.toml", f"{name} = {chosen.value}", diff("gate.toml", text, changed), words)]


def _candidates(policy: GatePolicy) -> list[_Candidate]:
    found = [
        _Candidate("", "alpha", f"{alpha:g}", replace(policy, alpha=alpha))
        for factor in (0.25, 0.5, 2.0, 4.0) if 0.001 <= (alpha := policy.alpha * factor) <= 0.05
    ]  # fmt: skip
    found += [
        _Candidate("evidence", "failures", str(least), replace(policy, least_failures=least))
        for least in (policy.least_failures - 1, policy.least_failures + 1) if least >= 2
    ]  # fmt: skip
    half = policy.tick / 2
    if half >= timedelta(seconds=15):
        found.append(_Candidate("bake", "tick", f'"{half.total_seconds():.0f} s"', replace(policy, tick=half)))
    return found


def _gain(now: Sequence[BakeReplay], then: Sequence[BakeReplay]) -> float:
    """Minutes saved and wrong stops spared (a day each); 0 or less where anything is worse."""
    gain = 0.0
    for old, new in zip(now, then, strict=True):
        before, after = old.stopped_after, new.stopped_after
        if old.bad:
            saved = (math.inf if before is None else before) - (math.inf if after is None else after)
            saved = 0.0 if math.isnan(saved) else saved
            if saved < 0:
                return -1.0
            gain += min(saved, 1440.0)
        elif before is None and after is not None:
            return -1.0
        elif before is not None and after is None:
            gain += 1440.0
    return gain


def _told(old: BakeReplay, new: BakeReplay) -> str:
    before, after = old.stopped_after, new.stopped_after
    if before == after:
        return ""
    what = "was bad" if old.bad else "was well"
    then = "would not be stopped" if after is None else f"would be stopped after {after:.0f} min"
    instead = "not at all" if before is None else f"after {before:.0f} min"
    return f"{old.release} on {old.ring} ({what}, {old.runs} runs) {then}, instead of {instead}"


def runway_proposal(
    entries: Sequence[EvidenceEntry], release: str, pace: RolloutTable, text: str
) -> list[ReviewProposal]:
    """A runway shorter than what was seen, or more than three times as long, becomes 1.5 times what was seen."""
    seen: dict[str, list[float]] = {}
    for each in entries:
        if each.release == release and each.kind is EvidenceKind.STAGE and each.body.get("outcome") == "passed":
            name = str(each.body.get("stage"))
            seen.setdefault(name, []).append(float(each.body.get("seconds") or 0.0))
    changed, words = text, []
    for key in ("upgrade", "verification", "rollback"):
        longest = max(seen.get(key, ()), default=0.0)
        stated = getattr(pace.runway, key).total_seconds()
        if longest and (longest > stated or longest * 3 < stated):
            value = f'"{max(1, math.ceil(longest * 1.5 / 60))} min"'
            if value != f'"{stated / 60:.0f} min"':
                changed = with_key(changed, "rollout.runway", key, value)
                of = len(seen[key])
                words.append(f"the longest {key} of {of} took {longest / 60:.1f} min; stated are {stated / 60:.0f} min")
    if not words:
        return []
    return [
        ReviewProposal("release.toml", "the runway as it was seen", diff("release.toml", text, changed), tuple(words))
    ]


# --- text -------------------------------------------------------------------------------------------------------------


def with_key(text: str, table: str, key: str, value: str) -> str:
    """A TOML text in which one key of one table has another value; comments stay. The key or the table is added where
    it is not there."""
    lines = text.splitlines(keepends=True)
    start, end = _span(lines, table)
    if start is None:
        gap = "\n" if lines and lines[-1].strip() else ""
        return f"{text.rstrip()}\n{gap}[{table}]\n{key} = {value}\n".lstrip()
    for number in range(start, end):
        if found := re.match(rf"(\s*{re.escape(key)}\s*=\s*)(\"[^\"]*\"|[^#\s]+)(.*)", lines[number], re.DOTALL):
            lines[number] = f"{found[1]}{value}{found[3]}"
            return "".join(lines)
    lines.insert(start, f"{key} = {value}\n")
    return "".join(lines)


def _span(lines: Sequence[str], table: str) -> tuple[int | None, int]:
    """The lines of a table, without its heading."""
    heads = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    if not table:
        return 0, heads[0] if heads else len(lines)
    for place, number in enumerate(heads):
        if re.match(rf"\s*\[{re.escape(table)}\]", lines[number]):
            return number + 1, heads[place + 1] if place + 1 < len(heads) else len(lines)
    return None, 0


def diff(file: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )  # fmt: skip
    return "".join(each if each.endswith("\n") else f"{each}\n" for each in lines)
