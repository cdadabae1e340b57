"""The words of Ringgate as frozen values. No I/O, no ERP, no browser: everything else is built on this module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from ringgate.money import Currency, Money, RoundingMode

if TYPE_CHECKING:
    from ringgate.secrets import Secret


class Channel(StrEnum):
    """How a scenario reaches the ERP."""

    API = "api"
    BROWSER = "browser"


class Role(StrEnum):
    """Who acts. Each has one least-privilege user in every tenant."""

    CONSULTANT = "consultant"
    PROJECT_MANAGER = "project_manager"
    APPROVER = "approver"
    ACCOUNTANT = "accountant"
    AUDITOR = "auditor"
    INTEGRATION = "integration"


class Capability(StrEnum):
    """What an ERP, over one channel, and a tenant can do."""

    SIGN_IN = "sign-in"
    PROJECTS = "projects"
    TIME = "time"
    INVOICING = "invoicing"
    CREDIT_NOTES = "credit-notes"
    PAYMENTS = "payments"
    APPROVALS = "approvals"
    LEDGER = "ledger"
    JOURNAL_ENTRIES = "journal-entries"


class Effect(IntEnum):
    """What a scenario leaves behind if nobody undoes it. A tenant's policy caps it."""

    READ = 0
    REVERSIBLE = 1
    PERMANENT = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Layer(StrEnum):
    """The order of verification after an upgrade."""

    PLATFORM = "platform"
    PROCESS = "process"
    INTEGRATION = "integration"
    ISOLATION = "isolation"


class Outcome(StrEnum):
    """`failed`: the ERP is wrong. `broken`: our side is. `skipped`: not applicable, with the reason."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"


class InvoiceMethod(StrEnum):
    """What a project's bill counts: hours logged, or hours planned once the work is complete."""

    TIMESHEET = "timesheet"
    EFFORT = "effort"


class TaxRounding(StrEnum):
    """Whether each line's tax is rounded, or only each rate's sum over the document."""

    LINE = "line"
    DOCUMENT = "document"


# --- a tenant, as its inventory entry states it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One rate of a tenant. `rate` is a fraction (0.20), `product` the service that is billed under it."""

    name: str
    rate: Decimal
    product: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Requests of more than `threshold` need `steps` approvals by others than the requester; up to it, none."""

    steps: int
    threshold: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Account codes or names that postings of this tenant must hit."""

    receivable: str
    revenue: str
    tax: str
    cash: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A tenant's own rules, from which every expectation is computed.

    `taxes` is empty for a tenant without tax. `payment_days` counts from the invoice date. `effects` caps what may be
    run. `product` is the service billed where no tax rule names its own.
    """

    currency: Currency
    taxes: tuple[TaxRule, ...]
    tax_rounding: TaxRounding
    rounding_mode: RoundingMode
    approval: Approval
    invoice_method: InvoiceMethod
    payment_term: str
    payment_days: int
    accounts: Accounts
    product: str
    customer: str
    effects: Effect = Effect.REVERSIBLE


@dataclass(frozen=True, slots=True)
class Account:
    """A synthetic user: a login, and a reference to its password."""

    login: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature flag. Always owned, always expiring."""

    on: bool
    owner: str
    expires: date


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer's ERP, with everything Ringgate may assume about it.

    `id` is immutable: it is the pytest id and the metric label. `sessions` caps how many runs may use the tenant at
    once. `lacks` names capabilities the tenant does not have although its ERP could.
    """

    id: str
    name: str
    erp: str
    ring: str
    cohorts: tuple[str, ...]
    region: str
    residency: str
    timezone: str
    language: str
    sla: str
    api: str
    web: str
    policy: Policy
    users: Mapping[Role, Account]
    series: str = ""
    sessions: int = 4
    lacks: frozenset[Capability] = frozenset()
    features: Mapping[str, Feature] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    paused_until: date | None = None
    paused_reason: str = ""

    def __str__(self) -> str:
        return self.id


# --- business values that verbs take and return -------------------------------------------------------------------


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

    def on_account(self, account: str) -> Money:
        """Debit less credit on one account."""
        return sum((x.debit - x.credit for x in self.lines if x.account == account), Money(0, self.currency))


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


# --- scenarios and their runs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scenario:
    """One business process. `function` takes (erp, make, run); `needs` decides where it applies.

    `smoke` scenarios are the short selection for the browser: one walk through the screens that matter most.
    """

    id: str
    title: str
    effect: Effect
    needs: frozenset[Capability]
    roles: frozenset[Role]
    layer: Layer
    channels: frozenset[Channel]
    function: Callable[..., None]
    smoke: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A named, timed part of a run. `start` and `seconds` are monotonic, counted from the start of the run."""

    name: str
    start: float
    seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Attachment:
    """Evidence on disk: `path` is relative to the output folder, `kind` is `screenshot`, `trace` or `text`."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not pass. `kind` is a stable word for metrics; `message` one sentence; no secrets in any field."""

    kind: str
    message: str
    step: str = ""
    because: str = ""
    expected: str = ""
    actual: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Residue:
    """Something a run wrote that could not be undone."""

    tenant: str
    run_id: str
    verb: str
    marker: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """One execution of a scenario on a tenant over a channel.

    `started_at` is aware (UTC); `seconds` is monotonic and covers the scenario, `undo_seconds` its reversal;
    `reason` is set for `skipped`, `failure` for `failed` and `broken`; `error` is the stored exception for pytest and
    never leaves the process.
    """

    run_id: str
    trace_id: str
    scenario: str
    tenant: str
    ring: str
    channel: Channel
    outcome: Outcome
    started_at: datetime
    seconds: float
    undo_seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    reason: str = ""
    failure: Failure | None = None
    residue: tuple[Residue, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    session: str = ""
    release: str = ""
    seed: int = 0
    calls: int = 0
    error: BaseException | None = field(default=None, compare=False, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)
