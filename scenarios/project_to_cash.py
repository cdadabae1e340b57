"""Project to cash: logged hours become an approved, posted and paid invoice."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    INVOICING,
    LEDGER,
    PAYMENTS,
    POLICY,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect,
    expect_agreement,
    scenario,
)  # fmt: skip


@scenario(
    id="project-to-cash",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, PAYMENTS, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
    smoke=True,
)
def project_to_cash(erp: Erp, make: Make, run: Run) -> None:
    draft = make.project(rate="120.00", planned="8")

    with run.step("sign in"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)

    with run.step("create project"):
        project = manager.create_project(draft)

    with run.step("enter time"):
        consultant.enter_time(project, hours="7.5")
        manager.complete_work(project)

    with run.step("draft invoice"):
        invoice = accountant.draft_invoice(project)
        expected = erp.totals((erp.billable(draft.task, "7.5"), draft.task.rate, ""))
        expect(invoice.customer, equals=erp.policy.customer, because="the project is this customer's", what="customer")
        expect(
            invoice.net,
            equals=expected.net,
            because=f"{erp.billable(draft.task, '7.5')} h at {draft.task.rate}",
            what="net amount",
        )

    with run.step("post invoice"):
        invoice = accountant.post_invoice(invoice)
        figures = {"net": expected.net, "tax": expected.tax, "total": expected.total}
        expect_agreement(erp.layers(invoice), figures, because="record, screen and ledger state what was billed")

    with run.step("receive payment"):
        paid = accountant.pay_invoice(invoice, expected.total)
        expect(paid.state, equals="paid", because="it was paid in full", what="state")
        expect(paid.open, equals=erp.money("0"), because="it was paid in full", what="amount to pay")

    with run.step("find the money"):
        postings, accounts = erp.books.postings_of(invoice.ref), erp.policy.accounts
        received = sum((posting.on_account(*accounts.cash) for posting in postings), erp.money("0"))
        owed = sum((posting.on_account(*accounts.receivable) for posting in postings), erp.money("0"))
        expect(owed, equals=erp.money("0"), because="what was billed is paid", what="amount owed in the ledger")
        cash = "the money that came in is in cash"
        expect(received, equals=expected.total, because=cash, what="cash received", basis=POLICY)
