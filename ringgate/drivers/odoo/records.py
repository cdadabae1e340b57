"""What Odoo's records say in our words: which fields are read, and the value that is made of them. Nothing is sent."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
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
)
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.money import Currency, Money
from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.values import Row, day, exact, link, money, name, text

MOVE: Final = "account.move"
MOVE_LINE: Final = "account.move.line"

PROJECT: Final = ("name", "partner_id")
TIME: Final = ("task_id", "unit_amount", "date", "name", "employee_id")
REQUEST: Final = ("name", "state", "origin", "amount_total", "currency_id", "user_id")
INVOICE: Final = (
    "name", "state", "payment_state", "move_type", "invoice_date", "partner_id", "currency_id", "amount_untaxed",
    "amount_tax", "amount_total", "amount_residual", "ref",
)  # fmt: skip
INVOICE_LINE: Final = (
    "move_id", "display_type", "quantity", "price_unit", "price_subtotal", "account_id", "debit", "credit", "balance",
    "amount_currency", "tax_line_id", "tax_base_amount", "date_maturity", "partner_id",
)  # fmt: skip
POSTING: Final = ("name", "state", "date", "currency_id", "company_id", "ref", "move_type")
POSTING_LINE: Final = ("move_id", "account_id", "debit", "credit", "partner_id", "display_type")

NO_LINE: Final = frozenset({"line_section", "line_note", "line_subsection"})
REQUEST_STATES: Final[Mapping[str, str]] = {
    "draft": "draft",
    "sent": "waiting",
    "to approve": "waiting",
    "purchase": "approved",
    "done": "approved",
    "cancel": "rejected",
}
"""An order that was sent waits for a decision as one does that is to be approved; a cancelled one was turned down."""
PUT_FORWARD: Final = ("waiting", "approved")
"""What becomes of an order that is put forward. One approved at once, because of who confirms it or of a limit, was not
refused: whether that was due is for the scenario to say."""
SETTLED: Final = frozenset({"paid", "in_payment", "reversed"})
CREDIT_NOTE: Final = "out_refund"


def task_fields(series: OdooSeries) -> tuple[str, ...]:
    closed = (series.task_state,) if series.task_state else ()
    return ("name", "project_id", "sale_line_id", series.planned, "stage_id", *closed)


def task(row: Row, price: Any, of: Currency, series: OdooSeries) -> Task:
    return Task(Ref("task", str(row["id"])), text(row["name"]), money(price, of), exact(row[series.planned]))


def is_done(row: Row, series: OdooSeries, closing_stages: frozenset[int]) -> bool:
    """Whether a task is done, by its own state, or where a series has none by the stage it is in."""
    if series.task_state:
        return str(row[series.task_state] or "").startswith("1_")
    return link(row["stage_id"]) in closing_stages


def project(row: Row, tasks: Sequence[Task], done: bool) -> Project:
    state = "done" if done else "open"
    return Project(Ref("project", str(row["id"])), text(row["name"]), name(row["partner_id"]), state, tuple(tasks))


def time_entry(row: Row) -> TimeEntry:
    on = day(row["date"])
    if on is None:
        raise ErpMisbehaved(f"The ERP states no date for the time entry {row['id']}.")
    return TimeEntry(
        Ref("time", str(row["id"])),
        Ref("task", str(link(row["task_id"]) or "")),
        exact(row["unit_amount"]),
        on,
        text(row["name"]),
        name(row["employee_id"]),
    )


def purchase_request(row: Row, of: Currency) -> PurchaseRequest:
    state = str(row["state"])
    return PurchaseRequest(
        Ref("request", str(row["id"])),
        text(row["name"]),
        REQUEST_STATES.get(state, state),
        money(row["amount_total"], of),
        text(row["origin"]),
        name(row["user_id"]),
    )


def invoice_state(row: Row) -> str:
    """`draft`, `posted`, `paid` or `cancelled`: what is posted and settled in full is paid."""
    if row["state"] == "cancel":
        return "cancelled"
    if row["state"] == "posted" and row["payment_state"] in SETTLED:
        return "paid"
    return str(row["state"])


def invoice(row: Row, lines: Sequence[Row], taxes: Mapping[int, str], of: Currency) -> Invoice:
    """`lines` are all of its ledger lines, `taxes` the names of the taxes on them. A credit note is negative."""
    sign = -1 if row["move_type"] == CREDIT_NOTE else 1
    posted = row["state"] == "posted"
    billed = tuple(
        InvoiceLine(exact(each["quantity"]), money(each["price_unit"], of), money(each["price_subtotal"], of) * sign)
        for each in sorted(lines, key=lambda each: int(each["id"]))
        if is_billed(each)
    )
    found: dict[str, list[Money]] = {}
    for each in lines:
        tax = link(each["tax_line_id"])
        if tax is None:
            continue
        base, amount = money(each["tax_base_amount"], of) * sign, -money(each["amount_currency"], of)
        known = found.setdefault(taxes.get(tax, name(each["tax_line_id"])), [Money(0, of), Money(0, of)])
        known[0], known[1] = known[0] + base, known[1] + amount
    due = {on for each in lines if (on := day(each["date_maturity"])) and _is_term(each)} if posted else set()
    return Invoice(
        ref=Ref("invoice", str(row["id"])),
        number=number(row["name"]),
        state=invoice_state(row),
        customer=name(row["partner_id"]),
        on=day(row["invoice_date"]),
        net=money(row["amount_untaxed"], of) * sign,
        tax=money(row["amount_tax"], of) * sign,
        total=money(row["amount_total"], of) * sign,
        open=money(row["amount_residual"], of) * sign,
        lines=billed,
        taxes=tuple(TaxLine(each, *amounts) for each, amounts in found.items()),
        due=tuple(sorted(due)),
    )


def is_billed(row: Row) -> bool:
    """A line that somebody is billed for: `product`, or in 14.0 and 15.0 one that is no other kind's."""
    kind = row["display_type"]
    if kind in NO_LINE:
        return False
    return kind == "product" or (not kind and not row.get("exclude_from_invoice_tab"))


def _is_term(row: Row) -> bool:
    return row["display_type"] in ("payment_term", False, None) and not row["tax_line_id"]


def number(value: Any) -> str:
    """A document's number; one that was never posted has none, or a stroke in its place."""
    told = text(value)
    return "" if told in ("/", "False") else told


def posting(row: Row, lines: Sequence[Row], codes: Mapping[int, str], of: Currency) -> Posting:
    """Odoo keeps no periods: what is locked is a date. So a posting's period is its month."""
    on = day(row["date"])
    if on is None:
        raise ErpMisbehaved(f"The ERP states no date for the ledger entry {row['id']}.")
    return Posting(
        ref=Ref("posting", str(row["id"])),
        number=number(row["name"]),
        on=on,
        period=f"{on:%Y-%m}",
        period_start=on.replace(day=1),
        period_end=on.replace(day=calendar.monthrange(on.year, on.month)[1]),
        state=str(row["state"]),
        currency=of,
        lines=tuple(
            PostingLine(
                codes.get(link(each["account_id"]) or 0, name(each["account_id"])),
                money(each["debit"], of),
                money(each["credit"], of),
                name(each["partner_id"]),
            )
            for each in sorted(lines, key=lambda each: int(each["id"]))
            if each["display_type"] not in NO_LINE
        ),
    )


def today(zone: dt.tzinfo) -> dt.date:
    return dt.datetime.now(zone).date()
