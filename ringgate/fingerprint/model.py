"""A tenant's books as values: what a fingerprint holds, and what it comes to.

Records are named by what people call them (numbers, names, codes, logins), never by an ERP's own keys, so that two
fingerprints can be compared although a migration gave every record another key. What is summed (balances, ageing,
taxes, hours, work in progress) is computed here from the documents, so a sum can never differ without its cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

SCHEMA: Final = 1
"""Version of the written form. A file of another version is refused, never guessed at."""

BUCKETS: Final = ((0, "not due"), (30, "1-30 days"), (60, "31-60 days"), (90, "61-90 days"))
OLDEST: Final = "over 90 days"


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """What one ledger line tells the tax office: `kind` is `base` or `tax`."""

    tax: str
    kind: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of an entry. `account` is its code, or its name where it has none; `due` is of open items alone."""

    account: str
    debit: Decimal
    credit: Decimal
    party: str = ""
    description: str = ""
    due: date | None = None
    settled: bool = False
    taxes: tuple[TaxAmount, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry of the ledger. `state` is `posted` or `draft` (then `number` is ""), `origin` the document's number."""

    number: str
    state: str
    on: date
    period: str
    journal: str
    origin: str
    description: str
    lines: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document: `quantity` at `unit_price` comes to `amount` before tax."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    account: str = ""
    taxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, credit note, request, purchase or payment, as `kind` says.

    `number` is "" where there is none yet; `on` its date, if it has one; `reversed_by` the number of the credit note
    that settles it to nil.
    """

    kind: str
    number: str
    state: str
    party: str
    on: date | None
    total: Decimal
    description: str = ""
    reversed_by: str = ""
    lines: tuple[DocumentLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """A project or a task of one. `name` is the whole path; `rate` per hour and `planned` hours, if they are set."""

    name: str
    kind: str
    customer: str
    state: str
    method: str
    rate: Decimal | None
    planned: Decimal | None


@dataclass(frozen=True, slots=True)
class Hours:
    """Logged work. `work` is the name of a `Work`, `billed` whether an invoice holds it."""

    employee: str
    work: str
    on: date
    hours: Decimal
    description: str
    billed: bool


@dataclass(frozen=True, slots=True)
class Party:
    """A customer, supplier or employee. `name` is made unique by the code where two share one."""

    name: str
    code: str
    active: bool


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account of the ledger. `kind` is receivable, payable, revenue, expense ... as its type says."""

    account: str
    name: str
    kind: str
    active: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What the ERP itself states as an account's balance: debit less credit, posted, over the open years."""

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where numbers come from. `next` is the number that it will give next."""

    name: str
    prefix: str
    next: int


@dataclass(frozen=True, slots=True)
class User:
    """Who may sign in. `rights` are what all roles together come to, each as `invoices: create`."""

    login: str
    active: bool
    roles: tuple[str, ...]
    rights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRights:
    """What a role alone allows. `role` is a stable key where the ERP has one, `name` what people see."""

    role: str
    name: str
    rights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErpSetting:
    """One value of the configuration: `subject` is what is configured, `key` which of its values."""

    subject: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """What comes with the ERP itself and not from the firm: a release may bring more of it, rename it or drop it.

    `roles` are keys of roles, `settings` what subjects of settings begin with where a release brings new ones as a
    present (`payment term `). Both sorted, as the driver knows them."""

    roles: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A tenant's books at one moment.

    `taken_at` is aware, `seconds` how long it took, `as_of` the tenant's own day then. Every section is sorted.
    """

    tenant: str
    series: str
    taken_at: datetime
    seconds: float
    as_of: date
    currency: str
    parties: tuple[Party, ...] = ()
    accounts: tuple[LedgerAccount, ...] = ()
    balances: tuple[Balance, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()
    documents: tuple[Document, ...] = ()
    works: tuple[Work, ...] = ()
    hours: tuple[Hours, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    users: tuple[User, ...] = ()
    roles: tuple[RoleRights, ...] = ()
    settings: tuple[ErpSetting, ...] = ()
    extensions: tuple[str, ...] = ()
    shipped: Shipped = Shipped()
    schema: int = SCHEMA

    def posted_lines(self) -> Iterator[tuple[LedgerEntry, LedgerLine]]:
        for entry in self.entries:
            if entry.state == "posted":
                for line in entry.lines:
                    yield entry, line

    def trial_balance(self) -> Mapping[tuple[str, str], Decimal]:
        """(account, period) -> debit less credit of what is posted."""
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for entry, line in self.posted_lines():
            sums[line.account, entry.period] += line.debit - line.credit
        return dict(sorted(sums.items()))

    def tax_totals(self) -> Mapping[tuple[str, str, str], Decimal]:
        """(tax, base or tax, period) -> amount of what is posted."""
        sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for entry, line in self.posted_lines():
            for tax in line.taxes:
                sums[tax.tax, tax.kind, entry.period] += tax.amount
        return dict(sorted(sums.items()))

    def ageing(self, kind: str, as_of: date | None = None) -> Mapping[tuple[str, str], Decimal]:
        """(party, bucket) -> open amount on accounts of a kind (`receivable` or `payable`), as of a day."""
        day, sums = as_of or self.as_of, defaultdict[tuple[str, str], Decimal](Decimal)
        accounts = {account.account for account in self.accounts if account.kind == kind}
        for _, line in self.posted_lines():
            if line.account in accounts and not line.settled:
                sums[line.party, bucket(line.due, day)] += line.debit - line.credit
        return {key: amount for key, amount in sorted(sums.items()) if amount}

    def hours_by_month(self) -> Mapping[tuple[str, str, str], Decimal]:
        """(employee, work, month as 2026-03) -> hours."""
        sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for each in self.hours:
            sums[each.employee, each.work, f"{each.on:%Y-%m}"] += each.hours
        return dict(sorted(sums.items()))

    def work_in_progress(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """Work -> (unbilled hours, what they are worth at its rate)."""
        rates = {work.name: work.rate or Decimal(0) for work in self.works}
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for each in self.hours:
            if not each.billed:
                sums[each.work] += each.hours
        return {work: (hours, hours * rates.get(work, Decimal(0))) for work, hours in sorted(sums.items())}

    def in_flight(self) -> tuple[Document, ...]:
        """Drafts and what waits for an approval or a payment."""
        done = ("paid", "cancelled", "rejected", "done", "succeeded", "failed", "processing", "approved")
        return tuple(each for each in self.documents if each.state not in done)


def order(record: object) -> Any:
    """What a section is sorted by: values as they are, so that amounts and dates that all move keep their order."""
    if isinstance(record, tuple):
        return tuple(order(each) for each in record)
    if is_dataclass(record):
        return tuple(order(getattr(record, field.name)) for field in fields(record))
    return (record is not None, record) if record is not None else (False,)


def bucket(due: date | None, as_of: date) -> str:
    """How long an open amount has been due."""
    late = (as_of - due).days if due else 0
    return next((words for days, words in BUCKETS if late <= days), OLDEST)
