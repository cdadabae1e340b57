"""A half-billed project in flight: its second invoice, after the upgrade, bills exactly what is not billed yet."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    EFFORT,
    INVOICING,
    LEDGER,
    PROJECT_MANAGER,
    PROJECTS,
    RECORDS,
    TIME,
    Decimal,
    Erp,
    Make,
    Project,
    Run,
    expect,
    expect_agreement,
    expect_refusal,
    in_flight,
)  # fmt: skip

RATE = "120.00"
BILLED, WAITING, LATER = "5", "3.25", "1.5"


@in_flight(
    id="in-flight-half-billed-project",
    needs={PROJECTS, TIME, INVOICING, LEDGER, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def begin(erp: Erp, make: Make, run: Run) -> Project:
    with run.step("bill the first hours"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        project = manager.create_project(make.project(rate=RATE, planned=BILLED))
        consultant.enter_time(project, BILLED)
        if erp.policy.invoice_method is EFFORT:
            manager.complete_work(project)
        accountant.post_invoice(accountant.draft_invoice(project))

    with run.step("enter hours not billed yet"):
        consultant.enter_time(project, WAITING)
        return project


@begin.finish
def half_billed_project(erp: Erp, make: Make, run: Run, project: Project) -> None:
    with run.step("enter more time"):
        consultant, accountant = erp.sign_in(CONSULTANT, ACCOUNTANT)
        before = Decimal(BILLED) + Decimal(WAITING)
        logged = erp.books.hours_on(project)
        expect(logged, equals=before, because="these were logged before", what="hours logged", basis=RECORDS)
        consultant.enter_time(project, LATER)

    with run.step("bill the rest"):
        if erp.policy.invoice_method is EFFORT:
            expect_refusal(accountant.draft_invoice, project, because="the hours planned were all billed before")
            return
        hours = Decimal(WAITING) + Decimal(LATER)
        expected = erp.totals((hours, erp.money(RATE), ""))
        invoice = accountant.draft_invoice(project)
        billed = sum((line.quantity for line in invoice.lines), Decimal(0))
        expect(billed, equals=hours, because="exactly the hours not billed yet are billed", what="hours billed")
        expect(invoice.net, equals=expected.net, because=f"{hours} h at {RATE}", what="net amount")

    with run.step("post invoice"):
        invoice = accountant.post_invoice(invoice)
        figures = {"net": expected.net, "tax": expected.tax, "total": expected.total}
        expect_agreement(erp.layers(invoice), figures, because="record, screen and ledger state what was billed")
