"""Project to cash as a script with httpx alone: python project_to_cash.py RUNS"""

import base64
import datetime as dt
import json
import os
import secrets
import sys

import httpx

ERP = os.environ["ERP"]
CUSTOMER, SERVICE, CASH = "Ringgate Synthetic Client", "Consulting", "1000"
HOURS, RATE, NET, TAX, TOTAL = 7.5, "120", "900.00", "180.00", "1080.00"
INVOICE = ["number", "state", "invoice_date", "party.name", "currency.code", "untaxed_amount", "tax_amount",
           "total_amount", "amount_to_pay", "lines.quantity", "lines.unit_price", "lines.amount", "taxes.base",
           "taxes.amount", "taxes.tax.name", "lines_to_pay.maturity_date"]  # fmt: skip
MOVE = ["post_number", "date", "state", "lines.account.code", "lines.debit", "lines.credit"]
PROJECT = ["name", "party.name", "status.progress", "children.name", "children.timesheet_works"]


def decimal(text: str) -> dict[str, object]:
    return {"__class__": "Decimal", "decimal": text}


def duration(hours: float) -> dict[str, object]:
    return {"__class__": "timedelta", "seconds": hours * 3600}


def amount(tagged: dict[str, str]) -> float:
    return float(tagged["decimal"])


class User:
    def __init__(self, http: httpx.Client, role: str) -> None:
        self.http, self.context, self.headers = http, {}, {}
        login = f"synthetic.{role}"
        root = ERP[: ERP.rstrip("/").rindex("/") + 1]
        assert self.raw("common.server.version", to=root).startswith("7.0.")
        uid, token = self.raw("common.db.login", login, {"password": os.environ[f"PASSWORD_{role.upper()}"]}, "en")
        session = base64.b64encode(f"{login}:{uid}:{token}".encode()).decode()
        self.headers = {"Authorization": f"Session {session}"}
        self.context = self.raw("model.res.user.get_preferences", True, {})

    def raw(self, method: str, *params: object, to: str = ERP):
        body = {"id": 1, "method": method, "params": params}
        answer = self.http.post(to, json=body, headers=self.headers).raise_for_status().json()
        if "error" in answer:
            raise RuntimeError(json.dumps(answer["error"]))
        return answer["result"]

    def __call__(self, method: str, *params: object, **context: object):
        return self.raw(f"model.{method}", *params, {**self.context, **context})

    def find(self, model: str, *domain: object) -> int:
        return self(f"{model}.search", list(domain), 0, 1, None)[0]

    def rows(self, model: str, domain: list, fields: list[str]) -> list:
        return self(f"{model}.search_read", domain, 0, None, None, fields)

    def wizard(self, name: str, state: str, values: object, model: str, ids: list[int], warning: str = "") -> None:
        context = {**self.context, "active_model": model, "active_id": ids[0], "active_ids": ids}
        session = self.raw(f"wizard.{name}.create", context)[0]
        try:
            self.raw(f"wizard.{name}.execute", session, values, state, context)
        except RuntimeError as error:
            kind, (key, *_) = json.loads(str(error))[:2]
            if kind != "UserWarning" or not warning or warning not in key:
                raise
            self("res.user.warning.skip", key, False)
            self.raw(f"wizard.{name}.execute", session, values, state, context)
        self.raw(f"wizard.{name}.delete", session, self.context)


def project_to_cash(manager: User, consultant: User, accountant: User, auditor: User, known: dict[str, int]) -> None:
    day, name = dt.datetime.now(dt.UTC).date(), f"Script {secrets.token_hex(6)}"
    today = {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}
    if not known:
        known["product"] = manager.find("product.product", ["name", "=", SERVICE])
        known["customer"] = manager.find("party.party", ["name", "=", CUSTOMER])
    task = {"type": "task", "name": name, "product": known["product"], "list_price": decimal(RATE),
            "effort_duration": duration(8), "timesheet_available": True}  # fmt: skip
    draft = {"type": "project", "name": name, "party": known["customer"], "project_invoice_method": "timesheet",
             "children": [["create", [task]]]}  # fmt: skip
    (project,) = manager("project.work.create", [draft])
    (stated,) = manager("project.work.read", [project], PROJECT)
    assert (stated["name"], stated["party."]["name"]) == (name, CUSTOMER)
    (child,) = stated["children."]

    entry = {"work": child["timesheet_works"][0], "date": today, "duration": duration(HOURS), "description": name}
    (line,) = consultant("timesheet.line.create", [entry])
    (entered,) = consultant("timesheet.line.read", [line], ["work.origin", "duration", "date", "description"])
    assert entered["duration"]["seconds"] == HOURS * 3600
    if "done" not in known:
        known["done"] = manager.find("project.work.status", ["progress", "=", 1.0])
    manager("project.work.write", [project, child["id"]], {"progress": 1.0, "status": known["done"]})
    (stated,) = manager("project.work.read", [project], PROJECT)
    assert stated["status."]["progress"] == 1.0

    accountant("project.work.invoice", [project])
    drafts = [["description", "=", name], ["type", "=", "out"], ["state", "=", "draft"]]
    (invoice,) = accountant.rows("account.invoice", drafts, INVOICE)
    assert invoice["party."]["name"] == CUSTOMER
    assert amount(invoice["untaxed_amount"]) == float(NET)
    ids = [invoice["id"]]

    accountant("account.invoice.write", ids, {"invoice_date": today})
    accountant("account.invoice.post", ids)
    (posted,) = accountant("account.invoice.read", ids, INVOICE)
    (screen,) = auditor("account.invoice.read", ids, INVOICE)
    (ledger,) = auditor("account.invoice.read", ids, [f"move.{field}" for field in MOVE])
    for each in (posted, screen):
        assert each["state"] == "posted"
        figures = [amount(each[field]) for field in ("untaxed_amount", "tax_amount", "total_amount")]
        assert figures == [float(NET), float(TAX), float(TOTAL)], figures
    booked = ledger["move."]["lines."]
    debit = {each["account."]["code"]: amount(each["debit"]) - amount(each["credit"]) for each in booked}
    assert debit == {"1100": float(TOTAL), "4000": -float(NET), "2200": -float(TAX)}, debit

    if "method" not in known:
        known["payer"] = accountant.find("party.party", ["name", "=", CUSTOMER])
        known["currency"] = accountant.find("currency.currency", ["code", "=", "GBP"])
        known["method"] = accountant.find("account.invoice.payment.method", ["debit_account.code", "=", CASH])
    start = {"payee": known["payer"], "amount": decimal(TOTAL), "currency": known["currency"],
             "payment_method": known["method"], "date": today, "description": name}  # fmt: skip
    accountant.wizard("account.invoice.pay", "choice", {"start": start}, "account.invoice", ids)
    (paid,) = accountant("account.invoice.read", ids, INVOICE)
    assert (paid["state"], amount(paid["amount_to_pay"])) == ("paid", 0)
    of_invoice = [["origin", "=", f"account.invoice,{ids[0]}"], ["state", "=", "posted"]]
    moves = auditor.rows("account.move", of_invoice, MOVE)
    booked = [each for move in moves for each in move["lines."]]
    for account, expected in (("1100", 0.0), (CASH, float(TOTAL))):
        of_account = [each for each in booked if each["account."]["code"] == account]
        assert sum(amount(each["debit"]) - amount(each["credit"]) for each in of_account) == expected, account

    take_back(manager, consultant, accountant, project, child["id"], line, ids)


def take_back(
    manager: User, consultant: User, accountant: User, project: int, task: int, line: int, ids: list[int]
) -> None:
    (own,) = accountant.rows("account.invoice", [["id", "in", ids]], ["move"])
    payments = [["origin", "=", f"account.invoice,{ids[0]}"], ["state", "=", "posted"], ["id", "!=", own["move"]]]
    (payment,) = accountant.rows("account.move", payments, ["lines.reconciliation"])
    assert not accountant.rows("account.move", [["origin", "=", f"account.move,{payment['id']}"]], ["origin"])
    settled = [each["id"] for each in payment["lines."] if each["reconciliation"]]
    accountant.wizard("account.move.unreconcile_lines", "unreconcile", {}, "account.move.line", settled)
    reverse = {"default": {"description": None, "reversal": True}}
    accountant.wizard("account.move.cancel", "cancel", reverse, "account.move", [payment["id"]], "cancel_invoice_move")
    fields = ["state", "invoice_date", "lines_to_pay.reconciliation", "payment_lines.reconciliation"]
    (invoice,) = accountant.rows("account.invoice", [["id", "in", ids]], fields)
    assert not accountant.rows(
        "account.invoice", [["lines.origin.invoice.id", "=", ids[0], "account.invoice.line"]], fields
    )
    start = {"invoice_date": invoice["invoice_date"], "with_refund": True, "with_refund_allowed": True}
    accountant.wizard("account.invoice.credit", "credit", {"start": start}, "account.invoice", ids)
    (credited,) = accountant.rows("account.invoice", [["id", "in", ids]], ["state", "move"])
    assert credited["state"] == "cancelled", credited
    (billed,) = consultant.rows("timesheet.line", [["id", "=", line]], ["invoice_line"])
    (closed,) = accountant("account.invoice.line.read", [billed["invoice_line"]], ["invoice.state"])
    assert closed["invoice."]["state"] == "cancelled", closed
    consultant("timesheet.line.write", [line], {"invoice_line": None})
    consultant("timesheet.line.delete", [line])
    manager.rows("project.work", [["id", "=", project]], ["type", "children"])
    manager("project.work.delete", [project, task])


with httpx.Client(timeout=60) as http:
    users = [User(http, role) for role in ("project_manager", "consultant", "accountant", "auditor")]
    known: dict[str, int] = {}
    for _ in range(int(sys.argv[1])):
        project_to_cash(*users, known)
    for user in users:
        user.raw("common.db.logout")
