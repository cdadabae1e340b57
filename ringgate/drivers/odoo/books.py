"""A tenant's books as its auditor reads them: nothing here writes, and each question costs as few calls as it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ringgate.domain.documents import Invoice, Posting, Project, PurchaseRequest, Ref
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.money import Money
from ringgate.drivers.odoo import records
from ringgate.drivers.odoo.reading import Reader
from ringgate.drivers.odoo.records import MOVE, MOVE_LINE
from ringgate.drivers.odoo.refusals import refusals
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.values import day, exact, link, money, text

if TYPE_CHECKING:
    from ringgate.fingerprint.model import Fingerprint

READING: Final = "read the books"
_Line = Callable[[Mapping[str, Any]], str]


class OdooBooks:
    """Reads the ledger with an auditor's session."""

    def __init__(self, session: UserSession) -> None:
        self._session, self._reader = session, Reader(session)

    def invoice(self, invoice: Ref) -> Invoice:
        with refusals(READING, self._session):
            return self._reader.invoice(int(invoice.id))

    def posting_of(self, invoice: Ref) -> Posting:
        with refusals(READING, self._session):
            found = self._reader.postings([int(invoice.id)])
        if not found or found[0].state != "posted":
            raise ErpMisbehaved(f"Invoice {invoice.id} has no posting in the ledger.")
        return found[0]

    def postings_of(self, invoice: Ref) -> tuple[Posting, ...]:
        """Its own, those of payments that settle it, and whatever else says that it is this invoice's."""
        record = int(invoice.id)
        with refusals(READING, self._session):
            (row,) = self._session.read(MOVE, [record], ["name", "move_type"])
            named = [("ref", "=", row["name"]), ("move_type", "in", [row["move_type"], "entry"])]
            twins = self._session.rows(MOVE, [("state", "=", "posted"), *named], ["id"])
            moves = {record, *self._paying(record), *(each["id"] for each in twins)}
            return tuple(each for each in self._reader.postings(sorted(moves)) if each.state == "posted")

    def _paying(self, invoice: int) -> set[int]:
        """Entries whose lines an invoice's lines are settled with, credit notes left out."""
        rows = self._session.rows(MOVE_LINE, [("move_id", "=", invoice)], ["matched_debit_ids", "matched_credit_ids"])
        matched = sorted({each for row in rows for each in (*row["matched_debit_ids"], *row["matched_credit_ids"])})
        parts = self._session.read("account.partial.reconcile", matched, ["debit_move_id", "credit_move_id"])
        lines = sorted({link(part[side]) or 0 for part in parts for side in ("debit_move_id", "credit_move_id")})
        moves = {link(row["move_id"]) or 0 for row in self._session.read(MOVE_LINE, lines, ["move_id"])} - {invoice}
        rows = self._session.read(MOVE, sorted(moves), ["move_type"])
        return {row["id"] for row in rows if row["move_type"] == "entry"}

    def request(self, request: Ref) -> PurchaseRequest:
        with refusals(READING, self._session):
            return self._reader.request(int(request.id))

    def hours_on(self, project: Project) -> Decimal:
        """Summed by us from the entries, not taken from a total that the ERP keeps."""
        with refusals(READING, self._session):
            domain = [("project_id", "=", int(project.ref.id))]
            rows = self._session.rows("account.analytic.line", domain, ["unit_amount"])
        return sum((exact(row["unit_amount"]) for row in rows), Decimal(0))

    def invoice_numbers(self, on: date) -> tuple[str, ...]:
        """In their order, of the calendar year that `on` lies in, which is how the ERP numbers invoices."""
        domain = [
            ("move_type", "=", "out_invoice"),
            ("name", "not in", [False, "/", ""]),
            ("state", "!=", "draft"),
            ("date", ">=", date(on.year, 1, 1)),
            ("date", "<=", date(on.year, 12, 31)),
        ]
        with refusals(READING, self._session):
            rows = self._session.rows(MOVE, domain, ["name"], order="sequence_prefix, sequence_number, id")
        return tuple(row["name"] for row in rows)

    def closed_day(self) -> date | None:
        """The last day that is locked for everybody."""
        with refusals(READING, self._session):
            (user,) = self._session.read("res.users", [self._session.user_id], ["company_id"])
            company = [link(user["company_id"]) or 0]
            (row,) = self._session.read("res.company", company, ["fiscalyear_lock_date"])
        return day(row["fiscalyear_lock_date"])

    def trial_balance(self) -> Mapping[str, Money]:
        """Over all years, posted entries only; summed by the database."""
        currency = self._session.tenant.policy.currency
        with refusals(READING, self._session):
            sums = self._sums()
            codes = self._reader.codes(sums)
        balances: dict[str, Money] = {}
        for account, amount in sums.items():
            code = codes[account]
            balances[code] = balances.get(code, Money(0, currency)) + money(amount, currency)
        return {code: balance for code, balance in sorted(balances.items()) if balance}

    def _sums(self) -> dict[int, Any]:
        """Account -> debit less credit of what is posted."""
        posted = [("parent_state", "=", "posted")]
        if self._session.series.groups_by == "read_group":
            rows = self._session.call(
                MOVE_LINE, "read_group", domain=posted, fields=["balance"], groupby=["account_id"], lazy=False
            )
            return {link(row["account_id"]) or 0: row["balance"] for row in rows}
        rows = self._session.call(
            MOVE_LINE, "formatted_read_group", domain=posted, groupby=["account_id"], aggregates=["balance:sum"]
        )
        return {link(row["account_id"]) or 0: row["balance:sum"] for row in rows}

    def fingerprint(self) -> Fingerprint:
        from ringgate.drivers.odoo import fingerprint  # few runs take one

        return fingerprint.take(self._session, self.trial_balance)

    def open_documents(self) -> frozenset[str]:
        with refusals(READING, self._session):
            return frozenset(self._open())

    def _open(self) -> Iterator[str]:
        """A line for each. Lines begin with the kind and the id, so that they are stable."""
        series, rows = self._session.series, self._session.rows
        customers = ("move_type", "in", ["out_invoice", "out_refund"])
        fields = ["name", "state", "payment_state", "amount_total", "amount_residual"]
        for row in rows(MOVE, [customers, ("state", "in", ["draft", "posted"])], fields):
            if records.invoice_state(row) != "paid":
                rest = row["amount_residual"] if row["state"] == "posted" else row["amount_total"]
                yield f"invoice {row['id']} {records.number(row['name'])} {row['state']}, {exact(rest)} open"
        for row in rows(MOVE, [("move_type", "=", "entry"), ("state", "=", "draft")], ["date"]):
            yield f"entry {row['id']} of {text(row['date'])} not posted"
        for row in rows("purchase.order", [("state", "not in", ["cancel"])], ["name", "state"]):
            yield f"request {row['id']} {row['name']} {row['state']}"
        unbilled = [("project_id", "!=", False), ("timesheet_invoice_id", "=", False)]
        for row in rows("account.analytic.line", unbilled, ["unit_amount"]):
            yield f"time {row['id']} {exact(row['unit_amount'])} h unbilled"
        stages = self._reader.closing_stages()
        fields = [series.task_state or "stage_id"]
        for row in rows("project.task", [("project_id", "!=", False)], fields):
            if not records.is_done(row, series, stages):
                yield f"task {row['id']} open"
