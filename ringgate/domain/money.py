"""Money and hours: exact decimals with a currency, never floats, never an ERP's own encoding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum


class RoundingMode(StrEnum):
    """Where a half goes. Banker's rounding (IEEE 754) and commercial rounding are the two that ERPs use."""

    HALF_EVEN = "half-even"
    HALF_UP = "half-up"

    @property
    def decimal_constant(self) -> str:
        return ROUND_HALF_EVEN if self is RoundingMode.HALF_EVEN else ROUND_HALF_UP


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency. `digits` is its number of decimals: 2 for GBP, 0 for JPY."""

    code: str
    digits: int = 2

    @property
    def smallest(self) -> Decimal:
        """The smallest amount that can be booked: 0.01, or 1 where there are no decimals."""
        return Decimal(1).scaleb(-self.digits)

    def padded(self, amount: Decimal) -> Decimal:
        """The same amount with at least the currency's decimals, as it is written: 50 as 50.00, 0.125 as it is."""
        exponent = amount.as_tuple().exponent
        return amount.quantize(self.smallest) if isinstance(exponent, int) and -exponent < self.digits else amount

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in a currency. Not rounded until `rounded()` is called; amounts of two currencies never mix."""

    amount: Decimal
    currency: Currency

    def __init__(self, amount: Decimal | str | int, currency: Currency) -> None:
        if isinstance(amount, float):
            raise TypeError("money is never a float: write it as text, such as '120.00'")
        try:
            exact = Decimal(amount)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount") from None
        object.__setattr__(self, "amount", exact)
        object.__setattr__(self, "currency", currency)

    def rounded(self, mode: RoundingMode = RoundingMode.HALF_EVEN) -> Money:
        return Money(self.amount.quantize(self.currency.smallest, rounding=mode.decimal_constant), self.currency)

    def _same(self, other: Money) -> Decimal:
        if other.currency.code != self.currency.code:
            raise ValueError(f"{self} and {other} are of different currencies")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.currency.code == other.currency.code and self.amount == other.amount

    def __hash__(self) -> int:
        return hash((self.amount, self.currency.code))

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.currency.padded(self.amount.normalize()):f} {self.currency.code}"

    __repr__ = __str__


def total(amounts: list[Money] | tuple[Money, ...], currency: Currency) -> Money:
    """The sum of `amounts`, and zero of `currency` for none."""
    result = Money(0, currency)
    for amount in amounts:
        result = result + amount
    return result
