"""Takes a tenant's fingerprint with its auditor's session: a few wide reads, joined here rather than by the server.

An invoice is its own entry of the ledger in Odoo, so it stands in both sections. Numbers of the ledger's documents come
from no table of sequences: the next one follows the last of its journal. Names of fields that a series calls otherwise
are those of `series.py`; what else is bound to a series is left out here, so that the comparison need not know any.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringgate.domain.money import Money
from ringgate.drivers.odoo import configuration, records
from ringgate.drivers.odoo.records import MOVE, MOVE_LINE
from ringgate.drivers.odoo.refusals import refusals
from ringgate.drivers.odoo.rights import Rights
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.values import Row, day, exact, link, text
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

KINDS: Final = {
    "out_invoice": "invoice",
    "out_refund": "credit note",
    "in_invoice": "supplier invoice",
    "in_refund": "supplier credit note",
}
"""Kinds of entries that are documents, too."""
_HIDDEN: Final = {"active_test": False}
"""Asks for what is switched off, too."""


def take(
    session: UserSession,
    balances: Callable[[], Mapping[str, Money]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Fingerprint:
    """The fingerprint of the session's tenant; `balances` reads its trial balance. Raises Refused and the errors of
    `ringgate.domain.errors`."""
    began, taken_at = time.monotonic(), now()
    with refusals("take a fingerprint", session):
        sections = _Taking(session, balances).sections()
    tenant = session.tenant
    return Fingerprint(
        tenant=tenant.id,
        series=session.series.name,
        taken_at=taken_at,
        seconds=round(time.monotonic() - began, 3),
        as_of=taken_at.astimezone(ZoneInfo(tenant.timezone)).date(),
        currency=tenant.policy.currency.code,
        **sections,
    )


class _Taking:
    """The tables that links are resolved from, and each section made of them."""

    def __init__(self, session: UserSession, balances: Callable[[], Mapping[str, Money]]) -> None:
        self.session, self.series, self._read_balances = session, session.series, balances
        self.parties = _unique_names(self.rows("res.partner", ["name", "ref", "active"]))
        self.people = {row["id"]: text(row["name"]) for row in self.rows("hr.employee", ["name"])}
        kind = self.series.account_kind
        self.accounts = self.rows("account.account", ["code", "name", kind, "internal_group", self.series.account_off])
        self.codes = {row["id"]: text(row["code"]) or text(row["name"]) for row in self.accounts}
        self.taxes = {row["id"]: text(row["name"]) for row in self.rows("account.tax", ["name"])}
        self.moves = self.rows(
            MOVE,
            ["name", "state", "payment_state", "move_type", "date", "invoice_date", "journal_id", "partner_id", "ref",
             "amount_total", "reversed_entry_id", "sequence_prefix", "sequence_number"],
        )  # fmt: skip
        self.numbers = {row["id"]: records.number(row["name"]) for row in self.moves}

    def rows(self, model: str, fields: Iterable[str], domain: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """All records of a kind, those that are switched off, too."""
        found: list[dict[str, Any]] = self.session.call(
            model, "search_read", domain=list(domain), fields=list(fields), order="id", context=_HIDDEN
        )
        return found

    def sections(self) -> dict[str, Any]:
        rights = Rights(self.rows, self.series)
        lines = self._lines()
        found: dict[str, list[Any]] = {
            "parties": list(self.parties.values()),
            "accounts": [self._account(row) for row in self.accounts],
            "balances": self._balances(),
            "documents": self._invoices(lines) + self._orders() + self._payments(),
            "entries": [self._entry(row, lines[row["id"]]) for row in self.moves],
            "works": self._works(),
            "hours": self._hours(),
            "sequences": self._sequences(),
            "users": rights.users(),
            "roles": rights.roles(),
            "settings": configuration.settings(self.rows, self.series, self.codes),
            "extensions": configuration.extensions(self.rows),
        }
        shipped = Shipped(rights.shipped, configuration.SHIPPED)
        return {name: tuple(sorted(items, key=order)) for name, items in found.items()} | {"shipped": shipped}

    def _party(self, value: Any) -> str:
        party = self.parties.get(link(value) or 0)
        return party.name if party else ""

    # --- the ledger -----------------------------------------------------------------------------------------------

    def _account(self, row: Row) -> LedgerAccount:
        kind, group = text(row[self.series.account_kind]), text(row["internal_group"])
        word = next((word for word in ("receivable", "payable") if kind.endswith(word)), "")
        word = word or {"income": "revenue", "expense": "expense"}.get(group, "")
        off = bool(row[self.series.account_off])
        return LedgerAccount(
            self.codes[row["id"]], text(row["name"]), word, off == (self.series.account_off == "active")
        )

    def _balances(self) -> list[Balance]:
        """As the ERP's own database adds them up."""
        return [Balance(code, money.amount) for code, money in self._read_balances().items()]

    def _lines(self) -> dict[int, list[dict[str, Any]]]:
        """By the id of their entry."""
        fields = ["move_id", "account_id", "debit", "credit", "partner_id", "name", "date_maturity", "reconciled",
                  "display_type", "tax_line_id", "tax_ids", "balance", "quantity", "price_unit",
                  "price_subtotal"]  # fmt: skip
        older = ["exclude_from_invoice_tab"] if self.series.major < 16 else []
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows(MOVE_LINE, [*fields, *older]):
            found[link(row["move_id"]) or 0].append(row)
        return found

    def _entry(self, row: Row, lines: Iterable[Row]) -> LedgerEntry:
        posted, on = row["state"] == "posted", day(row["date"]) or date.min
        return LedgerEntry(
            number=self.numbers[row["id"]] if posted else "",
            state=str(row["state"]),
            on=on,
            period=f"{on:%Y-%m}",  # Odoo locks dates and keeps no periods
            journal=self.journals.get(link(row["journal_id"]) or 0, ""),
            origin=self.numbers.get(link(row["reversed_entry_id"]) or 0, ""),
            description=text(row["ref"]),
            lines=tuple(sorted((self._line(each) for each in lines if _counts(each)), key=order)),
        )

    @property
    def journals(self) -> Mapping[int, str]:
        if not hasattr(self, "_journals"):
            self._journals = {row["id"]: text(row["code"]) for row in self.rows("account.journal", ["code"])}
        return self._journals

    def _line(self, row: Row) -> LedgerLine:
        named = link(row["tax_line_id"])
        taxes = [TaxAmount(self.taxes.get(tax, ""), "base", exact(row["balance"])) for tax in row["tax_ids"]]
        if named:
            taxes.append(TaxAmount(self.taxes.get(named, ""), "tax", exact(row["balance"])))
        return LedgerLine(
            account=self.codes.get(link(row["account_id"]) or 0, ""),
            debit=exact(row["debit"]),
            credit=exact(row["credit"]),
            party=self._party(row["partner_id"]),
            description=text(row["name"]),
            due=day(row["date_maturity"]),
            settled=bool(row["reconciled"]),
            taxes=tuple(sorted(taxes, key=order)),
        )

    # --- documents ------------------------------------------------------------------------------------------------

    def _invoices(self, lines: Mapping[int, list[dict[str, Any]]]) -> list[Document]:
        notes = {link(row["reversed_entry_id"]): row for row in self.moves if row["state"] == "posted"}
        return [
            Document(
                kind=KINDS[row["move_type"]],
                number=self.numbers[row["id"]],
                state=records.invoice_state(row),
                party=self._party(row["partner_id"]),
                on=day(row["invoice_date"]),
                total=exact(row["amount_total"]) * (-1 if row["move_type"].endswith("refund") else 1),
                description=text(row["ref"]),
                reversed_by=self._reversed_by(row, notes.get(row["id"])),
                lines=tuple(sorted((self._billed(each) for each in lines[row["id"]] if records.is_billed(each)),
                                   key=order)),
            )
            for row in self.moves
            if row["move_type"] in KINDS
        ]  # fmt: skip

    def _reversed_by(self, row: Row, note: Row | None) -> str:
        """The credit note over the same amount that an invoice is settled with."""
        whole = note is not None and note["amount_total"] == row["amount_total"] and row["payment_state"] == "reversed"
        return self.numbers[note["id"]] if note is not None and whole else ""

    def _billed(self, row: Row) -> DocumentLine:
        taxes = tuple(sorted(self.taxes.get(tax, "") for tax in row["tax_ids"]))
        account = self.codes.get(link(row["account_id"]) or 0, "")
        return DocumentLine(text(row["name"]), exact(row["quantity"]), exact(row["price_unit"]),
                            exact(row["price_subtotal"]), account, taxes)  # fmt: skip

    def _orders(self) -> list[Document]:
        """Sale orders, and purchase orders, which are requests in our words."""
        sale, purchase = self.series.order_tax, self.series.purchase_tax
        return [
            *self._ordered("sale.order", "order", "client_order_ref", "product_uom_qty", sale, str),
            *self._ordered("purchase.order", "request", "origin", "product_qty", purchase,
                           lambda state: records.REQUEST_STATES.get(state, state)),
        ]  # fmt: skip

    def _ordered(
        self, model: str, kind: str, described: str, quantity: str, tax: str, state: Callable[[str], str]
    ) -> list[Document]:
        lines: dict[int, list[DocumentLine]] = defaultdict(list)
        fields = ["order_id", "name", quantity, "price_unit", "price_subtotal", tax]
        for row in self.rows(f"{model}.line", fields, [("display_type", "=", False)]):
            taxes = tuple(sorted(self.taxes.get(each, "") for each in row[tax]))
            line = DocumentLine(text(row["name"]), exact(row[quantity]), exact(row["price_unit"]),
                                exact(row["price_subtotal"]), taxes=taxes)  # fmt: skip
            lines[link(row["order_id"]) or 0].append(line)
        fields = ["name", "state", "partner_id", "date_order", "amount_total", described]
        return [
            Document(kind, text(row["name"]), state(str(row["state"])), self._party(row["partner_id"]),
                     day(row["date_order"]), exact(row["amount_total"]), text(row[described]),
                     lines=tuple(sorted(lines[row["id"]], key=order)))
            for row in self.rows(model, fields)
        ]  # fmt: skip

    def _payments(self) -> list[Document]:
        rows = self.rows("account.payment", ["name", "state", "partner_id", "date", "amount", self.series.payment_memo])
        return [
            Document(
                kind="payment",
                number=records.number(row["name"]),
                state=configuration.PAYMENT_STATES.get(row["state"], row["state"]),
                party=self._party(row["partner_id"]),
                on=day(row["date"]),
                total=exact(row["amount"]),
                description=text(row[self.series.payment_memo]),
            )
            for row in rows
        ]

    # --- projects and time ------------------------------------------------------------------------------------------

    def _works(self) -> list[Work]:
        series = self.series
        rows = self.rows("project.project", ["name", "partner_id", "active"])
        projects = {row["id"]: row for row in rows}
        rates = {row["id"]: exact(row["price_unit"]) for row in self.rows("sale.order.line", ["price_unit"])}
        stages = frozenset() if series.task_state else frozenset(
            row["id"] for row in self.rows("project.task.type", [series.stage_closes]) if row[series.stage_closes]
        )  # fmt: skip
        found = [
            Work(text(row["name"]), "project", self._party(row["partner_id"]), "open" if row["active"] else "done",
                 "", None, None)
            for row in rows
        ]  # fmt: skip
        for row in self.rows("project.task", [*records.task_fields(series), "partner_id"]):
            project = projects.get(link(row["project_id"]) or 0)
            if project is not None:
                state = "done" if records.is_done(row, series, stages) else "open"
                rate = rates.get(link(row["sale_line_id"]) or 0)
                found.append(Work(f"{text(project['name'])} / {text(row['name'])}", "task",
                                  self._party(project["partner_id"]), state, "", rate,
                                  exact(row[series.planned])))  # fmt: skip
        return found

    def _hours(self) -> list[Hours]:
        fields = ["employee_id", "project_id", "task_id", "date", "unit_amount", "name", "timesheet_invoice_id"]
        tasks = {row["id"]: text(row["name"]) for row in self.rows("project.task", ["name"])}
        projects = {row["id"]: text(row["name"]) for row in self.rows("project.project", ["name"])}
        found = []
        for row in self.rows("account.analytic.line", fields, [("project_id", "!=", False)]):
            project, task = projects.get(link(row["project_id"]) or 0, ""), tasks.get(link(row["task_id"]) or 0, "")
            found.append(
                Hours(
                    employee=self.people.get(link(row["employee_id"]) or 0, ""),
                    work=f"{project} / {task}" if task else project,
                    on=day(row["date"]) or date.min,
                    hours=exact(row["unit_amount"]),
                    description=text(row["name"]),
                    billed=link(row["timesheet_invoice_id"]) is not None,
                )
            )
        return found

    def _sequences(self) -> list[Sequence]:
        """Of orders from the ERP's own table; of the ledger's documents from the last number of each journal."""
        last: Counter[tuple[str, str]] = Counter()
        for row in self.moves:
            if row["state"] == "posted" and (prefix := text(row["sequence_prefix"])):
                key = (f"journal {self.journals.get(link(row['journal_id']) or 0, '')}", prefix)
                last[key] = max(last[key], int(row["sequence_number"] or 0))
        found = [Sequence(name, prefix, number + 1) for (name, prefix), number in last.items()]
        domain = [("code", "in", ["sale.order", "purchase.order"])]
        rows = self.rows("ir.sequence", ["name", "prefix", "number_next_actual"], domain)
        return found + [Sequence(text(r["name"]), text(r["prefix"]), int(r["number_next_actual"] or 0)) for r in rows]


def _counts(row: Row) -> bool:
    """Whether a line is one of the ledger: headings and notes of an invoice are kept beside these."""
    return row["display_type"] not in records.NO_LINE


def _unique_names(rows: list[dict[str, Any]]) -> dict[int, Party]:
    """Partners who share a name are told apart by their reference, or by their order."""
    often, seen = Counter(row["name"] for row in rows), Counter[Any]()
    found = {}
    for row in rows:
        told, code = text(row["name"]), text(row["ref"])
        seen[row["name"]] += 1
        name = f"{told} [{code or seen[row['name']]}]" if often[row["name"]] > 1 else told
        found[row["id"]] = Party(name, code, bool(row["active"]))
    return found
