"""Invoices: drafted, posted, paid, credited; and what is refused."""

from __future__ import annotations

from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import Trial, tampered
from ringgate.domain.documents import Invoice
from ringgate.domain.terms import Capability, Role

BILLING = (Capability.PROJECTS, Capability.TIME, Capability.INVOICING)
STAFF = (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT)


@contract("draft-invoice", *BILLING, roles=STAFF)
def draft_invoice(trial: Trial) -> None:
    """A draft bills the hours at their rate, has no number, and its sums add up."""
    draft = trial.draft()
    trial.typed(draft)
    same((draft.state, draft.number, draft.due), ("draft", "", ()), "state, number and due dates of the draft")
    same(draft.customer, trial.policy.customer, "the customer")
    _adds_up(draft)
    same([str(line.amount) for line in draft.lines], [str(trial.make.money("200"))], "the amounts of its lines")


@contract("refuse-nothing-to-bill", *BILLING, roles=STAFF)
def refuse_nothing_to_bill(trial: Trial) -> None:
    """Where there is nothing to bill, draft_invoice is refused, also where the ERP only does nothing."""
    project = trial.billable_project()
    accountant = trial.actor(Role.ACCOUNTANT)
    accountant.draft_invoice(project)
    trial.refused("draft_invoice", lambda: accountant.draft_invoice(project))


@contract("post-invoice", *BILLING, roles=STAFF)
def post_invoice(trial: Trial) -> None:
    """A posted invoice has a number, its date and its due dates; its amounts are the draft's, read back, not echoed."""
    accountant, draft = trial.actor(Role.ACCOUNTANT), trial.draft()
    stated = accountant.post_invoice(tampered(draft))
    trial.typed(stated)
    same(stated.state, "posted", "the state")
    require(stated.number not in ("", "RG-ECHO"), f"the number is {stated.number!r}")
    same((stated.net, stated.tax, stated.total), (draft.net, draft.tax, draft.total), "net, tax and total")
    same((stated.on, stated.open), (trial.today, draft.total), "date and amount to pay")
    require(bool(stated.due), "a posted invoice states no due date")
    _adds_up(stated)
    read = accountant.read_invoice(draft)
    same((read.state, read.number), ("posted", stated.number), "what read_invoice says of it")
    if trial.has(Capability.BOOKS):
        record = trial.books.invoice(draft.ref)
        same((record.number, record.total), (stated.number, stated.total), "what the books state of it")


@contract("refuse-double-posting", *BILLING, roles=STAFF)
def refuse_double_posting(trial: Trial) -> None:
    """Posting again is refused with the state read back, also where the ERP only does nothing; nothing is posted."""
    accountant, posted = trial.actor(Role.ACCOUNTANT), trial.posted()
    before = trial.standing()
    trial.refused("post_invoice", lambda: accountant.post_invoice(posted), state="posted")
    trial.unchanged(before, "after a refused posting")


@contract("pay-invoice", *BILLING, Capability.PAYMENTS, roles=STAFF)
def pay_invoice(trial: Trial) -> None:
    """A part payment lowers what is open and leaves the invoice posted; the rest makes it paid."""
    accountant, posted = trial.actor(Role.ACCOUNTANT), trial.posted()
    part = trial.make.money("50")
    stated = accountant.pay_invoice(posted, part)
    trial.typed(stated)
    same((stated.state, stated.open), ("posted", posted.total - part), "state and amount to pay after a part")
    same((stated.number, stated.total), (posted.number, posted.total), "number and total after a part")
    stated = accountant.pay_invoice(stated, stated.open)
    same((stated.state, stated.open.amount), ("paid", 0), "state and amount to pay after the rest")


@contract("credit-invoice", *BILLING, Capability.CREDIT_NOTES, roles=STAFF)
def credit_invoice(trial: Trial) -> None:
    """Crediting returns the posted credit note, with a number of its own and negative amounts, and settles the
    invoice."""
    accountant, posted = trial.actor(Role.ACCOUNTANT), trial.posted()
    note = accountant.credit_invoice(tampered(posted))
    trial.typed(note)
    require(note.ref.id != posted.ref.id, "the invoice itself came back instead of its credit note")
    require(note.number not in ("", "RG-ECHO", posted.number), f"the credit note's number is {note.number!r}")
    require(note.state in ("posted", "paid"), f"the credit note is {note.state}")
    same((note.net, note.tax, note.total), (-posted.net, -posted.tax, -posted.total), "net, tax and total of the note")
    same(accountant.read_invoice(posted).open.amount, 0, "what is still to be paid of the invoice")


@contract("refuse-crediting-a-draft", *BILLING, Capability.CREDIT_NOTES, roles=STAFF)
def refuse_crediting_a_draft(trial: Trial) -> None:
    """A draft cannot be credited: Refused, and it stays a draft."""
    accountant, draft = trial.actor(Role.ACCOUNTANT), trial.draft()
    trial.refused("credit_invoice", lambda: accountant.credit_invoice(draft))
    same(accountant.read_invoice(draft).state, "draft", "the state after a refusal")


def _adds_up(invoice: Invoice) -> None:
    same(invoice.net + invoice.tax, invoice.total, "net and tax together")
    same(sum((line.amount for line in invoice.taxes), invoice.tax - invoice.tax), invoice.tax, "the taxes together")
