"""A draft invoice in flight: drafted before the upgrade, it is posted after it, with the amounts that were drafted."""

from ringgate.api import (
    ACCOUNTANT,
    BALANCED,
    BOOKS,
    CONSULTANT,
    INVOICING,
    LEDGER,
    POLICY,
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


@in_flight(
    id="in-flight-draft-invoice",
    needs={PROJECTS, TIME, INVOICING, LEDGER, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def begin(erp: Erp, make: Make, run: Run) -> Invoice:
    draft, hours = make.project_that_shows_rounding()
    with run.step("draft invoice"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        project = manager.create_project(draft)
        for task, logged in zip(project.tasks, hours, strict=True):
            consultant.enter_time(task, logged)
        manager.complete_work(project)
        return accountant.draft_invoice(project)


@begin.finish
def draft_invoice(erp: Erp, make: Make, run: Run, drafted: Invoice) -> None:
    draft, hours = make.project_that_shows_rounding()  # the same rates and hours for the same tenant
    expected = erp.totals(
        *((erp.billable(task, logged), task.rate, task.tax) for task, logged in zip(draft.tasks, hours, strict=True))
    )

    with run.step("read the draft again"):
        accountant = erp.sign_in(ACCOUNTANT)
        invoice = accountant.read_invoice(drafted)
        state, still = invoice.state, "it is still this customer's"
        expect(state, equals="draft", because="nobody posted it meanwhile", what="state of the draft", basis=RECORDS)
        expect(invoice.customer, equals=erp.policy.customer, because=still, what="customer", basis=RECORDS)
        lines = sorted(str(line.amount) for line in invoice.lines)
        before = sorted(str(line.amount) for line in drafted.lines)
        stay = "the lines stay as they were drafted"
        expect(lines, equals=before, because=stay, what="amounts of the lines", basis=RECORDS)
        expect(invoice.net, equals=expected.net, because="hours x rate, each line rounded", what="net amount")
        expect(invoice.tax, equals=expected.tax, because="the tenant's own tax rule", what="tax", basis=POLICY)
        expect(invoice.total, equals=expected.total, because="net and tax add up", what="total")

    with run.step("post invoice"):
        invoice = accountant.post_invoice(invoice)
        figures = {"net": expected.net, "tax": expected.tax, "total": expected.total}
        expect_agreement(erp.layers(invoice), figures, because="record, screen and ledger state what was drafted")
        posting = erp.books.posting_of(invoice.ref)
        expect(posting.debit, equals=posting.credit, because="a posting balances", what="debit", invariant=BALANCED)
