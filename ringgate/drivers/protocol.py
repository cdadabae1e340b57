"""The business verbs that an ERP is driven by. One implementation for each ERP and channel.

Contract. Verbs take and return the frozen values of `ringgate.domain`; money, dates and hours are ours, never the ERP's
encodings. A verb says what the business wants, not which records an ERP makes of it. It returns what it read back
from the ERP after acting (over its own channel: a browser reads its screen), never what it was given. When the ERP
does not do it, by error or by silence, the verb raises `Refused` with the state read back; an error on the way raises
the other errors of `domain/errors.py`. Verbs neither retry nor undo: the engine registers the reversal before it calls
a writing verb, and calls `Connection.undo` later. Ids are opaque text.

A driver has what `Session` asks for, and of the other parts those whose capability it declares. What it cannot do it
leaves out, of its class and of `capabilities`: scenarios and stages that need it are "not applicable" then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringgate.domain.documents import (
    EntryDraft,
    Identity,
    Invoice,
    InvoiceParticulars,
    Posting,
    Project,
    ProjectDraft,
    PurchaseRequest,
    Ref,
    RequestDraft,
    SupplierInvoiceDraft,
    Task,
    TimeEntry,
)  # fmt: skip
from ringgate.domain.errors import Refused
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.money import Money
from ringgate.domain.reversal import MarkedRecord, Reversal
from ringgate.domain.terms import Basis, Capability, Channel, Role
from ringgate.isolation.model import Attempt, AttemptKind, PrivateRecord
from ringgate.surface.model import Surface
from ringgate.twins.records import RunRecords

if TYPE_CHECKING:
    from ringgate.fingerprint.model import Fingerprint


class SignedInUser(Protocol):
    """One signed-in user of one tenant."""

    role: Role

    # identity
    def who_am_i(self) -> Identity: ...
    def sign_out(self) -> None: ...  # afterwards every verb of this actor must meet the ERP's refusal, never a renewal

    # projects and time
    def create_project(self, draft: ProjectDraft) -> Project: ...
    def read_project(self, project: Project) -> Project: ...
    def complete_work(self, project: Project) -> Project: ...  # all tasks are done; state becomes `done`
    def enter_time(self, task: Task, hours: Decimal, on: date, description: str) -> TimeEntry: ...
    def correct_time(self, entry: TimeEntry, hours: Decimal) -> TimeEntry: ...

    # procurement
    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest: ...  # in state `draft`
    def read_request(self, request: PurchaseRequest) -> PurchaseRequest: ...
    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest: ...  # -> `waiting`
    def approve_request(
        self, request: PurchaseRequest
    ) -> PurchaseRequest: ...  # -> `approved`; `waiting` while a chain (`Capability.APPROVAL_CHAINS`) needs more
    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest: ...  # -> `rejected`

    # invoices
    def draft_invoice(self, project: Project) -> Invoice: ...  # everything billable of the project, unposted
    def read_invoice(self, invoice: Invoice) -> Invoice: ...
    def post_invoice(self, invoice: Invoice, on: date) -> Invoice: ...
    def credit_invoice(self, invoice: Invoice, on: date) -> Invoice: ...  # -> the posted credit note, amounts negative
    def pay_invoice(self, invoice: Invoice, amount: Money, on: date) -> Invoice: ...

    # what suppliers bill: `Capability.SUPPLIER_INVOICES`; it is read, posted and paid by the verbs above
    def record_supplier_invoice(self, draft: SupplierInvoiceDraft) -> Invoice: ...  # in state `draft`

    # ledger
    def post_entry(self, entry: EntryDraft) -> Posting: ...


class Records(Protocol):
    """Documents as an auditor reads them, always over the API: a second source beside the channel under test."""

    def invoice(self, invoice: Ref) -> Invoice: ...
    def request(self, request: Ref) -> PurchaseRequest: ...
    def hours_on(self, project: Project) -> Decimal: ...  # logged on all its tasks, by anybody
    def open_documents(
        self,
    ) -> frozenset[str]: ...  # a line each: drafts, waiting requests, unpaid invoices, unbilled time


class Ledger(Protocol):
    """The general ledger as an auditor reads it: the third source beside record and screen. `Capability.LEDGER`."""

    def posting_of(self, invoice: Ref) -> Posting: ...
    def postings_of(self, invoice: Ref) -> tuple[Posting, ...]: ...  # its own and its payments', oldest first
    def invoice_numbers(
        self, on: date
    ) -> tuple[str, ...]: ...  # every customer invoice's of that year, no credit notes
    def closed_day(self) -> date | None: ...  # a day in a closed period, if there is one
    def trial_balance(self) -> Mapping[str, Money]: ...  # account -> debit less credit, nil ones left out


class Books(Records, Ledger, Protocol):
    """All that can be read of a tenant's books. `fingerprint` needs `Capability.FINGERPRINT`."""

    def fingerprint(self) -> Fingerprint: ...  # everything that an upgrade must not change


class Outsider(Protocol):
    """Somebody with some session, or none, who tries to get at a tenant's records.

    `barred`: every call of theirs must be refused. Who is not barred calls their own tenant, which answers them, but
    must tell nothing of ours. `ways` is what they can try at all.
    """

    name: str
    barred: bool
    ways: frozenset[AttemptKind]

    def attempt(self, way: AttemptKind, things: Sequence[PrivateRecord]) -> Attempt | None:
        """Try all `things`, of one kind, in one call. None where the ERP has no such way to records of that kind.

        Whoever tries sends the very same bytes, apart from address and session: what caches them must tell them apart.
        """
        ...


@dataclass(slots=True)
class TimeLimit:
    """How long a driver waits for each answer of an ERP: `seconds` (None: as long as it usually does), `times` over.

    It may change while a run goes on, so a driver asks `of` before each call. The engine raises it to undo."""

    seconds: float | None = None
    times: float = 1.0

    def of(self, usual: float) -> float:
        """Seconds; `usual` is what the driver waits where nobody said anything."""
        return (usual if self.seconds is None else self.seconds) * self.times


@dataclass(frozen=True, slots=True)
class Call:
    """What the calls of one run have in common: the run they belong to, its W3C trace (32 hex digits), and how long
    each of them may take."""

    run_id: str
    trace_id: str
    limit: TimeLimit = field(default_factory=TimeLimit, compare=False)


# --- a connection: what every driver has, and one part for each further capability ---------------------------------


class Session(Protocol):
    """One run's way to one tenant: what every driver has. `close` ends only the sessions that were signed in anew."""

    def sign_in(self, role: Role, *, password: str | None = None, fresh: bool = False) -> SignedInUser:
        """`password` overrides the inventory's (a wrong one raises `Refused`); `fresh` reuses no session.

        The inventory's own credentials that are not accepted raise `SignInRefused`."""
        ...

    @property
    def calls(self) -> int: ...  # requests sent so far
    @property
    def touched(self) -> frozenset[str]: ...  # what was called, read and written so far: see `ringgate.surface.model`
    def close(self) -> None: ...


class ReadsBooks(Protocol):
    """`Capability.BOOKS`."""

    def books(self) -> Books: ...


class TakesBack(Protocol):
    """`Capability.UNDO`."""

    def undo(self, reversal: Reversal) -> str:
        """Take back what `reversal` names, found by `ref` or by `marker`; idempotent. Returns what was done, in a few
        words (NOTHING_TO_UNDO if there is no such record). Raises if it cannot be taken back: that is residue."""
        ...


class FindsMarked(Protocol):
    """`Capability.SWEEP`."""

    def marked(self, before: datetime) -> Sequence[MarkedRecord]:
        """Every record that carries a run's marker, was made before that moment and is still open, oldest first.

        What was taken back by the accounting way is not open. Reads only, over the API."""
        ...


class TriesIsolation(Protocol):
    """`Capability.OUTSIDERS`. The driver supplies the kinds of records, the ways to them, and who refused what."""

    def outsiders(self, neighbours: Sequence[Tenant], roles: Collection[Role]) -> Iterator[Outsider]:
        """The users of these roles of every neighbour at every door, and strangers without a session of theirs."""
        ...

    def insider(self, role: Role) -> Outsider:
        """A user of this tenant, who may see its records: the control that makes the others' attempts mean anything."""
        ...

    def seen(self) -> Sequence[PrivateRecord]:
        """Records that were there before, one of each kind that matters, each known by its company's name."""
        ...

    def guesses(self, ref: Ref, reach: int) -> Sequence[Ref]:
        """Records that somebody would try who knows this one's id: up to `reach` on each side of it. () where ids of
        this kind cannot be guessed."""
        ...

    def ask_as_stranger(self, about: str) -> Mapping[str, str]:
        """What anybody may ask at this tenant's address without a session, about a tenant of that id: question ->
        status and text of the answer, with `about` itself taken out of it."""
        ...


class ReadsSurface(Protocol):
    """`Capability.SURFACE`."""

    def surface(self) -> Surface: ...  # what the ERP offers to programs; reads only


class ReadsWhatRunsMade(Protocol):
    """`Capability.TWINS`."""

    def records_of_run(self, run_id: str) -> RunRecords:
        """Every record that the run made and that is still there, found by its marker and by following links, with all
        fields that the ERP names and the auditor may read. Reads only, over the API."""
        ...


class ReadsParticulars(Protocol):
    """`Capability.PARTICULARS`."""

    def particulars(self, invoice: Ref) -> InvoiceParticulars: ...  # of a posted one; reads only, over the API


class SaysVersion(Protocol):
    """Needs no capability: a driver without it says nothing, and its runs are taken as the release they are labelled
    with."""

    def version(self) -> str: ...  # what the server says it is now, asked of it once in each run: `8.0.12`


class GivesEvidence(Protocol):
    """Help for whoever reads a failure. Needs no capability: a driver without it gives none."""

    def basis_of(self, refusal: Refused) -> Basis | None:
        """What a refusal rests on, asked once when a run ended with it; None where that cannot be told."""
        ...

    def evidence(self, folder: Path) -> tuple[Attachment, ...]:
        """Save what shows the present state (screenshots, trace), called once when a run did not pass."""
        ...


class Connection(
    Session,
    ReadsBooks,
    TakesBack,
    FindsMarked,
    TriesIsolation,
    ReadsSurface,
    ReadsWhatRunsMade,
    ReadsParticulars,
    SaysVersion,
    GivesEvidence,
    Protocol,
):
    """One run's way to one tenant, whole. Where a driver leaves parts out, `drivers.parts` fills them with a refusal of
    our own (`Unsupported`); who calls a part asks for its capability first."""


class PartialDriver(Protocol):
    """One ERP over one channel, as its author writes it. Long-lived: keeps sessions and browsers between runs of one
    process, for one thread. `capabilities` names what its connections can do, one by one."""

    channel: Channel
    capabilities: frozenset[Capability]

    def connect(self, tenant: Tenant, call: Call) -> Session: ...
    def close(self) -> None: ...


class Driver(PartialDriver, Protocol):
    """A driver whose connections have every part, as `ringgate.drivers.registry` hands it out."""

    def connect(self, tenant: Tenant, call: Call) -> Connection: ...
