"""A tenant's books as its auditor reads them: nothing here writes, and each question costs as few calls as it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ringgate.domain.documents import Invoice, Posting, Project, PurchaseRequest, Ref
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.money import Money
from ringgate.drivers.tryton import records
from ringgate.drivers.tryton.sessions import UserSession, refusals

if TYPE_CHECKING:
    from ringgate.fingerprint.model import Fingerprint

# What is open, as (model, domain, fields, the line that a row becomes). Lines begin with the kind and the id, so that
# they are stable; what may change about an open document follows.
_Line = Callable[[Mapping[str, Any]], str]
_OPEN: Final[tuple[tuple[str, list[Any], list[str], _Line], ...]] = (
    (
        "account.invoice",
        [("state", "in", ["draft", "validated", "posted"])],
        ["state", "number", "amount_to_pay", "total_amount"],
        lambda row: (
            f"invoice {row['id']} {row['number'] or ''} {row['state']}, "
            f"{row['amount_to_pay'] if row['state'] == 'posted' else row['total_amount']} open"
        ),
    ),
    (
        "account.move",
        [("state", "=", "draft")],
        ["date"],
        lambda row: f"entry {row['id']} of {row['date']} not posted",
    ),
    (
        "purchase.requisition",
        [("state", "in", ["draft", "waiting", "approved", "processing"])],
        ["state", "number"],
        lambda row: f"request {row['id']} {row['number'] or ''} {row['state']}",
    ),
    (
        "purchase.request",
        [("state", "in", ["draft", "exception"])],
        ["state"],
        lambda row: f"purchase to be made {row['id']} {row['state']}",
    ),
    (
        "timesheet.line",
        [("invoice_line", "=", None)],
        ["duration"],
        lambda row: f"time {row['id']} {records.hours(row['duration'])} h unbilled",
    ),
    (
        "project.work",
        [("type", "=", "project"), ("status.progress", "!=", 1.0)],
        ["id"],
        lambda row: f"project {row['id']} open",
    ),
)


class TrytonBooks:
    """Reads the ledger with an auditor's session."""

    def __init__(self, session: UserSession) -> None:
        self._session = session

    def _search(self, model: str, domain: list[Any], fields: list[str], **context: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._session.call(
            f"model.{model}.search_read", domain, 0, None, None, fields, context=context
        )
        return rows

    def _one(self, model: str, record: Ref, fields: tuple[str, ...]) -> dict[str, Any]:
        with refusals("read the books", self._session):
            (row,) = self._session.call(f"model.{model}.read", [int(record.id)], list(fields))
        return dict(row)

    def invoice(self, invoice: Ref) -> Invoice:
        return records.invoice(self._one("account.invoice", invoice, records.INVOICE))

    def posting_of(self, invoice: Ref) -> Posting:
        number = self._session.client.dialect.posting_number
        fields = tuple(f"move.{name}" for name in records.move_fields(number))
        row = self._one("account.invoice", invoice, fields)
        if row["move."] is None:
            raise ErpMisbehaved(f"Invoice {invoice.id} has no posting in the ledger.")
        return records.posting(row["move."], number)

    def postings_of(self, invoice: Ref) -> tuple[Posting, ...]:
        number = self._session.client.dialect.posting_number
        domain = [("origin", "=", f"account.invoice,{invoice.id}"), ("state", "=", "posted")]
        with refusals("read the books", self._session):
            rows = self._search("account.move", domain, list(records.move_fields(number)))
        return tuple(records.posting(row, number) for row in sorted(rows, key=lambda row: int(row["id"])))

    def request(self, request: Ref) -> PurchaseRequest:
        return records.purchase_request(self._one("purchase.requisition", request, records.REQUEST))

    def hours_on(self, project: Project) -> Decimal:
        """Summed by us from the entries, not taken from a total that the ERP keeps."""
        works = [f"project.work,{each}" for each in {project.ref.id, *(task.ref.id for task in project.tasks)}]
        with refusals("read the books", self._session):
            rows = self._search("timesheet.line", [("work.origin", "in", works)], ["duration"])
        return sum((records.hours(row["duration"]) for row in rows), Decimal(0))

    def invoice_numbers(self, on: date) -> tuple[str, ...]:
        """In the order in which they were posted, of the fiscal year that `on` lies in."""
        domain = [
            ("type", "=", "out"),
            ("number", "!=", None),
            ("total_amount_cache", ">=", 0),
            ("move.period.fiscalyear.start_date", "<=", on),
            ("move.period.fiscalyear.end_date", ">=", on),
        ]
        with refusals("read the books", self._session):
            rows = self._search("account.invoice", domain, ["number", "move"])
        return tuple(row["number"] for row in sorted(rows, key=lambda row: row["move"]))

    def closed_day(self) -> date | None:
        with refusals("read the books", self._session):
            domain = [("state", "!=", "open"), ("type", "=", "standard")]
            rows = self._session.call(
                "model.account.period.search_read", domain, 0, 1, [("end_date", "DESC")], ["end_date"]
            )
        return rows[0]["end_date"] if rows else None

    def trial_balance(self) -> Mapping[str, Money]:
        """Over the open fiscal years, posted entries only."""
        currency = self._session.tenant.policy.currency
        with refusals("read the books", self._session):
            domain = [("type", "!=", None)]
            rows = self._search("account.account", domain, ["code", "name", "balance"], posted=True)
        balances: dict[str, Money] = {}
        for row in rows:
            name = row["code"] or row["name"]
            balances[name] = balances.get(name, Money(0, currency)) + Money(row["balance"], currency)
        return {name: balance for name, balance in sorted(balances.items()) if balance}

    def open_documents(self) -> frozenset[str]:
        with refusals("read the books", self._session):
            return frozenset(self._open())

    def fingerprint(self) -> Fingerprint:
        from ringgate.drivers.tryton import fingerprint  # few runs take one

        return fingerprint.take(self._session)

    def _open(self) -> Iterator[str]:
        for model, domain, fields, line in _OPEN:
            for row in self._search(model, domain, fields):
                yield line(row)
