"""Whatever goes wrong with a call, no traceback of any style shows a password, a session or a key, local variables
included."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Account
from ringgate.domain.terms import Role
from ringgate.drivers.odoo.sessions import CallCarrier, SessionPool, UserSession
from ringgate.drivers.odoo.wire import KeyClient
from ringgate.drivers.protocol import Call
from ringgate.drivers.transport import HttpTransport
from ringgate.host.secrets import FileSecret, KnownSecret
from tests.support.fake_odoo import SIGN_IN, TOKEN, FakeOdoo
from tests.support.fake_tryton import Answer, reply, status
from tests.support.samples import tenant as sample_tenant
from tests.support.tracebacks import forms_of_error
from tests.support.ways_to_fail import cut_short, raw, reset, result, silent

PASSWORD, KEY = "correct-horse-9f2c", "9b1c55e0a7d84f21c3"
READ = "/web/dataset/call_kw/res.partner/read"
BY_KEY = "/json/2/res.partner/read"
COOKIE = f"session_id={TOKEN}; Path=/"


def told(value: Callable[[dict[str, Any]], Any], code: int = 200) -> Answer:
    """An answer that sets the session's cookie, too."""
    return lambda handler, body: reply(handler, json.dumps(value(body)).encode(), code, set_cookie=COOKIE)


def refusal(name: str) -> Answer:
    """The server says no, and repeats what it was asked, as a proxy or a debugging server does."""
    return told(lambda body: {"id": body["id"], "error": {"data": {"name": name, "message": "No."}, "sent": body}})


WAYS: dict[str, Answer] = {
    "HTTP 500": status(500),
    "HTTP 502 that echoes": told(lambda body: body, 502),
    **{f"HTTP {code}": status(code) for code in (401, 403, 404, 418, 429)},
    "malformed JSON": raw(b'{"id": 1, "result": {"session_id": "' + TOKEN.encode()),
    "not UTF-8": raw(b'\xff"' + TOKEN.encode()),
    "another question's answer": result(lambda body: {"id": -1, "result": TOKEN, "sent": body}),
    "a list": result(lambda body: [body, TOKEN]),
    "a business error": refusal("odoo.exceptions.UserError"),
    "a right that is missing": refusal("odoo.exceptions.AccessError"),
    "a session that ended": refusal("odoo.http.SessionExpiredException"),
    "a database that is away": refusal("psycopg2.OperationalError"),
    "a fault of the server": refusal("builtins.KeyError"),
    "an error of another shape": told(lambda body: {"id": body["id"], "error": [body]}),
    "reset": reset,
    "cut short": cut_short,
    "silent": silent,
}
OF_SIGN_IN: dict[str, Answer] = {
    "a wrong password": refusal("odoo.exceptions.AccessDenied"),
    "no user": told(lambda body: {"id": body["id"], "result": {"uid": False, "sent": body}}),
    "nothing": told(lambda body: {"id": body["id"], "result": None}),
    "an answer of another shape": told(lambda body: {"id": body["id"], "result": {"uid": 7, "sent": body}}),
    "no cookie": result(lambda body: {"id": body["id"], "result": {"uid": 7, "user_context": {}, "sent": body}}),
    "an unknown series": told(
        lambda body: {"id": body["id"], "result": {"uid": 7, "user_context": {}, "server_version": "3.0", "sent": body}}
    ),
}
SignIn = Callable[[], UserSession]


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    fake = FakeOdoo()
    yield fake
    fake.close()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    transport = HttpTransport(0.3)
    yield transport
    transport.close()


@pytest.fixture
def sign_in(fake: FakeOdoo, transport: HttpTransport, tmp_path: Path) -> SignIn:
    """Signs a user in whose password lies in a file, as a scenario does it."""
    (tmp_path / "password").write_text(PASSWORD)
    users = {Role.AUDITOR: Account("auditor", FileSecret(str(tmp_path / "password")))}
    tenant = sample_tenant("acme", api=f"{fake.url}/acme", users=users)
    pool = SessionPool(0.3)
    return lambda: pool.take(tenant, Role.AUDITOR, CallCarrier(Call("run", "0" * 32), transport))


def assert_hidden(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    secrets = (PASSWORD, TOKEN, KEY)
    forms = (*secrets, *(base64.b64encode(each.encode()).decode() for each in secrets))
    assert [(where, form) for where, text in forms_of_error(excinfo) for form in forms if form in text] == []


def test_what_is_hidden_does_arrive(fake: FakeOdoo, sign_in: SignIn, transport: HttpTransport) -> None:
    sign_in().call("res.partner", "read", ids=[1], fields=["name"])
    KeyClient(fake.url, "acme", transport, KEY).call("res.partner", "read", ids=[1])
    (_, signing_in, _), (_, _, calling), (_, _, by_key) = fake.seen
    assert signing_in["params"]["password"] == PASSWORD
    assert calling["cookie"] == f"session_id={TOKEN}"
    assert by_key["authorization"] == f"bearer {KEY}"


@pytest.mark.parametrize("way", {**WAYS, **OF_SIGN_IN})
def test_a_sign_in_that_fails_shows_no_secret(fake: FakeOdoo, sign_in: SignIn, way: str) -> None:
    fake.answers[SIGN_IN] = {**WAYS, **OF_SIGN_IN}[way]
    with pytest.raises(RinggateError) as caught:
        sign_in()
    assert_hidden(caught)


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_fails_shows_no_secret(fake: FakeOdoo, sign_in: SignIn, way: str) -> None:
    session = sign_in()
    fake.answers[READ] = WAYS[way]
    with pytest.raises(RinggateError) as caught:
        session.call("res.partner", "read", ids=[1], fields=["name"])
    assert_hidden(caught)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("another question's answer", "a list")])
def test_a_call_by_key_that_fails_shows_no_secret(fake: FakeOdoo, transport: HttpTransport, way: str) -> None:
    client = KeyClient(fake.url, "acme", transport, KnownSecret(KEY))
    fake.answers[BY_KEY] = _by_key(WAYS[way])
    with pytest.raises(RinggateError) as caught:
        client.call("res.partner", "read", ids=[1])
    assert_hidden(caught)


def _by_key(answer: Answer) -> Answer:
    """What is asked by key has no number, and what is refused has an HTTP code."""

    def answering(handler: Any, body: dict[str, Any]) -> None:
        handler.send_response_only = lambda code, message=None: type(handler).send_response_only(
            handler, 422 if code == 200 else code, message
        )
        answer(handler, {"id": 1, **body})

    return answering


def test_an_interruption_in_the_middle_of_a_call_shows_no_secret(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sign_in()

    def interrupted(self: object, *args: object, **kwargs: object) -> None:
        sent = (self, args, kwargs, f"{PASSWORD} {TOKEN}")
        raise KeyboardInterrupt(len(sent))

    monkeypatch.setattr("httpcore.ConnectionPool.handle_request", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        session.call("res.partner", "read", ids=[1], fields=["name"])
    assert_hidden(caught)


def test_what_cannot_be_sent_shows_no_secret(sign_in: SignIn) -> None:
    session = sign_in()
    with pytest.raises(TypeError) as caught:
        session.call("res.users", "write", ids=[7], vals={"password": KnownSecret(PASSWORD), "wrong": object()})
    assert_hidden(caught)
