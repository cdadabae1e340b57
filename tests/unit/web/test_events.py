"""What a help desk may note over HTTP, what is refused, and where the page shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringgate.domain.terms import Outcome
from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind
from ringgate.evidence.notes import noted
from ringgate.web import Server, collector_of
from ringgate.web.events import EventNotes
from tests.unit.metrics.test_metrics import NOON, result
from tests.unit.web.world import Client, World

TOKEN = "open-sesame-0123456789"
PATH = "/api/v1/events"
BY = EvidenceActor("ringgate", "serve", "", "", "")
TICKET = {"kind": "ticket", "tenants": ["aldgate"], "what": "no invoice came", "reference": "HD-4711",
          "began": NOON.isoformat()}  # fmt: skip


@pytest.fixture
def ask(world: World):
    def made(token: str = TOKEN, said: str = TOKEN) -> Client:
        notes = EventNotes(world.url, lambda: world.inventory, BY)
        app = Server(world.board, collector_of(world.board), events=notes).app(token)
        return Client(app, {"Authorization": f"Bearer {said}"} if said else {})

    return made


@pytest.mark.parametrize("kind", ["incident", "ticket", "change"])
def test_each_kind_is_noted_as_evidence(world, ask, kind):
    answer = ask().post(PATH, json=TICKET | {"kind": kind})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["kind"], body["tenants"], body["ring"], body["began"]) == (
        kind, ["aldgate"], "canary", NOON.isoformat(),
    )  # fmt: skip
    assert [each.what for each in noted(world.store)] == ["no invoice came"]
    assert [each.kind for each in EvidenceChain(world.store, BY).entries()] == [EvidenceKind(kind)]


def test_who_asks_again_notes_it_once(world, ask):
    key = {"Idempotency-Key": "HD-4711"}
    first, again = (ask().post(PATH, json=TICKET, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    for other in ({"what": "another"}, {"kind": "change"}):
        assert ask().post(PATH, json=TICKET | other, headers=key).status_code == 409
    assert len(noted(world.store)) == 1


def test_all_that_is_wrong_is_told_at_once(world, ask):
    wrong = {"kind": "tickett", "what": " ", "tenants": ["aldgat"], "ring": "canari", "began": "2027-01-31T22:00"}
    answer = ask().post(PATH, json=wrong)
    assert answer.status_code == 422
    told = {each["key"]: each["rule"] for each in answer.json()["errors"]}
    assert set(told) == {"kind", "what", "tenants", "ring", "began"}
    assert told["kind"].endswith("did you mean ticket?")
    kinds = ask().post(PATH, json={"kind": 7, "tenants": "aldgate", "wat": "x"})
    assert {each["key"] for each in kinds.json()["errors"]} == {"kind", "tenants", "wat", "what"}
    two = ask().post(PATH, json=TICKET | {"tenants": ["aldgate", "bleecker"]})
    assert "must name one tenant" in two.json()["errors"][0]["rule"]
    assert noted(world.store) == []


def test_without_a_token_nothing_is_noted(world, ask):
    assert ask(said="").post(PATH, json=TICKET).status_code == 401
    assert ask(token="", said="").post(PATH, json=TICKET).status_code == 403
    assert noted(world.store) == []


def test_the_page_shows_it_beside_deployments_and_beside_what_fails(world, ask):
    ask().post(PATH, json=TICKET | {"kind": "change", "what": "new <mail> relay"})
    ask().post(PATH, json=TICKET | {"tenants": ["bleecker"], "what": "of another one"})
    world.store.add(result("r1", NOON + timedelta(minutes=5), outcome=Outcome.FAILED))
    world.turn()
    page = ask().get("/").text
    assert "<b>Change</b> on aldgate: new &lt;mail&gt; relay" in page
    assert "HD-4711" in page
    beside = page[page.index('id="failing"') : page.index('id="durations"')]
    assert "new &lt;mail&gt; relay" in beside
    assert "of another one" not in beside
