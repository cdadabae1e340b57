"""A verdict as a page, as JSON and as JUnit."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree as Xml

import pytest

from ringgate.domain.terms import Basis, Invariant, Outcome
from ringgate.gate import RULES, Verdict
from ringgate.gate.words import listed, percent, span, units
from ringgate.host.secrets import hide
from ringgate.judging import as_json, as_junit, as_text
from ringgate.judging.page import WIDTH, sparkline
from tests.unit.gate.sample import MINUTE, START, bake, failed, run
from tests.unit.gate.test_bake import END, good, with_outage
from tests.unit.gate.test_bake_waivers import waiver


@pytest.fixture(scope="module")
def promoted() -> Verdict:
    return bake(good()).verdict(END)


@pytest.fixture(scope="module")
def stopped() -> Verdict:
    broken = [run("bleecker", START + number * MINUTE, Outcome.BROKEN) for number in range(5)]
    wrong = failed("cologne", START + 90 * MINUTE, basis=Basis.POLICY, step="post invoice", message="<tax> & \x07 more")
    made = bake(
        [*with_outage("cologne", 100, 30), *broken, wrong],
        waivers=(waiver("slowness"), waiver("failures", expires=START.date() - timedelta(days=1))),
    )
    return made.verdict(END)


@pytest.fixture(scope="module")
def waiting() -> Verdict:
    return bake(good(20)).verdict(START + 20 * MINUTE)


def test_a_promotion_says_why_on_one_page(promoted: Verdict) -> None:
    page = as_text(promoted)
    assert page.startswith("canary, release 8.0, 24 Nov 11:00 UTC\nPROMOTE. The release is no worse than")
    assert "The bet that the release is fine stands at" in page
    assert "Tenants tested: 3 of 3 expected." in page
    assert "Start with 1 unit and bet it against the release" in page
    assert "At 500 units we pause" in " ".join(page.split())
    assert "once in 100 bakes" in " ".join(page.split())
    assert len(page.splitlines()) < 45


def test_a_stop_says_what_fails_whose_business_it_is_and_whom_it_may_hit(stopped: Verdict) -> None:
    page = " ".join(as_text(stopped).split())
    for words in (
        "ROLL BACK. The release does harm.",
        "31 of 541 runs failed: the bet on failures stands at over 1,000,000 units",
        '30 runs: time-entry, "enter time" on cologne over api (expectation) -> PRODUCT',
        '1 run: time-entry, "post invoice" on cologne over api (expectation) -> CONFIGURATION',
        "What our own side could not carry out - 5 runs",
        "Failing: cologne. Well: aldgate and bleecker.",
        "Suspects: region eu-central.",
        "Nothing speaks for kyoto and lyon being hit.",
        "Against single tenants, by failures: cologne over 1,000,000 units.",
        "EXPIRED, covers nothing: the waiver of failures for cologne in 8.0 (ops, through 2026-11-23): known",
        "Nothing that comes later changes it: somebody has to decide.",
    ):
        assert words in page
    assert "It has soaked" not in page


def test_a_bake_that_goes_on_says_what_would_change_it(waiting: Verdict) -> None:
    page = " ".join(as_text(waiting).split())
    assert "INCONCLUSIVE. Nothing is decided" in page
    assert "more runs without a failure, about" in page
    assert "Time for it: 23 h 40 min, then the rollout holds." in page


def test_no_line_is_wider_than_the_page(promoted: Verdict, stopped: Verdict, waiting: Verdict) -> None:
    lines = [line for verdict in (promoted, stopped, waiting) for line in as_text(verdict).splitlines()]
    assert [line for line in lines if len(line) > WIDTH + 10] == []


def test_json_is_whole_and_for_any_program(promoted: Verdict, stopped: Verdict, waiting: Verdict) -> None:
    for verdict in (promoted, stopped, waiting, bake(starts={}).verdict(END)):
        told = json.loads(json.dumps(as_json(verdict), allow_nan=False))
        assert told["format"] == 1
        assert told["verdict"] in ("pass", "fail", "inconclusive")
        assert (told["verdict"] == "pass") == (told["reasons"] == [])
    assert {key: as_json(promoted)[key] for key in ("verdict", "action", "state", "decided")} == {
        "verdict": "pass", "action": "promote", "state": "promote", "decided": True,
    }  # fmt: skip


def test_json_keeps_its_keys(stopped: Verdict) -> None:
    told = as_json(stopped)
    assert list(told) == [
        "format", "ring", "release", "at", "verdict", "action", "decided", "state", "reasons", "bake", "tenants",
        "samples", "baseline", "alpha", "evidence", "fine", "cause", "failures", "broken", "blast_radius", "self_tests",
        "outlook", "waivers", "remarks",
    ]  # fmt: skip
    assert list(told["evidence"]["failures"]) == [
        "now", "by_block", "peak", "hold_at", "pause_at", "roll_back_at", "bad", "runs", "bad_before", "runs_before",
        "null", "block", "tenants", "own_nulls", "curve",
    ]  # fmt: skip
    assert told["alpha"] == {
        "total": 0.01, "each": 0.002,
        "signals": ["failures", "slowness", "slow-posting", "posting-errors", "silence"],
        "unused": {
            "backlog": "nothing was sampled before it", "integration-lag": "too few documents arrived before it",
            "twins": "no run's documents were compared before it",
        },
    }  # fmt: skip
    assert told["failures"][0]["cause"] == "product"
    assert told["cause"]["cause"] == "product"
    assert told["waivers"]["expired"][0]["expires"] == "2026-11-23"
    assert told["at"] == "2026-11-24T11:00:00+00:00"


def test_junit_is_green_only_for_a_pass(promoted: Verdict, stopped: Verdict, waiting: Verdict) -> None:
    counts = {}
    for name, verdict in (("promoted", promoted), ("stopped", stopped), ("waiting", waiting)):
        suite = Xml.fromstring(as_junit(verdict))
        cases = suite.findall("testcase")
        assert [case.get("name") for case in cases] == [rule.__name__ for rule in RULES]
        counts[name] = (suite.get("failures"), suite.get("errors"))
        assert sum(len(case) for case in cases) == len(verdict.reasons)
    assert counts == {"promoted": ("0", "0"), "stopped": ("1", "1"), "waiting": ("0", "2")}


def test_junit_holds_whatever_an_erp_may_say(stopped: Verdict) -> None:
    told = Xml.fromstring(as_junit(stopped)).findtext("system-out")
    assert told is not None
    assert "<tax> &" in told


def test_no_secret_is_in_any_form() -> None:
    hide("hunter22-secret")
    wrong = failed(at=START, message="login with hunter22-secret", invariant=Invariant.ONCE)
    verdict = bake([wrong]).verdict(START + MINUTE)
    assert "hunter22" not in as_text(verdict)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0004, "0.04 %"), (0.0123, "1.2 %"), (0.25, "25 %"), (1.0, "100 %"), (0.0, "0 %")],
)
def test_rates_in_words(value: float, words: str) -> None:
    assert percent(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.41234, "0.41"), (1.0, "1"), (9.94, "9.9"), (37.4, "37"), (12_345.6, "12,346"), (1e30, "over 1,000,000")],
)
def test_units_in_words(value: float, words: str) -> None:
    assert units(value) == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.5, "30 s"), (1, "1 min"), (1.5, "90 s"), (60, "1 h"), (90, "90 min"), (200, "3 h 20 min"), (3000, "2 d 2 h")],
)
def test_spans_in_words(minutes: float, words: str) -> None:
    assert span(minutes * MINUTE) == words


def test_lists_and_curves() -> None:
    assert (listed(["a"]), listed("ab"), listed("abcdefg")) == ("a", "a and b", "a, b, c and 4 more")
    assert sparkline([1, 1, 100], 100) == "▁▁█"
    assert len(sparkline(list(range(200)), 100)) <= 24
    assert sparkline([], 10) == ""
