"""Invoicing from time: billable hours become an invoice with the tenant's own tax, rounding and payment term."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    INVOICING,
    POLICY,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect,
    scenario,
)  # fmt: skip


@scenario(
    id="invoicing-from-time",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def invoicing_from_time(erp: Erp, make: Make, run: Run) -> None:
    draft, hours = make.project_that_shows_rounding()

    with run.step("create project"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        project = manager.create_project(draft)

    with run.step("enter time"):
        for task, logged in zip(project.tasks, hours, strict=True):
            consultant.enter_time(task, logged)
        manager.complete_work(project)

    with run.step("draft invoice"):
        invoice = accountant.draft_invoice(project)

    with run.step("check amounts"):
        expected = erp.totals(
            *((erp.billable(task, h), task.rate, task.tax) for task, h in zip(draft.tasks, hours, strict=True))
        )
        rounding = f"tax is rounded by {erp.policy.tax_rounding}"
        expect(invoice.state, equals="draft", because="it was not posted yet", what="state")
        expect(invoice.customer, equals=erp.policy.customer, because="the project is this customer's", what="customer")
        expect(
            len(invoice.lines),
            equals=len(draft.tasks),
            because="each task is billed on a line of its own",
            what="number of lines",
        )
        billable = sorted(erp.billable(task, h) for task, h in zip(draft.tasks, hours, strict=True))
        billed = sorted(line.quantity for line in invoice.lines)
        expect(billed, equals=billable, because="neither more nor less was worked", what="hours billed")
        rates = sorted(task.rate.amount for task in draft.tasks)
        charged = sorted(line.unit_price.amount for line in invoice.lines)
        expect(charged, equals=rates, because="these rates were agreed", what="rates")
        exact = "hours x rate, each line rounded to the currency"
        expect(invoice.net, equals=expected.net, because=exact, what="net amount", basis=POLICY)
        expect(invoice.tax, equals=expected.tax, because=rounding, what="tax", basis=POLICY)
        expect(invoice.total, equals=expected.total, because="net and tax add up", what="total")
        by_rate = {line.name: line.amount for line in invoice.taxes}
        expect(by_rate, equals=dict(expected.by_rate), because=rounding, what="tax of each rate", basis=POLICY)

    with run.step("post and check payment term"):
        invoice = accountant.post_invoice(invoice)
        expect(invoice.total, equals=expected.total, because="posting changes no amount", what="total")
        record = erp.books.invoice(invoice.ref)
        expect(
            record.due,
            equals=erp.due(run.today),
            because=f"it is payable in {erp.policy.term}",
            what="due dates",
            basis=POLICY,
        )
