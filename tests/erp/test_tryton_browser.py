"""The Tryton browser driver on the real web client: what screens state, what it keeps, and what it leaves behind."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ringgate.domain.errors import (
    BrowserError,
    ErpError,
    ErpMisbehaved,
    ErpProtocolError,
    ErpUnavailable,
    OurSideError,
    Refused,
    Throttled,
)  # fmt: skip
from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Capability, Channel, Role
from ringgate.drivers.protocol import Call, Connection, Driver, SignedInUser
from ringgate.drivers.tryton.browser.driver import TrytonBrowserDriver
from ringgate.execution.run_once import Engine, new_run_id
from ringgate.scenario.test_data import Make
from tests.support.estate import Books, Leased

END_SESSION = """async () => {
    const session = Sao.Session.current_session;
    const body = JSON.stringify({ id: 0, method: 'common.db.logout', params: [] });
    const headers = { 'Content-Type': 'application/json', Authorization: 'Session ' + session.get_auth() };
    await fetch('/' + session.database + '/', { method: 'POST', headers, body });
}"""


@pytest.fixture
def driver(engine: Engine) -> Driver:
    """This worker's only one: its browser and its windows are kept between tests."""
    return engine.drivers["tryton", Channel.BROWSER]


@pytest.fixture
def connect(driver: Driver) -> Iterator[Callable[[Tenant], Connection]]:
    """A new run's connection; closed at the end of the test, if not before."""
    opened: list[Connection] = []

    def connect(tenant: Tenant) -> Connection:
        opened.append(driver.connect(tenant, Call(new_run_id(), "5" * 32)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def window_of(actor: SignedInUser) -> Any:
    """The browser's page behind an actor, for tests that break it."""
    return actor._session.client.page  # type: ignore[attr-defined]


def make_for(tenant: Tenant) -> Make:
    return Make(tenant, new_run_id(), datetime.now(ZoneInfo(tenant.timezone)).date())


def ask_for(actor: SignedInUser, connection: Connection, tenant: Tenant) -> str:
    """Ask for something and take it back at once; the request's state in between."""
    draft = make_for(tenant).request("120")
    request = actor.request_purchase(draft)
    connection.undo(Reversal("request_purchase", actor.role.value, draft.marker, ref=request.ref.id))
    return request.state


@pytest.mark.parametrize(("currency", "scenario"), [("EUR", "invoicing-from-time"), ("JPY", "financial-posting")])
def test_the_screen_agrees_with_record_and_ledger_however_it_writes_numbers(
    currency: str,
    scenario: str,
    lease: Callable[..., Leased],
    run: Callable[..., RunResult],
    books_of: Callable[[Tenant], Books],
) -> None:
    tenant = lease(currency).tenant
    before = books_of(tenant)
    result = run(scenario, tenant, Channel.BROWSER)
    assert result.error is None, f"{scenario}: {result.failure}"
    assert result.residue == ()
    assert books_of(tenant) == before


def test_the_web_client_can_do_whatever_a_person_does_at_a_screen(driver: Driver) -> None:
    assert not driver.capabilities & {Capability.OUTSIDERS, Capability.DIRECT_CALLS}


def test_a_window_is_used_again_by_the_next_run_and_names_it(
    own_tenant: Leased, connect: Callable[[Tenant], Connection]
) -> None:
    first = connect(own_tenant.tenant)
    page = window_of(first.sign_in(Role.CONSULTANT))
    first.close()
    second = connect(own_tenant.tenant)
    consultant = second.sign_in(Role.CONSULTANT)
    assert window_of(consultant) is page
    assert second.calls == 0
    with page.expect_request("**/*", timeout=10_000) as sent:
        consultant.request_purchase(make_for(own_tenant.tenant).request("120"))
    headers = sent.value.headers
    assert headers["x-ringgate-run"] == second._call.run_id  # type: ignore[attr-defined]
    assert headers["traceparent"].startswith("00-" + "5" * 32)
    assert second.calls > 0


def test_a_window_of_a_run_that_did_not_pass_is_not_used_again(
    own_tenant: Leased, connect: Callable[[Tenant], Connection], tmp_path: Path
) -> None:
    first = connect(own_tenant.tenant)
    page = window_of(first.sign_in(Role.CONSULTANT))
    first.evidence(tmp_path / "run")
    first.close()
    assert page.is_closed()
    assert window_of(connect(own_tenant.tenant).sign_in(Role.CONSULTANT)) is not page


def test_a_browser_that_went_away_is_started_again(own_tenant: Leased, connect: Callable[[Tenant], Connection]) -> None:
    first = connect(own_tenant.tenant)
    page = window_of(first.sign_in(Role.CONSULTANT))
    first.close()
    page.context.browser.close()
    second = connect(own_tenant.tenant)
    assert ask_for(second.sign_in(Role.CONSULTANT), second, own_tenant.tenant) == "draft"


def test_a_session_that_died_is_renewed_by_the_clients_own_question(
    own_tenant: Leased, connect: Callable[[Tenant], Connection]
) -> None:
    connection = connect(own_tenant.tenant)
    consultant = connection.sign_in(Role.CONSULTANT)
    window_of(consultant).evaluate(END_SESSION)
    assert ask_for(consultant, connection, own_tenant.tenant) == "draft"


def test_who_signed_out_stays_out(own_tenant: Leased, connect: Callable[[Tenant], Connection]) -> None:
    consultant = connect(own_tenant.tenant).sign_in(Role.CONSULTANT, fresh=True)
    assert consultant.who_am_i().login == own_tenant.tenant.users[Role.CONSULTANT].login
    consultant.sign_out()
    answers: list[int] = []
    window_of(consultant).on("response", lambda answer: answers.append(answer.status))
    with pytest.raises(Refused, match="session has ended"):
        consultant.who_am_i()
    assert 401 in answers, "it must be the ERP that says no"


def test_a_wrong_password_is_refused(own_tenant: Leased, connect: Callable[[Tenant], Connection]) -> None:
    with pytest.raises(Refused, match="asked for the password again"):
        connect(own_tenant.tenant).sign_in(Role.CONSULTANT, password="nobody-has-this")


def test_evidence_shows_the_screen_and_no_secret(
    own_tenant: Leased, connect: Callable[[Tenant], Connection], tmp_path: Path
) -> None:
    tenant = own_tenant.tenant
    connection = connect(tenant)
    consultant = connection.sign_in(Role.CONSULTANT)
    page = window_of(consultant)
    secrets = set(page.evaluate("__ringgate.secrets()"))
    page.evaluate(END_SESSION)  # so that the password is typed while everything is recorded
    ask_for(consultant, connection, tenant)
    secrets |= {*page.evaluate("__ringgate.secrets()"), tenant.users[Role.CONSULTANT].password.reveal()}

    found = connection.evidence(tmp_path / "run")

    assert sorted(each.kind for each in found) == ["screenshot", "text", "trace"]
    assert len(secrets) >= 5, "two sessions have two tokens each, and there is the password"
    for attachment in found:
        for name, content in contents(tmp_path / attachment.path):
            for secret in secrets:
                forms = (secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode())
                assert not any(form.encode() in content for form in forms), f"a secret is in {name}"
    trace = dict(contents(tmp_path / "run" / "consultant.trace.zip"))
    assert b"***" in trace["trace.trace"], "what was typed is recorded, hidden"


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix != ".zip":
        yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def test_refusals_state_the_reason_and_what_the_screen_shows(
    own_tenant: Leased, connect: Callable[[Tenant], Connection], lease: Callable[..., Leased]
) -> None:
    tenant = own_tenant.tenant
    consultant = connect(tenant).sign_in(Role.CONSULTANT)
    with pytest.raises(Refused, match="cannot be changed") as refused:
        consultant.create_project(make_for(tenant).project())
    assert refused.value.state == ""


FAULTS: dict[str, tuple[dict[str, object], type[ErpError | OurSideError]]] = {
    "a gateway that answers 502": ({"status": 502, "body": "bad gateway"}, ErpUnavailable),
    "a truncated answer": (
        {"status": 200, "content_type": "application/json", "body": '{"id": 1, "resu'},
        ErpProtocolError,
    ),
    "too many requests": ({"status": 429, "body": ""}, Throttled),
    "a call that is forbidden": ({"status": 403, "body": "no"}, Refused),
    "an exception of the server": (
        {"status": 200, "content_type": "application/json", "body": '{"id": 1, "error": ["KeyError", "oops"]}'},
        ErpMisbehaved,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_errors_on_the_way_are_told_apart(
    fault: str, own_tenant: Leased, connect: Callable[[Tenant], Connection]
) -> None:
    answer, expected = FAULTS[fault]
    with broken(own_tenant.tenant, connect) as (consultant, page):
        page.route(calls_of(own_tenant.tenant), lambda route: route.fulfill(**answer))
        with pytest.raises(expected):
            consultant.request_purchase(make_for(own_tenant.tenant).request("120"))


def test_no_answer_at_all_ends_the_wait(own_tenant: Leased, connect: Callable[[Tenant], Connection]) -> None:
    with broken(own_tenant.tenant, connect) as (consultant, page):
        consultant._session.client.limit = 2.0  # type: ignore[attr-defined]
        page.route(calls_of(own_tenant.tenant), lambda route: None)
        with pytest.raises(ErpUnavailable, match=r"waiting for model/purchase\.requisition"):
            consultant.request_purchase(make_for(own_tenant.tenant).request("120"))


@pytest.mark.parametrize(
    ("damage", "expected", "said"),
    [
        ("Sao.open_url = () => setTimeout(() => { throw new Error('boom'); }, 1)", ErpMisbehaved, "script.*boom"),
        ("document.body.innerHTML = ''", ErpMisbehaved, "white page"),
    ],
)
def test_a_broken_client_is_the_erps_fault(
    damage: str, expected: type[Exception], said: str, own_tenant: Leased, connect: Callable[[Tenant], Connection]
) -> None:
    with broken(own_tenant.tenant, connect) as (consultant, page):
        page.evaluate(f"() => {{ {damage} }}")
        with pytest.raises(expected, match=said):
            consultant.request_purchase(make_for(own_tenant.tenant).request("120"))


def test_a_browser_that_does_not_start_is_our_fault(own_tenant: Leased, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGGATE_BROWSER", "/bin/true")
    driver = TrytonBrowserDriver()
    with pytest.raises(BrowserError, match="/bin/true did not start"):
        driver.connect(own_tenant.tenant, Call("run", "0" * 32)).sign_in(Role.CONSULTANT)
    driver.close()


def calls_of(tenant: Tenant) -> str:
    """The address that the client sends its calls to."""
    return tenant.api.rstrip("/") + "/"


@contextmanager
def broken(tenant: Tenant, connect: Callable[[Tenant], Connection]) -> Iterator[tuple[SignedInUser, Any]]:
    """A consultant whose window may be broken: it must not be used again."""
    connection = connect(tenant)
    consultant = connection.sign_in(Role.CONSULTANT)
    page = window_of(consultant)
    yield consultant, page
    connection.close()
    assert page.is_closed()


def test_amounts_are_read_as_the_users_language_writes_them() -> None:
    from ringgate.drivers.tryton.browser.pages.formats import Formats, strftime_of

    german = Formats(",", ".", strftime_of("DD.MM.YYYY"), {"t": Decimal(28800)})
    assert german.number("1.234,50 €") == Decimal("1234.50")
    assert german.number("\u22121.234,50") == Decimal("-1234.50")
    assert german.number("") == 0
    assert german.hours("1t 01:30") == Decimal("9.5")
    assert german.hours_text(Decimal("9.5")) == "9:30"
    assert german.date_text(german.date_of("22.11.2026")) == "22.11.2026"  # type: ignore[arg-type]
    with pytest.raises(ErpMisbehaved):
        german.number("1,234.50,00")
    with pytest.raises(ErpMisbehaved):
        german.date_of("11/22/2026")
