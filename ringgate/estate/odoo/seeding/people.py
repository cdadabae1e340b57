"""Who works with a tenant: employees, customers, and one least-privilege user for each role.

Odoo's own groups are wider than the roles: a salesperson may bill, and whoever bills must be a salesperson. So billing
is taken from salespeople first, and given to accountants by a group of the tenant's own; the auditor gets one, too:

| role            | may                                                                                   |
|-----------------|---------------------------------------------------------------------------------------|
| consultant      | see projects; enter own time; make purchase orders, and confirm them up to the limit  |
| project_manager | make and change projects, their tasks and orders; see and approve everybody's time     |
| approver        | approve and cancel purchase orders                                                    |
| accountant      | bill orders; make, post, credit and settle invoices; make and post journal entries     |
| auditor         | read every business record, write none                                                |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringgate.domain.terms import Role
from ringgate.estate.business_year import BusinessYear, Person
from ringgate.estate.odoo.seeding.master_data import MasterData, locale
from ringgate.estate.odoo.seeding.rpc import SeedingClient
from ringgate.estate.seed_spec import SeedSpec

ORDERS, BILLING, AUDITOR = "Project Orders", "Billing of Projects", "Auditor"
INTERNAL: Final = "base.group_user"
ROLE_GROUPS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.CONSULTANT: (
        "hr_timesheet.group_hr_timesheet_user", "project.group_project_user", "purchase.group_purchase_user",
    ),
    Role.PROJECT_MANAGER: (
        "project.group_project_manager", "sales_team.group_sale_salesman", "hr_timesheet.group_hr_timesheet_approver",
    ),
    Role.APPROVER: ("purchase.group_purchase_manager",),
    Role.ACCOUNTANT: ("account.group_account_invoice",),
    Role.AUDITOR: ("account.group_account_readonly",),
}  # fmt: skip
OWN_GROUPS: Final[Mapping[Role, str]] = {
    Role.PROJECT_MANAGER: ORDERS, Role.ACCOUNTANT: BILLING, Role.AUDITOR: AUDITOR,
}  # fmt: skip
READ, ALL = "r", "rwcd"
OWN_RIGHTS: Final[Mapping[str, Mapping[str, str]]] = {
    ORDERS: {"sale.order": ALL},
    BILLING: {"sale.advance.payment.inv": ALL, "project.project": READ, "project.task": READ},
    AUDITOR: {"project.project": READ, "project.task": READ, "hr.employee": READ, "product.product": READ,
              "product.template": READ, "purchase.order": READ, "purchase.order.line": READ, "sale.order": READ,
              "sale.order.line": READ, "account.analytic.line": READ, "account.analytic.account": READ,
              "account.move": READ, "account.move.line": READ, "account.payment": READ,
              "account.partial.reconcile": READ, "account.full.reconcile": READ, "account.journal": READ,
              "account.account": READ, "account.tax": READ, "account.tax.group": READ,
              "account.tax.repartition.line": READ, "account.payment.term": READ,
              "account.payment.term.line": READ, "ir.model.access": READ, "ir.rule": READ, "res.groups": READ,
              "res.users": READ, "ir.sequence": READ, "ir.module.module": READ, "ir.model": READ,
              "ir.model.data": READ, "ir.model.fields": READ, "res.partner": READ, "res.currency": READ,
              "res.lang": READ, "ir.actions.report": READ, "ir.cron": READ, "ir.ui.view": READ,
              "product.category": READ},
}  # fmt: skip
"""What Odoo's own groups do not give, model by model."""


APPROVAL_RULE: Final = """\
if not env.user.has_group('purchase.group_purchase_manager'):
    buys = env.user.has_group('purchase.group_purchase_user')
    for order in records:
        held = order.company_id.po_double_validation == 'two_step'
        if not buys or held and order.amount_total >= order.company_id.po_double_validation_amount:
            raise UserError('This order needs the approval of a manager.')
"""


WAITING: Final = "[('state', 'in', ['sent', 'to approve'])]"
SUBMISSION_RULE: Final = """\
buys = env.user.has_group('purchase.group_purchase_user')
if not buys or env.user.has_group('purchase.group_purchase_manager'):
    raise UserError('Orders are put forward by who asks for them.')
"""
REJECTION_RULE: Final = """\
if not env.user.has_group('purchase.group_purchase_manager'):
    raise UserError('Only a manager turns down an order that was put forward.')
"""


@dataclass(frozen=True)
class People:
    """Ids. `employees` and `customers` are in the order of the year, `synthetic` is the customer of scenarios."""

    employees: tuple[int, ...]
    customers: tuple[int, ...]
    synthetic: int
    supplier: int


def create(
    client: SeedingClient, spec: SeedSpec, base: MasterData, year: BusinessYear, passwords: Mapping[Role, str]
) -> People:
    """Makes everybody, as the administrator."""
    groups = _groups(client)
    _salespeople_do_not_bill(client)
    _auditor_sees_all_time(client, groups[AUDITOR])
    _hours_make_sense(client)
    _approvals_hold(client, spec)
    users = _users(client, spec, groups, passwords)
    customers = _partners(client, spec, base, year)
    employees = tuple(client.create("hr.employee", [{"name": person.name} for person in year.employees]))
    if Role.CONSULTANT in users:
        client.one("hr.employee", {"name": _title(Role.CONSULTANT), "user_id": users[Role.CONSULTANT]})
    _supplied(client, base, customers[-2:])
    return People(employees=employees, customers=customers[:-2], synthetic=customers[-2], supplier=customers[-1])


def _title(role: Role) -> str:
    return "Synthetic " + role.value.replace("_", " ").title()


def _groups(client: SeedingClient) -> dict[str, int]:
    wanted = {INTERNAL, *(name for names in ROLE_GROUPS.values() for name in names)}
    groups = client.named(*sorted(wanted))
    made = client.create("res.groups", [{"name": name} for name in OWN_RIGHTS])
    own = dict(zip(OWN_RIGHTS, made, strict=True))
    models = {row["model"]: row["id"] for row in client.find("ir.model", [], ["model"])}
    rows = [
        {
            "name": f"{group}: {model}",
            "model_id": models[model],
            "group_id": own[group],
            "perm_read": "r" in rights,
            "perm_write": "w" in rights,
            "perm_create": "c" in rights,
            "perm_unlink": "d" in rights,
        }
        for group, models_of in OWN_RIGHTS.items()
        for model, rights in models_of.items()
        if model in models
    ]
    client.create("ir.model.access", rows)
    return groups | own


def _salespeople_do_not_bill(client: SeedingClient) -> None:
    billing = [("model_id.model", "=", "sale.advance.payment.inv"), ("group_id.name", "!=", BILLING)]
    client.write("ir.model.access", client.ids("ir.model.access", billing), {"active": False})


def _auditor_sees_all_time(client: SeedingClient, group: int) -> None:
    """Who reads the ledger sees no time in stock Odoo."""
    model = client.only("ir.model", [("model", "=", "account.analytic.line")])
    rule = {"name": "Auditor sees all time", "model_id": model, "groups": [(6, 0, [group])]}
    client.one("ir.rule", {**rule, "domain_force": "[(1, '=', 1)]"})


def _hours_make_sense(client: SeedingClient) -> None:
    """Stock Odoo takes any number of hours, and 14.0 those of users who are no employees. This firm's time is between
    nothing and a day, and somebody's."""
    model = client.only("ir.model", [("model", "=", "account.analytic.line")])
    domain = "['|', ('project_id', '=', False), '&', ('unit_amount', '>=', 0), ('unit_amount', '<=', 24)]"
    flags = {"perm_read": False, "perm_write": True, "perm_create": True, "perm_unlink": False}
    client.one("ir.rule", {"name": "Hours of a day", "model_id": model, "domain_force": domain, **flags})
    if client.series.major < 15:  # later ones say so themselves
        domain = "['|', ('project_id', '=', False), ('employee_id', '!=', False)]"
        client.one("ir.rule", {"name": "Time of somebody", "model_id": model, "domain_force": domain, **flags})


def _approvals_hold(client: SeedingClient, spec: SeedSpec) -> None:
    """Stock Odoo lets who may write an order write its state, too, turn down anybody's, and in series 14.0 press a
    button that no screen of theirs shows; who approves may also ask, and confirm what nobody put forward. This firm's
    rules say no to all of it."""
    model = client.only("ir.model", [("model", "=", "purchase.order")])
    asks = "[(0, '=', 1)] if user.login == '{}' else [(1, '=', 1)]".format(spec.users.get(Role.APPROVER, ""))
    flags = {"perm_read": False, "perm_write": False, "perm_create": True, "perm_unlink": False}
    client.one("ir.rule", {"name": "Who approves does not ask", "model_id": model, "domain_force": asks, **flags})
    _on_order(client, model, "Approved by a manager", APPROVAL_RULE, "[('state', 'in', ['purchase', 'done'])]")
    _on_order(client, model, "Turned down by a manager", REJECTION_RULE, "[('state', '=', 'cancel')]", WAITING)
    draft, left = "[('state', '=', 'draft')]", "[('state', 'not in', ['draft', 'cancel'])]"
    _on_order(client, model, "Put forward by who asks", SUBMISSION_RULE, left, draft)


def _on_order(client: SeedingClient, model: int, name: str, code: str, after: str, before: str = "") -> None:
    """A rule of the firm's own that is looked at whenever an order was changed."""
    trigger = "on_write" if client.series.major < 15 else "on_create_or_write"
    rule: dict[str, Any] = {"name": name, "model_id": model, "trigger": trigger, "filter_domain": after}
    if before:
        rule |= {"filter_pre_domain": before, "trigger": "on_write" if client.series.major < 17 else trigger}
    action: dict[str, Any] = {"state": "code", "code": code}
    if client.series.major < 17:
        client.one("base.automation", {**rule, **action})
        return
    automation = client.one("base.automation", rule)
    of_rule = {"name": name, "model_id": model, "usage": "base_automation", "base_automation_id": automation}
    client.one("ir.actions.server", {**action, **of_rule})


def _users(
    client: SeedingClient, spec: SeedSpec, groups: Mapping[str, int], passwords: Mapping[Role, str]
) -> dict[Role, int]:
    made = {}
    for role, login in spec.users.items():
        own = [groups[OWN_GROUPS[role]]] if role in OWN_GROUPS else []
        mine = [groups[INTERNAL], *(groups[name] for name in ROLE_GROUPS.get(role, ())), *own]
        if role is Role.CONSULTANT and client.series.major < 15:
            # The form of an order writes the supplier's settings, too, when it is saved.
            mine.append(client.named("base.group_partner_manager").popitem()[1])
        values: dict[str, Any] = {
            "name": _title(role),
            "login": login,
            "email": f"{login}@{spec.id}.example",
            "password": passwords[role],
            "lang": locale(spec),
            "tz": spec.timezone,
            "notification_type": "inbox",
            client.series.groups: [(6, 0, mine)],
        }
        made[role] = client.one("res.users", values, no_reset_password=True)
    return made


def _partners(client: SeedingClient, spec: SeedSpec, base: MasterData, year: BusinessYear) -> tuple[int, ...]:
    """The business year's customers, then the synthetic one, then a supplier."""
    receivable = base.accounts[spec.policy.accounts.receivable[0]]
    others = (Person(spec.policy.customer, "1", "Ringgate"), Person("Ringgate Synthetic Supplier", "2", "Ringgate"))
    return tuple(
        client.create(
            "res.partner",
            [
                {
                    "name": person.name,
                    "is_company": True,
                    "street": person.street,
                    "city": person.city,
                    "zip": person.postal_code,
                    "lang": locale(spec),
                    "property_payment_term_id": base.payment_term,
                    "property_account_receivable_id": receivable,
                }
                for person in (*year.customers, *others)
            ],
        )
    )


def _supplied(client: SeedingClient, base: MasterData, partners: tuple[int, ...]) -> None:
    """A first confirmed order would note down who supplies what: it stands there before."""
    templates = [
        row["product_tmpl_id"][0] for row in client.read("product.product", base.products, ["product_tmpl_id"])
    ]
    partner = "partner_id" if client.series.major >= 16 else "name"
    client.create(
        "product.supplierinfo",
        [{partner: each, "product_tmpl_id": template} for each in partners for template in templates],
    )
