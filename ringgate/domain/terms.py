"""The words that the whole of Ringgate uses, as enumerations: channels, roles, outcomes and the like."""

from __future__ import annotations

from enum import IntEnum, StrEnum


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
    """What an ERP, over one channel, and a tenant can do. A driver declares each one; none is meant by another."""

    SIGN_IN = "sign-in"
    PROJECTS = "projects"
    TIME = "time"
    INVOICING = "invoicing"
    CREDIT_NOTES = "credit-notes"
    PAYMENTS = "payments"
    APPROVALS = "approvals"
    SUPPLIER_INVOICES = "supplier-invoices"  # what suppliers bill is recorded, posted and paid
    LEDGER = "ledger"
    JOURNAL_ENTRIES = "journal-entries"
    BOOKS = "books"  # an auditor reads records back over the API, whatever the channel
    UNDO = "undo"  # what a run wrote can be taken back
    SWEEP = "sweep"  # what runs left can be found by their markers alone
    FINGERPRINT = "fingerprint"  # a tenant's books can be read whole, to be compared across an upgrade
    TWINS = "twins"  # every record that a run made can be read whole
    PARTICULARS = "particulars"  # what an invoice states beside its amounts can be read
    SURFACE = "surface"  # what the ERP offers to programs can be read
    OUTSIDERS = "outsiders"  # other tenants' sessions can be tried, and none
    DIRECT_CALLS = "direct-calls"  # a user can ask for what none of their screens offers
    APPROVAL_CHAINS = "approval-chains"  # a request that needs several approvals says how far it is
    API_KEYS = "api-keys"  # a user signs in with a key or token instead of a password
    ONE_TIME_CODES = "one-time-codes"  # a user signs in with a password and a one-time code


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


class Receives(StrEnum):
    """What of a tenant's documents comes to an integration."""

    INVOICES = "invoices"  # posted invoices and credit notes
    HOURS = "hours"  # logged hours and their corrections
    LEDGER = "ledger"  # what was posted to the general ledger


class Outcome(StrEnum):
    """`failed`: the ERP is wrong. `broken`: our side is, or nobody can tell. `skipped`: not applicable, with the
    reason. `stopped`: we were asked to stop while it ran; it is no evidence for or against anybody."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"
    STOPPED = "stopped"


class Source(StrEnum):
    """What a run was for. A gate takes suites and probes as evidence; a self-test is planted wrong, and must fail."""

    SUITE = "suite"
    PROBE = "probe"
    REHEARSAL = "rehearsal"
    SELF_TEST = "self-test"


class Invariant(StrEnum):
    """What no release may break even once. Broken, it decides at once, without statistics."""

    BALANCED = "unbalanced-posting"
    ONCE = "duplicate-posting"
    NUMBERED = "numbering"  # a gap, or a number given twice
    ISOLATED = "isolation"  # data of another tenant
    BOOKS = "fingerprint-drift"  # books differ across the change, without a waiver


class StepKind(StrEnum):
    """What a step does, where a gate asks. It does not depend on what the step is called."""

    POSTING = "posting"  # it writes to the ledger, or checks what was written
    ARRIVAL = "arrival"  # what left the ERP came to an integration: its seconds are the lag
    TWIN = "twin"  # what the run made is compared whole with what runs before it made


class Basis(StrEnum):
    """What an expectation rests on, and so whose business it is when it is not met.

    The narrower one holds: what the inventory states is policy, also where it is the ERP's logic that applies it."""

    PROCESS = "process"  # the ERP's own logic: states, sums, what was entered comes back
    POLICY = "policy"  # the tenant's settings: tax, accounts, terms, thresholds, currency, language
    RIGHTS = "rights"  # who may do what, and who may sign in
    RECORDS = "records"  # what the tenant's books already held before the run


class InvoiceMethod(StrEnum):
    """What a project's bill counts: hours logged, or hours planned once the work is complete."""

    TIMESHEET = "timesheet"
    EFFORT = "effort"


class TaxRounding(StrEnum):
    """What is rounded before a document's tax is stated. Amounts of lines are, except by `total`."""

    LINE = "line"  # the tax of each line's exact product
    DOCUMENT = "document"  # each rate's tax of all exact products, once
    LINE_NET = "line-net"  # the tax of each line's rounded amount
    NET = "net"  # each rate's tax of the sum of its rounded lines, once
    TOTAL = "total"  # each rate's exact net and tax, once; no line


class ResidueCause(StrEnum):
    """Why something could not be taken back, and so whether that speaks against the ERP."""

    SLOW = "slow"  # no answer in time, nobody answered, or our own side: unknown, never a failure of the ERP
    REFUSED = "refused"  # the ERP answered, and would not do it, by a rule of its own: a failure of the ERP


class ReleaseState(StrEnum):
    """How far a release is on a tenant."""

    PLANNED = "planned"
    BEGUN = "begun"
    PAUSED = "paused"
    ROLLED_BACK = "rolled-back"
    DONE = "done"


class Audience(StrEnum):
    """Whom a text is for. The help desk is told more, in the language of those who wrote the release."""

    CUSTOMERS = "customers"
    SUPPORT = "support"
