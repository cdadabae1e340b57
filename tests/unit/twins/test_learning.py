"""What passing runs have in common: what varies is known to vary by evidence."""

from __future__ import annotations

from datetime import date

from ringgate.twins.learning import first, merged
from ringgate.twins.model import LearnedTwin, Twin
from tests.unit.twins.samples import twin

RUNS = ("abcdefghjkmn", "bbbbbbbbbbbb", "cccccccccccc")


def learned(*twins: Twin) -> LearnedTwin:
    found = first(twins[0])
    for each in twins[1:]:
        found = merged(found, each)
    return found


def test_one_run_alone_teaches_that_everything_is_as_it_was():
    known = learned(twin()).records["account.invoice"][0].fields["total"]
    assert known.expected == {"1080"}


def test_what_differs_is_known_by_its_form():
    found = learned(*(twin(45 + place, run) for place, run in enumerate(RUNS)))
    assert found.runs == 3
    assert found.records["account.invoice"][0].fields["number"].expected == {"AE#-#"}


def test_a_date_keeps_only_what_explains_it_on_every_day():
    found = learned(twin(), twin(46, RUNS[1], on=date(2026, 12, 15)))
    assert found.records["account.move.line"][0].fields["maturity_date"].expected == {
        "today+30", "due date 1", "the server's day+30",
    }  # fmt: skip


def test_what_has_nothing_in_common_varies():
    found = learned(twin(invoice={"comment": "yes"}), twin(46, invoice={"comment": "no"}))
    assert not found.records["account.invoice"][0].fields["comment"].expected


def test_it_is_remembered_that_a_field_was_sometimes_empty():
    found = learned(twin(), twin(46, invoice={"comment": "a"}))
    comment = found.records["account.invoice"][0].fields["comment"]
    assert comment.sometimes_empty
    assert not comment.expected


def test_records_that_only_some_runs_make_are_not_always_there():
    whole, part = twin(), twin(46)
    part = Twin(part.key, part.run_id, part.series, part.version, part.release, part.records[:2], part.labels)
    for found in (learned(whole, part), learned(part, whole)):
        assert [each.always for each in found.records["account.move.line"]] == [False]
        assert [each.always for each in found.records["account.invoice"]] == [True]
