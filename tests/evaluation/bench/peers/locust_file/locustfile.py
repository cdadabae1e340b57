"""Project to cash with Locust: RUNS=1 locust --headless -u 1 -f locustfile.py --only-summary"""

import base64
import datetime as dt
import json
import os
import secrets

from locust import FastHttpUser, task

ERP = os.environ["ERP"]
CUSTOMER, SERVICE, CASH = "Ringgate Synthetic Client", "Consulting", "1000"
HOURS, RATE, NET, TAX, TOTAL = 7.5, "120", "900.00", "180.00", "1080.00"
ROLES = ("project_manager", "consultant", "accountant", "auditor")
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


class Session:
    """One signed-in user of the ERP, whose requests the Locust user sends."""

    def __init__(self, client, role: str) -> None:
        self.client, self.context, self.headers = client, {}, {}
        login = f"synthetic.{role}"
        root = ERP[: ERP.rstrip("/").rindex("/") + 1]
        assert self.raw("common.server.version", to=root).startswith("7.0.")
        uid, token = self.raw("common.db.login", login, {"password": os.environ[f"PASSWORD_{role.upper()}"]}, "en")
        session = base64.b64encode(f"{login}:{uid}:{token}".encode()).decode()
        self.headers = {"Authorization": f"Session {session}"}
        self.context = self.raw("model.res.user.get_preferences", True, {})

    def raw(self, method: str, *params: object, to: str = ERP, warns: bool = False):
        body = {"id": 1, "method": method, "params": params}
        with self.client.post(to, json=body, headers=self.headers, name=method, catch_response=True) as response:
            answer = response.json()
            if "error" in answer:
                kind, (key, *_) = answer["error"][:2]
                if warns and kind == "UserWarning":
                    return key
                response.failure(json.dumps(answer["error"]))
                raise RuntimeError(answer["error"])
            return None if warns else answer["result"]

    def __call__(self, method: str, *params: object):
        return self.raw(f"model.{method}", *params, self.context)

    def find(self, model: str, *domain: object) -> int:
        return self(f"{model}.search", list(domain), 0, 1, None)[0]

    def rows(self, model: str, domain: list, fields: list[str]) -> list:
        return self(f"{model}.search_read", domain, 0, None, None, fields)

    def wizard(self, name: str, state: str, values: object, model: str, ids: list[int]) -> None:
        context = {**self.context, "active_model": model, "active_id": ids[0], "active_ids": ids}
        session = self.raw(f"wizard.{name}.create", context)[0]
        if warning := self.raw(f"wizard.{name}.execute", session, values, state, context, warns=True):
            assert "cancel_invoice_move" in warning
            self("res.user.warning.skip", warning, False)
            self.raw(f"wizard.{name}.execute", session, values, state, context)
        self.raw(f"wizard.{name}.delete", session, self.context)


class Firm(FastHttpUser):
    host = ERP
    network_timeout = connection_timeout = 60.0

    def on_start(self) -> None:
        self.manager, self.consultant, self.accountant, self.auditor = (Session(self.client, role) for role in ROLES)
        self.left, self.known = int(os.environ["RUNS"]), {}

    @task
    def project_to_cash(self) -> None:
        day = dt.datetime.now(dt.UTC).date()
        self.today = {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}
        self.name = f"Locust {secrets.token_hex(6)}"
        try:
            self.bill()
            self.pay()
            self.take_back()
        except Exception as error:
            self.environment.events.request.fire(
                request_type="check", name="project to cash", response_time=0, response_length=0, exception=error
            )
            self.left = 0
        else:
            self.left -= 1
        if self.left <= 0:
            for session in (self.manager, self.consultant, self.accountant, self.auditor):
                session.raw("common.db.logout")
            self.environment.runner.quit()

    def bill(self) -> None:
        manager, consultant, accountant, known, name = (
            self.manager, self.consultant, self.accountant, self.known, self.name
        )  # fmt: skip
        if not known:
            known["product"] = manager.find("product.product", ["name", "=", SERVICE])
            known["customer"] = manager.find("party.party", ["name", "=", CUSTOMER])
        work = {"type": "task", "name": name, "product": known["product"], "list_price": decimal(RATE),
                "effort_duration": duration(8), "timesheet_available": True}  # fmt: skip
        draft = {"type": "project", "name": name, "party": known["customer"], "project_invoice_method": "timesheet",
                 "children": [["create", [work]]]}  # fmt: skip
        (self.project,) = manager("project.work.create", [draft])
        (stated,) = manager("project.work.read", [self.project], PROJECT)
        assert (stated["name"], stated["party."]["name"]) == (name, CUSTOMER)
        (child,) = stated["children."]
        self.work = child["id"]

        entry = {"work": child["timesheet_works"][0], "date": self.today, "duration": duration(HOURS),
                 "description": name}  # fmt: skip
        (self.line,) = consultant("timesheet.line.create", [entry])
        (entered,) = consultant("timesheet.line.read", [self.line], ["work.origin", "duration", "date", "description"])
        assert entered["duration"]["seconds"] == HOURS * 3600
        if "done" not in known:
            known["done"] = manager.find("project.work.status", ["progress", "=", 1.0])
        manager("project.work.write", [self.project, self.work], {"progress": 1.0, "status": known["done"]})
        (stated,) = manager("project.work.read", [self.project], PROJECT)
        assert stated["status."]["progress"] == 1.0

        accountant("project.work.invoice", [self.project])
        drafts = [["description", "=", name], ["type", "=", "out"], ["state", "=", "draft"]]
        (invoice,) = accountant.rows("account.invoice", drafts, INVOICE)
        assert invoice["party."]["name"] == CUSTOMER
        assert amount(invoice["untaxed_amount"]) == float(NET)
        self.invoice = [invoice["id"]]

    def pay(self) -> None:
        accountant, auditor, known, ids = self.accountant, self.auditor, self.known, self.invoice
        accountant("account.invoice.write", ids, {"invoice_date": self.today})
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
                 "payment_method": known["method"], "date": self.today, "description": self.name}  # fmt: skip
        accountant.wizard("account.invoice.pay", "choice", {"start": start}, "account.invoice", ids)
        (paid,) = accountant("account.invoice.read", ids, INVOICE)
        assert (paid["state"], amount(paid["amount_to_pay"])) == ("paid", 0)
        of_invoice = [["origin", "=", f"account.invoice,{ids[0]}"], ["state", "=", "posted"]]
        booked = [each for move in auditor.rows("account.move", of_invoice, MOVE) for each in move["lines."]]
        for account, expected in (("1100", 0.0), (CASH, float(TOTAL))):
            of_account = [each for each in booked if each["account."]["code"] == account]
            assert sum(amount(each["debit"]) - amount(each["credit"]) for each in of_account) == expected, account

    def take_back(self) -> None:
        accountant, consultant, ids = self.accountant, self.consultant, self.invoice
        (own,) = accountant.rows("account.invoice", [["id", "in", ids]], ["move"])
        payments = [["origin", "=", f"account.invoice,{ids[0]}"], ["state", "=", "posted"], ["id", "!=", own["move"]]]
        (payment,) = accountant.rows("account.move", payments, ["lines.reconciliation"])
        assert not accountant.rows("account.move", [["origin", "=", f"account.move,{payment['id']}"]], ["origin"])
        settled = [each["id"] for each in payment["lines."] if each["reconciliation"]]
        accountant.wizard("account.move.unreconcile_lines", "unreconcile", {}, "account.move.line", settled)
        reverse = {"default": {"description": None, "reversal": True}}
        accountant.wizard("account.move.cancel", "cancel", reverse, "account.move", [payment["id"]])
        fields = ["state", "invoice_date", "lines_to_pay.reconciliation", "payment_lines.reconciliation"]
        (invoice,) = accountant.rows("account.invoice", [["id", "in", ids]], fields)
        notes = [["lines.origin.invoice.id", "=", ids[0], "account.invoice.line"]]
        assert not accountant.rows("account.invoice", notes, fields)
        start = {"invoice_date": invoice["invoice_date"], "with_refund": True, "with_refund_allowed": True}
        accountant.wizard("account.invoice.credit", "credit", {"start": start}, "account.invoice", ids)
        (credited,) = accountant.rows("account.invoice", [["id", "in", ids]], ["state", "move"])
        assert credited["state"] == "cancelled"
        (billed,) = consultant.rows("timesheet.line", [["id", "=", self.line]], ["invoice_line"])
        (closed,) = accountant("account.invoice.line.read", [billed["invoice_line"]], ["invoice.state"])
        assert closed["invoice."]["state"] == "cancelled"
        consultant("timesheet.line.write", [self.line], {"invoice_line": None})
        consultant("timesheet.line.delete", [self.line])
        self.manager.rows("project.work", [["id", "=", self.project]], ["type", "children"])
        self.manager("project.work.delete", [self.project, self.work])
