"""What came of the mutants: a line for each as it goes, then survivors and totals; the table as Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.evaluation.mutants.trials import Trial
from tests.evaluation.mutants.verdicts import CAUGHT, EQUIVALENCE, EQUIVALENT, IDLE, SURVIVED

CAUGHT_SHARE, NAMED_SHARE = 0.90, 0.85
"""The shares of active mutants, not equivalent, to be caught, and of those whose failure is to name the field."""


def line(trial: Trial) -> str:
    """`caught      account_move.date on insert: a day earlier | twin: ... | 1 run | product | names it`"""
    found = trial.caught
    parts = [f"{trial.verdict:<11} {trial.tenant} {trial.mutant.name}", activity(trial)]
    if found is not None:
        parts += [
            f'by {found.kind} in {found.scenario}, "{found.step}"',
            f"in run {trial.met.index(found) + 1}",
            f"attributed to {found.cause}",
            "names the field" if found.named else "does not name the field",
        ]
    else:
        parts += [f"{len(trial.met)} runs", trial.why]
    return " | ".join(parts)


def activity(trial: Trial) -> str:
    """How it was proved that the mutant was active."""
    rows, fired = sum(m.rows for m in trial.met), sum(m.fired for m in trial.met)
    taken_back = f", {fired - rows} more in transactions that were taken back" if fired > rows else ""
    return f"active in {rows} rows{taken_back}" if fired else "not active"


def totals(trials: Sequence[Trial]) -> Mapping[str, Any]:
    count = Counter(each.verdict for each in trials)
    seen = count[CAUGHT] + count[SURVIVED]
    found = [each.caught for each in trials if each.caught is not None]
    return {
        "planted": len(trials), "active": len(trials) - count[IDLE], "equivalent": count[EQUIVALENT],
        "caught": count[CAUGHT], "survived": count[SURVIVED], "of": seen,
        "caught_share": round(count[CAUGHT] / seen, 3) if seen else None,
        "by_kind": dict(Counter(each.kind for each in found)),
        "named": sum(each.named for each in found),
        "causes": dict(Counter(each.cause for each in found)),
    }  # fmt: skip


def summary(trials: Sequence[Trial], false: Sequence[str], runs: int) -> list[str]:
    told = totals(trials)
    equivalent = Counter(each.why for each in trials if each.verdict == EQUIVALENT)
    survivors = [f"  {each.tenant} {each.mutant.name}: {each.why}" for each in trials if each.verdict == SURVIVED]
    lines = ["", "survivors:", *(survivors or ["  none"])]
    lines += ["equivalent, by rule:", *(f"  {count} x {why}" for why, count in equivalent.items())]
    lines += [
        f"mutants: {told['planted']} planted, {told['active']} active, {told['equivalent']} of them equivalent; "
        f"caught {told['caught']} of {told['of']} ({(told['caught_share'] or 0):.0%}, at least {CAUGHT_SHARE:.0%})",
        f"  by {_counted(told['by_kind'])}; the failure names the field in {told['named']} of {told['caught']} "
        f"(at least {NAMED_SHARE:.0%}); attributed to {_counted(told['causes'])}",
        f"runs without an active mutant: {runs}, of them failed: {len(false)}",
        *(f"  {each}" for each in false),
    ]
    return lines


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items()) or "none"


def good(trials: Sequence[Trial], false: Sequence[str]) -> bool:
    told = totals(trials)
    return not false and (told["caught_share"] or 0) >= CAUGHT_SHARE and told["named"] >= NAMED_SHARE * told["caught"]


def write(folder: Path, seed: int, trials: Sequence[Trial], false: Sequence[str], runs: int) -> None:
    """`mutants.md` and `mutants.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        {
            "mutant": each.mutant.name, "tenant": each.tenant, "verdict": each.verdict, "why": each.why,
            "seconds": round(each.seconds, 1), "runs": [asdict(m) for m in each.met],
        }
        for each in trials
    ]  # fmt: skip
    whole = {"seed": seed, "totals": totals(trials), "false": list(false), "clean_runs": runs, "mutants": found}
    (folder / "mutants.json").write_text(json.dumps(whole, indent=1, default=str) + "\n")
    rows = ["| mutant | verdict | caught by | in run | attribution | why |", "|---|---|---|---|---|---|"]
    for each in trials:
        met = each.caught
        by = f"{met.kind}: {met.scenario}, {met.step}" if met else ""
        turn, cause = (str(each.met.index(met) + 1), met.cause) if met else ("", "")
        why = each.why.replace("|", "/").replace("\n", " ")[:200]
        rows.append(f"| {each.mutant.name} | {each.verdict} | {by} | {turn} | {cause} | {why} |")
    rules = [f"- {name}: {text}" for name, text in EQUIVALENCE.items()]
    text = ["# Mutants", "", f"Seed {seed}.", "", *rows, "", "Equivalent by rule:", "", *rules, ""]
    (folder / "mutants.md").write_text("\n".join([*text, *summary(trials, false, runs), ""]))
