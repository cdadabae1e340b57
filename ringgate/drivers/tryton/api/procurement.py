"""Purchase requests: asked for, submitted, approved or rejected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ringgate.domain.documents import PurchaseRequest, RequestDraft
from ringgate.domain.errors import Refused
from ringgate.domain.terms import Basis
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.api.actor import Acting
from ringgate.drivers.tryton.refusals import NothingHappened
from ringgate.drivers.tryton.sessions import refusals

REQUISITION: Final = "purchase.requisition"
LEAD_TIME: Final = timedelta(days=14)
"""Tryton wants to know by when the goods are needed before it lets a request be submitted."""


class ProcurementVerbs(Acting):
    """Each step presses the button a person would press, and reads the state back: a button may do nothing."""

    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest:
        needed = datetime.now(ZoneInfo(self._tenant.timezone)).date() + LEAD_TIME
        line = {
            "description": draft.description,
            "quantity": float(draft.quantity),
            "unit_price": records.amount(draft.unit_price),
        }
        values = {"description": draft.description, "supply_date": needed, "lines": [("create", [line])]}
        with refusals("request_purchase", self._session):
            request = self._create(REQUISITION, values)
        return records.purchase_request(self._read_back(REQUISITION, request, records.REQUEST))

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        with refusals("read_request", self._session):
            return records.purchase_request(self._read(REQUISITION, request.ref.id, records.REQUEST))

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("submit_request", "wait", request, "waiting")

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("approve_request", "approve", request, "approved")

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._press("reject_request", "reject", request, "rejected")

    def _press(self, verb: str, button: str, request: PurchaseRequest, wanted: str) -> PurchaseRequest:
        with refusals(verb, self._session, REQUISITION, request.ref.id):
            self._session.confirmed(f"model.{REQUISITION}.{button}", [int(request.ref.id)])
            stated = records.purchase_request(self._read(REQUISITION, request.ref.id, records.REQUEST))
        if stated.state != wanted:
            raise self._unmoved(verb, button, stated, wanted)
        return stated

    def _unmoved(self, verb: str, button: str, request: PurchaseRequest, wanted: str) -> Refused:
        """A button that did nothing; or whose press was noted, because the tenant's rules ask for more of them."""
        reason, noted = f"the request did not become {wanted}", "model.ir.model.button.click.get_click"
        if presses := self._session.call(noted, REQUISITION, button, int(request.ref.id)):
            return Refused(verb, f"{reason}: it has {len(presses)} of more approvals", request.state, Basis.POLICY)
        return NothingHappened(verb, reason, request.state)
