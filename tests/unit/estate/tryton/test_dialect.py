"""How the front door reads Tryton's requests and keeps them to their tenant."""

from __future__ import annotations

import base64
import json

import pytest

from ringgate.estate.frontdoor.dialect import OwnAnswer, ProxiedRequest, load_dialect
from ringgate.estate.tryton.dialect import NOBODY, TrytonDialect
from ringgate.estate.tryton.kind import TrytonEstate

TENANTS = ("aldgate", "kyoto")
DIALECT = TrytonDialect()


def request(method: str, path: str, payload: object = None) -> ProxiedRequest:
    return ProxiedRequest("aldgate", method, path, payload, DIALECT.procedure(method, path, payload))


def test_the_front_doors_process_finds_it_by_the_kinds_reference() -> None:
    assert isinstance(load_dialect(TrytonEstate.dialect), TrytonDialect)


@pytest.mark.parametrize(
    ("payload", "name"),
    [({"method": "common.db.login"}, "common.db.login"), ({"method": 7}, ""), ({}, ""), (None, ""), ([1], "")],
)
def test_a_procedure_is_named_in_the_json(payload: object, name: str) -> None:
    assert DIALECT.procedure("POST", "/aldgate/", payload) == name


@pytest.mark.parametrize("path", ["/aldgate/", "/aldgate/rpc/", "/", "/rpc/"])
def test_a_tenants_own_calls_and_those_without_a_database_pass(path: str) -> None:
    assert DIALECT.passed(request("POST", path), TENANTS) == path


def test_calls_for_any_other_name_are_refused_alike() -> None:
    known, unknown = (DIALECT.passed(request("POST", f"/{name}/"), TENANTS) for name in ("kyoto", "nobody"))
    assert known == unknown
    assert isinstance(known, OwnAnswer)
    assert known.status == 404


def test_a_page_of_another_tenant_is_that_of_nobody() -> None:
    assert DIALECT.passed(request("GET", "/kyoto/data"), TENANTS) == f"/{NOBODY}/data"
    assert DIALECT.passed(request("GET", "/sao.js"), TENANTS) == "/sao.js"


@pytest.mark.parametrize(("series", "root"), [("7.0", "/"), ("8.0", "/rpc/")])
def test_the_list_of_databases_has_the_tenant_alone(series: str, root: str) -> None:
    answer = DIALECT.own_answer(request("POST", root, {"id": 3, "method": "common.db.list"}), series)
    assert answer is not None
    assert json.loads(answer.content) == {"id": 3, "result": ["aldgate"]}
    assert DIALECT.own_answer(request("POST", root, {"id": 3, "method": "common.server.version"}), series) is None
    assert DIALECT.own_answer(request("POST", "/aldgate/", {"id": 3, "method": "common.db.list"}), series) is None


def test_who_signed_in_is_known_by_a_header() -> None:
    call = DIALECT.sign_in(request("POST", "/aldgate/"), "auditor", "a-password")
    assert (call.path, call.payload["method"]) == ("/aldgate/", "common.db.login")
    headers = DIALECT.credentials("auditor", {"result": [4, "a-token", 1]}, {})
    scheme, _, token = headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(token)) == ("Session", b"auditor:4:a-token")
