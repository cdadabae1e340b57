"""Sessions are reused and renewed where that is safe, and stay ended where somebody ended them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ringgate.domain.documents import Project, Ref
from ringgate.domain.errors import ErpProtocolError, ErpUnavailable, NoRoute, OurSideError, Refused, SignInRefused
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Basis, Role
from ringgate.drivers.protocol import Call
from ringgate.drivers.tryton import wire
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from tests.support.samples import tenant
from tests.unit.drivers.tryton.test_wire import FakeTryton, error, reply, status

IDENTITY = {"login": "synthetic.consultant", "name": "S", "company.": None, "language.": None}
CALL = Call("k3v9x2m7q4ta", "ab" * 16)


class Erp(FakeTryton):
    """A Tryton that gives out tokens, and takes only those it did not end."""

    def __init__(self) -> None:
        super().__init__()
        self.given, self.alive = 0, True
        self.answers |= {
            "common.db.login": self._login,
            "common.db.logout": None,
            "model.res.user.get_preferences": {},
            "model.res.user.read": self._read,
        }

    def _login(self, handler: Any, body: dict[str, Any]) -> None:
        self.given, self.alive = self.given + 1, True
        good = body["params"][1]["password"] == "right password"
        items = [7, f"token{self.given}", None][: self.dialect.login_items]
        reply(handler, wire.encode({"id": body["id"], "result": items}), 200 if good else 401)

    def _read(self, handler: Any, body: dict[str, Any]) -> None:
        reply(handler, wire.encode({"id": body["id"], "result": [IDENTITY]}), 200 if self.alive else 401)

    def sent(self, method: str) -> int:
        return sum(seen == method for seen, _, _ in self.seen)


@pytest.fixture
def erp() -> Iterator[Erp]:
    erp = Erp()
    yield erp
    erp.server.shutdown()
    erp.server.server_close()


@pytest.fixture
def acme(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    for role in Role:
        monkeypatch.setenv(f"SAMPLE_{role.upper()}", "right password")
    return tenant("acme", api=f"{erp.url}/acme")


@pytest.fixture
def driver() -> Iterator[TrytonApiDriver]:
    driver = TrytonApiDriver(timeout=5)
    yield driver
    driver.close()


def test_a_role_signs_in_once_in_a_process(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    for _ in range(3):
        connection = driver.connect(acme, CALL)
        assert connection.sign_in(Role.CONSULTANT).who_am_i().login == "synthetic.consultant"
        connection.close()
    assert erp.sent("common.db.login") == 1


def test_each_request_is_counted_and_carries_the_run_and_a_span_of_its_own(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver
) -> None:
    connection = driver.connect(acme, CALL)
    actor = connection.sign_in(Role.CONSULTANT)
    actor.who_am_i()
    actor.who_am_i()
    assert connection.calls == len(erp.seen)
    headers = [headers for method, _, headers in erp.seen if method != "common.server.version"]
    assert {each["x-ringgate-run"] for each in headers} == {CALL.run_id}
    spans = [each["traceparent"].split("-") for each in headers]
    assert {span[1] for span in spans} == {CALL.trace_id}
    assert len({span[2] for span in spans}) == len(spans)


def test_calls_are_those_of_the_run_that_is_under_way(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    later = driver.connect(acme, replace(CALL, run_id="another"))
    later.sign_in(Role.CONSULTANT).who_am_i()
    assert later.calls == 1
    assert erp.seen[-1][2]["x-ringgate-run"] == "another"


def test_a_session_that_died_is_renewed_and_the_call_is_sent_again(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver
) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.alive = False
    assert actor.who_am_i().login == "synthetic.consultant"
    assert (erp.sent("common.db.login"), erp.sent("model.res.user.read")) == (2, 2)


def test_a_session_that_dies_again_is_given_up(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.answers["model.res.user.read"] = status(401)
    with pytest.raises(SignInRefused, match="ended again"):
        actor.who_am_i()
    assert erp.sent("common.db.login") == 2


@pytest.mark.parametrize(("answer", "raised"), [(401, SignInRefused), (502, ErpUnavailable)])
def test_a_session_whose_context_is_not_known_is_not_used(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver, answer: int, raised: type[Exception]
) -> None:
    consultant = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.alive = False
    erp.answers["model.res.user.get_preferences"] = status(answer)
    with pytest.raises(raised):
        consultant.who_am_i()
    erp.answers["model.res.user.get_preferences"] = {"company": 1}
    again = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    assert again.who_am_i().login == "synthetic.consultant"
    assert again._session.client.context == {"company": 1}


BUTTON = "model.ir.model.button.search_read"


@pytest.mark.parametrize(
    ("access", "groups", "own", "basis"),
    [
        (1, [23], [6], Basis.RIGHTS),
        (0, [23], [6, 23], Basis.RECORDS),
        (0, [], [6], Basis.RIGHTS),
        (1, [], [6], Basis.RECORDS),
    ],
)
def test_a_refusal_is_of_rights_where_the_user_lacks_them(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver, access: int, groups: list[int], own: list[int], basis: Basis
) -> None:
    erp.answers |= {
        "model.project.work.status.search": [3],
        "model.project.work.write": error("UserError", ["No.", "", None]),
        "model.project.work.invoice": error("UserError", ["No.", "", None]),
        "model.project.work.read": [{"status.": {"rec_name": "Open"}}],
        "model.account.invoice.search_read": [],
        "model.ir.model.access.get_access": {"project.work": {"read": 1, "write": access, "create": 0, "delete": 0}},
        BUTTON: [{"groups": groups}],
        "model.res.user.get_preferences": {"groups": own},
    }
    connection = driver.connect(acme, CALL)
    accountant = connection.sign_in(Role.ACCOUNTANT)
    project = Project(Ref("project", "5"), "Study", "Client", "open", ())
    with pytest.raises(Refused) as billed:
        accountant.draft_invoice(project)
    assert connection.basis_of(billed.value) is basis
    with pytest.raises(Refused) as completed:
        accountant.complete_work(project)
    assert connection.basis_of(completed.value) is (Basis.RECORDS if access else Basis.RIGHTS)


def test_what_the_erp_has_not_got_is_of_its_records(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    erp.answers |= {"model.project.work.status.search": [], "model.project.work.read": [{"status.": {"rec_name": ""}}]}
    connection = driver.connect(acme, CALL)
    with pytest.raises(Refused, match=r"has no project\.work\.status") as refused:
        connection.sign_in(Role.PROJECT_MANAGER).complete_work(Project(Ref("project", "5"), "S", "C", "open", ()))
    assert connection.basis_of(refused.value) is Basis.RECORDS


def test_a_session_that_was_ended_is_never_renewed(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    connection = driver.connect(acme, CALL)
    actor = connection.sign_in(Role.CONSULTANT)
    actor.sign_out()
    erp.alive = False
    with pytest.raises(Refused, match="who_am_i"):
        actor.who_am_i()
    assert erp.sent("common.db.login") == 1
    assert connection.sign_in(Role.CONSULTANT).who_am_i().login == "synthetic.consultant"


def test_an_ended_session_that_still_works_is_not_hidden(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    actor.sign_out()
    assert actor.who_am_i().login == "synthetic.consultant"


def test_a_session_of_its_own_is_closed_with_its_connection(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    connection = driver.connect(acme, CALL)
    connection.sign_in(Role.CONSULTANT)
    connection.sign_in(Role.CONSULTANT, fresh=True)
    assert erp.sent("common.db.login") == 2
    connection.close()
    assert erp.sent("common.db.logout") == 1
    driver.close()
    assert erp.sent("common.db.logout") == 2


def test_a_wrong_password_is_a_refusal_if_it_was_given_and_a_fault_if_it_is_the_inventorys(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = driver.connect(acme, CALL)
    with pytest.raises(Refused, match="sign_in"):
        connection.sign_in(Role.CONSULTANT, password="wrong password", fresh=True)
    monkeypatch.setenv("SAMPLE_CONSULTANT", "stale password")
    with pytest.raises(SignInRefused) as refusal:
        connection.sign_in(Role.CONSULTANT)
    assert "password" not in str(refusal.value)


def test_after_an_outage_a_new_session_is_made(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.answers["model.res.user.read"] = status(503)
    with pytest.raises(ErpUnavailable):
        actor.who_am_i()
    driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    assert erp.sent("common.db.login") == 2


def test_a_tenant_that_was_upgraded_is_spoken_to_in_its_new_series(
    erp: Erp, acme: Tenant, driver: TrytonApiDriver
) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.dialect = next(dialect for dialect in wire.DIALECTS if dialect.series == "8.0")
    erp.version = "8.0"
    assert actor.who_am_i().login == "synthetic.consultant"


def test_another_place_without_another_series_is_a_fault(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    actor = driver.connect(acme, CALL).sign_in(Role.CONSULTANT)
    erp.answers["model.res.user.read"] = status(405)
    with pytest.raises(ErpProtocolError):
        actor.who_am_i()


def test_a_warning_is_confirmed_once(erp: Erp, acme: Tenant, driver: TrytonApiDriver) -> None:
    warned: list[str] = []

    def post(handler: Any, body: dict[str, Any]) -> None:
        if warned:
            reply(handler, wire.encode({"id": body["id"], "result": None}))
        else:
            error("UserWarning", ["the.key", "Really?", ""])(handler, body)

    def skip(handler: Any, body: dict[str, Any]) -> None:
        warned.append(body["params"][0])
        reply(handler, wire.encode({"id": body["id"], "result": None}))

    erp.answers |= {"model.x.post": post, "model.res.user.warning.skip": skip}
    connection = driver.connect(acme, CALL)
    connection.sign_in(Role.CONSULTANT)
    session = connection._session(Role.CONSULTANT)
    assert session.confirmed("model.x.post", [1]) is None
    assert warned == ["the.key"]
    erp.answers["model.x.post"] = error("UserWarning", ["the.key", "Really?", ""])
    with pytest.raises(wire.BusinessError):
        session.confirmed("model.x.post", [1])


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://127.0.0.1:1/"])
def test_an_address_without_a_database_is_ours_to_repair(acme: Tenant, driver: TrytonApiDriver, address: str) -> None:
    with pytest.raises(NoRoute, match="names no database"):
        driver.connect(replace(acme, api=address), CALL).sign_in(Role.CONSULTANT)


def test_a_role_without_a_user_is_ours_to_repair(acme: Tenant, driver: TrytonApiDriver) -> None:
    with pytest.raises(OurSideError, match=r"add \[users.auditor\]"):
        driver.connect(replace(acme, users={}), CALL).books()
