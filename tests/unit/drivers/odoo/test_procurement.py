"""What becomes of an order that is put forward: never what was asked for, always what the ERP did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from ringgate.domain.documents import PurchaseRequest, Ref
from ringgate.domain.money import Money
from ringgate.domain.terms import Role
from ringgate.drivers.odoo.api.actor import Memory
from ringgate.drivers.odoo.api.procurement import ProcurementVerbs
from ringgate.drivers.odoo.refusals import NothingHappened
from ringgate.drivers.odoo.series import SERIES
from ringgate.drivers.odoo.sessions import UserSession
from tests.support.samples import GBP, tenant

REQUEST = PurchaseRequest(Ref("request", "5"), "P5", "draft", Money(850, GBP), "Chairs", "Ada")


class Ordering:
    """An order in a state, and what each button makes of it."""

    role, series, user_id = Role.CONSULTANT, SERIES["19.0"], 7

    def __init__(self, state: str, **buttons: str) -> None:
        self.tenant, self.state, self.buttons, self.pressed = tenant(), state, buttons, list[str]()

    def call(self, _model: str, method: str, **_: Any) -> Any:
        self.pressed.append(method)
        self.state = self.buttons.get(method, self.state)

    def read(self, model: str, _ids: Any, _fields: Any) -> list[dict[str, Any]]:
        if model == "res.currency":
            return [{"id": 1, "name": "GBP", "decimal_places": 2}]
        return [{"id": 5, "name": "P5", "state": self.state, "origin": "Chairs", "amount_total": 850,
                 "currency_id": [1, "GBP"], "user_id": [7, "Ada"]}]  # fmt: skip


@pytest.fixture
def submitted() -> Callable[[Ordering], PurchaseRequest]:
    return lambda order: ProcurementVerbs(cast(UserSession, order), Memory()).submit_request(REQUEST)


def test_an_order_over_the_limit_waits(submitted: Callable[[Ordering], PurchaseRequest]) -> None:
    assert submitted(Ordering("draft", button_confirm="to approve")).state == "waiting"


def test_one_that_is_approved_at_once_was_not_refused(submitted: Callable[[Ordering], PurchaseRequest]) -> None:
    assert submitted(Ordering("draft", button_confirm="purchase")).state == "approved"


def test_a_button_that_changes_nothing_is_a_refusal(submitted: Callable[[Ordering], PurchaseRequest]) -> None:
    with pytest.raises(NothingHappened, match="did not become waiting") as refused:
        submitted(Ordering("draft"))
    assert refused.value.state == "draft"


@pytest.mark.parametrize(("state", "told"), [("purchase", "approved"), ("to approve", "waiting")])
def test_what_is_no_draft_any_more_is_left_alone(
    state: str, told: str, submitted: Callable[[Ordering], PurchaseRequest]
) -> None:
    order = Ordering(state)
    with pytest.raises(NothingHappened, match="no draft any more") as refused:
        submitted(order)
    assert (refused.value.state, order.pressed) == (told, [])
