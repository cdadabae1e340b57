"""What was not tested keeps a release from going on, whatever the reason is; only a waiver lets it go without."""

from __future__ import annotations

import pytest

from ringgate.domain.model import RunResult
from ringgate.domain.terms import Channel, Outcome
from ringgate.gate.required import PROCESSES, NotTested, not_tested
from tests.unit.gate.sample import MINUTE, START, bake, failed, run
from tests.unit.gate.test_bake import END, good, rules_of
from tests.unit.gate.test_bake_waivers import waiver

MUST = ("sign-in", "time-entry")
WHY = {("kyoto", "time-entry"): "kyoto allows read effects, time-entry is reversible"}


def test_what_must_have_passed_must_have_passed_on_every_tenant() -> None:
    passed = {("aldgate", "sign-in"), ("aldgate", "time-entry"), ("kyoto", "sign-in")}
    assert not_tested(MUST, ["aldgate", "kyoto"], passed, never=WHY) == (
        NotTested("kyoto", "time-entry", WHY["kyoto", "time-entry"]),
    )
    assert not_tested(MUST, ["aldgate"], passed) == ()


def test_by_itself_it_asks_for_sign_in_time_invoicing_posting_and_approval() -> None:
    found = not_tested(PROCESSES, ["aldgate"], {("aldgate", "sign-in")})
    assert [each.scenario for each in found] == [
        "time-entry", "invoicing-from-time", "financial-posting", "procurement-approval",
    ]  # fmt: skip


def test_a_skip_is_no_test_and_only_a_waiver_accepts_it() -> None:
    skipped = [("aldgate", "authority"), ("aldgate", "time-entry")]
    why = {("aldgate", "authority"): "aldgate does not have approvals"}
    assert not_tested(MUST, ["aldgate"], {("aldgate", "sign-in")}, skipped=skipped, never=why) == (
        NotTested("aldgate", "time-entry"),
        NotTested("aldgate", "authority", "aldgate does not have approvals", must=False),
    )
    left = not_tested(
        MUST, ["aldgate"], {("aldgate", "sign-in")}, skipped=skipped, waived=lambda _, scenario: scenario == "authority"
    )
    assert [each.scenario for each in left] == ["time-entry"]


# --- in a bake -------------------------------------------------------------------------------------------------------


def posted(*tenants: str, **changes: object) -> list[RunResult]:
    return [run(name, START + 5 * MINUTE, scenario="financial-posting", **changes) for name in tenants]


BOTH = ("time-entry", "financial-posting")


def test_a_process_that_passed_on_two_of_three_tenants_keeps_the_ring() -> None:
    verdict = bake([*good(), *posted("aldgate", "bleecker")], must=BOTH).verdict(END)
    assert rules_of(verdict) == ["process_missing"]
    assert "financial-posting on cologne" in verdict.reasons[0].sentence
    assert rules_of(bake([*good(), *posted("aldgate", "bleecker", "cologne")], must=BOTH).verdict(END)) == []


@pytest.mark.parametrize(
    "never",
    [
        "cologne does not have ledger", "cologne has no synthetic user for accountant",
        "cologne allows read effects, financial-posting is reversible",
    ],
)  # fmt: skip
def test_what_never_applies_was_not_tested_either(never: str) -> None:
    why = {("cologne", "financial-posting"): never}
    results = [*good(), *posted("aldgate", "bleecker")]
    verdict = bake(results, must=BOTH, never=why).verdict(END)
    assert rules_of(verdict) == ["process_missing"]
    assert never in verdict.reasons[0].sentence
    accepted = waiver("untested", scenario="financial-posting")
    assert rules_of(bake(results, must=BOTH, never=why, waivers=(accepted,)).verdict(END)) == []


@pytest.mark.parametrize("outcome", [Outcome.BROKEN, Outcome.SKIPPED, Outcome.FAILED])
def test_only_a_run_that_passed_is_one_that_passed(outcome: Outcome) -> None:
    other = {
        Outcome.BROKEN: {"outcome": outcome},
        Outcome.SKIPPED: {"outcome": outcome, "reason": "paused"},
        Outcome.FAILED: {"outcome": outcome, "failure": failed().failure},
    }[outcome]
    verdict = bake([*good(), *posted("aldgate", "bleecker"), *posted("cologne", **other)], must=BOTH).verdict(END)
    assert rules_of(verdict) == ["process_missing"]


def test_a_check_that_was_only_skipped_is_inconclusive_until_it_is_carried_out() -> None:
    over = {"scenario": "authority", "channel": Channel.BROWSER}
    why = {("cologne", "authority"): "cologne does not have approvals"}
    skipped = run("cologne", START + MINUTE, Outcome.SKIPPED, reason="", **over)
    made = bake([*good(), skipped], never=why)
    verdict = made.verdict(END)
    assert rules_of(verdict) == ["skipped"]
    assert "authority on cologne (cologne does not have approvals)" in verdict.reasons[0].sentence
    accepted = waiver("untested", scenario="authority")
    let_go = bake([*good(), skipped], waivers=(accepted,))
    assert [rules_of(let_go.verdict(END + n * MINUTE)) for n in range(3)] == [[], [], []]
    assert let_go.verdict(END).waived == ((accepted, 1),)
    made.add(run("cologne", END - MINUTE, **over))
    assert rules_of(made.verdict(END + MINUTE)) == []
