"""What is expected of an ERP is computed rightly: against figures worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringgate.domain.model import Approval, TaxRule
from ringgate.domain.money import Money, RoundingMode
from ringgate.domain.terms import TaxRounding
from ringgate.scenario.oracle import Billable, gaps, may_approve_alone, shows_rounding, totals
from tests.support.samples import GBP, JPY, policy

TWO_RATES = (TaxRule("19%", Decimal("0.19"), "a"), TaxRule("7%", Decimal("0.07"), "b"))


def billed(hours: str, rate: str, tax: str = "", currency=GBP) -> Billable:
    return Billable(Decimal(hours), Money(rate, currency), tax)


def test_tax_rounded_by_line_adds_up_rounded_lines():
    # 2 x 10.12 x 20 % = 2.024 each: 2.02 + 2.02
    assert totals([billed("1", "10.12")] * 2, policy(tax_rounding=TaxRounding.LINE)).tax == Money("4.04", GBP)


def test_tax_rounded_by_document_rounds_once():
    # 2.024 + 2.024 = 4.048
    assert totals([billed("1", "10.12")] * 2, policy(tax_rounding=TaxRounding.DOCUMENT)).tax == Money("4.05", GBP)


@pytest.mark.parametrize(
    ("rounding", "net", "tax"),
    [
        (TaxRounding.LINE, "200.06", "17.76"),
        (TaxRounding.DOCUMENT, "200.06", "17.75"),
        (TaxRounding.LINE_NET, "200.06", "17.76"),
        (TaxRounding.NET, "200.06", "17.76"),
        (TaxRounding.TOTAL, "200.05", "17.75"),
    ],
)
def test_each_way_of_rounding_comes_to_its_own_amounts(rounding, net, tax):
    """Two lines of 1.25 h at 80.02 are 100.025 each, taxed at 8.875 %: 8.87722 of the product, 8.87766 of the line."""
    rate = TaxRule("Tax", Decimal("0.08875"), "Consulting")
    own = policy(taxes=(rate,), tax_rounding=rounding, rounding_mode=RoundingMode.HALF_UP)
    stated = totals([billed("1.25", "80.02")] * 2, own)
    assert (stated.net, stated.tax) == (Money(net, GBP), Money(tax, GBP))


def test_halves_go_to_the_even_neighbour_or_up():
    line = [billed("1", "125", currency=JPY)]  # 10 % of 125 = 12.5
    ten = replace(policy(currency=JPY), taxes=(TaxRule("10%", Decimal("0.10"), "a"),))
    assert totals(line, ten).tax == Money("12", JPY)
    assert totals(line, replace(ten, rounding_mode=RoundingMode.HALF_UP)).tax == Money("13", JPY)


def test_each_rate_is_rounded_on_its_own():
    lines = [billed("1", "10.13", "19%"), billed("1", "10.13", "7%")]
    result = totals(lines, replace(policy(tax_rounding=TaxRounding.DOCUMENT), taxes=TWO_RATES))
    assert dict(result.by_rate) == {"19%": Money("1.92", GBP), "7%": Money("0.71", GBP)}
    assert result.total == Money("20.26", GBP) + Money("2.63", GBP)


def test_a_tenant_without_tax_has_none():
    result = totals([billed("7.5", "120.00")], replace(policy(), taxes=()))
    assert (result.net, result.tax, result.total) == (Money("900", GBP), Money(0, GBP), Money("900", GBP))


def test_an_unknown_tax_rule_is_an_error_not_zero():
    with pytest.raises(KeyError, match="no tax rule 'reduced'"):
        totals([billed("1", "1", "reduced")], policy())


@given(st.lists(st.tuples(st.integers(1, 96), st.integers(1, 40000)), min_size=1, max_size=6))
def test_line_and_document_rounding_differ_by_at_most_half_a_cent_a_line(rows):
    lines = [Billable(Decimal(q) / 4, Money(Decimal(c) / 100, GBP)) for q, c in rows]
    by_line = totals(lines, policy(tax_rounding=TaxRounding.LINE))
    by_document = totals(lines, policy(tax_rounding=TaxRounding.DOCUMENT))
    assert abs(by_line.tax.amount - by_document.tax.amount) <= Decimal("0.005") * (len(lines) + 1)
    assert by_line.net == by_document.net


def test_amounts_that_show_no_rounding_are_known_for_it():
    assert not shows_rounding([billed("1", "100.00")] * 2, policy())
    assert shows_rounding([billed("1", "10.12")] * 2, policy())


@pytest.mark.parametrize(
    ("steps", "threshold", "amount", "alone"),
    [(0, "0", "9999", True), (1, "0", "0.01", False), (1, "500", "500", True), (1, "500", "500.01", False)],
)
def test_who_may_approve_alone(steps, threshold, amount, alone):
    rules = replace(policy(), approval=Approval(steps, Decimal(threshold)))
    assert may_approve_alone(Money(amount, GBP), rules) is alone


def test_numbers_without_gap():
    assert gaps(["INV-7", "INV-8", "INV-9", "2026/1"]) == ()
    assert gaps(["7", "9", "9", "x"]) == ("'x' ends in no number", "9 is used 2 times", "8 is missing")
