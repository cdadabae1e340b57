"""The wire tells whose fault a failure is, and carries every value unharmed."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.domain.errors import (
    ErpMisbehaved,
    ErpProtocolError,
    ErpTimedOut,
    ErpUnavailable,
    NoRoute,
    SignInRefused,
    Throttled,
)
from ringgate.drivers.tryton import wire
from tests.support.fake_tryton import Answer, FakeTryton, error, reply, status


@pytest.fixture
def fake() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def client(fake: FakeTryton) -> Iterator[wire.RpcClient]:
    with wire.RpcClient(fake.url, "acme", timeout=5) as client:
        yield client


# --- values


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.binary(),
    st.timedeltas(dt.timedelta(days=-999), dt.timedelta(days=999)).map(
        lambda d: dt.timedelta(seconds=int(d.total_seconds()))
    ),
)


@given(st.recursive(VALUES, lambda v: st.lists(v) | st.dictionaries(st.text().filter(lambda k: k != "__class__"), v)))
def test_every_value_survives_the_wire(value: Any) -> None:
    assert wire.decode(wire.encode(value)) == value


def test_values_have_trytons_own_form() -> None:
    assert json.loads(wire.encode(Decimal("1.00"))) == {"__class__": "Decimal", "decimal": "1.00"}
    assert json.loads(wire.encode(dt.timedelta(hours=7.5))) == {"__class__": "timedelta", "seconds": 27000.0}
    assert json.loads(wire.encode(b"ab")) == {"__class__": "bytes", "base64": "YWI="}


def test_aware_times_go_out_as_utc() -> None:
    noon_in_tokyo = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert wire.decode(wire.encode(noon_in_tokyo)) == dt.datetime(2026, 3, 1, 3)  # noqa: DTZ001


def test_an_unknown_type_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TypeError, match="no form for a object"):
        wire.encode(object())


@pytest.mark.parametrize("text", ["", "{", '{"__class__":"Decimal"}', '{"__class__":"Decimal","decimal":"x"}', b"\xff"])
def test_malformed_text_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.decode(text)


# --- series


@pytest.mark.parametrize("series", ["7.0", "8.0"])
def test_the_series_is_negotiated(series: str) -> None:
    fake = FakeTryton(series)
    fake.answers = {
        "common.db.login": [7, "token", None][: fake.dialect.login_items],
        "model.res.user.get_preferences": {"company": 1},
        "model.party.party.read": [{"id": 1}],
    }
    with wire.RpcClient(fake.url, "acme") as client:
        assert client.login("someone", "secret") == wire.TrytonSession("someone", 7, "token")
        assert client.call("model.party.party.read", [1], ["id"], context={"language": "de"}) == [{"id": 1}]
    assert client.dialect.series == series
    assert fake.seen[-1][1] == [[1], ["id"], {"company": 1, "language": "de"}]
    assert fake.seen[-1][2]["authorization"] == "Session c29tZW9uZTo3OnRva2Vu"
    fake.server.shutdown()
    fake.server.server_close()


def test_an_unknown_series_is_named(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.version = "6.4.1"
    with pytest.raises(ErpProtocolError, match=r"runs Tryton 6\.4\.1, but the series known here are 7\.0 and 8\.0"):
        client.negotiate()


def test_a_login_answer_of_another_shape_is_a_protocol_error(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.answers["common.db.login"] = [7, "token", None]
    with pytest.raises(ErpProtocolError, match=r"login has not the shape that Tryton 7\.0 sends"):
        client.login("someone", "secret")


# --- whose fault


def test_a_wrong_password_is_a_refused_sign_in(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.answers["common.db.login"] = status(401)
    with pytest.raises(SignInRefused) as caught:
        client.login("someone", "hunter2")
    assert "hunter2" not in str(caught.value)
    assert client.session is None


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (status(401), wire.SessionEnded, "no longer knows our session"),
        (status(429), Throttled, "too often"),
        (status(403), ErpMisbehaved, "does not offer"),
        (status(404), ErpUnavailable, "does not serve this database"),
        (status(500), ErpUnavailable, "HTTP 500"),
        (status(503), ErpUnavailable, "HTTP 503"),
        (status(405), ErpProtocolError, "HTTP 405"),
        (lambda h, b: reply(h, b"<html>"), ErpProtocolError, "is not the JSON of Tryton"),
        (lambda h, b: reply(h, b'{"id":99,"result":1}'), ErpProtocolError, "not an answer to our question"),
        (lambda h, b: reply(h, b'{"id":1}'), ErpProtocolError, "neither result nor error"),
        (lambda h, b: reply(h, b'{"id":1,"error":7}'), ErpProtocolError, "has not the shape"),
        (lambda h, b: reply(h, b"{}", content_encoding="gzip"), ErpProtocolError, "cut short or garbled"),
        (error("'NoneType' object has no attribute 'x'", "Traceback\n..."), ErpMisbehaved, "failed inside model.x.y"),
        (error("UserError", ["No.", "Because."]), wire.BusinessError, "No. Because."),
    ],
)
def test_answers_are_told_apart(
    fake: FakeTryton, client: wire.RpcClient, answer: Answer, expected: type[Exception], words: str
) -> None:
    fake.answers["model.x.y"] = answer
    with pytest.raises(expected, match=words):
        client.call("model.x.y")


def test_a_truncated_answer_is_a_protocol_error(fake: FakeTryton, client: wire.RpcClient) -> None:
    def truncate(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.close_connection = True
        reply(handler, b'{"id":1,"res', content_length="500")

    fake.answers["model.x.y"] = truncate
    with pytest.raises(ErpProtocolError, match="cut short"):
        client.call("model.x.y")


def test_an_answer_that_is_not_http_is_a_protocol_error(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.answers["model.x.y"] = lambda handler, body: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    with pytest.raises(ErpProtocolError, match="is not HTTP"):
        client.call("model.x.y")


def test_a_closed_connection_is_unavailability(fake: FakeTryton, client: wire.RpcClient) -> None:
    def hang_up(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.close_connection = True

    fake.answers["model.x.y"] = hang_up
    with pytest.raises(ErpUnavailable, match="closed the connection unanswered"):
        client.call("model.x.y")


def test_silence_is_unavailability(fake: FakeTryton) -> None:
    release = threading.Event()
    fake.answers["model.x.y"] = lambda handler, body: (release.wait(10), reply(handler, b""))[1]
    with wire.RpcClient(fake.url, "acme", timeout=0.2) as client, pytest.raises(ErpTimedOut, match="in time"):
        client.call("model.x.y")
    release.set()


def test_nobody_there_is_unavailability() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with wire.RpcClient(url, "acme") as client, pytest.raises(ErpUnavailable, match="does not accept connections"):
            client.negotiate()


def test_a_name_that_does_not_resolve_is_our_side() -> None:
    with wire.RpcClient("http://erp.invalid", "acme", timeout=5) as client, pytest.raises(NoRoute):
        client.negotiate()


def test_no_address_is_our_side() -> None:
    with pytest.raises(NoRoute, match="write http"):
        wire.RpcClient("127.0.0.1:8000", "acme")


# --- warnings, headers, secrets


def test_a_warning_can_be_confirmed(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.answers["model.x.y"] = error("UserWarning", ["abc.similar", "There is one like it.", "Go on?"])
    fake.answers["model.res.user.warning.skip"] = None
    with pytest.raises(wire.BusinessError) as caught:
        client.call("model.x.y")
    assert (caught.value.error_kind, caught.value.warning) == ("UserWarning", "abc.similar")
    client.confirm(caught.value.warning)
    assert fake.seen[-1][:2] == ("model.res.user.warning.skip", ["abc.similar", False, {}])


def test_calls_carry_what_the_hook_gives(fake: FakeTryton) -> None:
    fake.answers["model.x.y"] = 1
    with wire.RpcClient(fake.url, "acme", headers_hook=lambda method: wire.trace_headers("run-1")) as client:
        client.call("model.x.y")
    headers = fake.seen[-1][2]
    assert headers["x-ringgate-run"] == "run-1"
    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")


def test_compressed_answers_are_read(fake: FakeTryton, client: wire.RpcClient) -> None:
    fake.answers["model.x.y"] = lambda handler, body: reply(
        handler, gzip.compress(b'{"id":1,"result":{"__class__":"Decimal","decimal":"1.50"}}'), content_encoding="gzip"
    )
    assert client.call("model.x.y") == Decimal("1.50")


def test_a_session_does_not_show_its_token() -> None:
    assert "hush" not in repr(wire.TrytonSession("someone", 7, "hush"))


# --- what the server says it is ------------------------------------------------------------------------------------


@pytest.fixture
def upgraded() -> Iterator[FakeTryton]:
    """A server of the later series."""
    fake = FakeTryton("8.0")
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def test_a_server_is_asked_for_its_version_where_it_was_spoken_to_last(upgraded: FakeTryton) -> None:
    with wire.RpcClient(upgraded.url, "acme", dialect=wire.DIALECTS[1]) as client:
        assert client.version() == "8.0"
    assert [method for method, _, _ in upgraded.seen] == ["common.server.version"]


def test_a_server_that_was_upgraded_says_its_new_version_to_who_knew_the_old_one(upgraded: FakeTryton) -> None:
    with wire.RpcClient(upgraded.url, "acme", dialect=wire.DIALECTS[0]) as client:
        assert client.version() == "8.0"
        assert client.dialect is wire.DIALECTS[1]
