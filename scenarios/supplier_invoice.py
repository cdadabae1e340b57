"""Supplier invoice: what a supplier billed is recorded, posted on its own accounts and paid; nothing stays owed."""

from ringgate.api import (
    ACCOUNTANT,
    BALANCED,
    BOOKS,
    LEDGER,
    PAYMENTS,
    POLICY,
    POSTING,
    REVERSIBLE,
    SUPPLIER_INVOICES,
    Erp,
    Make,
    Run,
    expect,
    scenario,
)  # fmt: skip


@scenario(
    id="supplier-invoice",
    effect=REVERSIBLE,
    needs={SUPPLIER_INVOICES, PAYMENTS, LEDGER, BOOKS},
    roles={ACCOUNTANT},
    extended=True,
)
def supplier_invoice(erp: Erp, make: Make, run: Run) -> None:
    draft, accounts, nil = make.supplier_invoice(), erp.policy.accounts, erp.money("0")
    expected = erp.totals(*((line.quantity, line.unit_price, line.tax) for line in draft.lines))

    with run.step("record what a supplier billed"):
        accountant = erp.sign_in(ACCOUNTANT)
        invoice = accountant.record_supplier_invoice(draft)
        expect(invoice.state, equals="draft", because="it was not posted yet", what="state")
        expect(invoice.customer, equals=draft.supplier, because="this supplier sent it", what="supplier")
        billed = "quantity x price of its lines"
        expect(invoice.net, equals=expected.net, because=billed, what="net amount", basis=POLICY)
        rounding = f"tax is rounded by {erp.policy.tax_rounding}"
        expect(invoice.tax, equals=expected.tax, because=rounding, what="tax", basis=POLICY)
        expect(invoice.total, equals=expected.total, because="net and tax add up", what="total")

    with run.step("post it"):
        invoice = accountant.post_invoice(invoice)
        expect(invoice.state, equals="posted", because="it was posted", what="state")
        record = erp.books.invoice(invoice.ref)
        term = f"it is payable in {erp.policy.term}"
        expect(record.due, equals=erp.due(run.today), because=term, what="due dates", basis=POLICY)

    with run.step("check the posting", POSTING):
        posting = erp.books.posting_of(invoice.ref)
        expect(posting.debit, equals=posting.credit, because="a posting balances", what="debit", invariant=BALANCED)
        cost = "what a supplier bills is an expense"
        expect(posting.on_account(*accounts.expense), equals=expected.net, because=cost, what="expense", basis=POLICY)
        deducted = "the tax that a supplier charges is deducted"
        expect(posting.on_account(*accounts.tax), equals=expected.tax, because=deducted, what="tax", basis=POLICY)
        owed = "the supplier is owed all of it"
        expect(posting.on_account(*accounts.payable), equals=-expected.total, because=owed, what="owed", basis=POLICY)

    with run.step("pay it"):
        paid = accountant.pay_invoice(invoice, expected.total)
        expect(paid.state, equals="paid", because="it was paid in full", what="state")
        expect(paid.open, equals=nil, because="it was paid in full", what="amount to pay")

    with run.step("find the money", POSTING):
        postings = erp.books.postings_of(invoice.ref)
        left = sum((each.on_account(*accounts.payable) for each in postings), nil)
        spent = sum((each.on_account(*accounts.cash) for each in postings), nil)
        expect(left, equals=nil, because="what was billed is paid", what="amount owed to the supplier")
        gone = "the money went out of cash"
        expect(spent, equals=-expected.total, because=gone, what="cash spent", basis=POLICY)
