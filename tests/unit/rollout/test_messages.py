"""People are told, once, over a real webhook; a messenger that fails is a remark and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from ringgate.host import secrets
from ringgate.host.secrets import EnvSecret
from ringgate.rollout.message_tables import RolloutNews
from ringgate.rollout.messages import RolloutMessages
from ringgate.rollout.record import Objection, RehearsalRecord, RingRecord, TenantRecord
from ringgate.rollout.release_tables import RolloutAction

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def record(**changes: object) -> RehearsalRecord:
    words = {
        "form": 2, "release": "r", "title": "Tryton 8.0", "before": "7.0", "after": "8.0", "risk": "high",
        "digest": "d", "session": "s1", "began": NOW, "tenants": {"aldgate": TenantRecord(ring="canary")},
        "rings": {"canary": RingRecord()},
    }  # fmt: skip
    return RehearsalRecord(**{**words, **changes})


def paused(sentence: str = "it is slow") -> RehearsalRecord:
    reason = Objection(condition="inconclusive", action=RolloutAction.PAUSE, tenant="aldgate", sentence=sentence)
    return record(rings={"canary": RingRecord(decision=RolloutAction.PAUSE, reasons=[reason], ended=NOW)})


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """What a real server was sent, at the address in HOOK."""
    got: list[dict[str, str]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Taking)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{server.server_port}/hook")
    yield got
    server.shutdown()
    server.server_close()


def told(*records: RehearsalRecord, name: str = "HOOK", on: tuple[RolloutNews, ...] = tuple(RolloutNews)) -> list[str]:
    """The remarks, after all was sent."""
    remarks: list[str] = []
    messages = RolloutMessages([(EnvSecret(name), on)], remarks.append)
    for each in records:
        messages.note(each)
    messages.settle()
    return remarks


def test_a_pause_a_wait_and_the_end_are_told_once(webhook: list[dict[str, str]]) -> None:
    waits = record(waits="early is not opened without approval")
    rings = {"canary": RingRecord(decision=RolloutAction.PROMOTE, ended=NOW)}
    assert told(record(), paused(), paused(), waits, waits, record(rings=rings, ended=NOW)) == []
    assert [(each["title"], each["message"]) for each in webhook] == [
        ("Tryton 8.0: canary paused", "aldgate it is slow"),
        ("Tryton 8.0: waiting", "early is not opened without approval"),
        ("Tryton 8.0: done", "1 tenants run 8.0."),
    ]


def test_what_is_rolled_back_after_the_end_is_told(webhook: list[dict[str, str]]) -> None:
    """By a person, of a rollout that a ring had stopped: its record had an end all the while."""
    stopped = paused()
    stopped.ended = NOW
    messages = RolloutMessages([(EnvSecret("HOOK"), tuple(RolloutNews))], pytest.fail)
    messages.note(stopped)
    messages.settle()
    stopped.rings["canary"].decision = RolloutAction.ROLL_BACK
    messages.note(stopped)
    messages.settle()
    assert [each["title"] for each in webhook] == ["Tryton 8.0: canary paused", "Tryton 8.0: canary rolled back"]


def test_only_what_was_asked_for_is_told(webhook: list[dict[str, str]]) -> None:
    assert told(paused(), on=(RolloutNews.DONE,)) == []
    assert webhook == []


def test_no_secret_is_told(webhook: list[dict[str, str]]) -> None:
    secrets.hide("hunter22")
    told(paused("login failed for hunter22"))
    assert webhook[0]["message"] == "aldgate login failed for ***"


def test_a_messenger_that_fails_is_a_remark_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEAD", "json://user:hunter22@127.0.0.1:1/hook")
    monkeypatch.setenv("WRONG", "no-such-messenger://hunter22")
    for name, why in (("DEAD", "it was not accepted"), ("WRONG", "it is no address of Apprise's"), ("NONE", "not set")):
        (remark,) = told(paused(), name=name)
        assert why in remark
        assert f"environment variable {name} was not told that it is paused" in remark
        assert "hunter22" not in remark
