"""What suppliers bill: recorded, posted, paid."""

from __future__ import annotations

from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import Trial
from ringgate.domain.terms import Capability, Role


@contract("record-supplier-invoice", Capability.SUPPLIER_INVOICES, Capability.PAYMENTS, roles=(Role.ACCOUNTANT,))
def record_supplier_invoice(trial: Trial) -> None:
    """What a supplier bills is a draft with its lines and the supplier's name; it is posted and paid as any invoice,
    with positive amounts."""
    accountant, draft = trial.actor(Role.ACCOUNTANT), trial.make.supplier_invoice()
    stated = accountant.record_supplier_invoice(draft)
    trial.typed(stated)
    same((stated.state, stated.customer), ("draft", draft.supplier), "state and supplier of what was recorded")
    prices = sorted(str(line.unit_price) for line in draft.lines)
    same(sorted(str(line.unit_price) for line in stated.lines), prices, "the prices of its lines")
    require(stated.total.amount > 0, f"its total is {stated.total}: what is owed is positive")
    posted = accountant.post_invoice(stated)
    same((posted.state, posted.open), ("posted", stated.total), "state and amount to pay after posting")
    same(accountant.pay_invoice(posted, posted.open).state, "paid", "the state after payment")
