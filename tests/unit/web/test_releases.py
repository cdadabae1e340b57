"""The page of a release: from the store alone, with who is waited for; and nothing can be approved there."""

from __future__ import annotations

import pytest

from ringgate.evidence import EvidenceKind
from ringgate.web import Server, collector_of
from ringgate.web.releases import ReleasePages
from tests.unit.evidence.test_duties import Noted
from tests.unit.web.world import Client


class NotedRelease(Noted):
    """A rollout that waits for its second ring."""

    def waiting(self) -> None:
        self.note(
            EvidenceKind.START, session="s", led_as="rollout", title="Eight <b>", author="ada", risk="high",
            before="7.0", after="8.0", approval_rings=["early"], digests={"release": "d" * 64},
            roles=[{"role": "manager", "quorum": 2, "people": ["grace", "linus"]}], notes="Plan a window.",
            calendar=["freeze year end: 2026-12-20 00:00 to 2027-01-06 00:00"],
            components=[{"part": "application", "before": "7.0", "after": "8.0", "note": "n"}],
            rings=[{"ring": "canary", "tenants": ["aldgate"]}, {"ring": "early", "tenants": ["bleecker"]}],
        )  # fmt: skip
        self.note(EvidenceKind.STAGE, "canary", session="s", stage="upgrade", tenant="aldgate", outcome="passed",
                  began=self.now, seconds=41.0, note="7.0 to 8.0")  # fmt: skip
        self.note(EvidenceKind.DECISION, "canary", session="s", action="promote")

    def approved(self, person: str) -> None:
        self.note(EvidenceKind.APPROVAL, "early", person=person, role="manager")


@pytest.fixture
def noted(tmp_path):
    noted = NotedRelease(tmp_path)
    yield noted
    noted.store.close()


def client(world, noted) -> Client:
    url = f"sqlite:///{noted.folder}/results.sqlite"
    pages = ReleasePages(url, lambda: world.inventory)
    return Client(Server(world.board, collector_of(world.board), releases=pages).app(), {})


def test_it_shows_rings_plan_calendar_and_who_is_waited_for(world, noted):
    noted.waiting()
    noted.approved("grace")
    answer = client(world, noted).get("/releases/8.0")
    assert answer.status_code == 200
    text = answer.text
    assert "early waits for 1 of linus as manager; grace approved" in text
    assert "freeze year end" in text
    assert "Eight &lt;b&gt;" in text
    assert "7.0 to 8.0" in text
    assert "the release does not say" not in text
    assert "deployment frequency" in text
    assert "given with its maker" in text
    assert "<form" not in text


def test_when_it_is_over_nobody_is_waited_for(world, noted):
    noted.waiting()
    noted.note(EvidenceKind.DECISION, "early", session="s", action="roll back",
               reasons=[{"tenant": "bleecker", "sentence": "a wrong amount"}])  # fmt: skip
    text = client(world, noted).get("/releases/8.0").text
    assert "waits for" not in text
    assert "a wrong amount" in text
    assert "Rolled back" in text


def test_every_release_is_listed_and_an_unknown_one_is_not_there(world, noted):
    noted.waiting()
    asked = client(world, noted)
    assert '<a href="/releases/8.0">8.0</a>' in asked.get("/releases").text
    assert asked.get("/releases/9.9").status_code == 404
    assert asked.post("/releases/8.0").status_code == 405
