"""One user in front of Odoo's web client: a verb clicks and types as a person would, and returns what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from ringgate.domain.documents import Identity, PurchaseRequest, Ref, RequestDraft
from ringgate.domain.errors import ErpMisbehaved, Refused
from ringgate.domain.money import Money
from ringgate.domain.terms import Basis
from ringgate.drivers.odoo.browser.page import ControlNotOffered
from ringgate.drivers.odoo.browser.sessions import Window, must
from ringgate.drivers.odoo.records import PUT_FORWARD, REQUEST_STATES
from ringgate.drivers.odoo.refusals import NothingHappened

ORDER = "purchase.order"
OTHER_INFORMATION = 1
"""The tab of an order that says who is in charge of it, counted from 0."""


class BrowserActing:
    """What the verbs are built on."""

    def __init__(self, window: Window) -> None:
        self.role = window.role
        self._window, self._client = window, window.client

    @contextmanager
    def _verb(self, name: str) -> Iterator[None]:
        """What a user cannot do on the screen is a refusal, with the state that the screen shows."""
        try:
            if self._window.ended and self._client.session() is None:
                raise Refused(name, "the web client asks for the password: the session has ended")
            yield
        except ControlNotOffered as error:
            # What a screen does not offer to a user, without a word, is not theirs to do.
            raise Refused(name, str(error), self._state(), Basis.RIGHTS) from None
        except Refused:
            raise
        except BaseException:
            self._window.usable = False
            raise

    def _told(self, verb: str) -> None:
        """Complaints of the client are refusals; an error of its own is none."""
        told, own = self._client.complaint()
        if told and own:
            raise ErpMisbehaved(f"The web client reported an error instead of an answer: {told}")
        if told:
            raise Refused(verb, told, self._state())

    def _state(self) -> str:
        state = self._client.state()
        return REQUEST_STATES.get(state, state)

    def _money(self, amount: Decimal) -> Money:
        return Money(amount, self._window.tenant.policy.currency)


class BrowserIdentityVerbs(BrowserActing):
    """Who is signed in, and the end of it."""

    def who_am_i(self) -> Identity:
        """As the client's own session says it."""
        with self._verb("who_am_i"):
            told = self._client.session()
            if told is None:
                raise Refused("who_am_i", "the web client asks for the password: the session has ended")
            companies = must(told.get("user_companies"), "for which company its user works")
            allowed = companies["allowed_companies"]
            if isinstance(allowed, dict):
                company = allowed[str(companies["current_company"])]["name"]
            else:  # 14.0: pairs of id and name
                company = companies["current_company"][1]
            language = str(must(told["user_context"].get("lang"), "which language it speaks"))
            own = self._window.tenant.language
            language = language if "_" in own else language.partition("_")[0]
            return Identity(str(told["username"]), str(told["name"]), str(company), language)

    def sign_out(self) -> None:
        client = self._client
        with self._verb("sign_out"), client.errors_of("the user's menu"):
            client.one(client.screens.user_menu).click()
            client.one(client.screens.log_out).click()
            client.one(client.screens.login_form).wait_for()
            self._window.ended, self._window.usable = True, False


class BrowserRequestVerbs(BrowserActing):
    """Purchase requests, which are purchase orders here: see the verbs of the API."""

    def request_purchase(self, draft: RequestDraft) -> PurchaseRequest:
        verb, client, policy = "request_purchase", self._client, self._window.tenant.policy
        with self._verb(verb):
            client.open(ORDER, "")
            client.choose("partner_id", policy.customer)
            line = client.add_line("order_line")
            client.choose("product_id", policy.product, line)
            client.fill("product_qty", client.written(draft.quantity), line)
            client.fill("price_unit", client.written(draft.unit_price.amount), line)
            client.turn_to(client.screens.request_tab)
            client.fill(client.screens.request_text, draft.description)
            client.save()
            self._told(verb)
            if not client.record():
                raise NothingHappened(verb, "it was not saved")
            return self._shown()

    def _shown(self) -> PurchaseRequest:
        """The order that stands on the screen."""
        client = self._client
        client.turn_to(0)  # what stands on another tab is not on the screen
        state = client.state()
        total, number = self._money(client.total()), client.text("name")
        client.turn_to(OTHER_INFORMATION)
        requester = client.text("user_id")
        client.turn_to(client.screens.request_tab)
        description = client.text(client.screens.request_text)
        ref = Ref("request", client.record())
        return PurchaseRequest(ref, number, REQUEST_STATES.get(state, state), total, description, requester)

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        with self._verb("read_request"):
            self._client.open(ORDER, request.ref.id)
            self._told("read_request")
            return self._shown()

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        verb, policy = "submit_request", self._window.tenant.policy
        alone = policy.approval.steps == 0 or request.total.amount <= policy.approval.threshold
        standing = self.read_request(request)
        if standing.state != "draft":
            raise NothingHappened(verb, "it was no draft any more, and nothing was put forward", standing.state)
        stated = self._press(verb, request, "print_quotation" if alone else "button_confirm")
        if stated.state not in PUT_FORWARD:
            raise NothingHappened(verb, "the request did not become waiting", stated.state)
        return stated

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        verb, client = "approve_request", self._client
        with self._verb(verb):
            client.open(ORDER, request.ref.id)
            if client.state() in ("draft", "sent"):
                client.press("button_confirm")
                self._told(verb)
            if client.state() == "to approve" and client.offers("button_approve"):
                client.press("button_approve")
                self._told(verb)
            stated = self._shown()
        if stated.state != "approved":
            basis = Basis.POLICY if stated.state == "waiting" else Basis.PROCESS
            raise NothingHappened(verb, "the request did not become approved", stated.state, basis)
        return stated

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        stated = self._press("reject_request", request, "button_cancel")
        if stated.state != "rejected":
            raise NothingHappened("reject_request", "the request did not become rejected", stated.state)
        return stated

    def _press(self, verb: str, request: PurchaseRequest, button: str) -> PurchaseRequest:
        client = self._client
        with self._verb(verb):
            client.open(ORDER, request.ref.id)
            client.press(button)
            self._told(verb)
            client.open(ORDER, request.ref.id)  # a document that was printed may stand in front of it
            return self._shown()


class OdooBrowserActor(BrowserIdentityVerbs, BrowserRequestVerbs):
    """One signed-in user, with the verbs that this channel can do."""
