"""The wire of Odoo: what is sent, and what each answer of the server means."""

from __future__ import annotations

import httpx
import pytest

from ringgate.domain.errors import (
    ErpMisbehaved,
    ErpProtocolError,
    ErpUnavailable,
    NoRoute,
    SignInRefused,
    Throttled,
)
from ringgate.drivers.odoo.wire import BusinessError, KeyClient, SessionClient, SessionEnded
from tests.unit.drivers.odoo.support import BASE, SIGNED_IN, Server, error


def client_of(server: Server) -> SessionClient:
    return SessionClient(BASE + "/hudson", "hudson", server.transport)


def signed_in(answer: object) -> tuple[SessionClient, Server]:
    """A client that is signed in, at a server that answers every call with `answer`."""
    server = Server(lambda path, params: SIGNED_IN if "authenticate" in path else answer)
    client = client_of(server)
    client.login("acc", "secret")
    return client, server


def test_a_sign_in_keeps_the_session_its_series_and_the_users_context() -> None:
    client, server = signed_in([])
    session = client.session
    assert session is not None
    assert (session.user_id, session.series.name, session.context["lang"]) == (7, "19.0", "de_DE")
    path, params, _ = server.asked[0]
    assert path == "/web/session/authenticate"
    assert params == {"db": "hudson", "login": "acc", "password": "secret"}


def test_a_call_carries_cookie_context_ids_and_arguments_by_name() -> None:
    client, server = signed_in(True)
    client.call("account.move", "action_post", ids=[42], context={"active_id": 42})
    path, params, headers = server.asked[-1]
    assert path == "/web/dataset/call_kw/account.move/action_post"
    assert params["args"] == [[42]]
    assert params["kwargs"] == {"context": {"lang": "de_DE", "tz": "Europe/Berlin", "uid": 7, "active_id": 42}}
    assert headers["cookie"] == "session_id=q7-begun-9be07a"


@pytest.mark.parametrize(("method", "named"), [("create", "vals_list"), ("search", "domain"), ("write", "vals")])
def test_what_series_name_otherwise_goes_by_its_place(method: str, named: str) -> None:
    client, server = signed_in([1])
    client.call("res.partner", method, **{named: [("name", "=", "x")]})
    assert server.asked[-1][1]["args"] == [[["name", "=", "x"]]]
    assert named not in server.asked[-1][1]["kwargs"]


def test_neither_the_token_nor_the_password_is_in_a_sessions_text() -> None:
    client, _ = signed_in([])
    assert "q7-begun-9be07a" not in repr(client.session)
    assert "secret" not in repr(client.session)


@pytest.mark.parametrize(
    "answer",
    [error("odoo.exceptions.AccessDenied"), {"uid": False}, {"uid": None}],
    ids=["error", "14.0 answers without a user", "none"],
)
def test_a_wrong_password_is_a_sign_in_that_is_refused(answer: object) -> None:
    with pytest.raises(SignInRefused, match="does not accept the sign-in of 'acc' to 'hudson'"):
        client_of(Server(lambda path, params: answer)).login("acc", "wrong")


def test_a_database_that_is_not_served_is_unavailable() -> None:
    with pytest.raises(ErpUnavailable, match="does not let anybody sign in"):
        client_of(Server(lambda path, params: error("odoo.exceptions.AccessError", "Database not found."))).login(
            "a", "b"
        )


def test_a_server_of_a_series_that_nobody_knows_is_named() -> None:
    told = {**SIGNED_IN, "server_version_info": [13, 0, 0, "final", 0, ""]}
    with pytest.raises(ErpProtocolError, match=r"runs Odoo 13\.0, but the series known here are 14\.0"):
        client_of(Server(lambda path, params: told)).login("a", "b")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("odoo.exceptions.UserError", BusinessError),
        ("odoo.exceptions.ValidationError", BusinessError),
        ("odoo.exceptions.AccessError", BusinessError),
        ("odoo.exceptions.MissingError", BusinessError),
        ("odoo.http.SessionExpiredException", SessionEnded),
        ("odoo.exceptions.AccessDenied", SessionEnded),
        ("psycopg2.OperationalError", ErpUnavailable),
        ("builtins.KeyError", ErpMisbehaved),
    ],
)
def test_an_exception_of_the_server_is_told_apart_by_its_name(name: str, kind: type[Exception]) -> None:
    client, _ = signed_in(error(name, "Some words."))
    with pytest.raises(kind):
        client.call("account.move", "action_post", ids=[1])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SessionEnded), (403, ErpMisbehaved), (404, SessionEnded), (429, Throttled), (503, ErpUnavailable),
     (418, ErpProtocolError)],
)  # fmt: skip
def test_each_http_status_has_one_meaning(status: int, kind: type[Exception]) -> None:
    client, _ = signed_in(httpx.Response(status))
    with pytest.raises(kind):
        client.call("res.users", "read", ids=[1])


def test_a_404_before_anybody_signed_in_is_a_server_without_that_database() -> None:
    with pytest.raises(ErpUnavailable, match="does not serve this database"):
        client_of(Server(lambda path, params: httpx.Response(404))).login("a", "b")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"jsonrpc": "2.0", "id": 99}', b'{"id": 2, "error": 5}'])
def test_what_is_not_the_json_of_odoo_is_a_protocol_error(body: bytes) -> None:
    client, _ = signed_in(httpx.Response(200, content=body))
    with pytest.raises(ErpProtocolError):
        client.call("res.users", "read", ids=[1])


def test_no_answer_is_unavailable() -> None:
    client, _ = signed_in(httpx.ReadTimeout("slow"))
    with pytest.raises(ErpUnavailable, match="did not answer in time"):
        client.call("res.users", "read", ids=[1])


def test_an_address_that_is_none_is_our_side() -> None:
    with pytest.raises(NoRoute, match="is no address of an ERP"):
        SessionClient("hudson", "hudson", Server(lambda path, params: None).transport)


def test_a_token_that_the_server_changes_is_the_one_that_counts() -> None:
    client, server = signed_in(True)
    reply = httpx.Response(200, json={"id": 2, "result": 1}, headers={"set-cookie": "session_id=renewed-4fd1; Path=/"})
    server.answer = lambda path, params: reply
    client.call("res.users", "read", ids=[1])
    assert client.cookie is not None
    assert client.cookie.reveal() == "session_id=renewed-4fd1"


def test_a_session_that_ended_is_told_so_without_the_number_of_the_call() -> None:
    told = {"jsonrpc": "2.0", "id": None, **error("odoo.http.SessionExpiredException")}
    client, _ = signed_in(httpx.Response(200, json=told))
    with pytest.raises(SessionEnded):
        client.call("res.users", "read", ids=[7])


# --- by key ---------------------------------------------------------------------------------------------------------


def key_client(answer: httpx.Response) -> tuple[KeyClient, Server]:
    server = Server(lambda path, params: answer)
    return KeyClient(BASE, "hudson", server.transport, "the-key"), server


def test_a_call_by_key_names_model_database_and_ids() -> None:
    client, server = key_client(httpx.Response(200, json=[{"id": 3}]))
    assert client.call("res.users", "read", ids=[3], fields=["login"]) == [{"id": 3}]
    path, body, headers = server.asked[0]
    assert (path, body) == ("/json/2/res.users/read", {"fields": ["login"], "ids": [3], "context": {}})
    assert (headers["authorization"], headers["x-odoo-database"]) == ("bearer the-key", "hudson")


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (403, "odoo.exceptions.AccessError", BusinessError),
        (422, "odoo.exceptions.UserError", BusinessError),
        (401, "werkzeug.exceptions.Unauthorized", SessionEnded),
        (500, "builtins.KeyError", ErpUnavailable),
    ],
)
def test_a_refusal_by_key_means_the_same_as_one_by_session(status: int, name: str, kind: type[Exception]) -> None:
    client, _ = key_client(httpx.Response(status, json={"name": name, "message": "No.", "arguments": []}))
    with pytest.raises(kind) as caught:
        client.call("account.move", "action_post", ids=[1])
    assert "the-key" not in str(caught.value)
