"""Purchase requests, invoices and the ledger, as a person does them in Tryton's web client."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from ringgate.domain.documents import (
    EntryDraft,
    EntryLine,
    Invoice,
    InvoiceLine,
    Posting,
    PostingLine,
    Project,
    PurchaseRequest,
    Ref,
    RequestDraft,
    TaxLine,
)  # fmt: skip
from ringgate.domain.errors import ErpMisbehaved, Refused
from ringgate.domain.money import Currency, Money
from ringgate.drivers.tryton.browser.actor import WORK, BrowserActing, BrowserIdentityVerbs, BrowserProjectVerbs
from ringgate.drivers.tryton.browser.pages.client import FormView, Screen
from ringgate.drivers.tryton.browser.pages.form import FormRow
from ringgate.drivers.tryton.refusals import NothingHappened

REQUISITION: Final = "purchase.requisition"
INVOICE: Final = "account.invoice"
MOVE: Final = "account.move"

LEAD_TIME: Final = timedelta(days=14)
"""Tryton wants to know by when the goods are needed before it lets a request be submitted."""

# For the business an approved request stays approved, and a validated invoice is a draft.
REQUEST_STATES: Final = {"processing": "approved", "done": "approved"}
INVOICE_STATES: Final = {"validated": "draft"}
POSTING_NUMBERS: Final = ("post_number", "number")
"""What series call the field of a posting's number: 7.0, and 8.0."""


class BrowserProcurementVerbs(BrowserActing):
    """Each step presses the button a person would press, and reads the state back: a button may do nothing."""

    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest:
        verb = "request_purchase"
        with self._verb(verb):
            self._did(verb, self._tabs.new(REQUISITION))
            self._form.fill("description", draft.description)
            self._form.fill_date("supply_date", self._today() + LEAD_TIME)
            self._form.add_to("lines")
            self._window.fill("description", draft.description)
            self._window.number("quantity", draft.quantity)
            self._window.number("unit_price", draft.unit_price.amount)
            self._did(verb, self._window.accept())
            screen = self._saved(verb)
            return self._request(screen, screen.record)

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        with self._verb("read_request"):
            return self._request(self._opened("read_request", REQUISITION, request.ref.id, anew=True), request.ref.id)

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("submit_request", "wait", request, "waiting")

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("approve_request", "approve", request, "approved")

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("reject_request", "reject", request, "rejected")

    def _press(self, verb: str, button: str, request: PurchaseRequest, wanted: str) -> PurchaseRequest:
        with self._verb(verb):
            screen = self._opened(verb, REQUISITION, request.ref.id)
            screen = self._did(verb, self._form.press(button, screen))
            stated = self._request(screen, request.ref.id)
            if stated.state != wanted:
                raise NothingHappened(verb, f"the request did not become {wanted}", stated.state)
            return stated

    def _request(self, screen: Screen, record: str) -> PurchaseRequest:
        shown = self._form.validate_page(screen, "number", "state", "total_amount", "description", "employee")
        state = shown.text("state")
        return PurchaseRequest(
            Ref("request", record),
            shown.text("number"),
            REQUEST_STATES.get(state, state),
            self._money(shown.text("total_amount")),
            shown.text("description"),
            shown.text("employee"),
        )


class BrowserBillingVerbs(BrowserActing):
    """What an accountant does with invoices. Warnings are confirmed, as a person would."""

    def draft_invoice(self, project: Project) -> Invoice:
        """The button on the project says nothing, and may do nothing: what was billed before and after tells."""
        verb = "draft_invoice"
        with self._verb(verb):
            screen = self._opened(verb, WORK, project.ref.id)
            before = self._form.view(screen).text("invoiced_amount")
            screen = self._did(verb, self._form.press("invoice", screen))
            if self._form.view(screen).text("invoiced_amount") == before:
                raise NothingHappened(verb, "there is nothing to bill", project.state)
            drafts = [["description", "=", project.name], ["type", "=", "out"], ["state", "=", "draft"]]
            screen = self._did(verb, self._tabs.listing(INVOICE, drafts))
            if len(screen.rows) != 1:
                raise ErpMisbehaved(f"The list of drafts shows {len(screen.rows)} invoices of this project, not one.")
            return self._invoice(self._tabs.open_row(0))

    def read_invoice(self, invoice: Invoice) -> Invoice:
        with self._verb("read_invoice"):
            return self._invoice(self._opened("read_invoice", INVOICE, invoice.ref.id, anew=True))

    def post_invoice(self, invoice: Invoice, on: date) -> Invoice:
        """An invoice of today is left undated, as a person would: the ERP dates it, in the tenant's own time zone."""
        verb = "post_invoice"
        with self._verb(verb):
            screen = self._opened(verb, INVOICE, invoice.ref.id)
            shown = self._form.view(screen)
            if shown.buttons.get("post") and (on != self._today() or shown.text("invoice_date")):
                screen = self._form.fill_date("invoice_date", on)
            stated = self._invoice(self._did(verb, self._form.press("post", screen)))
            if stated.state not in ("posted", "paid"):
                raise NothingHappened(verb, "the invoice was not posted", stated.state)
            return stated

    def credit_invoice(self, invoice: Invoice, on: date) -> Invoice:
        """An open invoice is settled by its credit note; one that is paid, even in part, gets one to be settled."""
        verb = "credit_invoice"
        with self._verb(verb):
            standing = self._invoice(self._opened(verb, INVOICE, invoice.ref.id, anew=True))
            if standing.state not in ("posted", "paid"):
                raise Refused(verb, "only a posted invoice can be credited", standing.state)
            screen = self._did(verb, self._tabs.wizard("account.invoice.credit", INVOICE, invoice.ref.id))
            box = self._window.validate_page(screen, "with_refund", "invoice_date").fields["with_refund"]
            if not box.fixed:
                self._window.tick("with_refund", on=standing.state == "posted" and standing.open == standing.total)
            self._window.fill_date("invoice_date", on)
            screen = self._did(verb, self._window.accept())
            if screen.form is None or screen.record in ("", invoice.ref.id):
                raise ErpMisbehaved("The web client credited the invoice, but shows no credit note.")
            if self._state() == "draft":
                screen = self._did(verb, self._form.press("post", screen))
            stated = self._invoice(screen)
            if stated.state not in ("posted", "paid"):
                raise NothingHappened(verb, "the credit note was not posted", stated.state)
            return stated

    def pay_invoice(self, invoice: Invoice, amount: Money, on: date) -> Invoice:
        """Books a payment by the tenant's first way of payment. More than is open is refused; less leaves a rest."""
        verb = "pay_invoice"
        with self._verb(verb):
            screen = self._opened(verb, INVOICE, invoice.ref.id)
            before = self._invoice(screen)
            self._did(verb, self._form.press("pay", screen))
            self._window.number("amount", amount.amount)
            self._window.fill("description", f"RG-{self._run_id}")
            self._window.select_last("payment_method")
            self._window.fill_date("date", on)
            screen = self._did(verb, self._window.accept())
            if screen.window is not None:  # the amount is not what is open: it asks what to make of the difference
                if amount.amount > before.open.amount:
                    self._window.cancel()
                    raise Refused(verb, f"only {before.open} is to be paid", before.state)
                self._window.select("type", "partial")
                self._did(verb, self._window.accept())
            stated = self._invoice(self._client.settle("the invoice"))
            if stated.open == before.open:
                raise NothingHappened(verb, f"{stated.open} is still to be paid", stated.state)
            return stated

    def _invoice(self, screen: Screen) -> Invoice:
        """What the form shows, pages that are behind others included."""
        names = ("state", "party", "currency", "untaxed_amount", "tax_amount", "total_amount", "lines", "taxes")
        shown = self._form.validate_page(screen, *names)
        of = self._currency(shown)
        state = shown.text("state")
        due = (self._client.formats.date_of(row["maturity_date"]) for row in shown.lists.get("lines_to_pay", ()))
        return Invoice(
            ref=Ref("invoice", screen.record),
            number=shown.text("number"),
            state=INVOICE_STATES.get(state, state),
            customer=shown.text("party"),
            on=self._client.formats.date_of(shown.text("invoice_date")),
            net=self._money(shown.text("untaxed_amount"), of),
            tax=self._money(shown.text("tax_amount"), of),
            total=self._money(shown.text("total_amount"), of),
            open=self._money(shown.text("amount_to_pay"), of),
            lines=tuple(
                InvoiceLine(self._number(r["quantity"]), self._money(r["unit_price"], of), self._money(r["amount"], of))
                for r in shown.lists["lines"]
            ),
            taxes=tuple(
                TaxLine(r["description"], self._money(r["base"], of), self._money(r["amount"], of))
                for r in shown.lists["taxes"]
            ),
            due=tuple(sorted({day for day in due if day is not None})),
        )

    def _currency(self, shown: FormView) -> Currency:
        """Forms show a currency's name, which leads to its code in the list of currencies, read once a session."""
        own = self._session.tenant.policy.currency
        code = self._session.listed("currency.currency", [["name", "=", shown.text("currency")]])["code"]
        return own if code == own.code else Currency(code)


class BrowserLedgerVerbs(BrowserActing):
    """Manual entries."""

    def post_entry(self, entry: EntryDraft) -> Posting:
        """The head of the entry is saved before its lines are typed: a closed period is refused there."""
        verb = "post_entry"
        with self._verb(verb):
            journal = self._session.listed("account.journal", [["type", "=", "general"]])["name"]
            self._did(verb, self._tabs.new(MOVE))
            self._form.select_label("journal", journal)
            self._form.fill_date("date", entry.on)
            self._form.fill("description_used", entry.description)
            self._saved(verb)
            for line in entry.lines:
                self._type(line)
            screen = self._saved(verb)
            stated = self._posting(self._did(verb, self._form.press("post", screen)))
            if stated.state != "posted":
                raise NothingHappened(verb, "the entry was not posted", stated.state)
            return stated

    def _type(self, line: EntryLine) -> None:
        self._form.add_to("lines")
        row, accounts = FormRow(self._client, list_name="lines"), self._session.tenant.policy.accounts
        row.choose("account", line.account)
        if line.account in accounts.receivable:
            row.choose("party", self._session.tenant.policy.customer)
        for side, amount in (("debit", line.debit.amount), ("credit", line.credit.amount)):
            if amount:  # the other side is nil as it stands; 8.0 closes it once this one has an amount
                row.number(side, amount)

    def _posting(self, screen: Screen) -> Posting:
        number = next((name for name in POSTING_NUMBERS if name in self._form.view(screen).fields), POSTING_NUMBERS[0])
        shown = self._form.validate_page(screen, number, "date", "period", "state", "lines")
        period = self._tabs.form_beside("account.period", [["name", "=", shown.text("period")]])
        texts = (shown.text("date"), period.text("start_date"), period.text("end_date"))
        on, start, end = map(self._client.formats.date_of, texts)
        if on is None or start is None or end is None:
            raise ErpMisbehaved("The posted entry on the screen lacks a date, or its period does.")
        return Posting(
            ref=Ref("posting", screen.record),
            number=shown.text(number),
            on=on,
            period=shown.text("period"),
            period_start=start,
            period_end=end,
            state=shown.text("state"),
            currency=self._session.tenant.policy.currency,
            lines=tuple(
                PostingLine(
                    row["account"].partition(" - ")[0],
                    self._money(row["debit"]),
                    self._money(row["credit"]),
                    row["party"],
                )
                for row in shown.lists["lines"]
            ),
        )


class TrytonBrowserActor(
    BrowserIdentityVerbs, BrowserProjectVerbs, BrowserProcurementVerbs, BrowserBillingVerbs, BrowserLedgerVerbs
):
    """One signed-in user with all verbs of the protocol."""
