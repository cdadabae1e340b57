"""Turns a business year into a tenant's books: projects, time, invoices, payments, a credit note, purchase requests.

Each part is done by the user whose work it is, with as few calls as the ERP takes well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.terms import Role
from ringgate.estate.business_year import BusinessYear, Engagement
from ringgate.estate.seed_spec import SeedSpec
from ringgate.estate.tryton.seeding.master_data import MasterData
from ringgate.estate.tryton.seeding.people import People
from ringgate.estate.tryton.seeding.rpc import SeedingClient

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Writer:
    """What every part of the books needs to know."""

    spec: SeedSpec
    master: MasterData
    people: People
    year: BusinessYear
    admin: SeedingClient
    roles: Mapping[Role, SeedingClient]


def write(w: Writer, progress: Progress) -> None:
    """All of it. The order matters: postings follow the calendar, because numbers do."""
    progress("projects and time")
    projects = _projects(w)
    _time(w, projects)
    progress("invoices")
    billed = [e for e in w.year.engagements if e.billed]
    invoices = _bill(w, billed, projects)
    _post(w, billed, invoices)
    progress("payments")
    _pay(w, billed, invoices)
    _credit(w, billed, invoices)
    progress("purchase requests")
    _purchases(w)


def _projects(w: Writer) -> dict[str, int]:
    """One project for each engagement, its tasks below it; name -> id."""
    records = []
    for engagement in w.year.engagements:
        tasks = [
            {
                "name": task.name,
                "type": "task",
                "company": w.master.company,
                "product": w.master.products[task.product],
                "list_price": task.rate,
                "effort_duration": timedelta(hours=float(task.effort)),
                "timesheet_available": True,
                "progress": 1.0 if w.spec.by_effort and engagement.billed else None,
            }
            for task in engagement.tasks
        ]
        records.append(
            {
                "name": engagement.name,
                "type": "project",
                "company": w.master.company,
                "party": w.people.customers[engagement.customer],
                "project_invoice_method": w.spec.policy.invoice_method.value,
                "children": [("create", tasks)],
            }
        )
    made = w.roles[Role.PROJECT_MANAGER].create("project.work", records)
    return dict(zip((e.name for e in w.year.engagements), made, strict=True))


def _time(w: Writer, projects: Mapping[str, int]) -> None:
    """Everybody's time, entered by the administrator (a consultant may enter only their own)."""
    rows = w.admin.find("project.work", [("type", "=", "task")], ["name", "parent", "timesheet_works"])
    works = {(row["parent"], row["name"]): row["timesheet_works"][0] for row in rows}
    w.admin.create(
        "timesheet.line",
        [
            {
                "company": w.master.company,
                "employee": w.people.employees[entry.employee],
                "work": works[projects[engagement.name], task.name],
                "date": entry.on,
                "duration": timedelta(hours=float(entry.hours)),
                "description": entry.description,
            }
            for engagement in w.year.engagements
            for task in engagement.tasks
            for entry in task.entries
        ],
    )


def _bill(w: Writer, billed: list[Engagement], projects: Mapping[str, int]) -> list[int]:
    """A draft invoice for each engagement, in their order, dated."""
    accountant = w.roles[Role.ACCOUNTANT]
    for some in _by_pairs([projects[e.name] for e in billed]):
        accountant.press("project.work", "invoice", some)
    drafts = accountant.find("account.invoice", [("state", "=", "draft")], ["description"])
    by_name = {row["description"]: int(row["id"]) for row in drafts}
    if missing := [e.name for e in billed if e.name not in by_name]:
        raise ErpMisbehaved(f"The ERP made no invoice for {missing[0]!r}.")
    invoices = [by_name[e.name] for e in billed]
    dates: list[object] = []
    for engagement, invoice in zip(billed, invoices, strict=True):
        if engagement.posted:
            dates += [[invoice], {"invoice_date": engagement.billed_on}]
    accountant.write("account.invoice", *dates)
    return invoices


def _by_pairs(ids: list[int]) -> Iterator[list[int]]:
    """Two at a time: the ERP's work for a call grows faster than the number of documents in it."""
    for start in range(0, len(ids), 2):
        yield ids[start : start + 2]


def _post(w: Writer, billed: list[Engagement], invoices: list[int]) -> None:
    """In order of date: the ERP numbers them so, and refuses a date before the last number's."""
    accountant = w.roles[Role.ACCOUNTANT]
    due = [i for e, i in zip(billed, invoices, strict=True) if e.posted]
    # The ERP warns of each due date that is past, one posting at a time: so it has its answers before it asks.
    for engagement, invoice in zip(billed, invoices, strict=True):
        if engagement.posted and engagement.billed_on + timedelta(days=w.spec.policy.payment_days) < w.spec.today:
            digest = hashlib.md5(f"account.invoice,{invoice}".encode(), usedforsecurity=False).hexdigest()
            accountant.rpc.confirm(f"{digest}.invoice_payment_term")
    for some in _by_pairs(due):
        accountant.press("account.invoice", "post", some)


def _pay(w: Writer, billed: list[Engagement], invoices: list[int]) -> None:
    accountant = w.roles[Role.ACCOUNTANT]
    paid = {i: e for e, i in zip(billed, invoices, strict=True) if e.paid}
    smallest = w.spec.policy.currency.smallest
    for row in accountant.read("account.invoice", list(paid), ["total_amount", "party"]):
        engagement = paid[row["id"]]
        amount = (row["total_amount"] * engagement.paid).quantize(smallest)
        form = {
            "payee": row["party"],
            "amount": amount,
            "currency": w.master.currency,
            "company": w.master.company,
            "payment_method": w.master.payment_method,
            "date": engagement.paid_on,
            "description": "",
        }
        steps = {"choice": {"start": form}}
        if engagement.paid < Decimal(1):
            steps["pay"] = {"ask": {"type": "partial"}}
        accountant.wizard("account.invoice.pay", steps, ("account.invoice", [row["id"]]))


def _credit(w: Writer, billed: list[Engagement], invoices: list[int]) -> None:
    """Credits in full: the ERP posts the credit note and settles the invoice with it."""
    for engagement, invoice in zip(billed, invoices, strict=True):
        if engagement.credited_on:
            form = {"with_refund": True, "invoice_date": engagement.credited_on}
            credit = {"credit": {"start": form}}
            w.roles[Role.ACCOUNTANT].wizard("account.invoice.credit", credit, ("account.invoice", [invoice]))


def _purchases(w: Writer) -> None:
    made = w.admin.create(
        "purchase.requisition",
        [
            {
                "company": w.master.company,
                "currency": w.master.currency,
                "employee": w.people.employees[purchase.employee],
                "description": purchase.description,
                "supply_date": purchase.needed_on,
                "lines": [
                    (
                        "create",
                        [
                            {
                                "description": purchase.description,
                                "quantity": float(purchase.quantity),
                                "unit_price": purchase.unit_price,
                                "supplier": w.people.supplier,
                            }
                        ],
                    )
                ],
            }
            for purchase in w.year.purchases
        ],
    )
    w.admin.press("purchase.requisition", "wait", made)
    for outcome, button in (("approved", "approve"), ("rejected", "reject")):
        chosen = [i for p, i in zip(w.year.purchases, made, strict=True) if p.outcome == outcome]
        w.roles[Role.APPROVER].press("purchase.requisition", button, chosen)
