"""What a mutant's runs say of it. Pure.

caught       a run in which it was active failed by the ERP's fault: a broken one, or no answer in time, is no evidence
equivalent   it was active, and by a rule nobody can have seen it: the rule is printed
survived     it was active and could have been seen; why nothing saw it is said
not active   no row was changed by it
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Outcome
from ringgate.twins.model import LearnedTwin
from tests.evaluation.mutants.rules import Mutant

CAUGHT, SURVIVED, EQUIVALENT, IDLE = "caught", "survived", "equivalent", "not active"
EQUIVALENCE = {
    "no field": "the ERP has no field for the column: no person and no program is shown it",
    "link": "who linked two records and when is kept with the link, which is shown nowhere but as its two ends",
    "overwritten": "the ERP wrote another value over it before the run's steps had ended",
}
"""The rules by which a mutant is equivalent."""
SILENT = frozenset({"timed-out", "unavailable"})
"""Failures that tell of a slow or silent ERP, and so of nothing that was planted here."""
KEPT_BY_THE_ERP = frozenset({"create_uid", "create_date", "write_uid", "write_date"})


@dataclass(frozen=True, slots=True)
class Met:
    """One run with the mutant planted. `rows` were changed by it and stayed; `fired` counts all, also in
    transactions that the ERP took back. `stands`: a value of it was there when the steps had ended. `named`: the
    failure names the field or its label. `cause` is whom the gate attributes it to."""

    scenario: str
    rows: int
    fired: int
    stands: bool
    failed: bool
    broken: bool
    left: bool
    kind: str = ""
    step: str = ""
    message: str = ""
    named: bool = False
    cause: str = ""

    @property
    def active(self) -> bool:
        return self.fired > 0

    @property
    def caught(self) -> bool:
        return self.active and self.failed

    @classmethod
    def of(
        cls, result: RunResult, mutant: Mutant, *, rows: int, fired: int, stands: bool, cause: str, evidence: str
    ) -> Met:
        failure = result.failure
        text = f"{failure.message}\n{failure.expected} {failure.actual}\n{evidence}" if failure else ""
        silent = failure is not None and failure.kind in SILENT
        return cls(
            scenario=result.scenario,
            rows=rows,
            fired=fired,
            stands=stands,
            failed=result.outcome is Outcome.FAILED and not silent,
            broken=result.outcome is Outcome.BROKEN or silent,
            left=bool(result.residue),
            kind=failure.kind if failure else "",
            step=failure.step if failure else "",
            message=failure.message if failure else "",
            named=names(mutant, text),
            cause=cause,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the runs: the ERP's fields, and what runs before had in common."""

    fields: frozenset[tuple[str, str]]
    learned: Sequence[LearnedTwin]

    def model_of(self, table: str) -> str:
        """The model whose records are in a table, "" where the ERP has none."""
        return next((model for model, _ in sorted(self.fields) if re.sub(r"\W+", "_", model) == table), "")


def names(mutant: Mutant, text: str) -> bool:
    """Whether a failure names what was changed: the field as the ERP calls it, or its word of the business."""
    return any(
        f"{mutant.model}.{column}" in text or re.search(rf"\b{_word(column)}", text, re.IGNORECASE) is not None
        for column in mutant.columns
    )


def _word(column: str) -> str:
    return re.escape(column.strip("_").replace("_", " "))


def judged(mutant: Mutant, met: Sequence[Met], known: Known) -> tuple[str, str]:
    """The verdict, and why."""
    if any(each.caught for each in met):
        return CAUGHT, next(each.message for each in met if each.caught)
    if not any(each.active for each in met):
        return IDLE, "no row was changed"
    model = known.model_of(mutant.table.replace("-", "_"))
    if rule := _unseeable(mutant, model, met, known):
        return EQUIVALENT, EQUIVALENCE[rule]
    if all(each.broken for each in met if each.active):
        return SURVIVED, f"its runs are broken, which is no evidence: {met[-1].message}"
    return SURVIVED, "; ".join(_unseen(model, column, known.learned) for column in mutant.columns)


def _unseeable(mutant: Mutant, model: str, met: Sequence[Met], known: Known) -> str:
    """The rule by which nobody can see it, "" for none."""
    if all((model, column) not in known.fields for column in mutant.columns):
        return "no field"
    if "-" in model and KEPT_BY_THE_ERP.issuperset(mutant.columns):
        return "link"
    return "" if any(each.stands for each in met) else "overwritten"


def _unseen(model: str, column: str, learned: Sequence[LearnedTwin]) -> str:
    """Why twins could not see it."""
    records = [record for twin in learned for record in twin.records.get(model, ())]
    if not records:
        return f"no record of {model} is among those that a run is said to have made"
    fields = [record.fields[column] for record in records if column in record.fields]
    if not fields:
        return f"{model} has no field {column} that the auditor may read"
    if all(not each.expected for each in fields):
        return f"{column} varies from run to run, and nothing says by what"
    told = sorted({min(each.expected) for each in fields if each.expected})
    return f"{column} reads as {', '.join(told[:3])}, with the mutant as without it"
