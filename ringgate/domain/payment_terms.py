"""When an invoice falls due, as a tenant's inventory entry states it. `scenario/payment_terms.py` computes the days."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class DueUnit(StrEnum):
    """A step on the way from an invoice's date to a due date."""

    DAYS = "days"
    MONTHS = "months"
    END_OF_MONTH = "end of month"
    DAY_OF_MONTH = "day of month"


@dataclass(frozen=True, slots=True)
class DueStep:
    """One step: `number` days or months later, to the last day of the month, or to its `number`th day."""

    unit: DueUnit
    number: int = 0

    def __str__(self) -> str:
        if self.unit is DueUnit.END_OF_MONTH:
            return "end of month"
        if self.unit is DueUnit.DAY_OF_MONTH:
            return f"day {self.number}"
        word = self.unit.value if self.number != 1 else self.unit.value.removesuffix("s")
        return f"{self.number} {word}"


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of an invoice and when it falls due: `steps` from the invoice's date, in this order.

    `share` is a fraction of the total (0.30); None for the last one, which is the rest."""

    steps: tuple[DueStep, ...] = ()
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off the total when it is paid within `days` of the invoice's date. `rate` is a fraction (0.02)."""

    rate: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """When an invoice falls due, under the name that the ERP has for it. `instalments` has at least one; the last is
    the rest."""

    name: str
    instalments: tuple[Instalment, ...]
    discount: Discount | None = None

    @classmethod
    def net(cls, name: str, days: int) -> PaymentTerm:
        """All of it, so many days after the invoice's date."""
        return cls(name, (Instalment((DueStep(DueUnit.DAYS, days),)),))

    def __str__(self) -> str:
        """`30 days, end of month`; `30% 14 days, then 60 days; 2% off within 10 days`."""
        parts = [
            " ".join(filter(None, (f"{each.share * 100:f}".rstrip("0").rstrip(".") + "%" if each.share else "", when)))
            for each in self.instalments
            for when in [", ".join(map(str, each.steps)) or "at once"]
        ]
        off = self.discount
        less = f"; {f'{off.rate * 100:f}'.rstrip('0').rstrip('.')}% off within {off.days} days" if off else ""
        return ", then ".join(parts) + less
