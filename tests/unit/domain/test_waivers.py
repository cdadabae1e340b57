from dataclasses import replace
from datetime import date

import pytest

from ringgate.domain.waivers import Waiver, by_force

DAY = date(2027, 1, 31)
WAIVER = Waiver("sequence:next:*", "finance", "a new year", DAY, tenant="aldgate", release="tryton-8-0")


@pytest.mark.parametrize(
    ("today", "in_force"), [(date(2027, 1, 30), True), (DAY, True), (date(2027, 2, 1), False)], ids=str
)
def test_it_holds_through_the_end_of_its_day(today: date, in_force: bool) -> None:
    assert WAIVER.in_force(today) is in_force
    assert by_force([WAIVER], today) == (((WAIVER,), ()) if in_force else ((), (WAIVER,)))


@pytest.mark.parametrize(
    ("there", "covered"),
    [
        ({"signature": "sequence:next:Invoices", "tenant": "aldgate", "release": "tryton-8-0"}, True),
        ({"signature": "sequence:next:Invoices", "tenant": "aldgate", "release": "tryton-8-2"}, False),
        ({"signature": "sequence:next:Invoices", "tenant": "aldgate"}, False),
        ({"signature": "sequence:next:Invoices", "tenant": "kyoto", "release": "tryton-8-0"}, False),
        ({"signature": "posting:lost:12", "tenant": "aldgate", "release": "tryton-8-0"}, False),
        (
            {"signature": "sequence:next:x", "tenant": "aldgate", "release": "tryton-8-0", "scenario": "any"},
            True,
        ),
    ],
)
def test_it_covers_what_its_scope_holds_and_no_more(there: dict[str, str], covered: bool) -> None:
    assert WAIVER.covers(**there) is covered


def test_what_has_no_name_is_covered_by_a_waiver_of_everything_alone() -> None:
    assert replace(WAIVER, tenant="*", release="*").covers("sequence:next:x")
    assert not replace(WAIVER, tenant="*", release="tryton-*").covers("sequence:next:x")


def test_a_signature_with_brackets_fits_itself() -> None:
    assert replace(WAIVER, signature="field[0]", release="*").covers("field[0]", tenant="aldgate")


def test_it_says_what_it_accepts_of_whom_and_who_answers_for_it() -> None:
    assert str(WAIVER) == ("the waiver of sequence:next:* for aldgate in tryton-8-0 (finance, through 2027-01-31)")
