"""The people of a scenario. Each wraps one signed-in user of a driver and notes the reversal of every write first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from decimal import Decimal
from typing import TypeVar

from ringgate.domain.documents import (
    EntryDraft,
    Identity,
    Invoice,
    Posting,
    Project,
    ProjectDraft,
    PurchaseRequest,
    RequestDraft,
    SupplierInvoiceDraft,
    Task,
    TimeEntry,
)  # fmt: skip
from ringgate.domain.errors import ErpMisbehaved, NeverSent, Refused
from ringgate.domain.money import Money
from ringgate.domain.reversal import IN_TURN, Reversal
from ringgate.domain.terms import Role
from ringgate.drivers import protocol
from ringgate.host.undo_journal import RunJournal
from ringgate.scenario.test_data import Make

R = TypeVar("R", Project, TimeEntry, Invoice, PurchaseRequest, Posting)


class Actor:
    """One signed-in user. Verbs return what the ERP stated after acting, and raise `Refused` when it did not act."""

    def __init__(
        self,
        behind: protocol.SignedInUser,
        journal: RunJournal,
        make: Make,
        today: date,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`turn` is held while something is done that waits for others of its kind in the ERP."""
        self._erp, self._journal, self._make, self._today, self._turn = behind, journal, make, today, turn
        self.role: Role = behind.role

    def _write(self, verb: str, act: Callable[[], R], *, marker: str = "", target: str = "") -> R:
        with self._turn() if verb in IN_TURN else nullcontext():
            return self._noted(Reversal(verb, self.role.value, marker or self._make.marker, target), act)

    def _noted(self, reversal: Reversal, act: Callable[[], R]) -> R:
        seq = self._journal.register(reversal)
        try:
            done = act()
        except (Refused, ErpMisbehaved, NeverSent):
            self._journal.answered(seq)
            raise
        self._journal.resolve(seq, done.ref.id)
        return done

    # identity

    def who_am_i(self) -> Identity:
        return self._erp.who_am_i()

    def sign_out(self) -> None:
        self._erp.sign_out()

    # projects and time

    def create_project(self, draft: ProjectDraft) -> Project:
        return self._write("create_project", lambda: self._erp.create_project(draft), marker=draft.marker)

    def read_project(self, project: Project) -> Project:
        return self._erp.read_project(project)

    def complete_work(self, project: Project) -> Project:
        """All tasks of the project are done: where hours planned are billed, they become billable."""
        return self._erp.complete_work(project)

    def enter_time(self, work: Project | Task, hours: str | Decimal, on: date | None = None) -> TimeEntry:
        """Log hours on a task, or on the only task of a project; today unless told otherwise."""
        task = work.task if isinstance(work, Project) else work
        note = self._make.note()
        marker = note[note.rindex("[") + 1 : -1]
        return self._write(
            "enter_time",
            lambda: self._erp.enter_time(task, Decimal(hours), on or self._today, note),
            marker=marker,
            target=task.ref.id,
        )

    def correct_time(self, entry: TimeEntry, hours: str | Decimal) -> TimeEntry:
        return self._erp.correct_time(entry, Decimal(hours))

    # procurement

    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest:
        return self._write("request_purchase", lambda: self._erp.request_purchase(draft), marker=draft.marker)

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._erp.read_request(request)

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._erp.submit_request(request)

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._erp.approve_request(request)

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._erp.reject_request(request)

    # invoices

    def draft_invoice(self, project: Project) -> Invoice:
        """Bill everything billable of the project, as a draft."""
        return self._write("draft_invoice", lambda: self._erp.draft_invoice(project), target=project.ref.id)

    def read_invoice(self, invoice: Invoice) -> Invoice:
        return self._erp.read_invoice(invoice)

    def post_invoice(self, invoice: Invoice, on: date | None = None) -> Invoice:
        day = on or self._today
        return self._write("post_invoice", lambda: self._erp.post_invoice(invoice, day), target=invoice.ref.id)

    def credit_invoice(self, invoice: Invoice, on: date | None = None) -> Invoice:
        """Credit the whole invoice. Returns the posted credit note."""
        day = on or self._today
        return self._write("credit_invoice", lambda: self._erp.credit_invoice(invoice, day), target=invoice.ref.id)

    def pay_invoice(self, invoice: Invoice, amount: Money, on: date | None = None) -> Invoice:
        day = on or self._today
        return self._write("pay_invoice", lambda: self._erp.pay_invoice(invoice, amount, day), target=invoice.ref.id)

    def record_supplier_invoice(self, draft: SupplierInvoiceDraft) -> Invoice:
        """Record what a supplier billed, unposted. It is posted and paid as any invoice."""
        return self._write(
            "record_supplier_invoice", lambda: self._erp.record_supplier_invoice(draft), marker=draft.marker
        )

    # ledger

    def post_entry(self, entry: EntryDraft) -> Posting:
        return self._write("post_entry", lambda: self._erp.post_entry(entry), marker=entry.marker)
