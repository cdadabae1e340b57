"""What Prometheus is told of integrations: the last lag, what is allowed, and what came, by what was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ringgate.domain.model import RunResult, Step
from ringgate.domain.terms import Channel, Outcome, StepKind
from ringgate.metrics.families import of_integrations
from ringgate.metrics.figures import Figures
from tests.support.samples import tenant
from tests.unit.integrations.samples import integration

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def figures() -> Figures:
    made = Figures()
    steps = (
        Step("post invoice", 0, 2, Outcome.PASSED),
        Step("payroll", 2, 1.5, Outcome.PASSED, StepKind.ARRIVAL),
        Step("payroll: doubled, amount", 5, 2.5, Outcome.FAILED, StepKind.ARRIVAL),
        Step("payroll reversal: late", 9, 0, Outcome.FAILED, StepKind.ARRIVAL),
    )
    run = RunResult("r1", "t1", "hours-arrive", "aldgate", "canary", Channel.API, Outcome.FAILED, NOW, 1.0, steps=steps)
    made.take(run)
    return made


def samples(made: Figures, now: datetime = NOW) -> dict[tuple[str, ...], float]:
    told = replace(tenant("aldgate"), integrations={"payroll": integration()})
    found = of_integrations(made, [told], timedelta(hours=1), now)
    return {(s.name, *s.labels.values()): s.value for each in found for s in each.samples}


def test_lag_and_arrivals_are_told_by_tenant_and_integration():
    where, total = ("aldgate", "payroll"), "ringgate_integration_arrivals_total"
    assert samples(figures()) == {
        ("ringgate_integration_lag_seconds", *where): 2.5,
        ("ringgate_integration_within_seconds", *where, "payroll-team"): 60.0,
        (total, *where, "arrived"): 1.0,
        (total, *where, "doubled"): 1.0,
        (total, *where, "amount"): 1.0,
        (total, *where, "late"): 1.0,
    }


def test_a_lag_of_long_ago_is_left_out_and_all_of_it_is_kept_over_a_restart():
    kept = Figures.of_plain(figures().as_plain())
    assert kept is not None
    assert samples(kept) == samples(figures())
    assert ("ringgate_integration_lag_seconds", "aldgate", "payroll") not in samples(kept, NOW + timedelta(days=1))


def test_arrivals_are_no_steps_of_the_process():
    assert {key[1] for key in figures().steps} == {"post invoice"}
