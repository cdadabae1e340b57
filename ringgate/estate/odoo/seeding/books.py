"""Writes a business year into a tenant's books: projects, orders, time, invoices, payments, credit note, purchases.

Each part is done by the user whose work it is, with as few calls as the ERP takes well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.terms import Role
from ringgate.estate.business_year import BusinessYear, Engagement
from ringgate.estate.odoo.seeding.master_data import MasterData
from ringgate.estate.odoo.seeding.people import People
from ringgate.estate.odoo.seeding.rpc import SeedingClient
from ringgate.estate.seed_spec import SeedSpec

Progress = Callable[[str], None]
MOVE = "account.move"


@dataclass(frozen=True)
class Writer:
    """What every part of the books needs to know."""

    spec: SeedSpec
    base: MasterData
    people: People
    year: BusinessYear
    admin: SeedingClient
    roles: Mapping[Role, SeedingClient]


def write(w: Writer, progress: Progress) -> None:
    """All of it. The order matters: postings follow the calendar, because numbers do."""
    progress("projects and time")
    orders = _projects(w)
    progress("invoices")
    billed = [each for each in w.year.engagements if each.billed]
    invoices = _bill(w, billed, orders)
    _post(w, billed, invoices)
    progress("payments")
    _pay(w, billed, invoices)
    _credit(w, billed, invoices)
    progress("purchase orders")
    _purchases(w)


def _projects(w: Writer) -> dict[str, int]:
    """A project, its confirmed order and its tasks for each engagement, and everybody's time; name -> order."""
    manager, series = w.roles[Role.PROJECT_MANAGER], w.admin.series
    found = {}
    for engagement in w.year.engagements:
        customer = w.people.customers[engagement.customer]
        values = {"name": engagement.name, "partner_id": customer, "allow_billable": True, "allow_timesheets": True}
        project = manager.one("project.project", values)
        lines = [
            (0, 0, {
                "product_id": w.base.products[task.product],
                "name": task.name,
                "product_uom_qty": task.effort,
                "price_unit": task.rate,
            })
            for task in engagement.tasks
        ]  # fmt: skip
        order_values: dict[str, Any] = {
            "partner_id": customer,
            "client_order_ref": engagement.name,
            "order_line": lines,
            "payment_term_id": w.base.payment_term,
        }
        if series.order_names_project:
            order_values["project_id"] = project
        order = manager.one("sale.order", order_values)
        manager.press("sale.order", "action_confirm", [order])
        _work(w, engagement, project, order)
        found[engagement.name] = order
    return found


def _work(w: Writer, engagement: Engagement, project: int, order: int) -> None:
    """The tasks, and the time on them, entered by the administrator (a consultant may enter only their own)."""
    series = w.admin.series
    order_lines = w.admin.ids("sale.order.line", [("order_id", "=", order)])
    closed: dict[str, Any] = {series.task_state: "1_done"} if series.task_state and engagement.billed else {}
    if not series.task_state and engagement.billed:
        closed = {"stage_id": w.admin.ids("project.task.type", [(series.stage_closes, "=", True)])[0]}
    tasks = w.admin.create(
        "project.task",
        [
            {
                "name": task.name,
                "project_id": project,
                "partner_id": w.people.customers[engagement.customer],
                series.planned: task.effort,
                "sale_line_id": line,
            }
            for task, line in zip(engagement.tasks, order_lines, strict=True)
        ],
    )
    w.admin.create(
        "account.analytic.line",
        [
            {
                "project_id": project,
                "task_id": number,
                "employee_id": w.people.employees[entry.employee],
                "date": entry.on,
                "unit_amount": entry.hours,
                "name": entry.description,
            }
            for task, number in zip(engagement.tasks, tasks, strict=True)
            for entry in task.entries
        ],
    )
    if w.spec.by_effort and engagement.billed:
        for task, line in zip(engagement.tasks, order_lines, strict=True):
            w.admin.write("sale.order.line", [line], {"qty_delivered": task.effort})
    w.admin.write("project.task", tasks, closed) if closed else None


def _bill(w: Writer, billed: Sequence[Engagement], orders: Mapping[str, int]) -> list[int]:
    """A draft invoice for each engagement, in their order."""
    accountant = w.roles[Role.ACCOUNTANT]
    invoices = []
    for engagement in billed:
        order = orders[engagement.name]
        values = {"advance_payment_method": "delivered"}
        accountant.wizard("sale.advance.payment.inv", values, "create_invoices", ("sale.order", [order]))
        made = accountant.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"]
        if len(made) != 1:
            raise ErpMisbehaved(f"The ERP made {len(made)} invoices for {engagement.name!r}.")
        invoices.append(int(made[0]))
    return invoices


def _post(w: Writer, billed: Sequence[Engagement], invoices: Sequence[int]) -> None:
    """In order of date: the ERP numbers them so."""
    accountant = w.roles[Role.ACCOUNTANT]
    for engagement, invoice in zip(billed, invoices, strict=True):
        if engagement.posted:
            accountant.write(MOVE, [invoice], {"invoice_date": engagement.billed_on})
            accountant.press(MOVE, "action_post", [invoice])


def _pay(w: Writer, billed: Sequence[Engagement], invoices: Sequence[int]) -> None:
    accountant = w.roles[Role.ACCOUNTANT]
    paid = {i: e for e, i in zip(billed, invoices, strict=True) if e.paid}
    smallest = w.spec.policy.currency.smallest
    for row in accountant.read(MOVE, list(paid), ["amount_total", "name"]):
        engagement = paid[row["id"]]
        values = {
            "amount": (Decimal(row["amount_total"]) * engagement.paid).quantize(smallest),
            "payment_date": engagement.paid_on,
            "journal_id": w.base.cash_journal,
            "communication": row["name"],
        }
        accountant.wizard("account.payment.register", values, "action_create_payments", (MOVE, [row["id"]]))


def _credit(w: Writer, billed: Sequence[Engagement], invoices: Sequence[int]) -> None:
    """Credits in full; the credit note settles the invoice."""
    accountant = w.roles[Role.ACCOUNTANT]
    for engagement, invoice in zip(billed, invoices, strict=True):
        if not engagement.credited_on:
            continue
        (row,) = accountant.read(MOVE, [invoice], ["journal_id"])
        values = {"date": engagement.credited_on, "journal_id": row["journal_id"][0]}
        values |= accountant.series.credit_values(settles=True)
        accountant.wizard("account.move.reversal", values, accountant.series.credit_button, (MOVE, [invoice]))
        notes = accountant.ids(MOVE, [("reversed_entry_id", "=", invoice), ("state", "=", "draft")])
        accountant.press(MOVE, "action_post", notes)


def _purchases(w: Writer) -> None:
    """Orders at a supplier: confirmed by the approver, turned down, or waiting."""
    approver, consultant, series = w.roles[Role.APPROVER], w.roles[Role.CONSULTANT], w.admin.series
    hour = w.admin.named("uom.product_uom_hour").popitem()[1]
    made = w.admin.create(
        "purchase.order",
        [
            {
                "partner_id": w.people.supplier,
                "origin": purchase.description,
                "order_line": [
                    (0, 0, {
                        "product_id": w.base.products[0],
                        "name": purchase.description,
                        "product_qty": purchase.quantity,
                        "price_unit": purchase.unit_price,
                        "date_planned": f"{purchase.needed_on} 12:00:00",
                        series.purchase_unit: hour,
                        series.purchase_tax: [(6, 0, [])],
                    })
                ],
            }
            for purchase in w.year.purchases
        ],
    )  # fmt: skip
    for purchase, order in zip(w.year.purchases, made, strict=True):
        consultant.press("purchase.order", "print_quotation", [order])
        if purchase.outcome == "approved":
            approver.press("purchase.order", "button_confirm", [order])
        elif purchase.outcome == "rejected":
            approver.press("purchase.order", "button_cancel", [order])
