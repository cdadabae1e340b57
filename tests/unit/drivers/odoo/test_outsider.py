"""What outsiders send to an Odoo tenant, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ringgate.domain.documents import Ref
from ringgate.domain.errors import OurSideError
from ringgate.drivers.odoo.outsider import ALL, KINDS, OdooAnywhere, OdooVisitor, question
from ringgate.drivers.odoo.sessions import CallCarrier
from ringgate.drivers.protocol import Call
from ringgate.drivers.transport import NO_AUTH, HttpTransport, SecretHeader
from ringgate.host.secrets import KnownSecret
from ringgate.isolation.model import AttemptKind, AttemptOutcome, PrivateRecord
from tests.support.fake_odoo import FakeOdoo
from tests.support.fake_tryton import reply

INVOICE = PrivateRecord(Ref("invoice", "12"), ("RG-a", "Aldgate Ltd"), made=True)
SEEN = PrivateRecord(Ref("invoice", "7"), ("Aldgate Ltd",))
READ = "/web/dataset/call_kw/account.move/search_read"


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    server = FakeOdoo()
    yield server
    server.close()


@pytest.fixture
def anywhere() -> Iterator[OdooAnywhere]:
    transport = HttpTransport(5.0)
    client = OdooAnywhere(CallCarrier(Call("run", "0" * 32), transport))
    yield client
    client.close()
    transport.close()


def visitor(fake: FakeOdoo, anywhere: OdooAnywhere, **changes: Any) -> OdooVisitor:
    usual = {"shown": SecretHeader("cookie", KnownSecret("session_id=theirs")), "barred": True}
    return OdooVisitor(anywhere, "auditor of bishopsgate", fake.url, **{**usual, **changes})


def refuses(name: str) -> dict[str, Any]:
    return {"error": {"message": "Odoo Server Error", "data": {"name": name, "message": "RG-a is not yours"}}}


def tells(whole: dict[str, Any]) -> Any:
    return lambda handler, body: reply(handler, json.dumps({"id": body["id"], **whole}).encode())


def params(way: AttemptKind, *things: PrivateRecord) -> dict[str, Any]:
    asked = question(way, things)
    assert asked is not None
    assert asked.body is not None
    told: dict[str, Any] = json.loads(asked.body)["params"]
    return told


def test_a_change_is_tried_on_what_the_run_made_alone() -> None:
    assert params(AttemptKind.WRITE, INVOICE, SEEN)["args"][0] == [12]
    assert question(AttemptKind.WRITE, [SEEN]) is None


def test_a_search_looks_for_what_stands_on_a_record_in_every_field_that_shows_it() -> None:
    domain = params(AttemptKind.SEARCH, INVOICE)["kwargs"]["domain"]
    assert domain == ["|", ["ref", "ilike", "RG-a"], ["company_id", "ilike", "RG-a"]]


def test_every_kind_of_record_can_be_read_and_searched() -> None:
    for kind in KINDS:
        thing = PrivateRecord(Ref(kind, "1"), ("x",))
        assert question(AttemptKind.READ, [thing])
        assert question(AttemptKind.SEARCH, [thing])


def test_nobody_exports() -> None:
    assert AttemptKind.EXPORT not in ALL
    assert question(AttemptKind.EXPORT, [INVOICE]) is None


def test_a_session_that_the_address_does_not_know_is_turned_away(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    fake.answers[READ] = tells(refuses("odoo.http.SessionExpiredException"))
    attempt = visitor(fake, anywhere).attempt(AttemptKind.READ, [INVOICE])
    assert attempt is not None
    assert (attempt.came, attempt.by) == (AttemptOutcome.REFUSED, "SessionExpiredException")


def test_an_answer_to_who_is_barred_is_a_leak_though_it_is_empty(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    attempt = visitor(fake, anywhere).attempt(AttemptKind.READ, [INVOICE])
    assert attempt is not None
    assert attempt.came is AttemptOutcome.ACCEPTED


def test_an_error_of_the_erps_own_says_that_the_caller_was_let_in(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    fake.answers[READ] = tells(refuses("odoo.exceptions.MissingError"))
    attempt = visitor(fake, anywhere).attempt(AttemptKind.READ, [INVOICE])
    assert attempt is not None
    assert attempt.came is AttemptOutcome.DISCLOSED
    assert attempt.shown == "RG-a"


def test_a_neighbour_at_home_may_be_answered_but_not_told_of_ours(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    at_home = visitor(fake, anywhere, barred=False, neighbour="bishopsgate")
    fake.answers[READ] = [{"id": 12, "ref": "Theirs", "company_id": [1, "Bishopsgate Ltd"]}]
    quiet = at_home.attempt(AttemptKind.READ, [INVOICE])
    fake.answers[READ] = [{"id": 12, "ref": "Ours", "company_id": [1, "Aldgate Ltd"]}]
    loud = at_home.attempt(AttemptKind.READ, [INVOICE])
    assert quiet is not None
    assert loud is not None
    assert [quiet.came, loud.came] == [AttemptOutcome.NOTHING, AttemptOutcome.DISCLOSED]


def test_a_session_that_has_ended_proves_nothing_where_it_is_valid(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    fake.answers[READ] = tells(refuses("odoo.http.SessionExpiredException"))
    with pytest.raises(OurSideError, match="proves nothing"):
        visitor(fake, anywhere, barred=False).attempt(AttemptKind.READ, [INVOICE])


def test_where_a_session_ends_that_strays_each_reading_shows_a_new_one(fake: FakeOdoo, anywhere: OdooAnywhere) -> None:
    fresh = iter(["first", "second"])
    stray = visitor(fake, anywhere)
    stray.renewed = lambda: SecretHeader("cookie", KnownSecret(f"session_id={next(fresh)}"))
    for way in (AttemptKind.READ, AttemptKind.SEARCH, AttemptKind.READ):
        stray.attempt(way, [INVOICE])
    assert [headers["cookie"] for _, _, headers in fake.seen] == [
        f"session_id={n}" for n in ("first", "first", "second")
    ]


def test_all_callers_send_the_same_bytes_and_one_that_names_a_database_says_so(
    fake: FakeOdoo, anywhere: OdooAnywhere
) -> None:
    for each in (visitor(fake, anywhere), visitor(fake, anywhere, shown=NO_AUTH, names="aldgate")):
        each.attempt(AttemptKind.READ, [INVOICE])
    (path, body, plain), (named_path, same, named) = fake.seen
    assert body == same
    assert (path, named_path) == (READ, f"{READ}?db=aldgate")
    assert (plain.get("cookie"), named.get("cookie")) == ("session_id=theirs", None)
    assert named["x-odoo-database"] == "aldgate"
