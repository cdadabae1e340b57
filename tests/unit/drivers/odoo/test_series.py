"""Which series a server is of, and what it calls things."""

from __future__ import annotations

import pytest

from ringgate.domain.errors import ErpProtocolError
from ringgate.drivers.odoo.series import SERIES, series_of


@pytest.mark.parametrize(
    ("told", "series"),
    [
        ([19, 0, 0, "final", 0, ""], "19.0"),
        ("14.0", "14.0"),
        ("17.0-20240101", "17.0"),
        ("19.0+e", "19.0"),
        (["saas~18", 0], "18.0"),
    ],
)
def test_a_version_leads_to_its_series(told: object, series: str) -> None:
    assert series_of(told).name == series


@pytest.mark.parametrize("told", [None, "", [13, 0], "saas~18.4", "20.0"])
def test_an_unknown_version_is_refused_with_those_that_are_known(told: object) -> None:
    with pytest.raises(ErpProtocolError, match="the series known here are 14"):
        series_of(told)


def test_only_what_was_run_is_called_tried() -> None:
    assert [each.name for each in SERIES.values() if each.tried] == ["14.0", "19.0"]


def test_the_names_that_changed_between_the_series_that_are_tried() -> None:
    old, new = SERIES["14.0"], SERIES["19.0"]
    assert (old.planned, new.planned) == ("planned_hours", "allocated_hours")
    assert (old.purchase_tax, new.purchase_tax) == ("taxes_id", "tax_ids")
    assert (old.credit_button, new.credit_button) == ("reverse_moves", "refund_moves")
    assert (old.credit_values(settles=True), new.credit_values(settles=True)) == ({"refund_method": "cancel"}, {})
    assert (old.groups, new.groups) == ("groups_id", "group_ids")
