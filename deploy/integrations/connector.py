"""A small connector between an ERP and what receives its documents, of the kind that firms run: it asks the ERP each
second what is new, over the ERP's own API as a user that may only read, and brings it to where its routes lead.

    connector.py integrations.toml

| route       | brings                                                              | to                    |
|-------------|---------------------------------------------------------------------|-----------------------|
| `invoices`  | each posted invoice and credit note, with the ERP's own document as PDF | the customer, by mail |
| `hours`     | logged hours, their corrections, and what was taken back             | CSV files, by SFTP    |
| `ledger`    | each posting of an invoice or credit note, line by line              | tables, by SQL        |

What was brought is noted after it arrived, so a connector that is killed brings it once more, under the same id. What
was posted before the connector first looked is not sent to customers; the ledger is loaded whole.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import io
import json
import smtplib
import sqlite3
import sys
import time
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import psycopg
from fpdf import FPDF

PAUSE = 0.5


# --- the ERP ----------------------------------------------------------------------------------------------------------


class Erp:
    """Tryton over JSON-RPC, 7.0 and later, as one user."""

    def __init__(self, api: str, user: str, password: str) -> None:
        self.api, self.user, self.password, self.session = api.rstrip("/"), user, password, ""
        self.client, self.path, self.context = httpx.Client(timeout=30), "/", {}

    def call(self, method: str, *params: object) -> Any:
        if not self.session:
            self._sign_in()
        try:
            return self._send(method, *params, self.context)
        except PermissionError:
            self._sign_in()
            return self._send(method, *params, self.context)

    def find(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        return self.call(f"model.{model}.search_read", domain, 0, None, [["id", "ASC"]], fields)

    def _sign_in(self) -> None:
        self.session = ""
        user, token = self._send("common.db.login", self.user, {"password": self.password}, "en")[:2]
        self.session = base64.b64encode(f"{self.user}:{user}:{token}".encode()).decode()
        self.context = self._send("model.res.user.get_preferences", True, {})

    def _send(self, method: str, *params: object) -> Any:
        headers = {"authorization": f"Session {self.session}"} if self.session else {}
        body = {"id": 1, "method": method, "params": params}
        answer = self.client.post(self.api + self.path, json=body, headers=headers)
        if answer.status_code == 405:  # 8.0 has another path than 7.0
            self.path = "/rpc/" if self.path == "/" else "/"
            answer = self.client.post(self.api + self.path, json=body, headers=headers)
        if answer.status_code == 401:
            raise PermissionError(method)
        answer.raise_for_status()
        said = json.loads(answer.text, object_hook=_value)
        if isinstance(said, dict) and "error" in said:
            raise RuntimeError(f"{method}: {str(said['error'])[:300]}")
        return said["result"] if isinstance(said, dict) and "result" in said else said


def _value(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "timedelta":
            return Decimal(str(value["seconds"])) / 3600
        case "bytes":
            return base64.b64decode(value["base64"])
    return value


# --- what is brought --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Document:
    """One document, or one version of it, on its way. `id` is what the far end knows it by."""

    tenant: str
    id: str
    note: str
    on: date
    amount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    currency: str = ""
    to: str = ""
    text: str = ""
    hours: Decimal = Decimal(0)
    employee: str = ""
    attempt: int = 1
    reversal: bool = False
    lines: tuple[dict[str, Any], ...] = field(default=())


class Connector:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.routes = config, config["routes"]
        self.memory = sqlite3.connect(config["connector"]["memory"], isolation_level=None)
        self.memory.execute("CREATE TABLE IF NOT EXISTS brought (route, tenant, key, PRIMARY KEY (route, tenant, key))")
        columns = "tenant, line, note, worked, employee, hours, version"
        self.memory.execute(f"CREATE TABLE IF NOT EXISTS hours ({columns}, PRIMARY KEY (tenant, line))")
        self.memory.execute("CREATE TABLE IF NOT EXISTS since (route, tenant, id, PRIMARY KEY (route, tenant))")
        self.erps = {
            name: Erp(each["api"], each["user"], Path(each["password_file"]).read_text())
            for name, each in config["tenants"].items()
        }
        self.warehouse: psycopg.Connection[Any] | None = None

    def run(self) -> None:
        while True:
            for tenant in self.erps:
                for route in self.routes:
                    try:
                        getattr(self, f"_{route}")(tenant)
                    except Exception as error:  # one far end that is down stops no other; it is tried again
                        self.warehouse = None if route == "ledger" else self.warehouse
                        print(
                            f"{time.strftime('%H:%M:%S')} {tenant} {route}: {type(error).__name__} {error}", flush=True
                        )
            time.sleep(PAUSE)

    def bring(self, route: str, document: Document) -> None:
        """Brings one document to its far end; returns when that has it."""
        getattr(self, f"_by_{self.routes[route]}")(document)

    # what is new

    def _invoices(self, tenant: str) -> None:
        for row in self._posted(tenant, "invoices"):
            self._once("invoices", tenant, _key(row), lambda row=row: [self._invoice(tenant, row)])

    def _ledger(self, tenant: str) -> None:
        for row in self._posted(tenant, "ledger"):
            self._once("ledger", tenant, _key(row), lambda row=row: [self._posting(tenant, row)])

    def _posted(self, tenant: str, route: str) -> list[dict[str, Any]]:
        erp = self.erps[tenant]
        posted = [["type", "=", "out"], ["state", "in", ["posted", "paid", "cancelled"]], ["move", "!=", None]]
        fields = ["number", "invoice_date", "description", "total_amount", "tax_amount", "currency.code",
                  "party.rec_name", "move"]  # fmt: skip
        first = self._first(route, tenant)
        if first is None:
            rows = erp.find("account.invoice", posted, ["number", "description"])
            if route == "ledger":
                first = 0
            else:
                first = max((row["id"] for row in rows), default=0)
                self._note(route, tenant, *map(_key, rows))
            self.memory.execute("INSERT INTO since VALUES (?, ?, ?)", [route, tenant, first])
        known = {key for (key,) in self.memory.execute(
            "SELECT key FROM brought WHERE route = ? AND tenant = ?", [route, tenant])}  # fmt: skip
        there = erp.find("account.invoice", posted, ["number", "description"])
        new = [row["id"] for row in there if _key(row) not in known]
        return erp.find("account.invoice", [["id", "in", new]], fields) if new else []

    def _invoice(self, tenant: str, row: dict[str, Any]) -> Document:
        data = {"model": "account.invoice", "id": row["id"], "ids": [row["id"]]}
        _, content, *_ = self.erps[tenant].call("report.account.invoice.execute", [row["id"]], data)
        customers = self.config["tenants"][tenant]["customers"]
        to = customers.get(row["party."]["rec_name"], f"others@{tenant}.example")
        text = content.decode() if isinstance(content, bytes) else str(content)
        return Document(tenant, row["number"], row["description"] or "", row["invoice_date"], row["total_amount"],
                        row["tax_amount"], row["currency."]["code"], to, text)  # fmt: skip

    def _posting(self, tenant: str, row: dict[str, Any]) -> Document:
        lines = self.erps[tenant].find(
            "account.move.line", [["move", "=", row["move"]]], ["account.code", "debit", "credit", "move.date"]
        )
        known = {code: kind for kind, codes in self.config["tenants"][tenant]["accounts"].items() for code in codes}
        rows = tuple(
            {"account": each["account."]["code"], "kind": known.get(each["account."]["code"], "other"),
             "debit": each["debit"], "credit": each["credit"]} for each in lines
        )  # fmt: skip
        note = self._note_of(tenant, row)
        return Document(
            tenant, row["number"], note, lines[0]["move."]["date"], currency=row["currency."]["code"], lines=rows
        )

    def _note_of(self, tenant: str, row: dict[str, Any]) -> str:
        lines = self.erps[tenant].find("account.invoice.line", [["invoice", "=", row["id"]]], ["description"])
        return " ".join([row["description"] or "", *(each["description"] or "" for each in lines)])

    def _hours(self, tenant: str) -> None:
        erp, fields = self.erps[tenant], ["date", "duration", "description", "employee.rec_name"]
        first = self._first("hours", tenant)
        if first is None:
            first = max((row["id"] for row in erp.find("timesheet.line", [], ["date"])), default=0)
            self.memory.execute("INSERT INTO since VALUES (?, ?, ?)", ["hours", tenant, first])
        there = {row["id"]: row for row in erp.find("timesheet.line", [["id", ">", first]], fields)}
        rows = self.memory.execute("SELECT * FROM hours WHERE tenant = ?", [tenant]).fetchall()
        known = {row[1]: row for row in rows}
        for line, row in there.items():
            _, _, note, _, _, hours, version = known.get(line, (0, 0, "", "", "", "", 0))
            if note != row["description"] or Decimal(hours) != row["duration"]:
                version = version + 1 if note == row["description"] else 1
                document = Document(tenant, f"{tenant}-{line}", row["description"], row["date"], hours=row["duration"],
                                    employee=row["employee."]["rec_name"], attempt=version)  # fmt: skip
                self.bring("hours", document)
                said = [tenant, line, document.note, str(document.on), document.employee, str(document.hours), version]
                self.memory.execute("INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?, ?, ?, ?)", said)
        for line, (_, _, note, worked, employee, hours, version) in known.items():
            if line not in there:
                self.bring("hours", Document(tenant, f"{tenant}-{line}", note, date.fromisoformat(worked),
                           hours=-Decimal(hours), employee=employee, attempt=version + 1, reversal=True))  # fmt: skip
                self.memory.execute("DELETE FROM hours WHERE tenant = ? AND line = ?", [tenant, line])

    # each once

    def _once(self, route: str, tenant: str, key: str, documents: Any) -> None:
        for each in documents():
            self.bring(route, each)
        self._note(route, tenant, key)

    def _first(self, route: str, tenant: str) -> int | None:
        found = self.memory.execute("SELECT id FROM since WHERE route = ? AND tenant = ?", [route, tenant]).fetchone()
        return found[0] if found else None

    def _note(self, route: str, tenant: str, *keys: str) -> None:
        rows = [(route, tenant, key) for key in keys]
        self.memory.executemany("INSERT OR IGNORE INTO brought VALUES (?, ?, ?)", rows)

    # the far ends

    def _by_mail(self, document: Document) -> None:
        message = EmailMessage()
        message["Subject"] = f"{document.id} {document.note}".replace("\n", " ").strip()
        message["From"], message["To"] = f"billing@{document.tenant}.example", document.to
        message["Message-ID"] = f"<{document.id}@{document.tenant}.example>"
        message["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        message.set_content("Please find the document attached.")
        message.add_attachment(pdf(document.text), maintype="application", subtype="pdf", filename=f"{document.id}.pdf")
        with smtplib.SMTP("127.0.0.1", self.config["smtp"]["port"], timeout=10) as server:
            server.send_message(message)

    hours_fields = ("line", "employee", "worked", "hours", "note", "version", "reversal", "sent")

    def _by_sftp(self, document: Document) -> None:
        row = {"line": document.id, "employee": document.employee, "worked": document.on, "hours": document.hours,
               "note": document.note, "version": document.attempt, "reversal": "yes" if document.reversal else "no",
               "sent": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}  # fmt: skip
        text = io.StringIO()
        writer = csv.DictWriter(text, self.hours_fields, extrasaction="ignore")
        writer.writeheader()
        writer.writerow({name: row.get(name, row.get("hours")) for name in self.hours_fields})
        asyncio.run(self._upload(document.tenant, f"hours-{document.id}-{document.attempt}.csv", text.getvalue()))

    async def _upload(self, tenant: str, name: str, content: str) -> None:
        sftp = self.config["sftp"]
        password, known = Path(sftp["users"][tenant]).read_text(), asyncssh.import_public_key(sftp["public_key"])
        connected = asyncssh.connect("127.0.0.1", sftp["port"], username=tenant, password=password, config=None,
                                     known_hosts=([known], [], []), agent_path=None, client_keys=[])  # fmt: skip
        async with connected as connection, connection.start_sftp_client() as client:
            async with client.open(f"out/.{name}", "wb") as file:
                await file.write(content.encode())
            await client.posix_rename(f"out/.{name}", f"out/{name}")  # whole, or not there

    def _by_sql(self, document: Document, load: str = "") -> None:
        if self.warehouse is None:
            self.warehouse = psycopg.connect(self.config["warehouse"]["url"], autocommit=True)
        load = load or hashlib.sha256(f"{document.tenant}:{document.id}".encode()).hexdigest()[:12]
        with self.warehouse.transaction(), self.warehouse.cursor() as cursor:
            cursor.execute("DELETE FROM ledger WHERE tenant = %s AND load = %s", [document.tenant, load])
            cursor.executemany(
                "INSERT INTO ledger (tenant, load, document, note, day, account, kind, debit, credit, currency)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [(document.tenant, load, document.id, document.note, document.on, each["account"], each["kind"],
                  each["debit"], each["credit"], document.currency) for each in document.lines],
            )  # fmt: skip


def _key(row: dict[str, Any]) -> str:
    """Of one invoice; the same number may come again with other content after a tenant was restored."""
    return f"{row['id']} {row['number']} {row['description'] or ''}"


def pdf(text: str) -> bytes:
    """The ERP's own document, which is plain text here, on a page."""
    made = FPDF()
    made.add_page()
    made.set_font("Courier", size=10)
    for line in text.splitlines():
        made.cell(0, 6, line.encode("latin-1", "replace").decode("latin-1"), new_x="LMARGIN", new_y="NEXT")
    return bytes(made.output())


__all__ = ["Connector", "Document", "Erp", "pdf", "replace"]

if __name__ == "__main__":
    Connector(tomllib.loads(Path(sys.argv[1]).read_text())).run()
