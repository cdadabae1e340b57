"""Project to cash as somebody would script it with httpx alone: no journal, no steps, no results, no error handling.

It does the same business as the scenario, over API, and takes it back the same way. Tryton 7.0 only."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Role

INVOICE = ["number", "state", "invoice_date", "party.name", "currency.code", "untaxed_amount", "tax_amount",
           "total_amount", "amount_to_pay", "lines.quantity", "lines.unit_price", "lines.amount", "taxes.base",
           "taxes.amount", "taxes.tax.name", "lines_to_pay.maturity_date"]  # fmt: skip
MOVE = ["move.post_number", "move.date", "move.state", "move.period.start_date", "move.period.end_date",
        "move.lines.account.code", "move.lines.debit", "move.lines.credit"]  # fmt: skip
PROJECT = ["name", "party.name", "status.progress", "children.name", "children.list_price", "children.effort_duration",
           "children.timesheet_works"]  # fmt: skip


def _pack(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return {"__class__": "timedelta", "seconds": value.total_seconds()}


def _unpack(tagged: dict[str, Any]) -> Any:
    kind = tagged.get("__class__")
    if kind == "Decimal":
        return Decimal(tagged["decimal"])
    if kind == "date":
        return dt.date(tagged["year"], tagged["month"], tagged["day"])
    return tagged


class User:
    """One signed-in user."""

    def __init__(self, http: httpx.Client, tenant: Tenant, role: Role) -> None:
        parts = urlsplit(tenant.api)
        self.http, self.url, self.context = http, f"{parts.scheme}://{parts.netloc}{parts.path}/", {}
        self.headers = {"content-type": "application/json"}
        account = tenant.users[role]
        uid, token = self.raw("common.db.login", account.login, {"password": account.password.reveal()}, "en")
        self.headers["authorization"] = (
            "Session " + base64.b64encode(f"{account.login}:{uid}:{token}".encode()).decode()
        )
        self.context = self.raw("model.res.user.get_preferences", True, {})

    def raw(self, method: str, *params: Any) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=_pack)
        answer = json.loads(self.http.post(self.url, content=body, headers=self.headers).content, object_hook=_unpack)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def __call__(self, method: str, *params: Any, **context: Any) -> Any:
        return self.raw(method, *params, {**self.context, **context})

    def wizard(self, name: str, state: str, values: Any, model: str, ids: list[int], *, warns: str = "") -> None:
        context = {"active_model": model, "active_id": ids[0], "active_ids": ids}
        session = self(f"wizard.{name}.create", **context)[0]
        try:
            self(f"wizard.{name}.execute", session, values, state, **context)
        except RuntimeError as warning:
            if not warns or warns not in str(warning):
                raise
            self("model.res.user.warning.skip", warning.args[0][1][0], False)
            self(f"wizard.{name}.execute", session, values, state, **context)
        self(f"wizard.{name}.delete", session)


class Bare:
    """Signed in once, as the scenario's driver is; `project_to_cash` may be called again and again."""

    def __init__(self, tenant: Tenant) -> None:
        self.http = httpx.Client(timeout=30, verify=False)
        roles = (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT, Role.AUDITOR)
        self.manager, self.consultant, self.accountant, self.auditor = (User(self.http, tenant, role) for role in roles)
        policy, manager, accountant = tenant.policy, self.manager, self.accountant
        product = policy.taxes[0].product if policy.taxes else policy.product
        self.party = manager("model.party.party.search", [("name", "=", policy.customer)], 0, 1, None)[0]
        self.product = manager("model.product.product.search", [("name", "=", product)], 0, 1, None)[0]
        self.done = manager("model.project.work.status.search", [("progress", "=", 1.0)], 0, 1, None)[0]
        self.method = accountant("model.account.invoice.payment.method.search", [], 0, 1, None)[0]
        self.currency = accountant("model.currency.currency.search", [("code", "=", policy.currency.code)], 0, 1, None)[
            0
        ]

    def project_to_cash(self) -> None:
        manager, consultant, accountant, auditor = self.manager, self.consultant, self.accountant, self.auditor
        today, name = dt.datetime.now(dt.UTC).date(), f"Bare {secrets.token_hex(6)}"
        work = {"type": "task", "name": name, "product": self.product, "list_price": Decimal(120),
                "effort_duration": dt.timedelta(hours=8), "timesheet_available": True}  # fmt: skip
        values = {"type": "project", "name": name, "party": self.party, "project_invoice_method": "timesheet",
                  "children": [("create", [work])]}  # fmt: skip
        (project,) = manager("model.project.work.create", [values])
        (row,) = manager("model.project.work.read", [project], PROJECT)
        (task,) = row["children."]
        entry = {
            "work": task["timesheet_works"][0],
            "date": today,
            "duration": dt.timedelta(hours=7.5),
            "description": name,
        }
        (line,) = consultant("model.timesheet.line.create", [entry])
        consultant("model.timesheet.line.read", [line], ["work.origin", "duration", "date", "description"])
        manager("model.project.work.write", [project, task["id"]], {"progress": 1.0, "status": self.done})
        manager("model.project.work.read", [project], PROJECT)

        accountant("model.project.work.invoice", [project])
        domain = [("description", "=", name), ("type", "=", "out"), ("state", "=", "draft")]
        (drafted,) = accountant("model.account.invoice.search_read", domain, 0, None, None, INVOICE)
        assert drafted["untaxed_amount"] == 900
        ids = [drafted["id"]]
        accountant("model.account.invoice.write", ids, {"invoice_date": today})
        accountant("model.account.invoice.post", ids)
        (posted,) = accountant("model.account.invoice.read", ids, INVOICE)
        auditor("model.account.invoice.read", ids, INVOICE)
        (ledger,) = auditor("model.account.invoice.read", ids, MOVE)
        lines = ledger["move."]["lines."]
        assert sum(each["debit"] for each in lines) == sum(each["credit"] for each in lines) == posted["total_amount"]
        start = {"payee": self.party, "amount": posted["total_amount"], "currency": self.currency,
                 "payment_method": self.method, "date": today, "description": name}  # fmt: skip
        accountant.wizard("account.invoice.pay", "choice", {"start": start}, "account.invoice", ids)
        (paid,) = accountant("model.account.invoice.read", ids, INVOICE)
        assert (paid["state"], paid["amount_to_pay"]) == ("paid", 0)
        self._take_back(project, task["id"], line, ids)

    def _take_back(self, project: int, task: int, line: int, ids: list[int]) -> None:
        accountant, find = self.accountant, ("model.account.move.search_read", 0, None, None)
        (own,) = accountant("model.account.invoice.search_read", [("id", "in", ids)], 0, None, None, ["move"])
        domain = [("origin", "=", f"account.invoice,{ids[0]}"), ("state", "=", "posted"), ("id", "!=", own["move"])]
        (payment,) = accountant(find[0], domain, *find[1:], ["lines.reconciliation"])
        accountant(find[0], [("origin", "=", f"account.move,{payment['id']}")], *find[1:], ["origin"])
        settled = [each["id"] for each in payment["lines."] if each["reconciliation"]]
        accountant.wizard("account.move.unreconcile_lines", "unreconcile", {}, "account.move.line", settled)
        default = {"default": {"description": None, "reversal": True}}
        accountant.wizard(
            "account.move.cancel", "cancel", default, "account.move", [payment["id"]], warns="cancel_invoice_move"
        )
        fields = ["state", "invoice_date", "lines_to_pay.reconciliation", "payment_lines.reconciliation"]
        (invoice,) = accountant("model.account.invoice.search_read", [("id", "in", ids)], 0, None, None, fields)
        notes = [("lines.origin.invoice.id", "=", ids[0], "account.invoice.line")]
        accountant("model.account.invoice.search_read", notes, 0, None, None, fields)
        start = {"start": {"invoice_date": invoice["invoice_date"], "with_refund": True, "with_refund_allowed": True}}
        accountant.wizard("account.invoice.credit", "credit", start, "account.invoice", ids)
        accountant("model.account.invoice.search_read", [("id", "in", ids)], 0, None, None, ["state", "move"])
        consultant, manager = self.consultant, self.manager
        consultant("model.timesheet.line.search_read", [("id", "=", line)], 0, None, None, ["invoice_line"])
        consultant("model.timesheet.line.write", [line], {"invoice_line": None})
        consultant("model.timesheet.line.delete", [line])
        manager("model.project.work.search_read", [("id", "=", project)], 0, None, None, ["type", "children"])
        manager("model.project.work.delete", [project, task])

    def close(self) -> None:
        self.http.close()
