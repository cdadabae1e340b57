"""An auditor asks who they are, and reads the numbers of invoices: two calls."""

from ringgate.api import AUDITOR, LEDGER, READ, SIGN_IN, Erp, Make, Run, expect, scenario


@scenario(id="audit", effect=READ, needs={SIGN_IN, LEDGER}, roles={AUDITOR})
def audit(erp: Erp, make: Make, run: Run) -> None:
    with run.step("ask"):
        stated = erp.sign_in(AUDITOR).who_am_i()
        expect(stated.login, equals=erp.login_of(AUDITOR), because="it is their session", what="login")

    with run.step("read the numbers"):
        expect(
            erp.books.invoice_numbers(run.today),
            present="at least one number",
            because="there are invoices",
            what="numbers",
        )
