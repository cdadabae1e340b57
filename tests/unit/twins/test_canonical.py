"""What a run made, in words: two runs of the same process read the same, whatever their days, numbers and ids are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ringgate.twins.model import NOTHING
from ringgate.twins.records import RecordLink
from ringgate.twins.words import RunWords
from tests.unit.twins.samples import made, twin, words

TODAY = date(2026, 11, 28)


def value(name: str, record: int = 0, **how):
    return twin(**how).records[record].fields[name]


def test_links_between_the_runs_own_records_have_their_names():
    assert value("lines") == (frozenset({"-> account.invoice.line 1"}),)
    assert value("invoice", 1) == (frozenset({"-> account.invoice 1"}),)


def test_links_elsewhere_have_the_erps_name_and_people_their_role():
    assert value("unit", 1) == (frozenset({"Hour"}),)
    assert value("posted_by") == (frozenset({"the accountant"}),)


def test_texts_that_the_run_entered_are_named_by_their_order():
    assert value("description") == value("description", run="zzzzzzzzzzzz") == (frozenset({"«text a»"}),)


def test_a_text_that_was_cut_is_no_longer_the_one_that_was_entered():
    cut = value("description", 1, line={"description": "Training for H"})
    assert cut == (frozenset({"Training for H"}),)


def test_a_documents_own_number_keeps_its_form_and_others_name_it():
    assert value("number")[-1] == frozenset({"AE#-#"})
    printed = value("printed line 1")
    assert printed[0] == frozenset({"Invoice «number of account.invoice 1»"})


def test_a_number_inside_a_longer_one_is_not_taken_for_it():
    told = words().of_text("AE2026-00451", {"AE2026-0045": "number of account.invoice 1"})
    assert "AE2026-00451" in told[0]


def test_dates_have_all_the_readings_that_may_explain_them():
    (readings,) = words().of_date(date(2026, 12, 28))
    assert {"2026-12-28", "today+30", "due date 1", "day 28 of this month+1", "the server's day+30"} == readings


def test_a_months_last_day_is_known_as_such():
    (readings,) = words().of_date(date(2026, 12, 31))
    assert "month's end+1" in readings


def test_over_midnight_both_days_are_today():
    late = RunWords("abcdefghjkmn", (TODAY, date(2026, 11, 29)))
    assert "today" in late.of_date(date(2026, 11, 29))[0]
    assert "today" in late.of_date(TODAY)[0]


def test_names_with_the_month_of_today_are_known_by_it():
    period = value("period", 2)[0]
    assert period == {"2026-11", "«month of today»"}
    assert "«month of today»" in value("period", 2, on=date(2026, 12, 1))[0]


def test_moments_are_of_the_run_or_before_it():
    assert value("create_date") == (frozenset({"a time of the run"}),)
    assert words().of_moment(datetime(2026, 11, 1, tzinfo=UTC)) == (frozenset({"a time before the run"}),)


@pytest.mark.parametrize(
    ("plain", "told"),
    [(Decimal("120.00"), "120"), (Decimal("0.00"), "0"), (7, "7"), (True, "yes"), (None, NOTHING), ("", NOTHING),
     (Decimal("1E+2"), "100"), (Decimal("-0.50"), "-0.5")],
)  # fmt: skip
def test_amounts_are_exact_and_written_one_way(plain, told):
    found = words().of_text(plain) if isinstance(plain, str) else words().of_value(plain)
    assert found[0] == {told}


def test_hours_are_hours():
    assert value("worked", 1) == (frozenset({"7.5 h"}),)


def test_a_printed_document_is_compared_line_by_line():
    fields = twin().records[0].fields
    assert [name for name in fields if name.startswith("printed")] == [
        "printed", "printed line 1", "printed line 2", "printed line 3",
    ]  # fmt: skip
    assert "«today»" in fields["printed line 2"][0]


def test_several_links_are_in_one_order():
    both = (RecordLink("account.tax", "2", "VAT"), RecordLink("account.tax", "1", "Duty"))
    assert value("taxes", 1, line={"taxes": both}) == value("taxes", 1, line={"taxes": both[::-1]})


def test_records_are_named_by_their_place_among_those_of_their_model():
    assert [each.name for each in twin().records] == [
        "account.invoice 1",
        "account.invoice.line 1",
        "account.move.line 1",
    ]
    assert len(made().records) == len(twin().records)
