"""An auditor looks for gaps in the numbers of this year's invoices: one call, twenty numbers."""

from ringgate.api import AUDITOR, LEDGER, READ, Erp, Make, Run, expect, scenario


@scenario(id="numbering", effect=READ, needs={LEDGER}, roles={AUDITOR})
def numbering(erp: Erp, make: Make, run: Run) -> None:
    with run.step("read the numbers"):
        numbers = erp.books.invoice_numbers(run.today)
        expect(erp.gaps(numbers), equals=(), because="numbers follow each other", what="gaps")
