"""What business verbs take and return: projects, time, invoices, postings, requests. Frozen, no I/O, no ERP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import Role


@dataclass(frozen=True, slots=True)
class Ref:
    """Points at a record of the ERP. Opaque to scenarios: `id` is the ERP's own key as text."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session acts as, as the ERP says."""

    login: str
    name: str
    company: str
    language: str


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """Billable work to be set up: `rate` per hour before tax, `planned` hours, `tax` the name of a rule or ""."""

    name: str
    rate: Money
    planned: Decimal
    tax: str


@dataclass(frozen=True, slots=True)
class ProjectDraft:
    """A project to be created. `marker` is part of `name`, so that a crash can be resolved by search."""

    name: str
    customer: str
    marker: str
    tasks: tuple[TaskDraft, ...]

    @property
    def task(self) -> TaskDraft:
        """The only task of a draft with one."""
        return self.tasks[0]


@dataclass(frozen=True, slots=True)
class Task:
    """Billable work as the ERP states it. `planned` are hours."""

    ref: Ref
    name: str
    rate: Money
    planned: Decimal


@dataclass(frozen=True, slots=True)
class Project:
    """A project as the ERP states it. `state` is `open` or `done`."""

    ref: Ref
    name: str
    customer: str
    state: str
    tasks: tuple[Task, ...]

    @property
    def task(self) -> Task:
        """The only task of a project with one."""
        return self.tasks[0]


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """Logged work. `hours` is exact; `description` carries the marker."""

    ref: Ref
    task: Ref
    hours: Decimal
    on: date
    description: str
    employee: str


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One rate's part of an invoice."""

    name: str
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line: `quantity` hours at `unit_price` make `amount` before tax."""

    quantity: Decimal
    unit_price: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or credit note as the ERP states it.

    `state` is `draft`, `posted`, `paid` or `cancelled`; `number` is "" before posting; `due` lists the dates at which
    amounts fall due, empty before posting; a credit note has negative amounts; `open` is what is still to be paid.
    What a supplier bills is one, too: `customer` is then the supplier.
    """

    ref: Ref
    number: str
    state: str
    customer: str
    on: date | None
    net: Money
    tax: Money
    total: Money
    open: Money
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    due: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class LineParticulars:
    """What a line says beside its amounts: its text, and how many hours one of its unit is (None: no unit of time)."""

    text: str
    hours_each: Decimal | None


@dataclass(frozen=True, slots=True, order=True)
class Settlement:
    """What closes an invoice, in whole or in part: booked `on` that day, by the document `by` (the invoice itself where
    it was a payment of it, or a credit note)."""

    on: date
    amount: Decimal
    by: str


@dataclass(frozen=True, slots=True)
class InvoiceParticulars:
    """What a posted invoice or credit note states beside its amounts, as the auditor reads it over the API.

    `addressee` is whom its address is of; `entered_by` and `posted_by` are the inventory's roles, None for
    others. `credits` are the ids of the invoices whose lines a credit note takes back."""

    ref: Ref
    addressee: str
    lines: tuple[LineParticulars, ...]
    entered_by: Role | None
    posted_by: Role | None
    credits: tuple[str, ...] = ()
    settlements: tuple[Settlement, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplierLineDraft:
    """What a supplier bills on one line: `quantity` at `unit_price` before tax, `tax` the name of a rule or ""."""

    quantity: Decimal
    unit_price: Money
    tax: str


@dataclass(frozen=True, slots=True)
class SupplierInvoiceDraft:
    """An invoice that a supplier sent, to be recorded. `description` carries the marker; `number` is the supplier's."""

    supplier: str
    number: str
    description: str
    marker: str
    lines: tuple[SupplierLineDraft, ...]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of a manual journal entry; exactly one of `debit` and `credit` is not nil."""

    account: str
    debit: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A manual journal entry to be posted. `description` carries the marker."""

    on: date
    description: str
    marker: str
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One line of a posting. `account` is the code, or the name where an account has no code."""

    account: str
    debit: Money
    credit: Money
    party: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A posted entry of the ledger. `period` covers `period_start` to `period_end`, both included."""

    ref: Ref
    number: str
    on: date
    period: str
    period_start: date
    period_end: date
    state: str
    currency: Currency
    lines: tuple[PostingLine, ...]

    @property
    def debit(self) -> Money:
        return sum((line.debit for line in self.lines), Money(0, self.currency))

    @property
    def credit(self) -> Money:
        return sum((line.credit for line in self.lines), Money(0, self.currency))

    def on_account(self, *accounts: str) -> Money:
        """Debit less credit on these accounts together."""
        return sum((x.debit - x.credit for x in self.lines if x.account in accounts), Money(0, self.currency))


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """A purchase request: `quantity` of `description` at `unit_price`. `description` carries the marker."""

    description: str
    marker: str
    quantity: Decimal
    unit_price: Money


@dataclass(frozen=True, slots=True)
class PurchaseRequest:
    """A purchase request as the ERP states it.

    `state` is `draft`, `waiting`, `approved`, `rejected` or `cancelled`.
    """

    ref: Ref
    number: str
    state: str
    total: Money
    description: str
    requester: str
