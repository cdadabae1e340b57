"""Whose business a verdict is as a whole, where several groups of failures say different things."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import count

import pytest

from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Basis, Channel, Invariant, Outcome
from ringgate.gate import Attribution, Cause, Signal, attribute, grouped
from ringgate.gate.baseline import Signature
from ringgate.gate.cause import leading

_NUMBERS = count(1)
PROBES = frozenset(
    (tenant, scenario, channel)
    for tenant in ("aldgate", "bleecker")
    for scenario in ("bill", "post", "pay")
    for channel in Channel
)


def run(scenario: str, kind: str = "expectation", channel: Channel = Channel.API, **failure: object) -> RunResult:
    number = str(next(_NUMBERS))
    return RunResult(
        run_id=number, trace_id=number, scenario=scenario, tenant="aldgate", ring="canary", channel=channel,
        outcome=Outcome.BROKEN if kind == "secret" else Outcome.FAILED, started_at=datetime(2026, 11, 24, tzinfo=UTC),
        seconds=1.0, failure=Failure(kind=kind, message="it is wrong", step="act", **failure),  # type: ignore[arg-type]
    )  # fmt: skip


def attributed(*runs: RunResult, usual: Collection[str] = ()) -> tuple[Attribution, ...]:
    failing = {(each.tenant, each.scenario, each.channel) for each in runs}

    def as_often(signature: Signature, _: int) -> str:
        return "it failed so before" if signature[0] in usual else ""

    return tuple(map(attribute, grouped(runs, PROBES, PROBES - failing, lambda _: 0, as_often)))


def cause(*runs: RunResult, loud: tuple[Signal, ...] = (), usual: Collection[str] = ()) -> Cause | None:
    said = leading(attributed(*runs, usual=usual), (), loud)
    return said[0] if said else None


def test_where_nothing_is_wrong_it_is_nobodys_business() -> None:
    assert leading((), (), ()) is None


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        (Basis.RIGHTS, Cause.IDENTITY),
        (Basis.POLICY, Cause.CONFIGURATION),
        (Basis.RECORDS, Cause.DATA),
        (Basis.PROCESS, Cause.PRODUCT),
    ],
)
def test_what_is_narrow_explains_sums_that_come_out_wrong(basis: Basis, expected: Cause) -> None:
    sums = [run("pay", basis=Basis.PROCESS) for _ in range(3)]
    assert cause(*sums, run("bill", basis=basis)) is expected


def test_one_odd_run_explains_nothing() -> None:
    sums = [run("pay", basis=Basis.PROCESS) for _ in range(9)]
    assert cause(*sums, run("bill", basis=Basis.POLICY)) is Cause.PRODUCT


def test_a_right_explains_a_policy_that_was_passed_by() -> None:
    by_policy = [run("bill", basis=Basis.POLICY) for _ in range(3)]
    assert cause(*by_policy, run("post", basis=Basis.RIGHTS)) is Cause.IDENTITY


def test_a_broken_invariant_decides() -> None:
    broken = run("post", basis=Basis.PROCESS, invariant=Invariant.BALANCED)
    assert cause(*(run("bill", basis=Basis.RECORDS) for _ in range(3)), broken) is Cause.PRODUCT


def test_where_most_were_not_answered_the_rest_is_no_news() -> None:
    silent = [run("post", "unavailable"), run("bill", "protocol")]
    assert cause(*silent, run("pay", basis=Basis.POLICY)) is Cause.ENVIRONMENT
    assert cause(silent[0], *(run("pay", basis=Basis.POLICY) for _ in range(2))) is Cause.CONFIGURATION


def test_work_that_piles_up_explains_what_waits_for_it() -> None:
    assert cause(run("pay", basis=Basis.PROCESS), loud=(Signal.BACKLOG,)) is Cause.ENVIRONMENT


def test_runs_that_only_take_longer_are_of_the_environment() -> None:
    assert cause(loud=(Signal.SLOWNESS,)) is Cause.ENVIRONMENT
    assert cause(run("pay", basis=Basis.PROCESS), loud=(Signal.SLOWNESS,)) is Cause.PRODUCT


def test_what_could_not_be_carried_out_is_ours_where_nothing_failed() -> None:
    ours = attributed(run("bill", "secret"))
    said = leading((), ours, ())
    assert said is not None
    assert said[0] is Cause.OUR_SIDE
    assert leading(attributed(run("bill", basis=Basis.POLICY)), ours, ()) != said


def test_what_is_wrong_on_the_screen_alone_is_the_client() -> None:
    on_screen = run("bill", channel=Channel.BROWSER, basis=Basis.POLICY)
    assert cause(on_screen) is Cause.PRODUCT
    assert cause(on_screen, run("bill", basis=Basis.POLICY)) is Cause.CONFIGURATION
    assert cause(run("bill", "unavailable", Channel.BROWSER)) is Cause.ENVIRONMENT


def test_who_was_let_in_by_a_right_is_identity_even_where_tenants_are_not_apart() -> None:
    assert cause(run("bill", basis=Basis.RIGHTS, invariant=Invariant.ISOLATED)) is Cause.IDENTITY
    assert cause(run("bill", basis=Basis.PROCESS, invariant=Invariant.ISOLATED)) is Cause.PRODUCT


def test_what_failed_as_often_before_is_as_before() -> None:
    noise = [run("bill", "refused"), run("post", "sign-in"), run("pay", "unavailable")]
    every = ("bill", "post", "pay")
    assert cause(*noise, usual=every) is Cause.BEFORE
    assert cause(*noise, usual=every, loud=(Signal.SLOWNESS,)) is Cause.ENVIRONMENT


def test_what_is_new_is_not_hidden_by_what_was_always_so() -> None:
    noise = [run("pay", "unavailable") for _ in range(20)]
    assert cause(*noise, *(run("bill", "refused") for _ in range(3)), usual=("pay",)) is Cause.IDENTITY


def test_where_all_together_is_more_than_before_none_is_as_before() -> None:
    noise = [run("bill", "refused"), run("post", "refused")]
    assert cause(*noise, usual=("bill", "post"), loud=(Signal.FAILURES,)) is Cause.IDENTITY


def test_an_invariant_is_never_usual() -> None:
    assert cause(run("bill", basis=Basis.PROCESS, invariant=Invariant.ISOLATED), usual=("bill",)) is Cause.PRODUCT
