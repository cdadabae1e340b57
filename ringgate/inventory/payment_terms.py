"""What the inventory says of payment terms: when invoices fall due, in which parts, and what early payment takes off.

payment_term = { name = "30 days", days = 30 }
payment_term = { name = "30 days EOM", due = ["30 days", "end of month"] }

[policy.payment_term]
name = "30% in two weeks, the rest in two months"
instalments = [{ share = "0.30", due = ["14 days"] }, { due = ["2 months"] }]
discount = { rate = "0.02", days = 10 }
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ringgate.domain.payment_terms import Discount, DueStep, DueUnit, Instalment, PaymentTerm
from ringgate.inventory.kinds import Exact, Name, StrictTable

STEPS = 'must be steps such as "30 days", "2 months", "end of month" or "day 15"'
_LONGEST = {"day": 730, "month": 24}


def step(text: Any) -> DueStep:
    """`30 days`, `1 month`, `end of month` or `day 15`. Raises ValueError with the rule."""
    if text == "end of month":
        return DueStep(DueUnit.END_OF_MONTH)
    if isinstance(text, str) and (found := re.fullmatch(r"day (\d{1,2})", text)):
        if not 1 <= int(found[1]) <= 31:
            raise ValueError("day must be from 1 to 31")
        return DueStep(DueUnit.DAY_OF_MONTH, int(found[1]))
    if isinstance(text, str) and (found := re.fullmatch(r"(\d{1,4}) (day|month)s?", text)):
        if int(found[1]) > _LONGEST[found[2]]:
            raise ValueError(f"must be at most {_LONGEST[found[2]]} {found[2]}s")
        return DueStep(DueUnit.DAYS if found[2] == "day" else DueUnit.MONTHS, int(found[1]))
    raise ValueError(STEPS)


def _checked(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{STEPS}, in a list")
    for each in value:
        step(each)
    return value


Steps = Annotated[tuple[str, ...], BeforeValidator(_checked)]


class InstalmentTable(StrictTable):
    due: Steps = Field(description="Steps from the invoice's date, in this order.", examples=[["14 days"]])
    share: Annotated[Exact, Field(gt=0, lt=1)] | None = Field(
        None, description="A fraction of the total, as text; the last instalment has none, it is the rest.",
        examples=["0.30"],
    )  # fmt: skip


class DiscountTable(StrictTable):
    rate: Annotated[Exact, Field(gt=0, lt=1)] = Field(
        description="A fraction of the total, as text.", examples=["0.02"]
    )
    days: int = Field(ge=0, le=365, strict=True, description="Up to this day it is taken off.", examples=[10])


def _the_last_is_the_rest(parts: tuple[InstalmentTable, ...]) -> tuple[InstalmentTable, ...]:
    *first, last = parts
    if last.share is not None or any(each.share is None for each in first):
        raise ValueError("each but the last must have a share, and the last none: it is the rest")
    if sum(each.share or 0 for each in first) >= 1:
        raise ValueError("the shares must add up to less than 1: the last instalment is the rest")
    return parts


class PaymentTermTable(StrictTable):
    """One value: whoever gives a payment term gives all of it."""

    name: Name = Field(description="The payment term's name in the ERP.", examples=["30 days"])
    days: int | None = Field(
        None, ge=0, le=365, strict=True, description='Days from invoice date to due date; short for due = ["N days"].',
        examples=[30],
    )  # fmt: skip
    due: Steps | None = Field(
        None, description="Steps from the invoice's date, in this order: N days, N months, end of month, day N.",
        examples=[["30 days", "end of month"]],
    )  # fmt: skip
    instalments: (
        Annotated[tuple[InstalmentTable, ...], Field(min_length=1), AfterValidator(_the_last_is_the_rest)] | None
    ) = Field(
        None, description="The parts that an invoice falls due in; the last one is the rest.",
        examples=[[{"share": "0.30", "due": ["14 days"]}, {"due": ["2 months"]}]],
    )  # fmt: skip
    discount: DiscountTable | None = Field(None, description="What early payment takes off the total.")

    @model_validator(mode="after")
    def _one_way(self) -> PaymentTermTable:
        if sum(each is not None for each in (self.days, self.due, self.instalments)) != 1:
            raise ValueError("must have exactly one of days, due and instalments")
        return self

    @property
    def model(self) -> PaymentTerm:
        parts = self.instalments or (InstalmentTable(due=self.due if self.due is not None else (f"{self.days} days",)),)
        return PaymentTerm(
            self.name,
            tuple(Instalment(tuple(step(each) for each in part.due), part.share) for part in parts),
            Discount(self.discount.rate, self.discount.days) if self.discount else None,
        )
