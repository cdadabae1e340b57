"""Who works with a tenant: employees, customers, and one least-privilege user for each role.

Tryton leaves every model without an access rule open to all its users. That is closed first, for everybody but
administrators; then each role gets what its work needs, and not a right more:

| role            | may                                                                                       |
|-----------------|-------------------------------------------------------------------------------------------|
| consultant      | see projects; enter own time; make and submit own purchase requests                       |
| project_manager | make and change projects and what time is logged on; read all time                        |
| approver        | read, approve and reject purchase requests; withdraw the orders that come of them         |
| accountant      | bill projects; make, post, credit and settle invoices; make and post journal entries      |
| auditor         | read every business record, write none                                                    |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ringgate.domain.terms import Role
from ringgate.estate.business_year import BusinessYear, Person
from ringgate.estate.seed_spec import SeedSpec
from ringgate.estate.tryton.seeding.master_data import MasterData
from ringgate.estate.tryton.seeding.rpc import SeedingClient

TECHNICAL = ("ir.%", "res.%")
_CREATES = re.compile(r"model\..+\.create").fullmatch
READ = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_delete": False}
ALL = {"perm_read": True, "perm_write": True, "perm_create": True, "perm_delete": True}

TIME_ENTRY, AUDITOR = "Time Entry", "Auditor"
ROLE_GROUPS: Mapping[Role, tuple[str, ...]] = {
    Role.CONSULTANT: ("purchase_requisition.group_purchase_requisition",),
    Role.PROJECT_MANAGER: ("project.group_project_admin", "timesheet.group_timesheet_admin"),
    Role.APPROVER: (
        "purchase_requisition.group_purchase_requisition_approval",
        "purchase_request.group_purchase_request",
        "purchase.group_purchase",
    ),
    Role.ACCOUNTANT: ("account.group_account", "project_invoice.group_project_invoice"),
    Role.AUDITOR: (),
}
OWN_GROUPS: Mapping[Role, str] = {Role.CONSULTANT: TIME_ENTRY, Role.AUDITOR: AUDITOR}

# Open models (prefix of the name) that a group keeps write access to when they are closed.
KEEPS: Mapping[str, tuple[str, ...]] = {
    TIME_ENTRY: ("timesheet.line",),
    "account.group_account": ("account.invoice.",),
    "purchase_requisition.group_purchase_requisition": ("purchase.requisition.",),
    "res.group_admin": ("",),
}


@dataclass(frozen=True)
class People:
    """Ids. `employees` and `customers` are in the order of the year, `synthetic` is the customer of scenarios."""

    employees: tuple[int, ...]
    customers: tuple[int, ...]
    synthetic: int
    supplier: int


def create(
    client: SeedingClient, spec: SeedSpec, master: MasterData, year: BusinessYear, passwords: Mapping[Role, str]
) -> People:
    """Makes everybody, as the administrator."""
    groups = _groups(client)
    _close_open_models(client, groups)
    _open_all_for_the_auditor(client, groups[AUDITOR])
    _let_drafts_be_discarded(client, groups["account.group_account"])
    _approvals(client, spec, groups)
    customers = _customers(client, spec, master, year)
    employees = _employees(client, master, [*(p.name for p in year.employees), *map(_title, spec.users)])
    staff, own = employees[: len(year.employees)], employees[len(year.employees) :]
    _users(client, spec, master, groups, dict(zip(spec.users, own, strict=True)), passwords)
    session = client.rpc.session
    assert session is not None
    client.write("res.user", [session.user_id], {"employees": [("add", list(staff))], "employee": staff[0]})
    client.refresh()
    return People(employees=staff, customers=customers[:-2], synthetic=customers[-2], supplier=customers[-1])


def _title(role: Role) -> str:
    return "Synthetic " + role.value.replace("_", " ").title()


def _groups(client: SeedingClient) -> dict[str, int]:
    wanted = {name for names in ROLE_GROUPS.values() for name in names} | {name for name in KEEPS if "." in name}
    groups = client.named(*sorted(wanted))
    made = client.create("res.group", [{"name": name} for name in OWN_GROUPS.values()])
    return groups | dict(zip(OWN_GROUPS.values(), made, strict=True))


def _close_open_models(client: SeedingClient, groups: Mapping[str, int]) -> None:
    """Gives each business model without an access rule one: everybody reads, and `KEEPS` says who writes.

    Only where records are kept: a wizard's forms would become read-only in the web client.
    """
    kept = {m[len("model.") : -len(".create")] for m in client.rpc.raw("system.listMethods", []) if _CREATES(m)}
    business = [("model", "not like", pattern) for pattern in TECHNICAL]
    models = [row for row in client.find("ir.model", business, ["model"]) if row["model"] in kept]
    ruled = {row["model"] for row in client.find("ir.model.access", [], ["model"])}
    rows: list[dict[str, object]] = []
    for model in models:
        if model["id"] in ruled:
            continue
        rows.append({"model": model["id"], "group": None, **READ})
        for group, prefixes in KEEPS.items():
            if model["model"].startswith(prefixes):
                rows.append({"model": model["id"], "group": groups[group], **ALL})
    client.create("ir.model.access", rows)


def _open_all_for_the_auditor(client: SeedingClient, group: int) -> None:
    """Where a business model, or a field of one, is hidden from everybody, the auditor may read it."""
    hidden = [("group", "=", None), ("perm_read", "=", False)]
    business = [("model.model", "not like", pattern) for pattern in TECHNICAL]
    models = {row["model"] for row in client.find("ir.model.access", [*hidden, *business], ["model"])}
    client.create("ir.model.access", [{"model": model, "group": group, **READ} for model in sorted(models)])
    fields = {row["field"] for row in client.find("ir.model.field.access", hidden, ["field"])}
    client.create("ir.model.field.access", [{"field": field, "group": group, **READ} for field in sorted(fields)])


def _let_drafts_be_discarded(client: SeedingClient, accountants: int) -> None:
    """Accountants may delete an entry they have not posted; posted ones nobody can."""
    rule = client.only("ir.model.access", [("model.model", "=", "account.move"), ("group", "=", accountants)])
    client.write("ir.model.access", [rule], {"perm_delete": True})


def _approvals(client: SeedingClient, spec: SeedSpec, groups: Mapping[str, int]) -> None:
    """Who may approve what.

    Where some requests need no second person, requesters may press the button too, and a rule makes their click count
    for nothing above the threshold. Where all do, Tryton's own access to the button is enough.
    """
    requesters = groups["purchase_requisition.group_purchase_requisition"]
    approvers = groups["purchase_requisition.group_purchase_requisition_approval"]
    above = spec.approvals_from
    if above == 0 and spec.policy.approval.steps == 1:
        return
    domain = [("model.model", "=", "purchase.requisition"), ("name", "=", "approve")]
    button = client.only("ir.model.button", domain)
    client.write("ir.model.button", [button], {"groups": [("add", [requesters])]})
    if above is not None:
        rule = {
            "button": button,
            "group": approvers,
            "number_user": spec.policy.approval.steps,
            "condition": _more_than(above),
            "description": f"More than {above} needs {spec.policy.approval.steps} approval(s)",
        }
        client.create("ir.model.button.rule", [rule])


def _more_than(amount: Decimal) -> str:
    """The statement `self.total_amount > amount` as the ERP keeps it."""
    this = {"__class__": "Eval", "v": "self", "d": {}}
    total = {"__class__": "Get", "v": this, "k": "total_amount", "d": 0}
    return json.dumps({"__class__": "Greater", "s1": total, "s2": float(amount), "e": False})


def _customers(client: SeedingClient, spec: SeedSpec, master: MasterData, year: BusinessYear) -> tuple[int, ...]:
    """The year's customers, then the synthetic one, then a supplier."""
    language = client.only("ir.lang", [("code", "=", spec.language)])
    others = (Person(spec.policy.customer, "1", "Ringgate"), Person("Ringgate Synthetic Supplier", "2", "Ringgate"))
    return tuple(
        client.create(
            "party.party",
            [
                {
                    "name": person.name,
                    "lang": language,
                    "customer_payment_term": master.payment_term,
                    "addresses": [
                        (
                            "create",
                            [{"street": person.street, "city": person.city, "postal_code": person.postal_code}],
                        )
                    ],
                }
                for person in (*year.customers, *others)
            ],
        )
    )


def _employees(client: SeedingClient, master: MasterData, names: list[str]) -> tuple[int, ...]:
    parties = client.create("party.party", [{"name": name} for name in names])
    return tuple(client.create("company.employee", [{"party": p, "company": master.company} for p in parties]))


def _users(
    client: SeedingClient,
    spec: SeedSpec,
    master: MasterData,
    groups: Mapping[str, int],
    employees: Mapping[Role, int],
    passwords: Mapping[Role, str],
) -> None:
    language = client.only("ir.lang", [("code", "=", spec.language)])
    records = []
    for role, login in spec.users.items():
        own = [OWN_GROUPS[role]] if role in OWN_GROUPS else []
        records.append(
            {
                "name": _title(role),
                "login": login,
                "password": passwords[role],
                "language": language,
                "groups": [("add", [groups[name] for name in (*ROLE_GROUPS[role], *own)])],
                "companies": [("add", [master.company])],
                "company": master.company,
                "employees": [("add", [employees[role]])],
                "employee": employees[role],
            }
        )
    client.create("res.user", records)
