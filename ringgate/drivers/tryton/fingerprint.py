"""Takes a tenant's fingerprint with its auditor's session: a few wide reads, joined here rather than by the server.

Links between records are read as bare ids (`reading.py`) and resolved from small tables: for ten thousand postings
that is several times quicker than letting the ERP follow them. What is series-bound (models, access rows and numbers
that came or went with a release) is left out here, so that the comparison need not know any series.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringgate.drivers.tryton import configuration, records
from ringgate.drivers.tryton.reading import Reader, Row
from ringgate.drivers.tryton.rights import Rights
from ringgate.drivers.tryton.sessions import UserSession, refusals
from ringgate.fingerprint.model import (
    Balance,
    Document,
    DocumentLine,
    Fingerprint,
    Hours,
    LedgerAccount,
    LedgerEntry,
    LedgerLine,
    Party,
    Sequence,
    Shipped,
    TaxAmount,
    Work,
    order,
)

Names = Mapping[int | None, str]

METHODS: Final = {word: method.value for method, word in records.INVOICE_METHODS.items()}
"""Tryton's words for what is billed -> ours."""
_KINDS: Final = ("receivable", "payable", "revenue", "expense")
_INVOICES: Final = {"out": ("invoice", "credit note"), "in": ("supplier invoice", "supplier credit note")}
_NIL: Final = Decimal(0)


def take(session: UserSession, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Fingerprint:
    """The fingerprint of the session's tenant. Raises Refused and the errors of `ringgate.domain.errors`."""
    began, taken_at = time.monotonic(), now()
    with refusals("take a fingerprint", session):
        sections = _Taking(Reader(session)).sections()
    tenant = session.tenant
    return Fingerprint(
        tenant=tenant.id,
        series=session.client.dialect.series,
        taken_at=taken_at,
        seconds=round(time.monotonic() - began, 3),
        as_of=taken_at.astimezone(ZoneInfo(tenant.timezone)).date(),
        currency=tenant.policy.currency.code,
        **sections,
    )


class _Taking:
    """The tables that links are resolved from, and each section made of them."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.money = reader, reader.session.tenant.policy.currency.padded
        self.parties = _unique_names(reader.rows("party.party", ["name", "code", "active"]))
        self.employees: Names = {None: "", **{r["id"]: self._party(r["party"])
                                              for r in reader.rows("company.employee", ["party"])}}  # fmt: skip
        self.accounts = reader.rows(
            "account.account",
            ["code", "name", "type", "active", "balance", "childs", *(f"type.{kind}" for kind in _KINDS)],
            [("type", "!=", None)],
            posted=True,
        )
        self.codes: Names = {None: "", **{row["id"]: row["code"] or row["name"] for row in self.accounts}}
        self.taxes: Names = reader.names("account.tax")
        self.numbers: dict[str, str] = {}

    def sections(self) -> dict[str, Any]:
        documents = self._invoices() + self._requests() + self._purchases() + self._payments()
        rights = Rights(self.reader)
        settings = configuration.settings(self.reader, self.codes, self.taxes)
        found: dict[str, list[Any]] = {
            "parties": list(self.parties.values()),
            "accounts": [_account(row, self.codes) for row in self.accounts],
            "balances": self._balances(),
            "documents": documents,
            "entries": self._entries(),
            "works": self._works(),
            "hours": self._hours(),
            "sequences": self._sequences(),
            "users": rights.users(),
            "roles": rights.roles(),
            "settings": settings,
            "extensions": configuration.extensions(self.reader),
        }
        shipped = Shipped(rights.shipped, (configuration.TERM,))
        return {name: tuple(sorted(items, key=order)) for name, items in found.items()} | {"shipped": shipped}

    def _party(self, party: int | None) -> str:
        return self.parties[party].name if party is not None else ""

    def _balances(self) -> list[Balance]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.accounts:
            if row["childs"]:  # a heading only sums up what is below it
                continue
            sums[self.codes[row["id"]]] += row["balance"] or _NIL
        return [Balance(account, amount) for account, amount in sums.items()]

    # --- the ledger -----------------------------------------------------------------------------------------------

    def _entries(self) -> list[LedgerEntry]:
        number = self.reader.session.client.dialect.posting_number
        fields = [number, "state", "date", "period", "journal", "origin", "description"]
        periods, journals = self.reader.names("account.period"), self.reader.names("account.journal", "code")
        lines, moves = self._lines(), self.reader.rows("account.move", fields)
        posted = {f"account.move,{row['id']}": row[number] or "" for row in moves if row["state"] == "posted"}
        numbers = self.numbers | posted
        return [
            LedgerEntry(
                number=(row[number] or "") if row["state"] == "posted" else "",
                state=row["state"],
                on=row["date"],
                period=periods[row["period"]],
                journal=journals[row["journal"]],
                origin=numbers.get(row["origin"] or "", ""),
                description=row["description"] or "",
                lines=tuple(sorted(lines.get(row["id"], ()), key=order)),
            )
            for row in moves
        ]

    def _lines(self) -> dict[int, list[LedgerLine]]:
        """By the id of their entry."""
        taxes: dict[int, list[TaxAmount]] = defaultdict(list)
        for row in self.reader.rows("account.tax.line", ["tax", "type", "amount", "move_line"]):
            taxes[row["move_line"]].append(TaxAmount(self.taxes[row["tax"]], row["type"], self.money(row["amount"])))
        fields = ["move", "debit", "credit", "description", "maturity_date", "reconciliation"]
        parties = self.reader.links("account.move.line", "party", list(self.parties))
        accounts = [row["id"] for row in self.accounts]
        found: dict[int, list[LedgerLine]] = defaultdict(list)
        for row, account in self.reader.rows_with("account.move.line", fields, "account", accounts):
            line = LedgerLine(
                account=self.codes.get(account, f"account {account}"),  # one that no line may be on
                debit=self.money(row["debit"]),
                credit=self.money(row["credit"]),
                party=self._party(parties.get(row["id"])),
                description=row["description"] or "",
                due=row["maturity_date"],
                settled=row["reconciliation"] is not None,
                taxes=tuple(sorted(taxes.get(row["id"], ()), key=order)),
            )
            found[row["move"]].append(line)
        return found

    # --- documents ------------------------------------------------------------------------------------------------

    def _invoices(self) -> list[Document]:
        fields = ["type", "number", "state", "party", "invoice_date", "total_amount", "description", "move"]
        rows = self.reader.rows("account.invoice", fields)
        self.numbers |= {f"account.invoice,{row['id']}": row["number"] or row["description"] or "" for row in rows}
        lines: dict[int, list[DocumentLine]] = defaultdict(list)
        fields = ["invoice", "description", "quantity", "unit_price", "amount", "account", "taxes"]
        for row in self.reader.rows("account.invoice.line", fields, [("type", "=", "line")]):
            taxes = tuple(sorted(self.taxes[tax] for tax in row["taxes"]))
            lines[row["invoice"]].append(_line(row, account=self.codes[row["account"]], taxes=taxes))
        reversals = self._reversals(rows)
        return [
            Document(
                kind=_invoice_kind(row),
                number=row["number"] or "",
                state=str(records.INVOICE_STATES.get(row["state"], row["state"])),
                party=self._party(row["party"]),
                on=row["invoice_date"],
                total=self.money(row["total_amount"]),
                description=row["description"] or "",
                reversed_by=reversals.get(row["id"], ""),
                lines=tuple(sorted(lines[row["id"]], key=order)),
            )
            for row in rows
        ]

    def _reversals(self, invoices: list[Row]) -> dict[int, str]:
        """Invoice -> number of the credit note over the same amount that its ledger lines were settled with."""
        by_move = {row["move"]: row for row in invoices if row["move"]}
        notes = [row["move"] for row in invoices if row["move"] and row["total_amount"] < 0]
        if not notes:
            return {}
        domain = [("reconciliation", "!=", None), ("reconciliation.lines.move", "in", notes)]
        together: dict[int, list[Row]] = defaultdict(list)
        for line in self.reader.rows("account.move.line", ["move", "reconciliation"], domain):
            if line["move"] in by_move:
                together[line["reconciliation"]].append(by_move[line["move"]])
        found = {}
        for rows in together.values():
            for invoice in rows:
                for note in rows:
                    if invoice["total_amount"] > 0 and invoice["total_amount"] + note["total_amount"] == 0:
                        found[invoice["id"]] = note["number"] or ""
        return found

    def _requests(self) -> list[Document]:
        rows = self.reader.rows(
            "purchase.requisition", ["number", "state", "employee", "supply_date", "description", "total_amount"]
        )
        lines: dict[int, list[DocumentLine]] = defaultdict(list)
        fields = ["requisition", "description", "quantity", "unit_price", "amount"]
        for row in self.reader.rows("purchase.requisition.line", fields):
            lines[row["requisition"]].append(_line(row))
        return [
            Document(
                kind="request",
                number=row["number"] or "",
                state=str(records.REQUEST_STATES.get(row["state"], row["state"])),
                party=self.employees[row["employee"]],
                on=row["supply_date"],
                total=self.money(row["total_amount"]),
                description=row["description"] or "",
                lines=tuple(sorted(lines[row["id"]], key=order)),
            )
            for row in rows
        ]

    def _purchases(self) -> list[Document]:
        orders = self.reader.rows(
            "purchase.purchase", ["number", "state", "party", "purchase_date", "description", "total_amount"]
        )
        made = [
            Document(
                "purchase", row["number"] or "", row["state"], self._party(row["party"]), row["purchase_date"],
                row["total_amount"], row["description"] or "",
            )
            for row in orders
        ]  # fmt: skip
        wanted = self.reader.rows("purchase.request", ["state", "party", "supply_date", "description", "quantity"])
        asked = [
            Document(
                "purchase to be made", "", row["state"], self._party(row["party"]), row["supply_date"],
                Decimal(str(row["quantity"] or 0)), row["description"] or "",
            )
            for row in wanted
        ]  # fmt: skip
        return made + asked

    def _payments(self) -> list[Document]:
        rows = self.reader.rows("account.payment", ["number", "state", "party", "date", "amount"])
        return [
            Document("payment", row["number"] or "", row["state"], self._party(row["party"]), row["date"],
                     row["amount"])
            for row in rows
        ]  # fmt: skip

    # --- projects and time ------------------------------------------------------------------------------------------

    def _works(self) -> list[Work]:
        fields = ["rec_name", "type", "party", "status.progress", "project_invoice_method", "list_price"]
        rows = self.reader.rows("project.work", [*fields, "effort_duration"])
        return [
            Work(
                name=row["rec_name"],
                kind=row["type"],
                customer=self._party(row["party"]),
                state="done" if (row["status."] or {}).get("progress") == 1 else "open",
                method=METHODS.get(row["project_invoice_method"], row["project_invoice_method"] or ""),
                rate=_plain(row["list_price"]),
                planned=None if row["effort_duration"] is None else records.hours(row["effort_duration"]),
            )
            for row in rows
        ]

    def _hours(self) -> list[Hours]:
        works = self.reader.names("timesheet.work", "rec_name")
        fields = ["employee", "work", "date", "duration", "description", "invoice_line"]
        return [
            Hours(
                employee=self.employees[row["employee"]],
                work=works[row["work"]],
                on=row["date"],
                hours=records.hours(row["duration"]),
                description=row["description"] or "",
                billed=row["invoice_line"] is not None,
            )
            for row in self.reader.rows("timesheet.line", fields)
        ]

    def _sequences(self) -> list[Sequence]:
        """What numbers documents that people see; drafts of the ledger are numbered in 7.0 alone.

        8.0 copies the sequences of postings to gapless ones and uses these, so the gapless one of two counts.
        """
        drafts = self.reader.shipped([("account", "sequence_type_account_journal")])
        found: dict[tuple[str, str], Sequence] = {}
        for model in ("ir.sequence", "ir.sequence.strict"):
            for row in self.reader.rows(model, ["name", "prefix", "number_next", "sequence_type"]):
                if row["sequence_type"] not in drafts:
                    name, prefix = row["name"], row["prefix"] or ""
                    found[name, prefix] = Sequence(name, prefix, row["number_next"] or 0)
        return list(found.values())


def _unique_names(rows: list[Row]) -> dict[int, Party]:
    often = Counter(row["name"] for row in rows)
    return {
        row["id"]: Party(
            name=f"{row['name'] or ''} [{row['code']}]" if often[row["name"]] > 1 else row["name"] or "",
            code=row["code"] or "",
            active=row["active"],
        )
        for row in rows
    }


def _account(row: Row, codes: Names) -> LedgerAccount:
    kinds = row["type."] or {}
    kind = next((kind for kind in _KINDS if kinds.get(kind)), "")
    return LedgerAccount(codes[row["id"]], row["name"], kind, row["active"])


def _invoice_kind(row: Row) -> str:
    invoice, credit_note = _INVOICES[row["type"]]
    return credit_note if row["total_amount"] < 0 else invoice


def _line(row: Row, account: str = "", taxes: tuple[str, ...] = ()) -> DocumentLine:
    quantity = Decimal(str(row["quantity"] or 0))
    price, amount = row["unit_price"] or _NIL, row["amount"] or _NIL
    return DocumentLine(row["description"] or "", quantity, price, amount, account, taxes)


def _plain(amount: Decimal | None) -> Decimal | None:
    """Without idle decimals, which series keep differently."""
    return None if amount is None else records.plain(amount)
