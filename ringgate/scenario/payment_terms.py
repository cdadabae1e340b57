"""When an invoice falls due, in which parts, and what is taken off if it is paid early. Pure, from the inventory alone.

    due_dates(date(2027, 1, 31), term)           # (date(2027, 2, 28),) for "1 month"
    amounts_due(total, on, term, mode)           # (AmountDue(on=..., amount=30.00), AmountDue(on=..., amount=70.00))

Rules, as they stand on invoices:
- steps are taken one after another: "30 days, end of month" is the last day of the month in which the 30th day lies,
  "end of month, 30 days" the 30th day after the month of the invoice;
- a month later is the same day of the next month, or its last day where it has no such day (31 January -> 28 February);
- "day 31" of a shorter month is its last day;
- a part is its share of the total, rounded to the currency; the last part is the rest, so that parts add up;
- a discount is its rate of the total, rounded to the currency, up to and including its last day.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from ringgate.domain.money import Money, RoundingMode
from ringgate.domain.payment_terms import DueStep, DueUnit, PaymentTerm


@dataclass(frozen=True, slots=True)
class AmountDue:
    """A part of an invoice and the day by which it must be paid."""

    on: date
    amount: Money


def due_dates(on: date, term: PaymentTerm) -> tuple[date, ...]:
    """The days at which an invoice of that date falls due, each once, in order."""
    return tuple(sorted({_after(on, part.steps) for part in term.instalments}))


def amounts_due(total: Money, on: date, term: PaymentTerm, mode: RoundingMode) -> tuple[AmountDue, ...]:
    """The parts of an invoice in the order of the term; they add up to its total."""
    parts, left = [], total
    for part in term.instalments:
        amount = left if part.share is None else (total * part.share).rounded(mode)
        parts.append(AmountDue(_after(on, part.steps), amount))
        left = left - amount
    return tuple(parts)


def discount(total: Money, on: date, paid_on: date, term: PaymentTerm, mode: RoundingMode) -> Money:
    """What may be taken off when all of it is paid on that day; nil where nothing may."""
    early = term.discount
    if early is None or paid_on > on + timedelta(days=early.days):
        return Money(0, total.currency)
    return (total * early.rate).rounded(mode)


def _after(day: date, steps: tuple[DueStep, ...]) -> date:
    for step in steps:
        day = _stepped(day, step)
    return day


def _stepped(day: date, step: DueStep) -> date:
    match step.unit:
        case DueUnit.DAYS:
            return day + timedelta(days=step.number)
        case DueUnit.MONTHS:
            years, month = divmod(day.month - 1 + step.number, 12)
            return _of_month(day.year + years, month + 1, day.day)
        case DueUnit.END_OF_MONTH:
            return _of_month(day.year, day.month, 31)
        case DueUnit.DAY_OF_MONTH:
            return _of_month(day.year, day.month, step.number)


def _of_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
