"""From results to the verdict: what is taken as evidence, how it is weighed, and what the verdict tells of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringgate.domain.model import Failure, RunResult, SignalSample, Step
from ringgate.domain.terms import Channel, Invariant, Outcome, Source, StepKind
from ringgate.gate import Action, Bake, Due, GateState, Signal, Verdict, Word
from ringgate.gate.observations import Probe
from tests.unit.gate.sample import (
    IDS,
    MINUTE,
    START,
    bake,
    baseline,
    before,
    every_minute,
    failed,
    run,
    self_test,
)

HOURS = 3
END = START + timedelta(hours=HOURS)
QUIET = {"signals": dict.fromkeys((Signal.SLOWNESS, Signal.SLOW_POSTING, Signal.SILENCE, Signal.POSTING), False)}


def hourly_tests(hours: int = HOURS) -> list[RunResult]:
    return [self_test(START + timedelta(hours=hour, minutes=30)) for hour in range(hours)]


def good(minutes: int = 60 * HOURS) -> list[RunResult]:
    return [*every_minute(minutes), *hourly_tests()]


def outage(tenant: str, since: int, minutes: int) -> list[RunResult]:
    """In place of the runs of these minutes."""
    return [failed(tenant, START + number * MINUTE) for number in range(since, since + minutes)]


def with_outage(tenant: str, since: int, minutes: int) -> list[RunResult]:
    at = {START + number * MINUTE for number in range(since, since + minutes)}
    return [r for r in good() if r.tenant != tenant or r.started_at not in at] + outage(tenant, since, minutes)


def rules_of(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


# --- what it comes to ------------------------------------------------------------------------------------------------


def test_a_healthy_release_is_promoted() -> None:
    verdict = bake(good()).verdict(END)
    assert (verdict.state, verdict.word, verdict.action, verdict.reasons) == (
        GateState.PROMOTE, Word.PASS, Action.PROMOTE, (),
    )  # fmt: skip
    assert verdict.samples.runs == 3 * 60 * HOURS
    assert verdict.facts.tested == IDS


def test_before_enough_is_known_it_waits_and_at_the_deadline_it_holds() -> None:
    made = bake(every_minute(30), **QUIET)
    early = made.verdict(START + 30 * MINUTE)
    assert (early.word, early.action, early.decided) == (Word.INCONCLUSIVE, Action.WAIT, False)
    assert {"soaking", "undecided"} <= set(rules_of(early))
    late = made.verdict(START + timedelta(hours=24))
    assert (late.word, late.action, late.decided) == (Word.INCONCLUSIVE, Action.HOLD, True)


def test_an_outage_holds_within_minutes_then_rolls_back() -> None:
    made = bake([r for r in good(60) if r.started_at < START + 20 * MINUTE], **QUIET)
    for number in range(20, 30):
        for tenant in IDS:
            made.add(failed(tenant, START + number * MINUTE))
    assert made.verdict(START + 30 * MINUTE).action is Action.ROLL_BACK


def test_one_sick_tenant_is_not_diluted_and_is_named() -> None:
    verdict = bake(with_outage("cologne", 100, 30)).verdict(END)
    assert verdict.word is Word.FAIL
    failures = verdict.evidence[0]
    assert failures.signal is Signal.FAILURES
    assert failures.tenants[0][0] == "cologne"
    assert verdict.radius is not None
    assert verdict.radius.failing == ("cologne",)
    assert "region eu-central" in map(str, verdict.radius.suspects)


def test_a_pause_is_for_good() -> None:
    made = bake(with_outage("cologne", 60, 4), **QUIET)
    verdict = made.verdict(START + timedelta(hours=24))
    assert verdict.word is Word.FAIL
    assert "Nothing that comes later changes it" in verdict.outlook.sentences[0]


def test_a_broken_invariant_rolls_back_at_once() -> None:
    made = bake(good())
    made.add(failed("cologne", START + 10 * MINUTE, invariant=Invariant.BALANCED))
    verdict = made.verdict(START + 11 * MINUTE)
    assert (rules_of(verdict)[0], verdict.action) == ("invariant_broken", Action.ROLL_BACK)


def test_what_the_baseline_did_as_well_is_not_held_against_the_release() -> None:
    usual = range(0, 600, 20)
    made = bake([failed(r.tenant, r.started_at) if i % 20 == 0 else r for i, r in enumerate(every_minute(60 * HOURS))],
                known=baseline(before(failures=usual)), **QUIET)  # fmt: skip
    verdict = made.verdict(END)
    assert verdict.evidence[0].quick < 10
    assert "evidence_to_hold" not in rules_of(verdict)


# --- what is evidence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "foreign",
    [
        {"release": "7.0"},
        {"tenant": "kyoto"},
        {"started_at": START - MINUTE},
        {"source": Source.REHEARSAL},
    ],
    ids=["another release", "another ring", "before the deployment", "a rehearsal"],
)
def test_what_is_of_no_concern_is_passed_over(foreign: dict) -> None:
    made = bake()
    made.add(replace(failed(invariant=Invariant.ONCE), **foreign))
    verdict = made.verdict(START + MINUTE)
    assert "no_data" in rules_of(verdict)
    assert "invariant_broken" not in rules_of(verdict)


def test_a_self_test_is_no_evidence_even_if_it_breaks_an_invariant() -> None:
    made = bake(good())
    falsified = failed("aldgate", END - 5 * MINUTE, invariant=Invariant.BALANCED)
    made.add(replace(falsified, source=Source.SELF_TEST))
    assert made.verdict(END).word is Word.PASS


@pytest.mark.parametrize(
    ("outcome", "kind", "rule"),
    [
        (Outcome.PASSED, "", "self_test_missed"),
        (Outcome.FAILED, "unavailable", "self_test_missed"),
        (Outcome.BROKEN, "secret", "self_test_missing"),
        (Outcome.SKIPPED, "", "self_test_missing"),
    ],
)
def test_only_a_failed_expectation_is_a_caught_self_test(outcome: Outcome, kind: str, rule: str) -> None:
    test = failed("aldgate", END - 5 * MINUTE, kind=kind) if kind else run("aldgate", END - 5 * MINUTE)
    made = bake([*every_minute(60 * HOURS), replace(test, outcome=outcome, source=Source.SELF_TEST)])
    assert rules_of(made.verdict(END)) == [rule]


def test_broken_runs_are_no_evidence_but_too_many_are_inconclusive() -> None:
    broken = [run(r.tenant, r.started_at, Outcome.BROKEN) for r in every_minute(60 * HOURS)]
    few = bake([*good(), *broken[::20]]).verdict(END)
    assert few.word is Word.PASS
    many = bake([*good(), *broken[::2]]).verdict(END)
    assert rules_of(many) == ["too_many_broken"]
    assert many.ours[0].cause.value == "our side"


def test_a_tenant_whose_runs_are_all_broken_is_untested() -> None:
    some = [
        r if r.tenant != "cologne" else run(r.tenant, r.started_at, Outcome.BROKEN) for r in every_minute(60 * HOURS)
    ]
    verdict = bake([*some, *hourly_tests()], broken=0.5).verdict(END)
    assert rules_of(verdict) == ["tenant_untested"]
    assert verdict.facts.untested == ("cologne",)


def test_a_run_that_was_stopped_says_nothing_about_anybody() -> None:
    stopped = [run(r.tenant, r.started_at, Outcome.STOPPED) for r in every_minute(60 * HOURS)]
    verdict = bake([*good(), *stopped]).verdict(END)
    assert verdict.word is Word.PASS
    assert (verdict.facts.attempted, verdict.samples.broken) == (3 * 60 * HOURS, 0)
    assert "no_data" in rules_of(bake(stopped).verdict(END))


def test_what_could_not_be_taken_back_for_slowness_is_our_side_and_never_stops_a_release() -> None:
    slow = Failure("undo-slow", "posting the credit note got no answer", "post invoice")
    left = [run(r.tenant, r.started_at, Outcome.BROKEN, failure=slow) for r in every_minute(60 * HOURS)[::20]]
    verdict = bake([*good(), *left]).verdict(END)
    assert verdict.word is Word.PASS
    assert verdict.ours[0].cause.value == "our side"


def test_skipped_runs_are_neither_evidence_nor_broken() -> None:
    skipped = [run(r.tenant, r.started_at, Outcome.SKIPPED, reason="paused") for r in every_minute(60)]
    verdict = bake(skipped).verdict(START + timedelta(hours=1))
    assert "no_data" in rules_of(verdict)
    assert verdict.samples.skipped == 180


def test_each_tenant_is_judged_from_its_own_deployment_on() -> None:
    """A ring may get a release in parts; results from before a part had it are not the release's."""
    starts = {"aldgate": START, "bleecker": START, "cologne": START + timedelta(hours=1)}
    made = bake([*good(), *outage("cologne", 10, 20)], starts=starts)
    verdict = made.verdict(END)
    assert verdict.word is Word.PASS
    assert verdict.samples.by_tenant["cologne"] == 60 * (HOURS - 1)


def test_a_tenant_that_the_release_did_not_reach_keeps_it_from_going_on() -> None:
    starts = {"aldgate": START, "bleecker": START}
    verdict = bake(good(), starts=starts).verdict(END)
    assert rules_of(verdict)[0] == "tenant_absent"


def test_what_comes_late_counts_when_it_is_known() -> None:
    made = bake(every_minute(30), **QUIET)
    made.verdict(START + 30 * MINUTE)
    for number in range(10):
        made.add(failed("cologne", START + number * MINUTE))
    assert made.verdict(START + 30 * MINUTE).evidence[0].bad == 0
    assert made.verdict(START + 31 * MINUTE).evidence[0].bad == 10


def test_reading_bit_by_bit_comes_to_the_same() -> None:
    results = sorted(with_outage("cologne", 100, 12), key=lambda r: r.started_at)
    whole, parts = bake(results), bake()
    for number in range(0, 60 * HOURS + 1, 7):
        until = START + number * MINUTE
        for result in [r for r in results if until - 7 * MINUTE <= r.started_at < until]:
            parts.add(result)
        parts.verdict(until)
    for result in [r for r in results if r.started_at >= until]:
        parts.add(result)
    one, other = whole.verdict(END), parts.verdict(END)
    assert [e.quick for e in one.evidence] == pytest.approx([e.quick for e in other.evidence])
    assert rules_of(one) == rules_of(other)


# --- the other signals -----------------------------------------------------------------------------------------------


def test_alpha_is_split_over_the_signals_in_use() -> None:
    five = bake(good())
    assert [e.signal for e in five.verdict(END).evidence] == [
        Signal.FAILURES, Signal.SLOWNESS, Signal.SLOW_POSTING, Signal.POSTING, Signal.SILENCE,
    ]  # fmt: skip
    assert five.alpha == pytest.approx(0.01 / 5)
    assert five.unused == {
        Signal.BACKLOG: "nothing was sampled before it", Signal.LAG: "too few documents arrived before it",
        Signal.TWINS: "no run's documents were compared before it",
    }  # fmt: skip
    alone = bake(good(), **QUIET)
    assert alone.alpha == 0.01
    assert alone.verdict(END).evidence[0].pause_at == pytest.approx(100)


def test_a_slower_release_is_held_for_it_may_be_the_machine_that_is_busy() -> None:
    slower = [replace(r, seconds=r.seconds * 1.5) for r in every_minute(60 * HOURS)]
    verdict = bake([*slower, *hourly_tests()]).verdict(END)
    assert (verdict.action, rules_of(verdict)[0]) == (Action.HOLD, "evidence_to_hold")
    assert "slower than 95 % of those before" in verdict.reasons[0].sentence
    assert bake([*slower, *hourly_tests()], slower=2.0).verdict(END).word is Word.PASS


def test_failed_runs_say_nothing_of_slowness() -> None:
    known = baseline(before())
    made = bake([replace(failed("cologne", START), seconds=99.0)], known=known)
    assert made.verdict(START + MINUTE).evidence[1].runs == 0


def test_posting_errors_are_failures_of_posting_steps() -> None:
    made = bake(
        [failed("aldgate", START, step="post invoice"), failed("aldgate", START, step="enter time"), run(at=START)]
    )
    posting = {e.signal: e for e in made.verdict(START + MINUTE).evidence}[Signal.POSTING]
    assert (posting.bad, posting.runs) == (1, 2)


def test_a_step_that_is_renamed_still_posts_and_what_is_only_called_so_does_not() -> None:
    def steps(kind: StepKind | None) -> tuple[Step, ...]:
        return (
            Step("book the invoice", 0.0, 1.0, Outcome.PASSED),
            Step("to the ledger", 1.0, 1.0, Outcome.FAILED, kind),
        )

    named_after_posting = (Step("look at the posted invoice", 0.0, 1.0, Outcome.FAILED),)
    renamed = replace(failed("aldgate", START, step="to the ledger"), steps=steps(StepKind.POSTING))
    only_named = replace(failed("aldgate", START, step="look at the posted invoice"), steps=named_after_posting)
    made = bake([renamed, only_named, replace(run(at=START), steps=steps(None))])
    posting = {e.signal: e for e in made.verdict(START + MINUTE).evidence}[Signal.POSTING]
    assert (posting.bad, posting.runs) == (1, 1)


def samples(since: int, minutes: int, value: float) -> list[SignalSample]:
    return [
        SignalSample(START + number * MINUTE, "queue backlog", value, "jobs", tenant="cologne", limit=10.0)
        for number in range(since, since + minutes)
    ]


def test_a_backlog_pauses() -> None:
    known = baseline(before(), samples(-600, 600, 3.0))
    made = bake(good(), known=known)
    for sample in [*samples(0, 100, 2.0), *samples(100, 60, 50.0)]:
        made.sample(sample)
    verdict = made.verdict(START + 160 * MINUTE)
    assert (verdict.action, rules_of(verdict)[0]) == (Action.PAUSE, "evidence_to_pause")
    assert "samples were over their limit" in verdict.reasons[0].sentence


def test_samples_without_a_limit_and_of_others_say_nothing_and_no_number_is_too_much() -> None:
    known = baseline(before(), samples(-600, 600, 3.0))
    made = bake(known=known)
    one = SignalSample(START, "queue backlog", 50.0, "jobs", limit=10.0)
    for sample in (
        replace(one, limit=None),
        replace(one, tenant="kyoto"),
        replace(one, ring="broad"),
        replace(one, at=START - MINUTE),
    ):
        made.sample(sample)
    assert made.verdict(START + MINUTE).evidence[2].runs == 0
    for sample in (one, replace(one, ring="canary"), replace(one, tenant="aldgate"), replace(one, value=float("nan"))):
        made.sample(sample)
    backlog = {e.signal: e for e in made.verdict(START + 2 * MINUTE).evidence}[Signal.BACKLOG]
    assert (backlog.runs, backlog.bad) == (4, 4)


def test_a_signal_that_is_insisted_on_and_not_known_is_inconclusive() -> None:
    made = bake(good(), signals={Signal.BACKLOG: True})
    verdict = made.verdict(END)
    assert rules_of(verdict) == ["signal_unknown"]
    assert made.alpha == pytest.approx(0.01 / 6)


def test_silence_holds_but_does_not_pause() -> None:
    """The prober stops: nothing speaks against the release, and nothing for it."""
    made = bake([r for r in good() if r.started_at < START + 60 * MINUTE])
    verdict = made.verdict(START + 90 * MINUTE)
    assert rules_of(verdict)[0] == "evidence_to_hold"
    assert "due results did not come: the bet on silence" in verdict.reasons[0].sentence
    assert (verdict.word, verdict.action) == (Word.INCONCLUSIVE, Action.HOLD)


def test_what_is_due_can_be_given_and_may_rest() -> None:
    every: dict[Probe, timedelta] = {(tenant, "time-entry", Channel.API): MINUTE for tenant in IDS}
    resting = Due(every, lambda probe, since, until: since >= START + 60 * MINUTE)
    made = bake([r for r in good() if r.started_at < START + 60 * MINUTE], due=resting)
    assert "evidence_to_hold" not in rules_of(made.verdict(START + 90 * MINUTE))


def test_a_probe_that_is_due_and_never_came_keeps_it_from_going_on() -> None:
    every = {(tenant, "time-entry", Channel.API): MINUTE for tenant in IDS}
    wanted = Due({**every, ("aldgate", "time-entry", Channel.BROWSER): timedelta(minutes=30)})
    assert "probe_untested" in rules_of(bake(good(), due=wanted).verdict(END))


def test_what_ran_before_the_release_must_run_after_it() -> None:
    known = baseline(
        [*before(), run("aldgate", START - 5 * MINUTE, scenario="sign-in", release="7.0", source=Source.SUITE)]
    )
    verdict = bake(good(), known=known).verdict(END)
    assert rules_of(verdict) == ["probe_untested"]
    assert "sign-in over api on aldgate" in verdict.reasons[0].sentence


# --- what the verdict tells ------------------------------------------------------------------------------------------


def test_it_says_how_many_more_runs_would_promote_it() -> None:
    early = bake(every_minute(30), **QUIET).verdict(START + 30 * MINUTE)
    runs = early.outlook.runs_to_promote
    assert runs is not None
    minutes = 30 + -(-runs // 3)
    enough = bake(every_minute(minutes), **QUIET).verdict(START + minutes * MINUTE)
    assert enough.facts.fine >= 100
    short = bake(every_minute(minutes - 20), **QUIET).verdict(START + (minutes - 20) * MINUTE)
    assert short.facts.fine < 100


def test_it_says_after_how_long_a_total_failure_would_stop_it() -> None:
    made = bake(every_minute(60), **QUIET)
    told = made.verdict(START + 60 * MINUTE).outlook.time_to_stop
    assert told is not None
    for number in range(60, 60 + told // MINUTE):
        for tenant in IDS:
            made.add(failed(tenant, START + number * MINUTE))
    assert made.verdict(START + 60 * MINUTE + told).word is Word.FAIL


def test_a_baseline_too_short_to_promote_anything_is_told() -> None:
    known = baseline(before(2))
    verdict = bake(every_minute(60), known=known, **QUIET, baseline_runs=1).verdict(START + 60 * MINUTE)
    assert "No number of passing runs promotes it" in verdict.outlook.sentences[0]
    assert "Take a longer baseline" in verdict.outlook.sentences[0]


def test_the_curve_is_thinned_and_keeps_its_peak() -> None:
    verdict = bake(with_outage("cologne", 100, 2), **QUIET).verdict(END)
    failures = verdict.evidence[0]
    assert len(failures.curve) <= 200
    assert failures.curve[0].at == START
    whole = bake(with_outage("cologne", 100, 2), **QUIET)
    whole.verdict(END)
    assert max(point.quick for point in failures.curve) == max(q for _, q, _ in whole.gauges[Signal.FAILURES].curve)


def test_samples_age_and_baseline_are_told() -> None:
    verdict = bake(good(60)).verdict(START + 65 * MINUTE)
    assert verdict.facts.age is not None
    assert timedelta(minutes=5) < verdict.facts.age < timedelta(minutes=6)
    assert verdict.baseline is not None
    assert (verdict.baseline.runs, verdict.baseline.failed) == (600, 0)


def test_a_release_that_never_began_is_no_pass() -> None:
    verdict = bake(starts={}).verdict(END)
    assert (rules_of(verdict), verdict.action) == (["not_deployed"], Action.HOLD)


def test_failures_that_stick_are_weighed_by_blocks() -> None:
    stuck = {3 * minute + 2 for start in range(0, 600, 60) for minute in range(start, start + 4)}
    known = baseline(before(600, failures=stuck))
    made: Bake = bake(good(), known=known)
    failures = made.verdict(END).evidence[0]
    assert failures.block == timedelta(minutes=20)
    assert made.mirror.block == 8
