"""What a mutant's runs say of it. Pure.

caught       a run in which it was active failed
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
    "overwritten": "the ERP wrote another value over it before the run's steps had ended",
}
"""The rules by which a mutant is equivalent."""


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
        return cls(
            scenario=result.scenario,
            rows=rows,
            fired=fired,
            stands=stands,
            failed=result.outcome in (Outcome.FAILED, Outcome.BROKEN),
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
        first = next(each for each in met if each.caught)
        return CAUGHT, first.message
    if not any(each.active for each in met):
        return IDLE, "no row was changed"
    if all((mutant.model, column) not in known.fields for column in mutant.columns):
        return EQUIVALENT, EQUIVALENCE["no field"]
    if not any(each.stands for each in met):
        return EQUIVALENT, EQUIVALENCE["overwritten"]
    return SURVIVED, "; ".join(_unseen(mutant, column, known.learned) for column in mutant.columns)


def _unseen(mutant: Mutant, column: str, learned: Sequence[LearnedTwin]) -> str:
    """Why twins could not see it."""
    records = [record for twin in learned for record in twin.records.get(mutant.model, ())]
    if not records:
        return f"no record of {mutant.model} is among those that a run is said to have made"
    fields = [record.fields[column] for record in records if column in record.fields]
    if not fields:
        return f"{mutant.model} has no field {column} that the auditor may read"
    if all(not each.expected for each in fields):
        return f"{column} varies from run to run, and nothing says by what"
    told = sorted({min(each.expected) for each in fields if each.expected})
    return f"{column} reads as {', '.join(told[:3])}, with the mutant as without it"
