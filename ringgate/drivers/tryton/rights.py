"""Who may do what, in business words: users, their roles, and what these come to.

Tryton grants: a right that any of a user's groups has is the user's, rows without a group are everybody's, and a model
without any row is open to all (one of the ERP's own, `ir.`, for reading alone). A button without groups may be pressed
by whoever may write. So effective rights are unions, and only models with a business word are looked at: what a
release adds of its own is nobody's alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ringgate.fingerprint.model import RoleRights, User

if TYPE_CHECKING:
    from ringgate.drivers.tryton.reading import Reader

EVERYBODY: Final = "everybody"
WORDS: Final[Mapping[str, str]] = {
    "account.account": "accounts",
    "account.fiscalyear": "fiscal years",
    "account.invoice": "invoices",
    "account.invoice.line": "invoice lines",
    "account.invoice.payment_term": "payment terms",
    "account.journal": "journals",
    "account.move": "postings",
    "account.move.line": "posting lines",
    "account.payment": "payments",
    "account.period": "periods",
    "account.tax": "taxes",
    "company.company": "companies",
    "company.employee": "employees",
    "ir.model.access": "rights",
    "party.party": "parties",
    "product.product": "products",
    "product.template": "product prices",
    "project.work": "projects",
    "purchase.purchase": "purchases",
    "purchase.requisition": "requests",
    "res.group": "roles",
    "res.user": "users",
    "timesheet.line": "time",
}
BUTTONS: Final[Mapping[tuple[str, str], str]] = {
    ("account.invoice", "post"): "invoices: post",
    ("account.move", "post"): "postings: post",
    ("account.period", "close"): "periods: close",
    ("account.period", "reopen"): "periods: reopen",
    ("account.payment", "approve"): "payments: approve",
    ("purchase.requisition", "approve"): "requests: approve",
    ("purchase.requisition", "reject"): "requests: reject",
    ("purchase.purchase", "confirm"): "purchases: confirm",
}
SHIPPED: Final = (
    ("res", "group_admin"),
    ("account", "group_account"),
    ("account", "group_account_admin"),
    ("account", "group_account_party"),
    ("account_payment", "group_payment"),
    ("account_payment", "group_payment_approval"),
    ("account_product", "group_account_product_admin"),
    ("company", "group_company_admin"),
    ("company", "group_employee_admin"),
    ("currency", "group_currency_admin"),
    ("party", "group_party_admin"),
    ("product", "group_product_admin"),
    ("project", "group_project_admin"),
    ("project_invoice", "group_project_invoice"),
    ("purchase", "group_purchase"),
    ("purchase", "group_purchase_admin"),
    ("purchase_request", "group_purchase_request"),
    ("purchase_requisition", "group_purchase_requisition"),
    ("purchase_requisition", "group_purchase_requisition_approval"),
    ("sale", "group_sale"),
    ("sale", "group_sale_admin"),
    ("stock", "group_stock"),
    ("stock", "group_stock_admin"),
    ("stock", "group_stock_cancellation"),
    ("stock", "group_stock_force_assignment"),
    ("timesheet", "group_timesheet_admin"),
)
"""Groups that come with modules, by their place there. Another one is known by its name."""

_VERBS: Final = {"perm_read": "read", "perm_write": "write", "perm_create": "create", "perm_delete": "delete"}


class Rights:
    """All of a tenant's rights, read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._path = reader.session.client.dialect.model_of_a_rule
        self._groups = {row["id"]: row for row in reader.rows("res.group", ["name", "parent", "active"])}
        self._shipped = reader.shipped(SHIPPED)
        self._keys = self._stable_keys()
        self._granted = self._grants()

    def _stable_keys(self) -> dict[int | None, str]:
        """A group that came with a module is known by its place there: its name is translated, and changes."""
        own = {key: row["name"] for key, row in self._groups.items() if key not in self._shipped}
        return {**own, **self._shipped, None: EVERYBODY}

    @property
    def shipped(self) -> tuple[str, ...]:
        """The groups that came with modules."""
        return tuple(sorted(self._shipped.values()))

    def _model(self, row: Mapping[str, Any]) -> str:
        head, _, tail = self._path.partition(".")
        return str(row[f"{head}."][tail] if tail else row[head])

    def _grants(self) -> dict[int | None, set[str]]:
        """Group (None: everybody) -> rights."""
        granted: dict[int | None, set[str]] = defaultdict(set)
        ruled = set()
        of_ours = [(self._path, "in", list(WORDS))]
        for row in self._reader.rows("ir.model.access", [self._path, "group", "active", *_VERBS], of_ours):
            if not row["active"]:
                continue
            model = self._model(row)
            ruled.add(model)
            granted[row["group"]] |= {f"{WORDS[model]}: {verb}" for perm, verb in _VERBS.items() if row[perm]}
        for model in WORDS.keys() - ruled:
            verbs = ["read"] if model.startswith("ir.") else list(_VERBS.values())
            granted[None] |= {f"{WORDS[model]}: {verb}" for verb in verbs}
        for row in self._reader.rows("ir.model.button", [self._path, "name", "groups"], of_ours):
            model = self._model(row)
            if right := BUTTONS.get((model, row["name"])):
                writers = {group for group, rights in granted.items() if f"{WORDS[model]}: write" in rights}
                for group in row["groups"] or writers:
                    granted[group].add(right)
        return granted

    def _closure(self, groups: list[int]) -> set[int | None]:
        """The groups themselves and all they inherit from, and everybody."""
        found: set[int | None] = {None}
        waiting = [group for group in groups if group in self._groups]
        while waiting:
            group = waiting.pop()
            if group not in found and self._groups[group]["active"]:
                found.add(group)
                if parent := self._groups[group]["parent"]:
                    waiting.append(parent)
        return found

    def _rights(self, groups: list[int]) -> tuple[str, ...]:
        return tuple(sorted(set().union(*(self._granted[group] for group in self._closure(groups)))))

    def users(self) -> list[User]:
        return [
            User(
                login=row["login"],
                active=row["active"],
                roles=tuple(sorted(self._keys[group] for group in row["groups"])),
                rights=self._rights(row["groups"]),
            )
            for row in self._reader.rows("res.user", ["login", "active", "groups"])
            if row["login"]
        ]

    def roles(self) -> list[RoleRights]:
        """Each with what it inherits: where a right is written down is the ERP's own affair."""
        everybody = RoleRights(EVERYBODY, EVERYBODY, self._rights([]))
        return [
            everybody,
            *(
                RoleRights(
                    self._keys[group],
                    row["name"],
                    tuple(each for each in self._rights([group]) if each not in everybody.rights),
                )
                for group, row in self._groups.items()
            ),
        ]
