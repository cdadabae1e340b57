"""Whatever goes wrong with a call, no traceback of any style shows a password or a token, local variables included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Account
from ringgate.domain.terms import Role
from ringgate.drivers.protocol import Call
from ringgate.drivers.transport import HttpTransport
from ringgate.drivers.tryton.sessions import Carrier, SessionPool
from ringgate.host.secrets import FileSecret, KnownSecret
from tests.support.fake_tryton import FakeTryton
from tests.support.samples import tenant as sample_tenant
from tests.support.tracebacks import forms_of_error
from tests.support.ways_to_fail import LOGIN, PASSWORD, TOKEN, WAYS, forms

READ = "model.party.party.read"


@pytest.fixture
def fake() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    fake.answers = {LOGIN: [7, TOKEN], "model.res.user.get_preferences": {}, "common.db.logout": None}
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def sign_in(fake: FakeTryton, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Signs a user in whose password lies in a file, as a scenario does it."""
    (tmp_path / "password").write_text(PASSWORD)
    users = {Role.AUDITOR: Account("auditor", FileSecret(str(tmp_path / "password")))}
    tenant = sample_tenant("acme", api=f"{fake.url}/acme", users=users)
    line, pool = HttpTransport(0.3), SessionPool(0.3)
    yield lambda: pool.take(tenant, Role.AUDITOR, Carrier(Call("run", "0" * 32), line))
    line.close()


def assert_hidden(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    assert [(where, form) for where, text in forms_of_error(excinfo) for form in forms("auditor") if form in text] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_sign_in_that_fails_shows_no_secret(fake: FakeTryton, sign_in: Callable[[], Any], way: str) -> None:
    fake.answers[LOGIN] = WAYS[way]
    with pytest.raises(RinggateError) as caught:
        sign_in()
    assert_hidden(caught)


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way not in ("an answer of another shape", "a token that is none")]
)
def test_a_call_that_fails_shows_no_secret(fake: FakeTryton, sign_in: Callable[[], Any], way: str) -> None:
    session = sign_in()
    fake.answers[READ] = WAYS[way]
    with pytest.raises(RinggateError) as caught:
        session.call(READ, [1], ["name"])
    assert_hidden(caught)


def test_an_interruption_in_the_middle_of_a_call_shows_no_secret(
    sign_in: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sign_in()

    def interrupted(self: object, *args: object, **kwargs: object) -> None:
        sent = (self, args, kwargs, f"{PASSWORD} {TOKEN}")
        raise KeyboardInterrupt(len(sent))

    monkeypatch.setattr("httpcore.ConnectionPool.handle_request", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        session.call(READ, [1], ["name"])
    assert_hidden(caught)


def test_what_cannot_be_sent_shows_no_secret(sign_in: Callable[[], Any]) -> None:
    session = sign_in()
    with pytest.raises(TypeError) as caught:
        session.client.raw("model.res.user.write", [[7], {"password": KnownSecret(PASSWORD), "wrong": object()}])
    assert_hidden(caught)
