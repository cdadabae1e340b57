"""What people reviewed: a TOML file of fields that became others across series, and of findings that are accepted.

    [[field]]                                   # a field of one series is another of a later one
    before = "account.move.post_number"
    after = "account.move.number"
    from = "7.0"
    to = "8.0"
    reviewed_by = "finance-team"

    [[accepted]]                                # a finding that somebody answers for
    tenant = "aldgate"                          # or "*" for all
    signature = "field gone account.move.line.*"
    owner = "qa"
    reason = "the module was left out on purpose"
    expires = 2027-03-31

A signature is what a finding ends with in its evidence; `*` and `?` stand for any characters. What has expired accepts
nothing. All mistakes of a file are told at once, each with its key and rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ringgate.domain.waivers import Waiver
from ringgate.inventory import InventoryError
from ringgate.inventory.files import Problem, dotted, faults, read_layer
from ringgate.inventory.kinds import Name, StrictTable
from ringgate.inventory.waivers import WaiverTable
from ringgate.twins.comparison import TwinFinding
from ringgate.twins.model import LearnedRecord, LearnedTwin


def _path(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)+", value):
        raise ValueError("must be a model and its field, as in <model>.<field>")
    return value


FieldPath = Annotated[str, AfterValidator(_path)]


class TwinsFileMistake(InventoryError):
    """The file of reviewed fields and accepted findings cannot be used; `problems` holds every reason."""

    kind = "twins-file"


class FieldTable(StrictTable):
    """One field that became another."""

    before: FieldPath = Field(description="The field as it was: model.field.", examples=["account.move.post_number"])
    after: FieldPath = Field(description="The field that it became.", examples=["account.move.number"])
    from_: Name = Field(alias="from", description="The series that it was of.", examples=["7.0"])
    to: Name = Field(description="The series from which on it is the other.", examples=["8.0"])
    reviewed_by: Name = Field(description="Who looked at both.", examples=["finance-team"])


class _File(StrictTable):
    field: tuple[FieldTable, ...] = ()
    accepted: tuple[WaiverTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a file holds: `fields` maps (series, series) to the fields that became others."""

    fields: Mapping[tuple[str, str], Mapping[str, str]]
    waivers: tuple[Waiver, ...] = ()

    def accepts(self, finding: TwinFinding, release: str, scenario: str, today: date) -> bool:
        return any(
            each.in_force(today) and each.covers(finding.signature, finding.tenant, release, scenario)
            for each in self.waivers
        )

    def open(
        self, findings: Sequence[TwinFinding], release: str, scenario: str, today: date
    ) -> tuple[TwinFinding, ...]:
        """Those that nobody accepts."""
        return tuple(each for each in findings if not self.accepts(each, release, scenario, today))


NOTHING_REVIEWED = Reviewed({})


def read_reviewed(path: Path) -> Reviewed:
    """Raises TwinsFileMistake with everything that is wrong with the file."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise TwinsFileMistake([layer])
    problems = [Problem(layer.file, dotted(where), rule, got) for where, rule, got, _ in faults(_File, layer.data)]
    if problems:
        raise TwinsFileMistake(problems)
    file = _File.model_validate(layer.data)
    fields: dict[tuple[str, str], dict[str, str]] = {}
    for place, each in enumerate(file.field):
        known = fields.setdefault((each.from_, each.to), {})
        if known.get(each.before, each.after) != each.after:
            rule = f"{each.before} is said to have become {known[each.before]} already: a field becomes one other"
            problems.append(Problem(layer.file, f"field[{place}].before", rule))
        if each.before.rpartition(".")[0] != each.after.rpartition(".")[0]:
            problems.append(Problem(layer.file, f"field[{place}].after", "must be of the same model as `before`"))
        known[each.before] = each.after
    if problems:
        raise TwinsFileMistake(problems)
    return Reviewed(fields, tuple(each.waiver for each in file.accepted))


def as_of(learned: LearnedTwin, series: str, reviewed: Reviewed) -> LearnedTwin:
    """What was learned on another series, by the names that its fields have on this one."""
    names = reviewed.fields.get((learned.series, series), {})
    if not names:
        return learned

    def renamed(each: LearnedRecord) -> LearnedRecord:
        moved = {
            names[path].removeprefix(f"{each.model}."): value
            for name, value in each.fields.items()
            if (path := f"{each.model}.{name}") in names
        }
        stayed = {name: value for name, value in each.fields.items() if f"{each.model}.{name}" not in names}
        return replace(each, fields={**stayed, **moved})  # what took another's name is what it is compared with

    return replace(learned, records={model: tuple(map(renamed, those)) for model, those in learned.records.items()})
