"""A run's documents are followed to each integration of its tenant, and again after they were taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from ringgate.domain.errors import IntegrationFailed, IntegrationLate
from ringgate.domain.integrations import ExpectedArrival
from ringgate.domain.terms import Invariant, Outcome, Receives, StepKind
from ringgate.execution.arrivals import step_of
from ringgate.integrations import FollowedDocument, Following, ObserverError
from tests.support.samples import tenant
from tests.unit.integrations.samples import FIELDS, MARKER, NOON, integration

HEAD = "number,note,total,currency\n"


def payroll(folder, **differently):
    folder.mkdir(exist_ok=True)
    made = {"address": folder.as_uri(), "within": timedelta(minutes=10), "quiet": timedelta(0), "fields": FIELDS}
    return integration(**{**made, "receives": frozenset({Receives.INVOICES}), **differently})


def clock():
    """A minute goes by at each look."""
    moments = count()
    return lambda: NOON + timedelta(minutes=next(moments))


def following(folder, others=(), **more):
    own = payroll(folder)
    more |= {"clock": clock(), "wait": lambda _seconds: None}
    return Following(replace(tenant(), integrations={"payroll": own}), others, **more)


def sent(**differently):
    return replace(ExpectedArrival(MARKER, NOON, amount=Decimal(120), currency="EUR"), **differently)


def test_what_arrives_as_it_should_is_told_with_its_lag_and_noted_before_it_is_looked_for(tmp_path):
    notes, told = [], []
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.csv").write_text(f"{HEAD}INV-1,{MARKER},120.00,EUR\n")
    each = following(tmp_path / "own", note=notes.append, tell=told.append)
    each.follow(Receives.INVOICES, sent())
    each.follow(Receives.HOURS, sent())
    assert [(x["integration"], x["marker"]) for x in notes] == [("payroll", MARKER)]
    assert [(x.integration.name, x.rules, x.reversal) for x in told] == [("payroll", (), False)]
    assert step_of(told[0], 5.0).name == "payroll"
    (tmp_path / "own" / "b.csv").write_text(f"{HEAD}CN-1,{MARKER},-120.00,EUR\n")
    each.taken_back()
    assert told[-1].reversal
    assert step_of(told[-1], 5.0).name == "payroll reversal"


def test_what_is_only_late_is_no_fault_of_the_erp_for_certain(tmp_path):
    with pytest.raises(IntegrationLate, match=r"integration payroll of .* \(payroll-team\): late: it had not arrived"):
        following(tmp_path / "own").follow(Receives.INVOICES, sent())


def test_a_reversal_that_does_not_come_is_late(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.csv").write_text(f"{HEAD}INV-1,{MARKER},120.00,EUR\n")
    each = following(tmp_path / "own")
    each.follow(Receives.INVOICES, sent())
    with pytest.raises(IntegrationLate, match="its reversal had not arrived"):
        each.taken_back()


def test_what_also_came_to_another_tenant_breaks_isolation(tmp_path):
    for name in ("own", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(f"{HEAD}INV-1,{MARKER},120.00,EUR\n")
    other = replace(tenant(), id="other", integrations={"payroll": payroll(tmp_path / "theirs")})
    with pytest.raises(IntegrationFailed, match="elsewhere: INV-1 arrived at other's payroll") as caught:
        following(tmp_path / "own", [other]).follow(Receives.INVOICES, sent())
    assert caught.value.invariant is Invariant.ISOLATED


def test_a_renamed_column_is_the_integrations_fault_and_one_that_is_down_is_ours(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.csv").write_text(f"number,note,sum,currency\nINV-1,{MARKER},120.00,EUR\n")
    with pytest.raises(IntegrationFailed, match="fields: there is no total at the far end any more"):
        following(tmp_path / "own").follow(Receives.INVOICES, sent())
    gone = following(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ObserverError, match="cannot be read"):
        gone.follow(Receives.INVOICES, sent())


def test_after_a_crash_both_the_document_and_its_reversal_are_waited_for(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.csv").write_text(f"{HEAD}INV-1,{MARKER},120.00,EUR\nCN-1,{MARKER},-120.00,EUR\n")
    each = following(tmp_path / "own")
    each.take_up([{"integration": "payroll", "marker": MARKER}, {"integration": "gone", "marker": MARKER}],
                 at=NOON)  # fmt: skip
    each.taken_back()
    (tmp_path / "own" / "a.csv").write_text(HEAD)
    each.take_up([{"integration": "payroll", "marker": MARKER}], at=NOON)
    with pytest.raises(IntegrationLate):
        each.taken_back()


def test_the_correction_of_a_document_is_another_version_of_it(tmp_path):
    fields = {"marker": "note", "id": "number", "hours": "hours", "attempt": "version"}
    (tmp_path / "own").mkdir()
    rows = f"1,{MARKER},7.5,1\n1,{MARKER},6.25,2\n"
    (tmp_path / "own" / "a.csv").write_text(f"number,note,hours,version\n{rows}")
    own = payroll(tmp_path / "own", fields=fields, receives=frozenset({Receives.HOURS}))
    each = Following(replace(tenant(), integrations={"payroll": own}), clock=clock(), wait=lambda _seconds: None)
    each.follow(Receives.HOURS, sent(hours=Decimal("6.25"), attempt=2))
    with pytest.raises(IntegrationFailed, match=r"hours: 1 states 7.5 hours, not 6.25"):
        each.follow(Receives.HOURS, sent(hours=Decimal("6.25")))


def test_a_step_names_the_rules_that_were_broken():
    seen = FollowedDocument(integration(), NOON, None, ("doubled", "amount"))
    step = step_of(seen, 3.0)
    assert (step.name, step.seconds, step.kind, step.outcome) == (
        "payroll: doubled, amount", 0.0, StepKind.ARRIVAL, Outcome.FAILED,
    )  # fmt: skip
