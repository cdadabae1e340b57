"""What a driver reads of one run: every record that the run made, with every field that the ERP names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from ringgate.domain.terms import Role


@dataclass(frozen=True, slots=True, order=True)
class RecordLink:
    """A link to a record: its model and opaque id. `name` is what the ERP calls it, where it is none of the run's."""

    model: str
    id: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PrintedText:
    """The text of a printed document, as its reader sees it."""

    text: str


PlainValue = None | bool | int | Decimal | date | datetime | timedelta
FieldValue = PlainValue | str | RecordLink | tuple[RecordLink, ...]
RecordValue = FieldValue | PrintedText
"""A field's value in our own types. Amounts are exact, times aware or UTC, files are left out but for their text."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One record that a run made: `model` and `id` are the ERP's, `fields` has all that the auditor may read."""

    model: str
    id: str
    fields: Mapping[str, RecordValue]

    @property
    def link(self) -> RecordLink:
        return RecordLink(self.model, self.id)


@dataclass(frozen=True, slots=True)
class RunRecords:
    """All that one run made, in the order of its making within each model.

    `began` is when the ERP says that it made the first of them (UTC, its own clock). `people` has the users of the
    inventory, by what the ERP keeps of them (`res.user 5`, `company.employee 9`). `numbers` names the fields that hold
    a document's own number, as `model.field`. `labels` are the ERP's words for models and fields, `account.invoice` and
    `account.invoice.number`, in the tenant's language."""

    series: str
    began: datetime | None
    records: tuple[RunRecord, ...]
    people: Mapping[RecordLink, Role] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
