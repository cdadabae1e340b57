"""Every difference that nothing explains is a finding, in words that an accountant understands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from ringgate.twins.comparison import TwinChange, compare
from ringgate.twins.learning import first
from ringgate.twins.records import PrintedText, RecordLink
from tests.unit.twins.samples import twin
from tests.unit.twins.test_learning import RUNS, learned


@pytest.fixture(scope="module")
def known():
    return learned(*(twin(45 + place, run) for place, run in enumerate(RUNS)))


def test_a_run_like_those_before_has_no_findings(known):
    assert compare(known, twin(99, "dddddddddddd")) == ()


def test_nor_has_one_of_another_day_month_or_year(known):
    for on in (date(2026, 11, 29), date(2026, 12, 1), date(2027, 1, 31), date(2028, 2, 29)):
        assert compare(known, twin(99, "dddddddddddd", on=on)) == ()


DIFFERENT = [
    ("line", {"unit": RecordLink("product.uom", "8", "Day")}, 'Line 1: Unit is "Day", in 3 runs before it was "Hour"'),
    ("line", {"description": "Training for H"}, 'Invoice Line 1: Description is "Training for H"'),
    ("line", {"quantity": Decimal("7.51")}, "7.51"),
    ("line", {"invoice": None}, "is nothing"),
    ("invoice", {"posted_by": RecordLink("company.employee", "8", "Synthetic Approver")}, '"Synthetic Approver"'),
    ("invoice", {"number": "AE-2026-0045"}, "AE-2026-0045"),
    ("invoice", {"number": None}, "Invoice 1: Number is nothing"),
    ("invoice", {"comment": "paid already"}, '"paid already"'),
    ("invoice", {"lines": ()}, "is nothing"),
    ("invoice", {"printed": PrintedText("Invoice AE2026-0099\n2026-11-28\n\nGBP 1080.01\n")}, "GBP 1080.01"),
    ("move_line", {"maturity_date": date(2026, 12, 29)}, "2026-12-29"),
    ("move_line", {"period": RecordLink("account.period", "10", "2026-10")}, "2026-10"),
    ("move_line", {"origin": RecordLink("account.invoice", "3", "AE2026-0003")}, "AE2026-0003"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "change", "told"), DIFFERENT, ids=[next(iter(each[1])) for each in DIFFERENT])
def test_a_value_that_differs_is_a_finding(known, where, change, told):
    found = compare(known, twin(99, "dddddddddddd", **{where: change}))
    assert found
    assert any(told in each.sentence and "aldgate" in each.sentence for each in found)
    assert all(each.change is TwinChange.VALUE for each in found)


def test_a_signature_names_model_and_field_and_no_values(known):
    (found,) = compare(known, twin(99, line={"unit": RecordLink("product.uom", "8", "Day")}))
    assert found.signature == "value account.invoice.line.unit"
    assert found.path == "account.invoice.line 1, unit"
    assert (found.before, found.after) == ('"Hour"', '"Day"')


def test_a_record_that_is_missing_or_more_is_one_finding_and_its_neighbours_none(known):
    usual = twin(99, "dddddddddddd")
    extra = replace(usual.records[2], name="account.move.line 2")
    fewer = replace(usual, records=usual.records[:2])
    assert [each.signature for each in compare(known, fewer)] == ["record missing account.move.line"]
    more = compare(known, replace(usual, records=(*usual.records, extra)))
    assert [each.signature for each in more] == ["record more account.move.line"]
    assert "Account Move Line 2 is there, which was not in 3 runs before" in more[0].sentence


def test_a_field_that_came_or_went_is_told_once(known):
    usual = twin(99, "dddddddddddd")
    line = usual.records[1]
    fields = {name: each for name, each in line.fields.items() if name != "unit"} | {"uom": line.fields["unit"]}
    found = compare(known, replace(usual, records=(usual.records[0], replace(line, fields=fields), usual.records[2])))
    assert [each.signature for each in found] == [
        "field gone account.invoice.line.unit", "field new account.invoice.line.uom",
    ]  # fmt: skip


def test_what_varied_may_vary_but_not_be_lost():
    known = learned(twin(invoice={"comment": "a"}), twin(46, invoice={"comment": "b"}))
    assert compare(known, twin(47, invoice={"comment": "c"})) == ()
    (found,) = compare(known, twin(47, invoice={"comment": None}))
    assert "is nothing, in 2 runs before it was something" in found.sentence


def test_a_finding_says_what_the_run_had_entered():
    (found,) = compare(first(twin()), twin(45, "zzzzzzzzzzzz", line={"description": "Training"}))
    assert (found.before, found.after) == ('"Training for Hall [RG-zzzzzzzzzzzz-1]"', '"Training"')
