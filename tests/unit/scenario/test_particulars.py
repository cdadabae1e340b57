"""What an invoice states beside its amounts: each thing that the ERP gets wrong is told, and by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from ringgate.domain.documents import (
    InvoiceParticulars,
    LineParticulars,
    Project,
    ProjectDraft,
    Ref,
    Settlement,
    Task,
    TaskDraft,
)
from ringgate.domain.money import Money
from ringgate.domain.terms import Role
from ringgate.scenario.expectations import ExpectationFailed
from ringgate.scenario.particulars import expect_credits, expect_particulars, expect_settled, name_billed
from tests.support.samples import tenant

POLICY, TODAY = tenant().policy, date(2026, 11, 28)
TOLD = InvoiceParticulars(
    Ref("invoice", "7"),
    POLICY.customer,
    (LineParticulars("Training 1", Decimal("1.0")),),
    Role.ACCOUNTANT,
    Role.ACCOUNTANT,
    ("5",),
    (Settlement(TODAY, Decimal("50.00"), "7"), Settlement(TODAY, Decimal("190"), "7")),
)
PARTS = [Money("190", POLICY.currency), Money("50", POLICY.currency)]


def stated(told: InvoiceParticulars | None = TOLD) -> None:
    expect_particulars(told, policy=POLICY, texts=["Training 1"], by=Role.ACCOUNTANT)


def settled(told: InvoiceParticulars | None = TOLD, by: str = "") -> None:
    expect_settled(told, parts=PARTS, on=TODAY, by=by, because="it was paid today")


def test_what_is_right_passes_and_a_driver_that_cannot_read_it_is_let_be():
    for told in (TOLD, None):
        stated(told)
        settled(told)
        expect_credits(told, invoice="5", because="it is of this invoice")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"addressee": "Somebody Else"}, "addressee: expected .*, but it is Somebody Else"),
        ({"lines": (LineParticulars("Training", Decimal(1)),)}, "descriptions of the lines: expected Training 1"),
        ({"lines": (LineParticulars("Training 1", Decimal(24)),)}, "hours of one unit: expected 1, but it is 24"),
        ({"lines": (LineParticulars("Training 1", None),)}, "hours of one unit: expected 1, but it is nothing"),
        ({"lines": ()}, "descriptions of the lines: expected Training 1, but it is nothing"),
        ({"entered_by": Role.CONSULTANT}, "entered by: expected accountant, but it is consultant"),
        ({"posted_by": None}, "posted by: expected accountant, but it is nothing"),
    ],
)
def test_what_is_wrong_is_named(wrong, words):
    with pytest.raises(ExpectationFailed, match=words):
        stated(replace(TOLD, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        TOLD.settlements[:1],
        (replace(TOLD.settlements[0], on=date(2026, 11, 27)), TOLD.settlements[1]),
        (replace(TOLD.settlements[0], by="8"), TOLD.settlements[1]),
        (replace(TOLD.settlements[0], amount=Decimal("49.99")), TOLD.settlements[1]),
        (*TOLD.settlements, TOLD.settlements[0]),
    ],
)
def test_a_settlement_of_another_day_amount_or_document_is_wrong(wrong):
    with pytest.raises(ExpectationFailed, match="what settles it"):
        settled(replace(TOLD, settlements=wrong))


def test_a_credit_note_is_of_the_one_invoice():
    for wrong in ((), ("6",), ("5", "6")):
        with pytest.raises(ExpectationFailed, match="invoice that is credited"):
            expect_credits(replace(TOLD, credits=wrong), invoice="5", because="it is of this invoice")


@pytest.mark.parametrize(
    ("stated", "billed"), [("Training 1", "Training 1"), ("Course", "Course"), ("x", "Training 1")]
)
def test_a_line_bears_the_name_of_its_task_or_of_a_project_that_is_billed_itself(stated, billed):
    rate = Money("100", POLICY.currency)
    draft = ProjectDraft("Course", POLICY.customer, "m", (TaskDraft("Training 1", rate, Decimal(8), ""),))
    task = Task(Ref("task", "2"), stated, rate, Decimal(8))
    project = Project(Ref("project", "1"), "Course", POLICY.customer, "open", (task,))
    assert name_billed(draft, project) == billed
