"""Money is exact and never mixes currencies."""

from decimal import Decimal

import pytest

from ringgate.domain.money import Money, total
from tests.support.samples import GBP, JPY


def test_floats_are_refused():
    with pytest.raises(TypeError, match="never a float"):
        Money(0.1, GBP)  # type: ignore[arg-type]


def test_text_that_is_no_amount_is_refused():
    with pytest.raises(ValueError, match="'12,00' is not an amount"):
        Money("12,00", GBP)


@pytest.mark.parametrize("mix", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b])
def test_currencies_never_mix(mix):
    with pytest.raises(ValueError, match="different currencies"):
        mix(Money("1", GBP), Money("1", JPY))
    assert Money("1", GBP) != Money("1", JPY)


def test_money_says_what_it_is():
    assert [str(Money("900", GBP)), str(Money("0.125", GBP)), str(Money("900", JPY))] == [
        "900.00 GBP",
        "0.125 GBP",
        "900 JPY",
    ]


def test_equal_amounts_are_equal_and_hash_alike():
    assert Money("1.0", GBP) == Money(Decimal("1.00"), GBP)
    assert len({Money("1.0", GBP), Money("1.00", GBP)}) == 1


def test_the_sum_of_nothing_is_zero():
    assert total([], GBP) == Money(0, GBP)
