"""Invoices, credit notes, payments and manual entries of the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from ringgate.domain.documents import EntryDraft, EntryLine, Invoice, Posting, Project
from ringgate.domain.errors import ErpMisbehaved, Refused
from ringgate.domain.money import Money
from ringgate.domain.terms import Basis
from ringgate.drivers.odoo.api.actor import ORDER, Acting
from ringgate.drivers.odoo.records import MOVE
from ringgate.drivers.odoo.refusals import NothingHappened, refusals
from ringgate.drivers.odoo.values import link, text

INVOICING: Final = "sale.advance.payment.inv"
REVERSAL: Final = "account.move.reversal"
PAYING: Final = "account.payment.register"
DONE: Final = ("posted", "paid")


class BillingVerbs(Acting):
    """What an accountant does with invoices."""

    def draft_invoice(self, project: Project) -> Invoice:
        """Bills what was delivered of the project's orders. What came of it is found by what was not there before."""
        verb = "draft_invoice"
        with refusals(verb, self._session):
            orders = self._orders_of(project)
            before = self._memory.drafts.setdefault(project.ref.id, self._invoices_of(orders))
            for order in orders:
                self._wizard(INVOICING, {"advance_payment_method": "delivered"}, "create_invoices", ORDER, order)
            new = self._invoices_of(orders) - before
        if not new:
            raise NothingHappened(verb, "there is nothing to bill", project.state)
        if len(new) > 1:
            raise ErpMisbehaved(f"The ERP made {len(new)} invoices of project {project.ref.id} instead of one.")
        before |= new
        (made,) = new
        stated: Invoice = self._reader.read_back(f"invoice {made}", lambda: self._reader.invoice(made))
        return stated

    def _orders_of(self, project: Project) -> list[int]:
        if project.ref.id not in self._memory.orders:
            found = self._session.call(ORDER, "search", domain=[("client_order_ref", "=", project.name)])
            self._memory.orders[project.ref.id] = [int(each) for each in found]
        return self._memory.orders[project.ref.id]

    def _invoices_of(self, orders: list[int]) -> set[int]:
        rows = self._session.read(ORDER, orders, ["invoice_ids"])
        return {int(each) for row in rows for each in row["invoice_ids"]}

    def read_invoice(self, invoice: Invoice) -> Invoice:
        with refusals("read_invoice", self._session):
            return self._reader.invoice(int(invoice.ref.id))

    def post_invoice(self, invoice: Invoice, on: date) -> Invoice:
        verb, record = "post_invoice", int(invoice.ref.id)
        with refusals(verb, self._session, MOVE, invoice.ref.id):
            (standing,) = self._session.read(MOVE, [record], ["state"])
            if standing["state"] == "draft":  # a date would be written on a posted one without a word
                self._session.call(MOVE, "write", ids=[record], vals={"invoice_date": on})
                self._meet_lock(verb, record)
            self._press(MOVE, "action_post", record)
        stated: Invoice = self._reader.read_back(f"invoice {record}", lambda: self._reader.invoice(record))
        if standing["state"] != "draft":  # older series say nothing to that
            raise NothingHappened(verb, "it was no draft any more, and nothing was posted", stated.state)
        if stated.state not in DONE:
            raise NothingHappened(verb, "the invoice was not posted", stated.state)
        return stated

    def _meet_lock(self, verb: str, record: int) -> None:
        """Posting into a locked period would move the date to another one, with a banner on the form for a warning."""
        (row,) = self._session.read(MOVE, [record], ["tax_lock_date_message", "state"])
        if warning := text(row["tax_lock_date_message"]):
            raise Refused(verb, " ".join(warning.split()), str(row["state"]), Basis.RECORDS)

    def credit_invoice(self, invoice: Invoice, on: date) -> Invoice:
        """The whole invoice is credited. An open one is settled by its credit note."""
        verb, record = "credit_invoice", int(invoice.ref.id)
        with refusals(verb, self._session, MOVE, invoice.ref.id):
            note = self._credited(record, on)
            (standing,) = self._session.read(MOVE, [note], ["state"])
            if standing["state"] == "draft":
                self._press(MOVE, "action_post", note)
        stated: Invoice = self._reader.read_back(f"credit note {note}", lambda: self._reader.invoice(note))
        if stated.state not in DONE:
            raise NothingHappened(verb, "the credit note was not posted", stated.state)
        return stated

    def _credited(self, record: int, on: date) -> int:
        """A draft credit note of an invoice."""
        series = self._session.series
        (row,) = self._session.read(MOVE, [record], ["journal_id", "amount_total", "amount_residual"])
        values: dict[str, Any] = {"date": on, "reason": self._run, "journal_id": link(row["journal_id"])}
        values |= series.credit_values(settles=row["amount_total"] == row["amount_residual"])
        answer = self._wizard(REVERSAL, values, series.credit_button, MOVE, record)
        note = answer.get("res_id") if isinstance(answer, dict) else None
        if not note:
            raise ErpMisbehaved("The ERP accepted the form of a credit note, but no record came of it.")
        return int(note)

    @property
    def _run(self) -> str:
        return f"RG-{self._session.carrier.call.run_id}"

    def pay_invoice(self, invoice: Invoice, amount: Money, on: date) -> Invoice:
        """Books a payment into the tenant's cash account; less than is open leaves a rest."""
        verb, record = "pay_invoice", int(invoice.ref.id)
        with refusals(verb, self._session, MOVE, invoice.ref.id):
            values = {
                "amount": amount.amount,
                "payment_date": on,
                "journal_id": self._cash_journal(),
                "communication": f"{invoice.number} {self._run}".strip(),
            }
            self._wizard(PAYING, values, "action_create_payments", MOVE, record)
        stated: Invoice = self._reader.read_back(f"invoice {record}", lambda: self._reader.invoice(record))
        if stated.open == invoice.open:
            raise NothingHappened(verb, f"{stated.open} is still to be paid", stated.state)
        return stated

    def _cash_journal(self) -> int:
        cash = self._tenant.policy.accounts.cash[0]
        by = ["|", ("default_account_id.code", "=", cash), ("default_account_id.name", "=", cash)]
        return self._session.id_of("account.journal", cash, [("type", "in", ["cash", "bank"]), *by])


class LedgerVerbs(BillingVerbs):
    """Manual entries."""

    def post_entry(self, entry: EntryDraft) -> Posting:
        verb = "post_entry"
        with refusals(verb, self._session):
            journal = self._session.id_of("account.journal", "general", [("type", "=", "general")])
            values = {
                "move_type": "entry",
                "journal_id": journal,
                "date": entry.on,
                "ref": entry.description,
                "line_ids": [(0, 0, self._line(line)) for line in entry.lines],
            }
            move = self._create(MOVE, values)
        with refusals(verb, self._session, MOVE, str(move)):
            self._meet_lock(verb, move)
            self._press(MOVE, "action_post", move)
        (stated,) = self._reader.read_back(f"entry {move}", lambda: self._reader.postings([move]))
        if stated.state != "posted":
            raise NothingHappened(verb, "the entry was not posted", stated.state)
        if stated.on != entry.on:
            raise NothingHappened(verb, f"the entry was posted to {stated.on} instead", stated.state)
        posting: Posting = stated
        return posting

    def _line(self, line: EntryLine) -> dict[str, Any]:
        policy = self._tenant.policy
        by = ["|", ("code", "=", line.account), ("name", "=", line.account)]
        values: dict[str, Any] = {
            "account_id": self._session.id_of("account.account", line.account, by),
            "debit": line.debit.amount,
            "credit": line.credit.amount,
        }
        if line.account in policy.accounts.receivable:
            values["partner_id"] = self._session.id_of("res.partner", policy.customer)
        return values
