"""A part-paid invoice in flight: after the upgrade it is open by the rest, and the rest settles it."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    INVOICING,
    LEDGER,
    PAYMENTS,
    PROJECT_MANAGER,
    PROJECTS,
    RECORDS,
    TIME,
    Erp,
    Invoice,
    Make,
    Run,
    expect,
    expect_agreement,
    in_flight,
)  # fmt: skip

HOURS, RATE, PAID = "2", "100.00", "50.00"


@in_flight(
    id="in-flight-part-paid-invoice",
    needs={PROJECTS, TIME, INVOICING, LEDGER, PAYMENTS, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def begin(erp: Erp, make: Make, run: Run) -> Invoice:
    with run.step("post an invoice"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        project = manager.create_project(make.project(rate=RATE, planned=HOURS))
        consultant.enter_time(project, HOURS)
        manager.complete_work(project)
        invoice = accountant.post_invoice(accountant.draft_invoice(project))

    with run.step("pay in part"):
        return accountant.pay_invoice(invoice, erp.money(PAID))


@begin.finish
def part_paid_invoice(erp: Erp, make: Make, run: Run, paid_in_part: Invoice) -> None:
    expected = erp.totals((erp.money(HOURS).amount, erp.money(RATE), ""))
    rest = expected.total - erp.money(PAID)

    with run.step("read the invoice again"):
        accountant = erp.sign_in(ACCOUNTANT)
        invoice = accountant.read_invoice(paid_in_part)
        expect(invoice.state, equals="posted", because="it is not paid in full", what="state", basis=RECORDS)
        kept = "a posted invoice keeps its number"
        expect(invoice.number, equals=paid_in_part.number, because=kept, what="number", basis=RECORDS)
        part = f"{erp.money(PAID)} of {expected.total} was paid"
        expect(invoice.open, equals=rest, because=part, what="amount to pay", basis=RECORDS)
        figures = {"net": expected.net, "tax": expected.tax, "total": expected.total}
        expect_agreement(erp.layers(invoice), figures, because="record, screen and ledger state what was billed before")

    with run.step("pay the rest"):
        invoice = accountant.pay_invoice(invoice, rest)
        expect(invoice.open, equals=erp.money("0"), because="it was paid in full", what="amount to pay")
        expect(invoice.state, equals="paid", because="it was paid in full", what="state")
