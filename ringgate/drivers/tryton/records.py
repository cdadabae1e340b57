"""What Tryton's records say in our words: which fields are read in one go, and the value that is made of them.

A field path with dots ("lines.amount") brings related records along in the same answer, under "lines.".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.documents import (
    Invoice,
    InvoiceLine,
    Posting,
    PostingLine,
    Project,
    PurchaseRequest,
    Ref,
    Task,
    TaxLine,
    TimeEntry,
)  # fmt: skip
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.money import Currency, Money
from ringgate.domain.terms import InvoiceMethod

Row = Mapping[str, Any]

_TASK: Final = ("name", "list_price", "effort_duration", "progress", "timesheet_works")
PROJECT: Final = (
    *_TASK,
    "party.name",
    "status.progress",
    "currency.code",
    "currency.digits",
    *(f"children.{name}" for name in _TASK),
)
TIME: Final = ("work.origin", "duration", "date", "description", "employee.rec_name")
REQUEST: Final = (
    "number",
    "state",
    "description",
    "total_amount",
    "employee.rec_name",
    "currency.code",
    "currency.digits",
)
INVOICE: Final = (
    "number",
    "state",
    "invoice_date",
    "party.name",
    "currency.code",
    "currency.digits",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "amount_to_pay",
    "lines.type",
    "lines.quantity",
    "lines.unit_price",
    "lines.amount",
    "taxes.tax.name",
    "taxes.description",
    "taxes.base",
    "taxes.amount",
    "lines_to_pay.maturity_date",
)
_MOVE: Final = (
    "date",
    "state",
    "period.rec_name",
    "period.start_date",
    "period.end_date",
    "company.currency.code",
    "company.currency.digits",
    "lines.account.code",
    "lines.account.name",
    "lines.debit",
    "lines.credit",
    "lines.party.name",
)

INVOICE_STATES: Final = {"validated": "draft"}
INVOICE_METHODS: Final = {InvoiceMethod.TIMESHEET: "timesheet", InvoiceMethod.EFFORT: "effort"}
"""What a project's bill counts, in Tryton's own words."""
REQUEST_STATES: Final = {"processing": "approved", "done": "approved"}
"""Tryton goes on with an approved request by itself; for the business it stays approved."""

MICROSECOND: Final = dt.timedelta(microseconds=1)


def move_fields(number: str) -> tuple[str, ...]:
    """What is read of a ledger entry; `number` names the field that holds a posting's number in this series."""
    return (number, *_MOVE)


def duration(hours: Decimal) -> dt.timedelta:
    """Exact hours as the time span that Tryton stores, to the microsecond."""
    return dt.timedelta(microseconds=int((hours * 3_600_000_000).to_integral_value()))


def hours(span: dt.timedelta | None) -> Decimal:
    """A time span in exact hours."""
    return Decimal((span or dt.timedelta()) // MICROSECOND) / 3_600_000_000


def amount(money: Money) -> Decimal:
    """The same amount without idle decimals: Tryton refuses 50.00 where a currency has none."""
    return plain(money.amount)


def plain(value: Decimal) -> Decimal:
    """The same value without idle decimals, and without an exponent where it is whole."""
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def currency(row: Row | None) -> Currency:
    if row is None:
        raise ErpMisbehaved("The ERP states an amount without a currency.")
    return Currency(row["code"], row["digits"])


def _name(row: Row | None, field: str = "name") -> str:
    return str(row[field] or "") if row else ""


def task(row: Row, of: Currency) -> Task:
    rate = Money(row["list_price"] or Decimal(0), of)
    return Task(Ref("task", str(row["id"])), row["name"], rate, hours(row["effort_duration"]))


def project(row: Row) -> Project:
    """A project whose billable work is its tasks, or itself where it has none."""
    of = currency(row["currency."])
    state = "done" if _done(row) else "open"
    tasks = tuple(task(each, of) for each in row["children."] or (row,))
    return Project(Ref("project", str(row["id"])), row["name"], _name(row["party."]), state, tasks)


def _done(row: Row) -> bool:
    status = row["status."]
    return bool(status) and status["progress"] == 1


def time_entry(row: Row) -> TimeEntry:
    work = row["work."]
    task_id = str(work["origin"] or "").partition(",")[2] if work else ""
    return TimeEntry(
        Ref("time", str(row["id"])),
        Ref("task", task_id),
        hours(row["duration"]),
        row["date"],
        row["description"] or "",
        _name(row["employee."], "rec_name"),
    )


def purchase_request(row: Row) -> PurchaseRequest:
    return PurchaseRequest(
        Ref("request", str(row["id"])),
        row["number"] or "",
        str(REQUEST_STATES.get(row["state"], row["state"])),
        Money(row["total_amount"], currency(row["currency."])),
        row["description"] or "",
        _name(row["employee."], "rec_name"),
    )


def invoice(row: Row) -> Invoice:
    of = currency(row["currency."])
    lines = tuple(
        InvoiceLine(Decimal(str(line["quantity"])), Money(line["unit_price"], of), Money(line["amount"], of))
        for line in row["lines."]
        if line["type"] == "line"
    )
    taxes = tuple(
        TaxLine(_name(line["tax."]) or line["description"], Money(line["base"], of), Money(line["amount"], of))
        for line in row["taxes."]
    )
    due = {line["maturity_date"] for line in row["lines_to_pay."] if line["maturity_date"]}
    return Invoice(
        ref=Ref("invoice", str(row["id"])),
        number=row["number"] or "",
        state=str(INVOICE_STATES.get(row["state"], row["state"])),
        customer=_name(row["party."]),
        on=row["invoice_date"],
        net=Money(row["untaxed_amount"], of),
        tax=Money(row["tax_amount"], of),
        total=Money(row["total_amount"], of),
        open=Money(row["amount_to_pay"], of),
        lines=lines,
        taxes=taxes,
        due=tuple(sorted(due)),
    )


def posting(row: Row, number: str) -> Posting:
    of = currency(row["company."]["currency."])
    period = row["period."]
    lines = tuple(
        PostingLine(
            line["account."]["code"] or line["account."]["name"],
            Money(line["debit"], of),
            Money(line["credit"], of),
            _name(line["party."]),
        )
        for line in row["lines."]
    )
    return Posting(
        ref=Ref("posting", str(row["id"])),
        number=row[number] or "",
        on=row["date"],
        period=period["rec_name"],
        period_start=period["start_date"],
        period_end=period["end_date"],
        state=row["state"],
        currency=of,
        lines=lines,
    )
