"""`ringgate serve`, answer by answer: verdicts and hooks fail closed, the token is kept, and the page is honest."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Failure, Scenario, SignalSample, Step
from ringgate.domain.terms import Channel, Effect, Layer, Outcome, Source
from ringgate.inventory import Inventory, InventoryError
from ringgate.store import ProberState
from ringgate.web import GateJudgement, Reloading, Schedule
from ringgate.web.access import is_loopback
from ringgate.web.judging import Curve
from tests.unit.inventory.test_inventory import SMALLEST, write
from tests.unit.metrics.test_metrics import NOON, result
from tests.unit.web.world import World

TOKEN = "open-sesame-0123456789"


def said(body) -> list[str]:
    return [reason["sentence"] for reason in body["reasons"]]


# --- verdicts -------------------------------------------------------------------------------------------------------


def test_a_verdict_is_answered_from_what_was_judged_before(world):
    world.turn()
    answer = world.client().get("/api/v1/verdict", params={"ring": "canary", "release": "8.0"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["verdict"], body["action"], said(body)) == ("pass", "promote", ["the evidence is in"])
    assert world.asked == [("canary", "8.0")]


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.get("/api/v1/verdict?ring=canary"),
        lambda c: c.post("/api/v1/verdict?ring=canary&release=8.0"),
        lambda c: c.post("/api/v1/verdict", json={"ring": "canary", "release": "8.0"}),
        lambda c: c.post("/api/v1/verdict", json={"name": "x", "metadata": {"ring": "canary", "release": "8.0"}}),
        lambda c: c.post("/api/v1/verdict?ring=canary", content=b"\xff not json"),
    ],
)
def test_ring_and_release_may_be_said_in_several_ways(world, ask):
    world.turn()
    assert ask(world.client()).json()["verdict"] == "pass"


def test_a_release_that_was_not_judged_yet_is_judged_when_asked_for(world):
    world.turn()
    assert world.client().get("/api/v1/verdict?ring=canary&release=8.1").json()["release"] == "8.1"
    assert world.asked[-1] == ("canary", "8.1")


def test_a_gate_that_takes_too_long_is_not_waited_for(world):
    go_on = threading.Event()
    world.board.follow()
    world.judge = lambda ring, release, now: go_on.wait(5) and world.passing(ring, release, now)
    body = world.client().get("/api/v1/verdict?ring=canary").json()
    go_on.set()
    assert (body["verdict"], said(body)) == ("inconclusive", ["it is still being judged: ask again"])


def test_an_old_judgement_is_not_given_for_a_new_one(world):
    world.turn()
    world.now += timedelta(seconds=61)
    world.board.follow()
    world.says("fail", "pause")
    assert world.client().get("/api/v1/verdict?ring=canary").json()["verdict"] == "fail"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "no ring was named"),
        ("?ring=canari", 'the inventory has no ring "canari"'),
        ("?ring=early", "no deployment to ring early has been noted (ringgate event deploy)"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive_and_still_200(world, query, reason):
    world.turn()
    answer = world.client().get(f"/api/v1/verdict{query}")
    assert answer.status_code == 200
    assert (answer.json()["verdict"], said(answer.json())) == ("inconclusive", [reason])


def test_a_gate_that_cannot_judge_is_inconclusive(world):
    def fails(ring: str, release: str, now: datetime) -> GateJudgement:
        raise RinggateError("the policy is wrong")

    world.judge = fails
    world.turn()
    body = world.client().get("/api/v1/verdict?ring=canary").json()
    assert (body["verdict"], said(body)) == ("inconclusive", ["it could not be judged: the policy is wrong"])
    assert world.told == ["the policy is wrong"]


def test_a_store_that_cannot_be_read_is_inconclusive_whatever_was_known(world, tmp_path):
    world.turn()
    for file in tmp_path.glob("results.sqlite*"):
        file.unlink()
    (tmp_path / "results.sqlite").write_bytes(b"this is not a database" * 999)
    world.store._engine.dispose()
    world.now += timedelta(seconds=21)
    world.turn()
    body = world.client().get("/api/v1/verdict?ring=canary").json()
    assert body["verdict"] == "inconclusive"
    assert "the store of results has not been read for 21 s" in said(body)[0]
    assert "cannot be read" in said(body)[0]
    assert world.client().get("/readyz").status_code == 503
    text = world.client().get("/metrics").text
    assert "ringgate_store_readable 0.0" in text
    assert 'ringgate_gate_verdict{release="8.0",ring="canary",verdict="inconclusive"} 1.0' in text
    assert "Cannot see" in world.client().get("/").text


def test_a_store_that_was_never_read_is_inconclusive(world):
    assert world.client().get("/api/v1/verdict?ring=canary").json()["verdict"] == "inconclusive"


# --- Flagger --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "action", "gate", "rollback"),
    [
        ("pass", "promote", 200, 409),
        ("inconclusive", "wait", 409, 409),
        ("inconclusive", "hold", 409, 409),
        ("fail", "pause", 409, 409),
        ("fail", "roll back", 409, 200),
        ("pass", "wait", 409, 409),
    ],
)
def test_flaggers_hooks_say_by_their_status_what_may_be_done(world, verdict, action, gate, rollback):
    world.says(verdict, action, "because")
    world.turn()
    call = {"name": "erp", "namespace": "prod", "phase": "Progressing", "metadata": {"ring": "canary"}}
    client = world.client()
    assert client.post("/flagger/gate", json=call).status_code == gate
    assert client.post("/flagger/rollback", json=call).status_code == rollback
    assert said(client.post("/flagger/gate", json=call).json()) == ["because"]


def test_flaggers_hooks_stop_where_nothing_is_known(world):
    for path in ("/flagger/gate", "/flagger/rollback"):
        assert world.client().post(path, json={"metadata": {"ring": "canary"}}).status_code == 409
        assert world.client().post(path, content=b"x" * 100_000).status_code == 409


# --- who may ask ------------------------------------------------------------------------------------------------------


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("flagger", TOKEN), basic("", TOKEN)])
def test_who_has_the_token_is_answered(world, header):
    client = world.client(TOKEN, headers={"Authorization": header})
    for path in ("/", "/parts", "/metrics", "/api/v1/verdict"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer",
        "Basic %%%",
        basic(TOKEN, ""),
        f"Token {TOKEN}",
        "Bearer ü",
    ],
)
def test_who_has_not_is_told_how_to_ask_and_nothing_else(world, header):
    client = world.client(TOKEN, headers={"Authorization": header.encode("latin-1")} if header else {})
    for path in ("/", "/parts", "/metrics", "/api/v1/verdict", "/flagger/gate", "/flagger/rollback", "/nowhere"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (401, "The token is required.\n")
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_health_is_told_without_a_token(world):
    world.board.follow()
    client = world.client(TOKEN)
    assert client.get("/readyz").text == "ready\n"
    assert client.get("/healthz").status_code == 503  # no thread was started here


def test_without_a_token_only_names_of_this_machine_are_answered(world):
    client = world.client(headers={"Host": "ringgate.attacker.example"})
    assert client.get("/metrics").status_code == 400
    assert world.client(headers={"Host": "localhost:9797"}).get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.8.8.8", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.7", False), ("example.com", False)],
)  # fmt: skip
def test_loopback_is_known_from_what_others_can_reach(host, local):
    assert is_loopback(host) is local


# --- the page ---------------------------------------------------------------------------------------------------------


def test_an_empty_page_says_so_everywhere(tmp_path):
    world = World(tmp_path)
    world.turn()
    page = world.client().get("/").text
    for words in (
        "No deployment has been noted, so there is nothing to judge yet.",
        "No run has been recorded yet.",
        "Nothing has run yet, so nothing is known.",
        "No prober has been seen.",
        "No platform signals are read.",
        "nobody knows whether one would be noticed",
    ):
        assert words in page
    assert "may go on" not in page.lower().replace("the rollout may go on", "")
    world.store.close()


def test_the_page_tells_rings_tenants_failures_deployments_and_signals(world):
    curve = Curve("failures", tuple((NOON + timedelta(minutes=n), 1.2**n) for n in range(11)), 400.0, 400.0, 160_000.0)
    world.judge = lambda ring, release, now: GateJudgement(
        ring, release, "fail", "pause", now, ("failures: 3 of 9 runs",), since=NOON, tested=("aldgate",),
        expected=("aldgate", "zurich"), curves=(curve,), evidence={"failures": 6.2},
    )  # fmt: skip
    world.store.add(result("r1"))
    failure = Failure("expectation", "tax: expected 20.00, but it is <b>21.00</b>", "enter time")
    world.store.add(
        replace(result("r2", at=NOON + timedelta(minutes=5)), outcome=Outcome.FAILED, failure=failure)
    )  # fmt: skip
    world.store.add(result("r3", scenario="sign-in", channel=Channel.BROWSER, tenant="kyoto", ring="broad"))
    world.store.seen(ProberState("prober-1", NOON, world.now))
    world.store.sampled([SignalSample(world.now, "queue", 12.0, "jobs", limit=10.0),
                         SignalSample(world.now, "queue/up", 1.0),
                         SignalSample(world.now, "locks/up", 0.0)])  # fmt: skip
    world.turn()
    page = world.client().get("/parts").text
    for words in (
        "Ring canary is paused.",
        "failures: 3 of 9 runs",
        "1 of 2 tenants tested",
        "not tested: zurich",
        "Time entry on aldgate",
        "tax: expected 20.00, but it is &lt;b&gt;21.00&lt;/b&gt;",
        "by hand",
        "prober-1",
        "12 jobs",
        "could not be read",
        "API failed",
        "Browser passed",
        "Step by step",
        "hold and pause at 400",
        "roll back at 160,000",
    ):
        assert words in page, words


def test_a_result_that_is_too_old_is_a_gap_on_the_page(world):
    world.store.add(result("r1"))
    world.now = NOON + timedelta(hours=2)
    world.turn()
    page = world.client().get("/parts").text
    assert "too old: passed 1 h 59 min ago" in page.replace("2 h ago", "1 h 59 min ago")
    assert "0 of 4" in page


def test_the_page_runs_no_script_but_its_own(world):
    world.turn()
    page = world.client().get("/").text
    assert "script-src &#39;sha256-" in page or "script-src 'sha256-" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_self_tests_are_not_shown_as_failing(world):
    failed = (Step("enter time", 0.1, 0.3, Outcome.FAILED),)
    why = Failure("expectation", "hours: expected 7.5, but it is 7", "enter time")
    world.store.add(result("r1", source=Source.SELF_TEST, outcome=Outcome.FAILED, steps=failed, failure=why))
    world.turn()
    page = world.client().get("/parts").text
    assert "1 caught" in page
    assert "Time entry on aldgate" not in page


# --- the board -----------------------------------------------------------------------------------------------------


def test_an_inventory_that_was_spoilt_is_told_and_the_last_good_one_goes_on(world):
    world.turn()
    world.spoilt = True
    world.turn()
    world.turn()
    assert len(world.told) == 1
    assert len(world.board.inventory.tenants) == 4


def test_the_inventory_is_read_again_when_a_file_was_changed(tmp_path):
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme")})
    load = Reloading(tmp_path / "tenants")
    first = load()
    assert load() is first
    write(tmp_path, {"acme.toml": SMALLEST.format(id="acme"), "bond.toml": SMALLEST.format(id="bond")})
    assert {each.id for each in load().tenants} == {"acme", "bond"}
    (tmp_path / "tenants" / "bond.toml").write_text("nonsense")
    for _ in range(2):
        with pytest.raises(InventoryError):
            load()


def test_utc_is_what_the_page_says(world):
    world.now = datetime(2026, 11, 24, 12, 34, 56, tzinfo=UTC)
    world.turn()
    assert "as of <b>12:34:56 UTC</b>" in world.client().get("/parts").text


# --- the schedule ---------------------------------------------------------------------------------------------------

PROBED = (
    SMALLEST.format(id="acme")
    + """
[probes]
api = "5 min"
browser = "off"
api_deadline = "2 min"
hours = ["Mon-Fri 08:00-18:00"]
"""
)


@pytest.fixture
def schedule(world, tmp_path) -> Schedule:
    world.inventory = Inventory.load(write(tmp_path, {"acme.toml": PROBED}))
    nothing: frozenset[Any] = frozenset()
    channels = frozenset({Channel.API})
    ping = Scenario("ping", "Answers.", Effect.READ, nothing, nothing, Layer.PLATFORM, channels, lambda *_: None)
    return Schedule(world.board, [ping])


def test_where_no_prober_was_seen_nothing_is_scheduled(world, schedule):
    world.turn()
    assert schedule(NOON) is None


def test_what_is_due_now_may_be_three_intervals_old_and_as_long_as_a_run(world, schedule):
    world.store.seen(ProberState("p", NOON, NOON))
    world.turn()
    assert schedule(NOON) == {("acme", "ping", "api"): timedelta(minutes=17)}


def test_an_inventory_that_was_spoilt_leaves_the_schedule_as_it_was(world, schedule):
    world.store.seen(ProberState("p", NOON, NOON))
    world.turn()
    world.spoilt = True
    world.turn()
    assert set(schedule(NOON)) == {("acme", "ping", "api")}


@pytest.mark.parametrize("hour", [7, 8, 19])
def test_outside_its_hours_nothing_is_due_and_just_after_they_begin_neither(world, schedule, hour):
    world.store.seen(ProberState("p", NOON, NOON))
    world.turn()
    assert schedule(NOON.replace(hour=hour, minute=5)) == {}
