"""Odoo's requests at the front door."""

from __future__ import annotations

from typing import Any

import pytest

from ringgate.estate.frontdoor.dialect import OwnAnswer, ProxiedRequest
from ringgate.estate.odoo.dialect import SIGN_IN, OdooDialect

DIALECT = OdooDialect()


def request(path: str, payload: Any = None) -> ProxiedRequest:
    return ProxiedRequest("hudson", "POST", path, payload)


@pytest.mark.parametrize(
    ("path", "payload", "name"),
    [
        ("/web/dataset/call_kw/a/b", {"params": {"model": "account.move", "method": "action_post"}},
         "account.move.action_post"),
        ("/web/dataset/call_button", {"params": {"model": "sale.order", "method": "action_confirm"}},
         "sale.order.action_confirm"),
        ("/json/2/res.partner/search", None, "res.partner.search"),
        ("/web/session/authenticate", {"params": {}}, "session.authenticate"),
        ("/odoo/action-1", None, ""),
        ("/web/dataset/call_kw/x/y", ["no", "object"], ""),
    ],
)  # fmt: skip
def test_a_call_is_known_by_its_model_and_method(path: str, payload: Any, name: str) -> None:
    assert DIALECT.procedure("POST", path, payload) == name


@pytest.mark.parametrize("path", ["/web/database/manager", "/web/database/backup", "/jsonrpc", "/xmlrpc/2/object"])
def test_what_names_or_manages_databases_is_closed(path: str) -> None:
    answer = DIALECT.passed(request(path), ["hudson", "isar"])
    assert isinstance(answer, OwnAnswer)
    assert answer.status == 404


def test_nobody_signs_in_to_another_tenants_database() -> None:
    answer = DIALECT.passed(request(SIGN_IN, {"params": {"db": "isar"}}), ["hudson", "isar"])
    assert isinstance(answer, OwnAnswer)
    assert DIALECT.passed(request(SIGN_IN, {"params": {"db": "hudson"}}), ["hudson"]) == SIGN_IN


def test_the_host_picks_the_database_and_everything_else_is_passed_on() -> None:
    assert DIALECT.host("hudson") == "hudson.localhost"
    assert DIALECT.passed(request("/web/login"), ["hudson"]) == "/web/login"


def test_a_user_signs_in_by_the_web_clients_own_call_and_shows_its_cookie_from_then_on() -> None:
    call = DIALECT.sign_in(request("/web"), "acc", "secret")
    assert (call.path, call.payload["params"]["db"]) == ("/web/session/authenticate", "hudson")
    headers = {"set-cookie": "session_id=abc; Path=/; HttpOnly"}
    assert DIALECT.credentials("acc", {}, headers) == {"cookie": "session_id=abc"}
