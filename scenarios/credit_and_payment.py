"""Credit note and payment: one invoice is paid and another credited; neither leaves anything open."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    CREDIT_NOTES,
    INVOICING,
    LEDGER,
    PAYMENTS,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Actor,
    Erp,
    Invoice,
    Make,
    Run,
    expect,
    expect_agreement,
    expect_credits,
    expect_settled,
    scenario,
)  # fmt: skip


@scenario(
    id="credit-and-payment",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, PAYMENTS, CREDIT_NOTES, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def credit_and_payment(erp: Erp, make: Make, run: Run) -> None:
    manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
    expected = erp.totals((erp.money("2").amount, erp.money("100.00"), ""))

    with run.step("post an invoice to be paid"):
        invoice = _posted(manager, consultant, accountant, make)
        expect(invoice.open, equals=expected.total, because="nothing was paid yet", what="amount to pay")

    with run.step("pay in part"):
        part = erp.money("50.00")
        invoice = accountant.pay_invoice(invoice, part)
        expect(invoice.open, equals=expected.total - part, because=f"{part} was paid", what="amount to pay")
        expect(invoice.state, equals="posted", because="it is not paid in full", what="state")

    with run.step("pay the rest"):
        invoice = accountant.pay_invoice(invoice, invoice.open)
        expect(invoice.open, equals=erp.money("0"), because="it was paid in full", what="amount to pay")
        expect(invoice.state, equals="paid", because="it was paid in full", what="state")

    with run.step("check what settles it"):
        parts = [part, expected.total - part]
        expect_settled(erp.particulars(invoice), parts=parts, on=run.today, because="it was paid today, in two parts")

    with run.step("credit an invoice"):
        wrong = _posted(manager, consultant, accountant, make)
        note = accountant.credit_invoice(wrong)
        expect(note.total, equals=-expected.total, because="the whole invoice is credited", what="credit note")

    with run.step("check what it credits"):
        told = erp.particulars(note)
        expect_credits(told, invoice=wrong.ref.id, because="the credit note is of this invoice")
        because = "the credit note settles the invoice, in whole and today"
        expect_settled(erp.particulars(wrong), parts=[expected.total], on=run.today, by=note.ref.id, because=because)

    with run.step("compare the layers"):
        figures = {"net": -expected.net, "tax": -expected.tax, "total": -expected.total}
        expect_agreement(erp.layers(note), figures, because="the credit note mirrors the invoice on each layer")
        settled = erp.books.invoice(wrong.ref)
        expect(settled.open, equals=erp.money("0"), because="the credit note settles the invoice", what="amount to pay")


def _posted(manager: Actor, consultant: Actor, accountant: Actor, make: Make) -> Invoice:
    """An invoice over 2 hours at 100.00."""
    project = manager.create_project(make.project(rate="100.00", planned="2"))
    consultant.enter_time(project, hours="2")
    manager.complete_work(project)
    return accountant.post_invoice(accountant.draft_invoice(project))
