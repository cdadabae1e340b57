"""What a pipeline may note over HTTP, and what is refused."""

from __future__ import annotations

import pytest

from ringgate.evidence import EvidenceActor, EvidenceChain, EvidenceKind
from ringgate.web import Server, collector_of
from ringgate.web.deployments import DeploymentNotes
from tests.unit.metrics.test_metrics import NOON
from tests.unit.web.world import Client, World

TOKEN = "open-sesame-0123456789"
PATH = "/api/v1/deployments"
BY = EvidenceActor("ringgate", "serve", "", "", "")
SAID = {"ring": "canary", "release": "8.0.12", "at": NOON.isoformat(), "by": "pipeline 7"}


@pytest.fixture
def ask(world: World):
    def made(token: str = TOKEN, said: str = TOKEN) -> Client:
        notes = DeploymentNotes(world.url, lambda: world.inventory, BY)
        app = Server(world.board, collector_of(world.board), deployments=notes).app(token)
        return Client(app, {"Authorization": f"Bearer {said}"} if said else {})

    return made


def noted(world: World) -> list[str]:
    return [each.release for each in world.store.deployments() if each.id != "d1"]


def test_a_deployment_is_noted_and_is_evidence(world, ask):
    answer = ask().post(PATH, json=SAID | {"tenants": ["aldgate"]})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["ring"], body["release"], body["tenants"], body["at"]) == (
        "canary", "8.0.12", ["aldgate"], NOON.isoformat(),
    )  # fmt: skip
    assert noted(world) == ["8.0.12"]
    kinds = [each.kind for each in EvidenceChain(world.store, BY).entries(release="8.0.12")]
    assert kinds == [EvidenceKind.DEPLOYMENT]


def test_a_pipeline_that_asks_again_notes_it_once(world, ask):
    key = {"Idempotency-Key": "pipeline 7, job 3"}
    first, again = (ask().post(PATH, json=SAID, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    other = ask().post(PATH, json=SAID | {"release": "8.0.13"}, headers=key)
    assert (other.status_code, noted(world)) == (409, ["8.0.12"])


def test_all_that_is_wrong_is_told_at_once(world, ask):
    wrong = {"ring": "canari", "release": " ", "tenants": ["aldgat"], "at": "2027-01-31T22:00"}
    answer = ask().post(PATH, json=wrong)
    assert answer.status_code == 422
    told = {each["key"]: each["rule"] for each in answer.json()["errors"]}
    assert set(told) == {"ring", "release", "tenants", "at"}
    assert told["ring"].endswith('has no ring "canari"; did you mean canary?')
    kinds = ask().post(PATH, json={"ring": 7, "tenants": "aldgate", "relase": "8.0"})
    assert {each["key"] for each in kinds.json()["errors"]} == {"ring", "tenants", "relase", "release"}
    assert noted(world) == []


def test_without_a_token_nothing_is_noted(world, ask):
    assert ask(said="").post(PATH, json=SAID).status_code == 401
    assert ask(said="guessed-0123456789").post(PATH, json=SAID).status_code == 401
    refused = ask(token="", said="").post(PATH, json=SAID)
    assert (refused.status_code, refused.json()["errors"][0]["rule"][:40]) == (
        403, "noting anything needs a server with a to",
    )  # fmt: skip
    assert noted(world) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_strangers_page_may_send_is_not_read(world, ask, kind):
    answer = ask().post(PATH, content=b'{"ring": "canary", "release": "8.0.12"}', headers={"Content-Type": kind})
    assert (answer.status_code, noted(world)) == (415, [])


def test_a_store_that_cannot_be_written_is_told(world, ask, monkeypatch):
    monkeypatch.setattr(world, "url", "sqlite:////proc/none/x.sqlite")
    assert ask().post(PATH, json=SAID).status_code == 503
    assert ask().get(PATH).status_code == 405
