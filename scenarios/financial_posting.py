"""Financial posting: an invoice reaches the ledger once, balanced, rightly accounted, dated and numbered."""

from ringgate.api import (
    ACCOUNTANT,
    BALANCED,
    BOOKS,
    CONSULTANT,
    INVOICING,
    JOURNAL_ENTRIES,
    LEDGER,
    NUMBERED,
    ONCE,
    POLICY,
    POSTING,
    PROJECT_MANAGER,
    PROJECTS,
    RECORDS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect,
    expect_agreement,
    expect_particulars,
    expect_refusal,
    name_billed,
    scenario,
)  # fmt: skip


@scenario(
    id="financial-posting",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, JOURNAL_ENTRIES, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def financial_posting(erp: Erp, make: Make, run: Run) -> None:
    with run.step("prepare invoice"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        draft = make.project(rate="95.00", planned="4")
        project = manager.create_project(draft)
        consultant.enter_time(project, hours="3.5")
        manager.complete_work(project)
        invoice = accountant.draft_invoice(project)

    with run.step("post invoice"):
        before = erp.books.invoice_numbers(run.today)
        invoice = accountant.post_invoice(invoice)
        expect(invoice.state, equals="posted", because="it was posted", what="state")

    with run.step("check the posting", POSTING):
        posting, accounts = erp.books.posting_of(invoice.ref), erp.policy.accounts
        expected = erp.totals((erp.billable(draft.task, "3.5"), draft.task.rate, ""))
        expect(posting.debit, equals=posting.credit, because="a posting balances", what="debit", invariant=BALANCED)
        others = {line.account for line in posting.lines} - {*accounts.receivable, *accounts.revenue, *accounts.tax}
        expect(
            others,
            equals=set(),
            because="an invoice touches receivable, revenue and tax only",
            what="other accounts",
            basis=POLICY,
        )
        expect(posting.on, equals=run.today, because="the invoice is of today", what="date")
        expect(
            posting.on,
            within=(posting.period_start, posting.period_end),
            because=f"it is posted in period {posting.period}, which holds its date",
            what="date of the posting",
        )

        postings = [each.number for each in erp.books.postings_of(invoice.ref)]
        once = "an invoice reaches the ledger once"
        expect(postings, equals=[posting.number], because=once, what="postings", invariant=ONCE)

    with run.step("compare the layers", POSTING):
        figures = {"net": expected.net, "tax": expected.tax, "total": expected.total}
        expect_agreement(erp.layers(invoice), figures, because="record, screen and ledger state what was billed")
        parts = sorted(part.amount.amount for part in erp.instalments(expected.total, run.today))
        owed = sorted(line.debit.amount for line in posting.lines if line.account in accounts.receivable)
        expect(owed, equals=parts, because=f"it is payable in {erp.policy.term}", what="amounts owed", basis=POLICY)

    with run.step("check what it states"):
        texts = [name_billed(draft, project)]
        expect_particulars(erp.particulars(invoice), policy=erp.policy, texts=texts, by=ACCOUNTANT)

    with run.step("check the numbering", POSTING):
        numbers = erp.books.invoice_numbers(run.today)
        expect(
            invoice.number,
            one_of=set(numbers) - set(before),
            because="the invoice got a number of its own, which no invoice had before",
            what="number of the invoice",
            invariant=NUMBERED,
        )
        old = erp.gaps(before)
        new = tuple(gap for gap in erp.gaps(numbers) if gap not in old)
        expect(new, equals=(), because="numbers follow each other", what="gaps of this posting", invariant=NUMBERED)
        expect(old, equals=(), because="numbers followed each other before", what="older gaps", basis=RECORDS)

    with run.step("refuse double posting"):
        expect_refusal(accountant.post_invoice, invoice, because="it is posted already")
        expect(
            erp.books.posting_of(invoice.ref), equals=posting, because="posting again changes nothing", what="posting"
        )

    with run.step("refuse a closed period"):
        closed = expect(
            erp.books.closed_day(),
            present="a day in a closed period",
            because="the tenant closes its periods",
            what="latest closed period",
            basis=RECORDS,
        )
        expect_refusal(accountant.post_entry, make.entry(on=closed), because=f"the period of {closed} is closed")
