"""One named test for each rule of the verdict line: it never says `pass` without evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Channel, Outcome
from ringgate.report import conclude_results
from ringgate.report.matrix import CellState, build_matrix
from tests.unit.report.sample import all_passed, eight_scenarios, ended, four_tenants, run, skipped

TENANTS, SCENARIOS = four_tenants(), eight_scenarios()
WRONG = Failure("expectation", "the tax is wrong")
OURS = Failure("browser", "the browser would not start")


def results_with(change: dict[tuple[str, str, Channel], RunResult | None]) -> list[RunResult]:
    """All passed, but for these, where None takes a result away."""
    found = {(r.scenario, r.tenant, r.channel): r for r in all_passed(TENANTS, SCENARIOS)}
    found |= change  # type: ignore[arg-type]
    return [r for r in found.values() if r is not None]


def verdict(results: list[RunResult], **more: object) -> tuple[str, str]:
    made = conclude_results(results, TENANTS, SCENARIOS, **more)  # type: ignore[arg-type]
    return made.word, made.sentence


def failed(scenario: str, tenant: str, channel: Channel) -> dict[tuple[str, str, Channel], RunResult | None]:
    return {(scenario, tenant, channel): ended(run(scenario, tenant, channel), Outcome.FAILED, WRONG)}


def test_everything_expected_ran_and_passed() -> None:
    assert verdict(all_passed(TENANTS, SCENARIOS)) == ("pass", "All 62 checks passed on 4 tenants")


def test_a_failure_is_named_with_its_channel() -> None:
    results = results_with(failed("time-entry", "kyoto", Channel.API))
    assert verdict(results) == ("fail", "1 of 62 checks failed: time entry on kyoto (API)")


def test_a_failure_on_every_channel_is_named_once() -> None:
    change = failed("time-entry", "kyoto", Channel.API) | failed("time-entry", "kyoto", Channel.BROWSER)
    assert verdict(results_with(change)) == ("fail", "2 of 62 checks failed: time entry on kyoto")


def test_many_failures_are_counted_not_listed() -> None:
    change = {}
    for scenario in SCENARIOS[:6]:
        change |= failed(scenario.id, "aldgate", Channel.API)
    word, sentence = verdict(results_with(change))
    assert word == "fail"
    assert sentence.startswith("6 of 62 checks failed: sign in on aldgate (API), ")
    assert sentence.endswith(" and 3 more")


def test_a_failure_outweighs_what_is_broken_or_missing() -> None:
    change = failed("time-entry", "kyoto", Channel.API)
    change |= {
        ("sign-in", "kyoto", Channel.BROWSER): ended(run("sign-in", "kyoto", Channel.BROWSER), Outcome.BROKEN, OURS)
    }
    change |= {("sign-in", "kyoto", Channel.API): None}
    made = conclude_results(results_with(change), TENANTS, SCENARIOS)
    assert made.word == "fail"
    assert made.notes == ("1 could not be carried out and 1 did not run.",)


def test_no_results_are_inconclusive() -> None:
    assert verdict([])[0] == "inconclusive"
    assert "nothing is known" in verdict([])[1]


def test_nothing_expected_and_nothing_run_is_inconclusive() -> None:
    assert conclude_results([]).word == "inconclusive"


def test_only_skipped_runs_are_inconclusive() -> None:
    assert verdict([skipped(r, "paused") for r in all_passed(TENANTS, SCENARIOS)])[0] == "inconclusive"


def test_a_broken_run_is_inconclusive() -> None:
    broken = ended(run("sign-in", "kyoto", Channel.BROWSER), Outcome.BROKEN, OURS)
    word, sentence = verdict(results_with({("sign-in", "kyoto", Channel.BROWSER): broken}))
    assert word == "inconclusive"
    assert sentence == "1 of 62 checks could not be carried out: sign in on kyoto (browser)"


def test_a_missing_run_is_inconclusive() -> None:
    word, sentence = verdict(results_with({("sign-in", "kyoto", Channel.BROWSER): None}))
    assert (word, sentence) == ("inconclusive", "1 of 62 checks did not run: sign in on kyoto (browser)")


def test_a_run_that_we_stopped_is_inconclusive_and_says_so() -> None:
    key = ("sign-in", "kyoto", Channel.BROWSER)
    stopped = replace(run(*key), outcome=Outcome.STOPPED, reason="We were asked to stop.")
    word, sentence = verdict(results_with({key: stopped}))
    assert (word, sentence) == (
        "inconclusive",
        "1 of 62 checks was stopped before the end: sign in on kyoto (browser)",
    )
    both = results_with({key: stopped, ("sign-in", "kyoto", Channel.API): None})
    assert conclude_results(both, TENANTS, SCENARIOS).notes[0] == "1 did not run."


def test_a_run_that_was_stopped_takes_nothing_from_one_that_passed() -> None:
    key = ("sign-in", "kyoto", Channel.BROWSER)
    stopped = replace(run(*key, number=2), outcome=Outcome.STOPPED)
    assert verdict([*all_passed(TENANTS, SCENARIOS), stopped])[0] == "pass"


def test_a_tenant_without_any_run_is_inconclusive_even_if_all_was_skipped() -> None:
    results = [skipped(r, "paused") if r.tenant == "kyoto" else r for r in all_passed(TENANTS, SCENARIOS)]
    assert verdict(results) == ("inconclusive", "Kyoto was not tested at all")


def test_a_channel_that_was_not_selected_is_not_missing() -> None:
    results = [r for r in all_passed(TENANTS, SCENARIOS) if r.channel is Channel.API]
    assert verdict(results, channels=[Channel.API]) == ("pass", "All 31 checks passed on 4 tenants")
    assert verdict(results)[0] == "inconclusive"


def test_a_scenario_without_a_form_for_a_channel_is_not_missing() -> None:
    api_only = [replace(s, channels=frozenset({Channel.API})) for s in SCENARIOS]
    results = [r for r in all_passed(TENANTS, SCENARIOS) if r.channel is Channel.API]
    assert conclude_results(results, TENANTS, api_only).word == "pass"


def test_a_later_pass_does_not_hide_a_failure() -> None:
    again = run("sign-in", "kyoto", Channel.API, number=2)
    results = [*results_with(failed("sign-in", "kyoto", Channel.API)), again]
    assert verdict(results)[0] == "fail"


def test_results_of_unexpected_tenants_and_scenarios_are_kept() -> None:
    stray = ended(run("other", "elsewhere", Channel.API), Outcome.FAILED, WRONG)
    matrix = build_matrix([stray], TENANTS, SCENARIOS)
    assert matrix["elsewhere", "other", Channel.API].state is CellState.FAILED
    assert matrix["elsewhere", "sign-in", Channel.API].state is CellState.SKIPPED


def test_one_check_on_one_tenant_reads_well() -> None:
    made = conclude_results([run("sign-in", "kyoto", Channel.API)])
    assert made.sentence == "The one check passed on kyoto"


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.BROKEN])
def test_a_bad_run_without_a_reason_is_still_bad(outcome: Outcome) -> None:
    bare = replace(run("sign-in", "kyoto", Channel.API), outcome=outcome, failure=None)
    assert conclude_results([bare]).word != "pass"
