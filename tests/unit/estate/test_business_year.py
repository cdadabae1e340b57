"""The year that a seeded tenant looks back on: complete, believable, and the same every time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringgate.estate.business_year import first_month, generate
from ringgate.estate.tryton.seeding import SeedSpec
from ringgate.inventory import Inventory

TENANTS = {t.id: t for t in Inventory.load(Path(__file__).parents[3] / "tenants").tenants}
TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2025, 1, 1), date(2029, 12, 31))


def spec(tenant: str = "aldgate", today: date = TODAY) -> SeedSpec:
    return SeedSpec.of(TENANTS[tenant], today)


def test_the_same_tenant_always_has_the_same_year() -> None:
    assert generate(spec()) == generate(spec())


def test_two_tenants_have_different_years() -> None:
    assert generate(spec()).customers != generate(replace(spec(), id="other")).customers


@pytest.mark.parametrize("tenant", sorted(TENANTS))
@settings(max_examples=25, deadline=None)
@given(today=DAYS)
def test_a_year_has_everything_that_comparisons_need(tenant: str, today: date) -> None:
    year = generate(spec(tenant, today))
    months = Counter((e.billed_on.year, e.billed_on.month) for e in year.posted)
    assert len(months) == 12
    assert set(months.values()) == {1}
    assert year.entries >= 200
    assert len({entry.employee for e in year.engagements for task in e.tasks for entry in task.entries}) > 3
    assert sum(e.billed and not e.posted for e in year.engagements) == 2
    assert sum(not e.billed for e in year.engagements) == 1
    assert sum(e.credited_on is not None for e in year.engagements) == 1
    assert sum(0 < e.paid < 1 for e in year.engagements) == 1
    assert sum(e.paid == 1 for e in year.posted) > len(year.posted) / 2
    assert Counter(p.outcome for p in year.purchases)["waiting"] >= 2


@settings(max_examples=25, deadline=None)
@given(today=DAYS)
def test_nothing_happens_before_the_first_month_or_after_today(today: date) -> None:
    year = generate(spec(today=today))
    first = first_month(today)
    assert first.year >= today.year - 1
    for engagement in year.engagements:
        days = [engagement.billed_on, engagement.paid_on, engagement.credited_on]
        days += [entry.on for task in engagement.tasks for entry in task.entries]
        assert all(first <= day <= today for day in days if day)
        assert engagement.paid_on is None or engagement.paid_on >= engagement.billed_on


@settings(max_examples=25, deadline=None)
@given(today=DAYS)
def test_a_credit_note_does_not_fall_due_in_the_past(today: date) -> None:
    [credited] = [e.credited_on for e in generate(spec(today=today)).engagements if e.credited_on]
    assert credited + timedelta(days=30) >= today


def test_invoices_are_told_in_the_order_in_which_they_are_numbered() -> None:
    days = [e.billed_on for e in generate(spec()).posted]
    assert days == sorted(days)


def test_project_names_are_unique_for_an_invoice_is_found_by_its_projects_name() -> None:
    names = [e.name for e in generate(spec()).engagements]
    assert len(set(names)) == len(names)


def test_a_tenant_with_two_rates_has_both_on_one_invoice() -> None:
    assert any(len({task.product for task in e.tasks}) == 2 for e in generate(spec("cologne")).posted)


def test_a_currency_without_decimals_has_none_in_its_rates() -> None:
    rates = {task.rate for e in generate(spec("kyoto")).engagements for task in e.tasks}
    assert all(rate == rate.to_integral_value() and rate > Decimal(1000) for rate in rates)


def test_waiting_requests_of_a_tenant_with_a_threshold_are_above_it() -> None:
    waiting = [p for p in generate(spec()).purchases if p.outcome == "waiting"]
    assert all(p.quantity * p.unit_price > Decimal(500) for p in waiting)
