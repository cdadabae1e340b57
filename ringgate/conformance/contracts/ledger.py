"""The ledger: postings, numbers, balances and manual entries."""

from __future__ import annotations

from ringgate.conformance.contracts.invoices import BILLING, STAFF
from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import Trial
from ringgate.domain.money import Money
from ringgate.domain.terms import Capability, Role

LEDGER = (Capability.BOOKS, Capability.LEDGER)


@contract("posting-of-an-invoice", *BILLING, *LEDGER, roles=STAFF)
def posting_of_an_invoice(trial: Trial) -> None:
    """An invoice's posting balances, is of its date and period, and hits the accounts that the inventory names."""
    before = trial.books.trial_balance()
    numbers = trial.books.invoice_numbers(trial.today)
    invoice = trial.posted()
    posting, accounts = trial.books.posting_of(invoice.ref), trial.policy.accounts
    trial.typed(posting)
    same(posting.debit, posting.credit, "its debit beside its credit")
    same((posting.on, posting.state), (trial.today, "posted"), "its date and state")
    require(posting.period_start <= posting.on <= posting.period_end, "its period does not hold its date")
    same(posting.on_account(*accounts.receivable), invoice.total, "what is booked on the receivable accounts")
    same(-posting.on_account(*accounts.revenue), invoice.net, "what is booked on the revenue accounts")
    same([each.ref.id for each in trial.books.postings_of(invoice.ref)], [posting.ref.id], "all its postings")
    new = set(trial.books.invoice_numbers(trial.today)) - set(numbers)
    require(invoice.number in new, f"invoice_numbers does not have {invoice.number}")
    after = trial.books.trial_balance()
    nil = Money(0, trial.policy.currency)
    for account in {line.account for line in posting.lines}:
        moved = after.get(account, nil) - before.get(account, nil)
        same(moved, posting.on_account(account), f"what the trial balance of {account} moved by")


@contract("postings-of-a-payment", *BILLING, *LEDGER, Capability.PAYMENTS, roles=STAFF)
def postings_of_a_payment(trial: Trial) -> None:
    """postings_of tells a payment beside its invoice, oldest first; together they leave nothing owed."""
    invoice = trial.posted()
    trial.actor(Role.ACCOUNTANT).pay_invoice(invoice, invoice.open)
    postings, accounts = trial.books.postings_of(invoice.ref), trial.policy.accounts
    nil = Money(0, trial.policy.currency)
    require(len(postings) > 1, "a paid invoice has one posting: its payment's is not told")
    same(postings[0].ref.id, trial.books.posting_of(invoice.ref).ref.id, "the oldest of its postings")
    same(sum((each.on_account(*accounts.receivable) for each in postings), nil), nil, "what is owed after payment")
    same(sum((each.on_account(*accounts.cash) for each in postings), nil), invoice.total, "what came in")


@contract("post-entry", *LEDGER, Capability.JOURNAL_ENTRIES, roles=(Role.ACCOUNTANT,))
def post_entry(trial: Trial) -> None:
    """A manual entry is posted with its lines, its date and a number, and moves the trial balance by them."""
    before, entry = trial.books.trial_balance(), trial.make.entry()
    posting = trial.actor(Role.ACCOUNTANT).post_entry(entry)
    trial.typed(posting)
    same((posting.state, posting.on), ("posted", entry.on), "its state and date")
    require(bool(posting.number), "it has no number")
    wanted = sorted((line.account, str(line.debit), str(line.credit)) for line in entry.lines)
    same(sorted((line.account, str(line.debit), str(line.credit)) for line in posting.lines), wanted, "its lines")
    after, nil = trial.books.trial_balance(), Money(0, trial.policy.currency)
    for line in entry.lines:
        moved = after.get(line.account, nil) - before.get(line.account, nil)
        same(moved, line.debit - line.credit, f"what the trial balance of {line.account} moved by")


@contract("refuse-a-closed-period", *LEDGER, Capability.JOURNAL_ENTRIES, roles=(Role.ACCOUNTANT,))
def refuse_a_closed_period(trial: Trial) -> None:
    """An entry into a closed period is refused and changes nothing; it is not moved to another day."""
    closed = trial.books.closed_day()
    if closed is None:
        return
    before, accountant = trial.standing(), trial.actor(Role.ACCOUNTANT)
    trial.refused("post_entry", lambda: accountant.post_entry(trial.make.entry(on=closed)))
    now = trial.standing()
    if before and now:
        same(now[0], before[0], "the trial balance after a refused entry")
