"""Purchase requests, which are purchase orders here: made, put forward, approved or turned down.

| ours             | Odoo                                                                                           |
|------------------|------------------------------------------------------------------------------------------------|
| request_purchase | a request for quotation, addressed to the tenant's synthetic client, for its service            |
| submit_request   | Confirm, which leaves it `to approve`; sent as a quotation where it needs nobody else           |
| approve_request  | Confirm, and Approve if it is then still to be approved                                        |
| reject_request   | Cancel                                                                                         |

The ERP does not say no to who may not approve: the order stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ringgate.domain.documents import PurchaseRequest, RequestDraft
from ringgate.domain.model import Policy
from ringgate.domain.money import Money
from ringgate.domain.terms import Basis
from ringgate.drivers.odoo.api.actor import Acting
from ringgate.drivers.odoo.records import PUT_FORWARD
from ringgate.drivers.odoo.refusals import NothingHappened, refusals

REQUEST: Final = "purchase.order"
LEAD_TIME: Final = timedelta(days=14)
"""By when what is asked for is needed."""
OPEN: Final = ("draft", "sent")


class ProcurementVerbs(Acting):
    """Each step presses the button a person would press, and reads the state back: a button may do nothing."""

    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest:
        series, policy = self._session.series, self._tenant.policy
        with refusals("request_purchase", self._session):
            line: dict[str, Any] = {
                "product_id": self._session.id_of("product.product", policy.product),
                "name": draft.description,
                "product_qty": draft.quantity,
                "price_unit": draft.unit_price.amount,
                "date_planned": datetime.now(UTC) + LEAD_TIME,
                series.purchase_tax: [(6, 0, [])],
            }
            if series.major < 17:  # what a form would have filled in
                line[series.purchase_unit] = self._unit(policy)
            values = {
                "partner_id": self._session.id_of("res.partner", policy.customer),
                "origin": draft.description,
                "order_line": [(0, 0, line)],
            }
            request = self._create(REQUEST, values)
        stated: PurchaseRequest = self._reader.read_back(f"order {request}", lambda: self._reader.request(request))
        return stated

    def _unit(self, policy: Policy) -> int:
        product = self._session.id_of("product.product", policy.product)
        (row,) = self._session.read("product.product", [product], ["uom_id"])
        return int(row["uom_id"][0])

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        with refusals("read_request", self._session):
            return self._reader.request(int(request.ref.id))

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        verb, record = "submit_request", int(request.ref.id)
        alone = _needs_nobody(request.total, self._tenant.policy)
        with refusals(verb, self._session, REQUEST, request.ref.id):
            before = self._raw_state(record)
            if before == "draft":
                self._press(REQUEST, "print_quotation" if alone else "button_confirm", record)
            stated = self._reader.request(record)
        if before != "draft":
            raise NothingHappened(verb, "it was no draft any more, and nothing was put forward", stated.state)
        if stated.state not in PUT_FORWARD:
            raise NothingHappened(verb, "the request did not become waiting", stated.state)
        return stated

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        verb, record = "approve_request", int(request.ref.id)
        with refusals(verb, self._session, REQUEST, request.ref.id):
            if self._raw_state(record) in OPEN:
                self._press(REQUEST, "button_confirm", record)
            if self._raw_state(record) == "to approve":
                self._press(REQUEST, "button_approve", record)
            stated = self._reader.request(record)
        if stated.state != "approved":
            basis = Basis.POLICY if stated.state == "waiting" else Basis.PROCESS
            raise NothingHappened(verb, "the request did not become approved", stated.state, basis)
        return stated

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        verb, record = "reject_request", int(request.ref.id)
        with refusals(verb, self._session, REQUEST, request.ref.id):
            self._press(REQUEST, "button_cancel", record)
            stated = self._reader.request(record)
        if stated.state != "rejected":
            raise NothingHappened(verb, "the request did not become rejected", stated.state)
        return stated

    def _raw_state(self, record: int) -> str:
        (row,) = self._session.read(REQUEST, [record], ["state"])
        return str(row["state"])


def _needs_nobody(amount: Money, policy: Policy) -> bool:
    """Whether the requester may confirm it without anybody else, and so must not when it is only to be put forward."""
    return policy.approval.steps == 0 or amount.amount <= policy.approval.threshold
