"""Invoices, credit notes, payments and manual entries of the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from ringgate.domain.documents import EntryDraft, EntryLine, Invoice, Posting, Project
from ringgate.domain.errors import ErpMisbehaved, Refused
from ringgate.domain.money import Money
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.api.actor import Acting
from ringgate.drivers.tryton.refusals import NothingHappened
from ringgate.drivers.tryton.sessions import refusals

INVOICE: Final = "account.invoice"
MOVE: Final = "account.move"


class BillingVerbs(Acting):
    """What an accountant does with invoices. Warnings of the ERP are confirmed, as a person would."""

    def draft_invoice(self, project: Project) -> Invoice:
        # The button answers nothing, and may do nothing: what it made is found by the description it copies from the
        # project. An older draft of the same project must not be taken for a new one.
        known = self._memory.drafts.setdefault(project.ref.id, set())
        with refusals("draft_invoice", self._session, "project.work", project.ref.id):
            if project.ref.id not in self._memory.made:
                known.update(row["id"] for row in self._drafts_of(project, ["id"]))
            self._session.confirmed("model.project.work.invoice", [int(project.ref.id)])
            new = [row for row in self._drafts_of(project, list(records.INVOICE)) if row["id"] not in known]
        if not new:
            raise NothingHappened("draft_invoice", "there is nothing to bill", project.state)
        if len(new) > 1:
            raise ErpMisbehaved(f"The ERP made {len(new)} invoices of project {project.ref.id} instead of one.")
        known.add(new[0]["id"])
        return records.invoice(new[0])

    def _drafts_of(self, project: Project, fields: list[str]) -> list[dict[str, Any]]:
        domain = [("description", "=", project.name), ("type", "=", "out"), ("state", "=", "draft")]
        rows: list[dict[str, Any]] = self._session.call(f"model.{INVOICE}.search_read", domain, 0, None, None, fields)
        return rows

    def read_invoice(self, invoice: Invoice) -> Invoice:
        with refusals("read_invoice", self._session):
            return records.invoice(self._read(INVOICE, invoice.ref.id, records.INVOICE))

    def post_invoice(self, invoice: Invoice, on: date) -> Invoice:
        record = int(invoice.ref.id)
        with refusals("post_invoice", self._session, INVOICE, invoice.ref.id):
            # Writing the date first also meets the refusal of an invoice that is posted already: the button alone
            # would say nothing.
            self._session.call(f"model.{INVOICE}.write", [record], {"invoice_date": on})
            self._session.confirmed(f"model.{INVOICE}.post", [record])
        stated = records.invoice(self._read_back(INVOICE, record, records.INVOICE))
        if stated.state not in ("posted", "paid"):
            raise NothingHappened("post_invoice", "the invoice was not posted", stated.state)
        return stated

    def credit_invoice(self, invoice: Invoice, on: date) -> Invoice:
        """An open invoice is settled by its credit note; one that is paid, even in part, gets one to be settled."""
        record = int(invoice.ref.id)
        with refusals("credit_invoice", self._session, INVOICE, invoice.ref.id):
            standing = self._read(INVOICE, record, ["state", "payment_lines"])
            if standing["state"] not in ("posted", "paid"):
                raise Refused("credit_invoice", "only a posted invoice can be credited", standing["state"])
            settles = standing["state"] == "posted" and not standing["payment_lines"]
            answer = {"start": {"invoice_date": on, "with_refund": settles, "with_refund_allowed": settles}}
            page = self._session.wizard("account.invoice.credit", INVOICE, [record], ("credit", answer))
            note = _first_result(page)
            if not settles:
                self._session.confirmed(f"model.{INVOICE}.post", [note])
        stated = records.invoice(self._read_back(INVOICE, note, records.INVOICE))
        if stated.state not in ("posted", "paid"):
            raise NothingHappened("credit_invoice", "the credit note was not posted", stated.state)
        return stated

    def pay_invoice(self, invoice: Invoice, amount: Money, on: date) -> Invoice:
        """Books a payment into the tenant's cash account. More than is open is refused; less leaves a rest."""
        session, record = self._session, int(invoice.ref.id)
        with refusals("pay_invoice", session, INVOICE, invoice.ref.id):
            code = amount.currency.code
            start = {
                "payee": session.id_of("party.party", invoice.customer),
                "amount": records.amount(amount),
                "currency": session.id_of("currency.currency", code, ("code", "=", code)),
                "payment_method": self._payment_method(),
                "date": on,
                "description": f"RG-{session.carrier.call.run_id}" if session.carrier else "",
            }
            self._pay(record, start)
        stated = records.invoice(self._read_back(INVOICE, record, records.INVOICE))
        if stated.open == invoice.open:
            raise NothingHappened("pay_invoice", f"{stated.open} is still to be paid", stated.state)
        return stated

    def _pay(self, record: int, start: dict[str, Any]) -> None:
        context = {"active_model": INVOICE, "active_id": record, "active_ids": [record]}
        call, name = self._session.confirmed, "wizard.account.invoice.pay"
        session, _, _ = call(f"{name}.create", context=context)
        try:
            page = call(f"{name}.execute", session, {"start": start}, "choice", context=context)
            if "view" in page:  # the amount is not what is open: it asks what to make of the difference
                defaults = {key: value for key, value in page["view"]["defaults"].items() if "." not in key}
                ask = {**defaults, "type": "partial"}
                call(f"{name}.execute", session, {"start": start, "ask": ask}, "pay", context=context)
        finally:
            call(f"{name}.delete", session)

    def _payment_method(self) -> int:
        cash = self._tenant.policy.accounts.cash[0]
        by = ["OR", ("debit_account.code", "=", cash), ("debit_account.name", "=", cash)]
        return self._session.id_of("account.invoice.payment.method", cash, by)


class LedgerVerbs(Acting):
    """Manual entries."""

    def post_entry(self, entry: EntryDraft) -> Posting:
        with refusals("post_entry", self._session):
            values = {
                "journal": self._session.id_of("account.journal", "general", ("type", "=", "general")),
                "period": self._period(entry.on),
                "date": entry.on,
                "description": entry.description,
                "lines": [("create", [self._line(line) for line in entry.lines])],
            }
            move = self._create(MOVE, values)
        with refusals("post_entry", self._session, MOVE, str(move)):
            self._session.confirmed(f"model.{MOVE}.post", [move])
        number = self._session.client.dialect.posting_number
        stated = records.posting(self._read_back(MOVE, move, records.move_fields(number)), number)
        if stated.state != "posted":
            raise NothingHappened("post_entry", "the entry was not posted", stated.state)
        return stated

    def _period(self, on: date) -> int:
        domain = [("start_date", "<=", on), ("end_date", ">=", on), ("type", "=", "standard")]
        return self._session.id_of("account.period", on.isoformat(), *domain)

    def _line(self, line: EntryLine) -> dict[str, Any]:
        policy = self._tenant.policy
        by = ["OR", ("code", "=", line.account), ("name", "=", line.account)]
        values: dict[str, Any] = {
            "account": self._session.id_of("account.account", line.account, by),
            "debit": records.amount(line.debit),
            "credit": records.amount(line.credit),
        }
        if line.account in policy.accounts.receivable:
            values["party"] = self._session.id_of("party.party", policy.customer)
        return values


def _first_result(page: Any) -> int:
    """The record that the action at the end of a wizard would open."""
    for _, data in (page or {}).get("actions", ()):
        found = data.get("res_id")
        if found:
            return int(found[0] if isinstance(found, list) else found)
    raise ErpMisbehaved("The ERP finished the wizard, but names no record that came of it.")
