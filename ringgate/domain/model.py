"""Tenants, scenarios, runs and what is around them, as frozen values. No I/O, no ERP, no browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ringgate.domain.credentials import Account
from ringgate.domain.diagnostics import ErpLog
from ringgate.domain.integrations import Integration
from ringgate.domain.money import Currency, RoundingMode
from ringgate.domain.payment_terms import DueUnit, PaymentTerm
from ringgate.domain.schedules import Probing
from ringgate.domain.terms import (
    Basis,
    Capability,
    Channel,
    Effect,
    Invariant,
    InvoiceMethod,
    Layer,
    Outcome,
    Receives,
    ResidueCause,
    Role,
    Source,
    StepKind,
    TaxRounding,
)

# --- a tenant, as its inventory entry states it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One rate of a tenant. `rate` is a fraction (0.20), `product` the service that is billed under it."""

    name: str
    rate: Decimal
    product: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Requests of more than `threshold` need `steps` approvals by others than the requester; up to it, none.

    `approvers` are the roles that approve, one for each step and in this order; none approves twice."""

    steps: int
    threshold: Decimal = Decimal(0)
    approvers: tuple[Role, ...] = (Role.APPROVER,)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Account codes or names that postings of this tenant must hit, by purpose; at least one each. `payable` and
    `expense` are empty where the inventory does not state them.

    Where several serve one purpose (revenue by service, receipts that the bank has not confirmed), their sum counts;
    what Ringgate books itself goes to the first."""

    receivable: tuple[str, ...]
    revenue: tuple[str, ...]
    tax: tuple[str, ...]
    cash: tuple[str, ...]
    payable: tuple[str, ...] = field(default=(), repr=False)  # what a seeded estate is does not depend on these
    expense: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all(self) -> frozenset[str]:
        return frozenset((*self.receivable, *self.revenue, *self.tax, *self.cash, *self.payable, *self.expense))


@dataclass(frozen=True, slots=True)
class Policy:
    """A tenant's own rules, from which every expectation is computed.

    `taxes` is empty for a tenant without tax. `effects` caps what may be run. `product` is the service billed where no
    tax rule names its own. `supplier` is "" where no synthetic supplier is stated.
    """

    currency: Currency
    taxes: tuple[TaxRule, ...]
    tax_rounding: TaxRounding
    rounding_mode: RoundingMode
    approval: Approval
    invoice_method: InvoiceMethod
    term: PaymentTerm
    accounts: Accounts
    product: str
    customer: str
    effects: Effect = Effect.REVERSIBLE
    supplier: str = field(default="", repr=False)

    @property
    def payment_term(self) -> str:
        """The term's name in the ERP."""
        return self.term.name

    @property
    def payment_days(self) -> int:
        """The days of the last instalment's steps, added up: the whole term where it is a plain one."""
        return sum(each.number for each in self.term.instalments[-1].steps if each.unit is DueUnit.DAYS)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature flag. Always owned, always expiring."""

    on: bool
    owner: str
    expires: date


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a service level promises after a loss: at most `point` of work lost, served again within `time`."""

    point: timedelta
    time: timedelta


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer's ERP, with everything Ringgate may assume about it.

    `id` is immutable: it is the pytest id and the metric label. `sessions` caps how many runs may use the tenant at
    once, `load_users` how many users of a load (0: none), `time_limit` how long each answer may take (None: the usual).
    `lacks` names capabilities the tenant does not
    have although its ERP could. `recovery` is what its service level promises, None where the inventory states no such
    promises. `probes` says when it is probed. `addresses` are what operators need besides the ERP's own, by name;
    `links` are templates of addresses in their log and trace tools, `erp_log` is where the ERP's own log is read.
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
    load_users: int = 0
    time_limit: timedelta | None = None
    lacks: frozenset[Capability] = frozenset()
    features: Mapping[str, Feature] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    integrations: Mapping[str, Integration] = field(default_factory=dict)
    paused_until: date | None = None
    paused_reason: str = ""
    recovery: Recovery | None = None
    probes: Probing = field(default_factory=Probing)
    addresses: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    erp_log: ErpLog = field(default_factory=ErpLog)

    def __str__(self) -> str:
        return self.id


# --- scenarios and their runs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scenario:
    """One business process. `function` takes (erp, make, run); `needs` decides where it applies.

    `receives` is for what follows documents to a tenant's integrations: it applies where one receives them.
    `smoke` scenarios are the short selection for the browser: one walk through the screens that matter most.
    `extended` ones belong to suites and probes, and are left out of a demo and of what a rehearsal verifies.
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
    receives: Receives | None = None
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A named, timed part of a run. `start` and `seconds` are monotonic, counted from the start of the run. `kind` is
    None for a step of no kind that a gate asks for, and in results that were stored before there were kinds."""

    name: str
    start: float
    seconds: float
    outcome: Outcome
    kind: StepKind | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """Evidence on disk: `path` is relative to the output folder, `kind` is `screenshot`, `trace`, `log` or `text`."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not pass. `kind` is a stable word for metrics; `message` one sentence; no secrets in any field.

    `basis` and `invariant` are those of the expectation that was not met; a refusal may have a basis, too.
    """

    kind: str
    message: str
    step: str = ""
    because: str = ""
    expected: str = ""
    actual: str = ""
    traceback: str = ""
    basis: Basis | None = None
    invariant: Invariant | None = None


@dataclass(frozen=True, slots=True)
class Residue:
    """Something a run wrote that could not be undone. `verb` and `marker` name the document, `reason` is for people.

    What an earlier version stored has no cause, and counts as slow."""

    tenant: str
    run_id: str
    verb: str
    marker: str
    reason: str
    cause: ResidueCause = ResidueCause.SLOW

    @property
    def sentence(self) -> str:
        """Document, tenant and reason; for what was slow, also what to do about it."""
        remedy = "; `ringgate recover` takes it back" if self.cause is ResidueCause.SLOW else ""
        return f"{self.verb} {self.marker} on {self.tenant} was not taken back: {self.reason.rstrip('.')}{remedy}"


@dataclass(frozen=True, slots=True)
class RunResult:
    """One execution of a scenario on a tenant over a channel.

    `started_at` is aware (UTC); `seconds` is monotonic and covers the scenario, `undo_seconds` its reversal;
    `server` is the version that the server said in this run, "" where it said none;
    `touched` is what was called, read and written (see `surfaces`), undoing included;
    `reason` is set for `skipped` and `stopped`, `failure` for `failed` and `broken`; `error` is the stored exception
    for pytest and never leaves the process.
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
    source: Source = Source.SUITE
    seed: int = 0
    calls: int = 0
    server: str = ""
    touched: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    error: BaseException | None = field(default=None, compare=False, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def posting(self) -> int:
        """Microseconds of its steps that post, as a store holds them; 0 if it has none."""
        return sum(round(1e6 * max(0.0, step.seconds)) for step in self.steps if step.kind is StepKind.POSTING)


# --- what else a gate looks at ---------------------------------------------------------------------------------------


TAKEN_BACK = "rolled back"
"""The note of a deployment that says what tenants run since they were rolled back."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A release reached a ring, or some of its tenants: from here on its results are the release's own.

    `at` is aware (UTC). `tenants` is empty for the whole ring. `note` and `by` are for people. `version` is a pattern
    of what servers of the release say they are, "" where the release's name states it (see `domain.releases`).
    One that is `taken_back` is no change: the tenants were rolled back to this release.
    """

    id: str
    at: datetime
    ring: str
    release: str
    tenants: tuple[str, ...] = ()
    note: str = ""
    by: str = ""
    version: str = ""

    @property
    def taken_back(self) -> bool:
        return self.note == TAKEN_BACK


@dataclass(frozen=True, slots=True)
class NotedEvent:
    """Something that people or their tools noted: `kind` is incident, ticket or change.

    An incident and a ticket have one tenant; a change has some, or the whole `ring` where `tenants` is empty. `began`
    and `ended` are aware (UTC), `ended` is None while it lasts or where nobody says. `of` is the release that it is
    said to come of, `reference` how the tool that it comes from calls it.
    """

    id: str
    kind: str
    tenants: tuple[str, ...]
    ring: str
    what: str
    began: datetime
    ended: datetime | None = None
    of: str = ""
    reference: str = ""
    by: str = ""

    def concerns(self, tenant: str, ring: str) -> bool:
        return tenant in self.tenants or (not self.tenants and ring == self.ring)


@dataclass(frozen=True, slots=True)
class SignalSample:
    """A platform signal as it was read: server latency, queue backlog, database locks.

    `at` is aware (UTC). `signal` is a stable word, `value` in `unit`. `ring` and `tenant` are empty where it is of a
    server that many share. `limit` is the value above which it is too much, None where nobody said.
    """

    at: datetime
    signal: str
    value: float
    unit: str = ""
    ring: str = ""
    tenant: str = ""
    limit: float | None = None
