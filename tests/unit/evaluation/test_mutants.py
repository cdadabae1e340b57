"""Mutants: what rules make of a column, which are drawn, and what their runs say of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringgate.twins.learning import first, merged
from tests.evaluation.mutants.__main__ import main
from tests.evaluation.mutants.report import summary, totals
from tests.evaluation.mutants.rules import Column, Mutant, Written, mutants, sample, written_by
from tests.evaluation.mutants.trials import Trial
from tests.evaluation.mutants.verdicts import CAUGHT, EQUIVALENT, IDLE, SURVIVED, Known, Met, judged, names
from tests.unit.twins.samples import twin

TEXT = Column("account_invoice_line", "description", "character varying", may_be_empty=True)
UNIT = Column("account_invoice_line", "unit", "integer", may_be_empty=True, refers="product_uom")
AMOUNT = Column("account_move_line", "debit", "numeric", may_be_empty=False)
CREDIT = Column("account_move_line", "credit", "numeric", may_be_empty=False)
DAY = Column("account_move", "date", "date", may_be_empty=False)
MUTANT = Mutant("account_invoice_line", ("description",), "INSERT", "value lost", False, (("description", "NULL"),))
MET = Met("time-entry", rows=1, fired=1, stands=True, failed=False, broken=False, left=False)
FIELDS = frozenset({("account.invoice.line", "description"), ("account.invoice.line", "unit")})


def rules(column: Column, value: object = "ab", op: str = "INSERT") -> set[str]:
    return {each.rule for each in mutants([Written(column, op, value)])}


def test_what_is_done_to_a_column_follows_its_type():
    assert rules(TEXT) == {"value lost", "truncated", "replaced by another record's"}
    assert rules(UNIT, 7) == {"value lost", "replaced by another record's"}
    assert rules(AMOUNT, 7) == {"off by one", "scaled", "sign", "replaced by another record's"}
    assert {"a day earlier", "a month later"} <= rules(DAY, "2026-11-28")
    assert "write lost" in rules(AMOUNT, 7, "UPDATE")


def test_each_is_planted_in_all_rows_and_in_some():
    found = mutants([Written(DAY, "INSERT", "2026-11-28")])
    assert {each.some for each in found} == {False, True}
    (_, trigger) = next(each for each in found if each.some).statements("s")
    assert 'BEFORE INSERT ON "account_move"' in trigger
    assert "mod(NEW.id, 2) = 0" in trigger


def test_neighbours_of_one_type_are_swapped_where_they_hold_different_values():
    def swapped(debit: int, credit: int) -> list[Mutant]:
        found = mutants([Written(AMOUNT, "INSERT", debit), Written(CREDIT, "INSERT", credit)])
        return [each for each in found if each.rule == "swapped with a neighbour"]

    (one,) = swapped(7, 0)
    assert one.columns == ("debit", "credit")
    assert one.sets[0] == ("debit", "(was->>'credit')::numeric")
    assert swapped(7, 7) == []


def test_an_update_changes_only_what_it_writes():
    (mutant, *_) = mutants([Written(TEXT, "UPDATE", "ab")])
    assert 'NEW."description" IS DISTINCT FROM OLD."description"' in list(mutant.statements("s"))[1]


def test_a_sample_is_the_same_for_a_seed_and_draws_from_every_table():
    every = mutants([Written(column, "INSERT", 7) for column in (TEXT, UNIT, AMOUNT, DAY)])
    assert sample(every, 5, 1) == sample(reversed(every), 5, 1) != sample(every, 5, 2)
    assert {each.table for each in sample(every, 3, 1)} == {"account_invoice_line", "account_move_line", "account_move"}
    assert len(sample(every, 1000, 1)) == len(every)


def test_only_what_got_a_value_is_a_place_for_a_fault():
    rows = [("account_move", "INSERT", {"id": 7, "date": "2026-11-28"}), ("account_move", "INSERT", {"date": None})]
    assert written_by(rows, {("account_move", "date"): DAY}) == (Written(DAY, "INSERT", "2026-11-28"),)


def verdict(*met: Met, mutant: Mutant = MUTANT, known: Known = Known(FIELDS, ())) -> str:  # noqa: B008
    return judged(mutant, met, known)[0]


def test_a_run_that_fails_catches_a_mutant_only_if_it_was_active_in_it():
    assert verdict(replace(MET, failed=True)) == CAUGHT
    assert verdict(replace(MET, failed=True, fired=0, rows=0)) == IDLE
    assert verdict(MET, replace(MET, failed=True, fired=2, rows=0)) == CAUGHT


def test_what_nobody_can_see_is_equivalent_by_a_rule_that_is_told():
    assert verdict(MET, known=Known(frozenset(), ())) == EQUIVALENT
    assert verdict(replace(MET, stands=False)) == EQUIVALENT
    assert verdict(MET) == SURVIVED


def test_who_made_a_link_is_shown_nowhere():
    link = Mutant("account_invoice_line_account_tax", ("create_uid",), "INSERT", "sign", False, ())
    fields = frozenset({("account.invoice.line-account.tax", each) for each in ("create_uid", "tax")})
    assert verdict(MET, mutant=link, known=Known(fields, ())) == EQUIVALENT
    assert verdict(MET, mutant=replace(link, columns=("tax",)), known=Known(fields, ())) == SURVIVED


def test_a_broken_run_catches_nothing():
    told = judged(MUTANT, [replace(MET, broken=True, message="it could not be undone")], Known(FIELDS, ()))
    assert told == (SURVIVED, "its runs are broken, which is no evidence: it could not be undone")


def test_a_survivor_says_why_twins_did_not_see_it():
    learned = merged(first(twin(45)), twin(46))

    def why(column: str, model: str = "account_invoice_line") -> str:
        return judged(Mutant(model, (column,), "INSERT", "sign", False, ()), [MET], known(column, model))[1]

    def known(column: str, model: str) -> Known:
        return Known(frozenset({(model.replace("_", "."), column)}), [learned])

    assert why("unit") == "unit reads as Hour, with the mutant as without it"
    assert "has no field tax that the auditor may read" in why("tax")
    assert "no record of account.period is among those" in why("x", "account_period")


def test_a_failure_names_the_field_by_its_path_or_by_its_word():
    assert names(MUTANT, "Invoice Line 1: Description is nothing")
    assert names(MUTANT, "value account.invoice.line.description")
    assert not names(MUTANT, "total: expected 12.00")


def test_the_summary_lists_survivors_and_counts_only_what_could_be_seen():
    trials = [
        Trial(MUTANT, "aldgate", [replace(MET, failed=True, kind="twin", named=True, cause="product")], CAUGHT, "…"),
        Trial(MUTANT, "aldgate", [MET], SURVIVED, "it varies"),
        Trial(MUTANT, "aldgate", [MET], EQUIVALENT, "no field"),
        Trial(MUTANT, "aldgate", [replace(MET, fired=0)], IDLE, ""),
    ]
    assert totals(trials)["caught_share"] == 0.5
    text = "\n".join(summary(trials, ["aldgate: time-entry: it failed"], 9))
    assert "4 planted, 3 active, 1 of them equivalent; caught 1 of 2 (50%, at least 90%)" in text
    assert "account_invoice_line.description on insert: value lost: it varies" in text
    assert "1 x no field" in text
    assert "runs without an active mutant: 9, of them failed: 1" in text


def test_wrong_options_are_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--scenarios", "nothing"])
    assert "no process that writes documents is called nothing" in capsys.readouterr().err
