"""Who may do what, in business words: users, their groups, and what these come to.

Odoo grants: a right that any of a user's groups has, or a group that one of them implies, is the user's; rows without
a group are everybody's. Only models with a business word are looked at: what a release adds of its own is nobody's
alarm. Record rules, which say no to some records of a model, are not part of it; what these decide by the role itself
is: who is no employee enters no time, and customers' invoices and approvals are the affair of groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.values import link, text
from ringgate.fingerprint.model import RoleRights, User

Rows = Callable[..., list[dict[str, Any]]]
EVERYBODY: Final = "everybody"
WORDS: Final[Mapping[str, str]] = {
    "account.account": "accounts",
    "account.analytic.line": "time",
    "account.journal": "journals",
    "account.move": "invoices and postings",
    "account.move.line": "posting lines",
    "account.payment": "payments",
    "account.payment.term": "payment terms",
    "account.tax": "taxes",
    "hr.employee": "employees",
    "ir.model.access": "rights",
    "ir.rule": "record rules",
    "product.product": "products",
    "product.template": "product prices",
    "project.project": "projects",
    "project.task": "tasks",
    "purchase.order": "purchases",
    "res.company": "companies",
    "res.groups": "roles",
    "res.partner": "parties",
    "res.users": "users",
    "sale.advance.payment.inv": "billing of orders",
    "sale.order": "orders",
}
READS: Final[Mapping[str, tuple[str, ...]]] = {
    "invoices and postings: read": ("invoices: read", "postings: read"),
    "purchases: read": ("requests: read",),
}
"""Who reads the model reads what it holds."""
OF_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "account.group_account_invoice": ("invoices: create", "invoices: post", "postings: post"),
    "purchase.group_purchase_user": ("requests: create", "requests: write"),
    "purchase.group_purchase_manager": ("requests: approve", "requests: reject"),
}
"""What no row of the model's rights says: buttons, and invoices to customers, ask for a group. Who buys may make
entries, too, but a record rule keeps them to those of suppliers."""
APPROVES: Final = "requests: approve"
ASKS: Final = frozenset(OF_GROUPS["purchase.group_purchase_user"])
"""Every approver is a buyer, too. Whether one may ask is a record rule's affair, and the access suite tries it."""
OF_EMPLOYEES: Final = "time: create"
VERBS: Final = {"perm_read": "read", "perm_write": "write", "perm_create": "create", "perm_unlink": "delete"}


class Rights:
    """All of a tenant's rights, read once. `rows(model, fields, domain)` reads records."""

    def __init__(self, rows: Rows, series: OdooSeries) -> None:
        self._rows, self._series = rows, series
        groups = rows("res.groups", ["name", "implied_ids"])
        self._names = {row["id"]: text(row["name"]) for row in groups}
        self._implied = {row["id"]: row["implied_ids"] for row in groups}
        named = rows("ir.model.data", ["module", "name", "res_id"], [("model", "=", "res.groups")])
        self._keys = {
            int(row["res_id"]): f"{row['module']}.{row['name']}" for row in named if row["module"] != "__export__"
        }
        self._granted = self._grants()

    @property
    def shipped(self) -> tuple[str, ...]:
        """The groups that came with modules."""
        return tuple(sorted(self._keys.values()))

    def _grants(self) -> dict[int | None, set[str]]:
        """Group (None: everybody) -> rights."""
        models = {
            row["id"]: WORDS[row["model"]] for row in self._rows("ir.model", ["model"], [("model", "in", list(WORDS))])
        }
        granted: dict[int | None, set[str]] = defaultdict(set)
        domain = [("model_id", "in", list(models)), ("active", "=", True)]
        for row in self._rows("ir.model.access", ["model_id", "group_id", *VERBS], domain):
            word = models[link(row["model_id"]) or 0]
            rights = {f"{word}: {verb}" for perm, verb in VERBS.items() if row[perm]}
            granted[link(row["group_id"])] |= rights.union(*(READS.get(each, ()) for each in rights))
        for group, key in self._keys.items():
            granted[group] |= set(OF_GROUPS.get(key, ()))
        return granted

    def _key(self, group: int) -> str:
        return self._keys.get(group) or self._names.get(group, "")

    def _rights(self, groups: Iterable[int]) -> tuple[str, ...]:
        held: Collection[int | None] = {None, *with_implied(groups, self._implied)}
        rights = set[str]().union(*(self._granted.get(group, set()) for group in held))
        return tuple(sorted(rights - ASKS if APPROVES in rights else rights))

    def users(self) -> list[User]:
        """Rights of people alone: a user of the web site's visitors is none."""
        employees = {link(row["user_id"]) for row in self._rows("hr.employee", ["user_id"])}
        fields = ["login", "active", "share", self._series.groups]
        return [
            User(
                login=text(row["login"]),
                active=bool(row["active"]),
                roles=tuple(sorted(filter(None, map(self._key, row[self._series.groups])))),
                rights=tuple(
                    each
                    for each in self._rights(row[self._series.groups])
                    if each != OF_EMPLOYEES or row["id"] in employees
                ),
            )
            for row in self._rows("res.users", fields)
            if row["login"] and not row["share"]
        ]

    def roles(self) -> list[RoleRights]:
        everybody = RoleRights(EVERYBODY, EVERYBODY, self._rights(()))
        return [
            everybody,
            *(
                RoleRights(self._key(group), name, tuple(r for r in self._rights([group]) if r not in everybody.rights))
                for group, name in self._names.items()
            ),
        ]


def with_implied(groups: Iterable[int], implied: Mapping[int, Iterable[int]]) -> frozenset[int]:
    """Groups, and all that they imply."""
    found: set[int] = set()
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += implied.get(group, ())
    return frozenset(found)
