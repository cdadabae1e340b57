"""What a waiver accepts of a bake: its scope, its end, and what no waiver reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ringgate.domain.terms import Invariant
from ringgate.domain.waivers import Waiver
from ringgate.gate import Action, Word
from tests.unit.gate.sample import MINUTE, START, bake, failed
from tests.unit.gate.test_bake import END, QUIET, good, rules_of, with_outage

DAY = date(2026, 12, 1)


def waiver(
    signature: str, tenant: str = "cologne", scenario: str = "*", expires: date = DAY, release: str = "8.0"
) -> Waiver:
    return Waiver(signature, "ops", "known", expires, tenant, release, scenario)


@pytest.mark.parametrize("covers", ["failures", "expectation", "expect*"])
def test_an_accepted_failure_is_no_evidence_and_is_told(covers: str) -> None:
    verdict = bake(with_outage("cologne", 100, 30), waivers=(waiver(covers),)).verdict(END)
    assert verdict.word is Word.PASS
    assert verdict.samples.waived == 30
    assert verdict.waived[0] == (waiver(covers), 30)


@pytest.mark.parametrize(
    "one",
    [
        waiver("unavailable"),
        waiver("failures", tenant="aldgate"),
        waiver("failures", scenario="sign-in"),
        waiver("failures", release="8.1"),
        waiver("failures", release="7.0"),
    ],
    ids=["kind", "tenant", "scenario", "the next release", "the last release"],
)
def test_a_waiver_keeps_to_its_scope(one: Waiver) -> None:
    verdict = bake(with_outage("cologne", 100, 30), waivers=(one,)).verdict(END)
    assert verdict.word is Word.FAIL
    assert verdict.waived == ()


def test_an_expired_waiver_does_not_apply_and_is_reported() -> None:
    old = waiver("failures", expires=START.date() - timedelta(days=1))
    verdict = bake(with_outage("cologne", 100, 30), waivers=(old,)).verdict(END)
    assert verdict.word is Word.FAIL
    assert verdict.expired == (old,)
    on_its_last_day = replace(old, expires=START.date())
    assert bake(with_outage("cologne", 100, 30), waivers=(on_its_last_day,)).verdict(END).word is Word.PASS
    of_another = replace(old, release="7.2")
    assert bake(good(), waivers=(of_another,)).verdict(END).expired == ()


def test_no_pattern_reaches_an_invariant() -> None:
    breach = failed("cologne", START + MINUTE, invariant=Invariant.NUMBERED)
    for covers in ("failures", "expectation", "*"):
        assert bake([breach], waivers=(waiver(covers),)).verdict(START + 2 * MINUTE).action is Action.ROLL_BACK
    named = bake([breach], waivers=(waiver("numbering"),)).verdict(START + 2 * MINUTE)
    assert "invariant_broken" not in rules_of(named)


def test_a_tenant_may_be_allowed_to_go_untested() -> None:
    without = [r for r in good() if r.tenant != "cologne"]
    assert rules_of(bake(without, **QUIET).verdict(END)) == ["tenant_untested"]
    verdict = bake(without, **QUIET, waivers=(waiver("untested"),)).verdict(END)
    assert verdict.word is Word.PASS
    assert verdict.facts.expected == ("aldgate", "bleecker")
    only_one = waiver("untested", scenario="sign-in")
    assert rules_of(bake(without, **QUIET, waivers=(only_one,)).verdict(END)) == ["tenant_untested"]


def test_slowness_and_silence_can_be_accepted_of_a_tenant() -> None:
    slow = [replace(r, seconds=9.0) if r.tenant == "cologne" else r for r in good()]
    assert "evidence_to_hold" in rules_of(bake(slow).verdict(END))
    assert bake(slow, waivers=(waiver("slowness"),)).verdict(END).word is Word.PASS
    gone = [r for r in good() if r.tenant != "cologne" or r.started_at < START + MINUTE]
    assert "evidence_to_hold" in rules_of(bake(gone).verdict(END))
    assert rules_of(bake(gone, waivers=(waiver("silence"),)).verdict(END)) == ["stale"]
