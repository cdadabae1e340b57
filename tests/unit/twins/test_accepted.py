"""What people reviewed: fields that became others across series, and findings that are accepted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ringgate.twins.accepted import TwinsFileMistake, as_of, read_reviewed
from ringgate.twins.comparison import compare
from ringgate.twins.learning import first
from ringgate.twins.records import RecordLink
from tests.unit.twins.samples import twin

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 28)
DAY = {"unit": RecordLink("product.uom", "8", "Day")}
MAPPED = """
[[field]]
before = "account.invoice.line.uom"
after = "account.invoice.line.unit"
from = "7.0"
to = "8.0"
reviewed_by = "finance-team"
"""
ACCEPTED = """
[[accepted]]
tenant = "aldgate"
signature = "value account.invoice.line.*"
owner = "qa"
reason = "billed by the day from now on"
expires = 2026-12-31
"""


def write(tmp_path, text):
    path = tmp_path / "twins.toml"
    path.write_text(text)
    return path


def old_series():
    """An invoice line whose unit was called uom."""
    usual = first(twin(line={"uom": RecordLink("product.uom", "7", "Hour")}))
    for record in usual.records["account.invoice.line"]:
        del record.fields["unit"]
    return usual


def test_a_renamed_field_is_compared_by_its_new_name(tmp_path):
    reviewed = read_reviewed(write(tmp_path, MAPPED))
    assert compare(as_of(old_series(), "8.0", reviewed), twin(45)) == ()
    found = compare(as_of(old_series(), "8.0", reviewed), twin(45, line=DAY))
    assert [each.signature for each in found] == ["value account.invoice.line.unit"]


def test_a_field_that_took_the_name_of_another_is_compared_as_what_it_was(tmp_path):
    usual = first(twin(invoice={"number": "77", "post_number": "AE2026-0045"}))
    text = MAPPED.replace("invoice.line.uom", "invoice.post_number").replace("invoice.line.unit", "invoice.number")
    learned = as_of(usual, "8.0", read_reviewed(write(tmp_path, text)))
    (record,) = learned.records["account.invoice"]
    assert "post_number" not in record.fields
    assert record.fields["number"].expected == usual.records["account.invoice"][0].fields["post_number"].expected


def test_without_a_review_it_is_a_field_that_went_and_one_that_came(tmp_path):
    reviewed = read_reviewed(write(tmp_path, MAPPED))
    for series in ("7.0", "9.0"):
        found = compare(as_of(old_series(), series, reviewed), twin(45))
        assert [each.signature for each in found] == [
            "field gone account.invoice.line.uom", "field new account.invoice.line.unit",
        ]  # fmt: skip


def test_what_is_accepted_is_no_finding_until_it_expires_and_for_nobody_else(tmp_path):
    reviewed = read_reviewed(write(tmp_path, ACCEPTED))
    found = compare(first(twin()), twin(45, line=DAY))
    assert found
    assert reviewed.open(found, "r2", "project-to-cash", TODAY) == ()
    assert reviewed.open(found, "r2", "project-to-cash", date(2027, 1, 1)) == found
    other = read_reviewed(write(tmp_path, ACCEPTED.replace("aldgate", "kyoto")))
    assert other.open(found, "r2", "project-to-cash", TODAY) == found


def test_every_mistake_is_told_at_once_with_file_key_and_rule(tmp_path):
    text = MAPPED.replace("account.invoice.line.uom", "uom") + ACCEPTED.replace("owner", "ownr")
    with pytest.raises(TwinsFileMistake) as caught:
        read_reviewed(write(tmp_path, text))
    told = str(caught.value)
    for part in ("twins.toml: field[0].before: must be a model and its field", "accepted[0].ownr", "accepted[0].owner"):
        assert part in told


def test_a_field_becomes_one_other_of_the_same_model(tmp_path):
    twice = MAPPED + MAPPED.replace("line.unit", "line.quantity") + MAPPED.replace("account.invoice.line.unit", "a.b")
    with pytest.raises(TwinsFileMistake) as caught:
        read_reviewed(write(tmp_path, twice))
    told = str(caught.value)
    assert "field[1].before: account.invoice.line.uom is said to have become account.invoice.line.unit already" in told
    assert "field[2].after: must be of the same model as `before`" in told


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TwinsFileMistake, match=r"none\.toml: cannot be read"):
        read_reviewed(tmp_path / "none.toml")


def test_the_file_that_is_brought_for_an_upgrade_can_be_used():
    reviewed = read_reviewed(ROOT / "deploy" / "releases" / "tryton-8.0-twins.toml")
    assert reviewed.fields["7.0", "8.0"] == {"account.move.post_number": "account.move.number"}
    assert all(each.tenant == "*" for each in reviewed.waivers)
