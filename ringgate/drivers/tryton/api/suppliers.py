"""What suppliers bill: recorded as a draft; posting and paying it are the verbs of any invoice."""

from __future__ import annotations

from typing import Any

from ringgate.domain.documents import Invoice, SupplierInvoiceDraft, SupplierLineDraft
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.api.actor import Acting
from ringgate.drivers.tryton.api.billing import INVOICE
from ringgate.drivers.tryton.sessions import refusals


class SupplierVerbs(Acting):
    """What an accountant does with bills that came in."""

    def record_supplier_invoice(self, draft: SupplierInvoiceDraft) -> Invoice:
        session, policy = self._session, self._tenant.policy
        with refusals("record_supplier_invoice", session):
            party = session.id_of("party.party", draft.supplier)
            address = session.id_of("party.address", draft.supplier, ("party", "=", party))
            journal = session.id_of("account.journal", "expense", ("type", "=", "expense"))
            values = {
                "type": "in",
                "party": party,
                "invoice_address": address,
                "journal": journal,
                "account": self._account(policy.accounts.payable[0]),
                "payment_term": session.id_of("account.invoice.payment_term", policy.payment_term),
                "reference": draft.number,
                "description": draft.description,
                "lines": [("create", [self._billed_line(line, draft.description) for line in draft.lines])],
            }
            invoice = self._create(INVOICE, values)
        return records.invoice(self._read_back(INVOICE, invoice, records.INVOICE))

    def _billed_line(self, line: SupplierLineDraft, description: str) -> dict[str, Any]:
        names = [rule.name for rule in self._tenant.policy.taxes if rule.name == line.tax]
        return {
            "type": "line",
            "description": description,
            "quantity": float(line.quantity),
            "unit_price": records.amount(line.unit_price),
            "account": self._account(self._tenant.policy.accounts.expense[0]),
            "taxes": [("add", [self._session.id_of("account.tax", name) for name in names])],
        }

    def _account(self, account: str) -> int:
        return self._session.id_of("account.account", account, "OR", ("code", "=", account), ("name", "=", account))
