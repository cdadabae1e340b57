"""What came of the catalogue, for people and for programs: lines as it goes, then a table and totals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.evaluation.faults.trials import Trial

CAUGHT, RIGHT = 0.95, 0.90
"""The shares that must be caught, and attributed rightly."""


@dataclass
class Clean:
    """What the gate said of rounds in which nothing was wrong. `failed` are runs that did, all the same."""

    rounds: int = 0
    runs: int = 0
    alarms: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    verdict: str = ""


@dataclass
class Results:
    """All trials, in the order of the catalogue, and the clean rounds before them."""

    clean: Clean = field(default_factory=Clean)
    trials: dict[str, Trial] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Results:
        if not file.is_file():
            return cls()
        kept = json.loads(file.read_text())
        trials = {each["fault"]: Trial(**{k: v for k, v in each.items() if k != "right"}) for each in kept["faults"]}
        return cls(Clean(**kept["clean"]), trials)

    def write(self, folder: Path, order: Sequence[str]) -> None:
        self.trials = {name: self.trials[name] for name in order if name in self.trials}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.json").write_text(json.dumps(self.as_json(), indent=1) + "\n")
        (folder / "faults.md").write_text(self.as_markdown())

    def as_json(self) -> dict[str, Any]:
        faults = [trial.as_json() for trial in self.trials.values()]
        return {"totals": self.totals(), "clean": vars(self.clean), "faults": faults}

    def totals(self) -> Mapping[str, Any]:
        count = len(self.trials)
        caught = sum(trial.caught for trial in self.trials.values())
        right = sum(trial.right for trial in self.trials.values())
        return {
            "faults": count, "caught": caught, "right": right, "alarms": len(self.clean.alarms),
            "left": sum(bool(trial.left or trial.error) for trial in self.trials.values()),
        }  # fmt: skip

    @property
    def good(self) -> bool:
        """Whether what must hold does. The clean rounds count only where there were any."""
        totals = self.totals()
        enough = totals["caught"] >= CAUGHT * totals["faults"] and totals["right"] >= RIGHT * totals["faults"]
        return enough and not totals["alarms"] and not totals["left"]

    def summary(self) -> list[str]:
        totals, clean = self.totals(), self.clean
        count = totals["faults"] or 1
        return [
            f"clean: {clean.rounds} rounds, {clean.runs} runs, {len(clean.failed)} failed, "
            f"{totals['alarms']} alarms; the gate says: {clean.verdict or 'nothing'}",
            f"faults: {totals['faults']}; caught {totals['caught']} ({totals['caught'] / count:.0%}, at least "
            f"{CAUGHT:.0%}); attribution right {totals['right']} ({totals['right'] / count:.0%}, at least "
            f"{RIGHT:.0%}); traces left by {totals['left']}",
        ]

    def as_markdown(self) -> str:
        head = "| fault | caught | runs | rounds | action | attribution | expected | by |"
        rows = [
            f"| {t.fault} | {'yes' if t.caught else 'MISSED'} | {t.runs} | {t.rounds} | {t.action} | "
            f"{t.cause or '-'}{'' if t.right else ' (wrong)'} | {t.expected} | {', '.join(t.by) or '-'} |"
            for t in self.trials.values()
        ]
        lines = ["# Faults", "", *(f"- {line}" for line in self.summary()), "", head, "|" + " --- |" * 8, *rows]
        return "\n".join(lines) + "\n"


def line(trial: Trial) -> str:
    """One fault on one line."""
    caught = f"caught in {trial.runs:3} runs, {trial.rounds:2} rounds" if trial.caught else "MISSED".ljust(28)
    cause = f"{trial.cause or '-'}" + ("" if trial.right else f" (expected {trial.expected})")
    told = f"{trial.fault:26}{caught:31}{trial.action:13}{cause:36}{trial.seconds:5.0f} s  {', '.join(trial.by)}"
    notes = [
        *(f"passed, and should not have: {each}" for each in trial.silent),
        *(f"failed otherwise: {each}" for each in trial.otherwise),
        *(f"left: {each}" for each in trial.left),
        *([f"error: {trial.error}"] if trial.error else []),
    ]
    return "\n".join([told, *(f"    {note}" for note in notes)])
