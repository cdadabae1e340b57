"""Whatever is done to an invoice, in whatever order, its state and open amount follow, and the ledger balances."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.properties import on_an_erp
from ringgate.api import (
    ACCOUNTANT,
    BALANCED,
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
    expect_refusal,
    scenario,
)  # fmt: skip

ACTIONS = ("post", "pay a third", "pay the rest", "credit")


class Walk:
    """An invoice beside what a few lines of bookkeeping say of it."""

    def __init__(self, erp: Erp, accountant: Actor, invoice: Invoice) -> None:
        self.erp, self.accountant, self.invoice = erp, accountant, invoice
        self.state, self.open, self.touched = "draft", erp.money("0"), False

    def take(self, action: str) -> None:
        if action == "post":
            self._post()
        elif action == "credit":
            self._credit()
        else:
            self._pay(action)

    def _post(self) -> None:
        if self.state != "draft":
            expect_refusal(self.accountant.post_invoice, self.invoice, because="it is posted already")
            return
        self.invoice = self.accountant.post_invoice(self.invoice)
        self.state, self.open = "posted", self.invoice.total

    def _pay(self, action: str) -> None:
        amount = (
            (self.open or self.invoice.total) * (1 if action == "pay the rest" else self.erp.money("1").amount / 3)
        ).rounded()
        if self.state != "posted":
            expect_refusal(
                self.accountant.pay_invoice,
                self.invoice,
                amount,
                because=f"an invoice that is {self.state} is not paid",
            )
            return
        self.invoice = self.accountant.pay_invoice(self.invoice, amount)
        self.open, self.touched = self.open - amount, True
        self.state = "posted" if self.open else "paid"

    def _credit(self) -> None:
        if self.state != "posted" or self.touched:
            return  # crediting what is paid in part leaves the firm owing money: another process than this one
        note = self.accountant.credit_invoice(self.invoice)
        expect(note.total, equals=-self.invoice.total, because="the whole invoice is credited", what="credit note")
        self.invoice = self.accountant.read_invoice(self.invoice)
        self.open, self.state = self.erp.money("0"), self.invoice.state
        expect(self.state, one_of={"paid", "cancelled"}, because="a credited invoice is settled", what="state")

    def check(self) -> None:
        expect(self.invoice.state, equals=self.state, because="only its own steps change it", what="state")
        expect(self.invoice.open, equals=self.open, because="payments and credit notes reduce it", what="amount to pay")
        if self.state != "draft":
            posting = self.erp.books.posting_of(self.invoice.ref)
            expect(posting.debit, equals=posting.credit, because="a posting balances", what="debit", invariant=BALANCED)


@on_an_erp(examples=3)
@given(actions=st.lists(st.sampled_from(ACTIONS), min_size=2, max_size=4))
@example(actions=["post", "pay a third", "pay the rest", "post"])
@example(actions=["pay the rest", "post", "credit", "pay the rest"])
def test_invoice_walk(process, actions):
    @scenario(
        id="any-walk",
        effect=REVERSIBLE,
        needs={PROJECTS, TIME, INVOICING, LEDGER, PAYMENTS, CREDIT_NOTES},
        roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
    )
    def any_walk(erp: Erp, make: Make, run: Run) -> None:
        """An invoice that is posted, paid and credited in any order is stated rightly after each step."""
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        with run.step("draft invoice"):
            project = manager.create_project(make.project(rate="99.99", planned="3"))
            consultant.enter_time(project, hours="3")
            manager.complete_work(project)
            walk = Walk(erp, accountant, accountant.draft_invoice(project))
        for number, action in enumerate(actions, start=1):
            with run.step(f"{number}. {action}"):
                walk.take(action)
                walk.check()

    process(any_walk)
