"""Reads documents over the API: a record, its lines, and the names that they need, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringgate.domain.documents import Invoice, Posting, Project, PurchaseRequest
from ringgate.domain.errors import ErpMisbehaved
from ringgate.domain.money import Currency
from ringgate.drivers.odoo import records
from ringgate.drivers.odoo.records import MOVE, MOVE_LINE
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.values import Row, link, text
from ringgate.drivers.odoo.wire import BusinessError


class Reader:
    """Reads with one user's session. What reference data says (currencies, codes, names of taxes) is remembered."""

    def __init__(self, session: UserSession) -> None:
        self.session = session
        self._currencies: dict[int, Currency] = {}
        self._codes: dict[int, str] = {}
        self._taxes: dict[int, str] = {}

    # reference data

    def currency(self, value: Any) -> Currency:
        """The currency that a link leads to."""
        number = link(value)
        if number is None:
            raise ErpMisbehaved("The ERP states an amount without a currency.")
        if number not in self._currencies:
            (row,) = self.session.read("res.currency", [number], ["name", "decimal_places"])
            self._currencies[number] = Currency(row["name"], int(row["decimal_places"]))
        return self._currencies[number]

    def codes(self, accounts: Iterable[int]) -> Mapping[int, str]:
        """Account id -> its code, or its name where it has none."""
        missing = sorted(set(accounts) - self._codes.keys())
        for row in self.session.read("account.account", missing, ["code", "name"]):
            self._codes[row["id"]] = text(row["code"]) or text(row["name"])
        return self._codes

    def taxes(self, taxes: Iterable[int]) -> Mapping[int, str]:
        missing = sorted(set(taxes) - self._taxes.keys())
        for row in self.session.read("account.tax", missing, ["name"]):
            self._taxes[row["id"]] = text(row["name"])
        return self._taxes

    def closing_stages(self) -> frozenset[int]:
        """Stages in which a task is done; none where tasks say so themselves."""
        series = self.session.series
        if series.task_state:
            return frozenset()
        found = self.session.call("project.task.type", "search", domain=[(series.stage_closes, "=", True)])
        return frozenset(found)

    # documents

    def project(self, project: int) -> Project:
        series = self.session.series
        (row,) = self.session.read("project.project", [project], records.PROJECT)
        tasks = self.session.rows("project.task", [("project_id", "=", project)], records.task_fields(series))
        prices = self._prices([line for each in tasks if (line := link(each["sale_line_id"])) is not None])
        stages = self.closing_stages()
        of = self.session.tenant.policy.currency
        stated = [
            records.task(each, prices.get(link(each["sale_line_id"]) or 0, (0, of))[0],
                         prices.get(link(each["sale_line_id"]) or 0, (0, of))[1], series)
            for each in tasks
        ]  # fmt: skip
        done = bool(tasks) and all(records.is_done(each, series, stages) for each in tasks)
        return records.project(row, stated, done)

    def _prices(self, lines: Sequence[int]) -> dict[int, tuple[Any, Currency]]:
        """Order line -> price of an hour, and its currency."""
        rows = self.session.read("sale.order.line", sorted(set(lines)), ["price_unit", "currency_id"])
        return {row["id"]: (row["price_unit"], self.currency(row["currency_id"])) for row in rows}

    def request(self, request: int) -> PurchaseRequest:
        (row,) = self.session.read("purchase.order", [request], records.REQUEST)
        return records.purchase_request(row, self.currency(row["currency_id"]))

    def invoice(self, invoice: int) -> Invoice:
        (row,) = self.session.read(MOVE, [invoice], records.INVOICE)
        lines = self.lines([invoice], records.INVOICE_LINE, tab=True)
        taxes = self.taxes(tax for each in lines if (tax := link(each["tax_line_id"])) is not None)
        return records.invoice(row, lines, taxes, self.currency(row["currency_id"]))

    def postings(self, moves: Sequence[int]) -> list[Posting]:
        """Entries of the ledger, oldest first."""
        rows = self.session.read(MOVE, moves, records.POSTING)
        lines = self.lines(moves, records.POSTING_LINE)
        codes = self.codes(account for each in lines if (account := link(each["account_id"])) is not None)
        company = self._company_currency(rows)
        return [
            records.posting(row, [each for each in lines if link(each["move_id"]) == row["id"]], codes, company)
            for row in sorted(rows, key=lambda row: int(row["id"]))
        ]

    def _company_currency(self, rows: Sequence[Row]) -> Currency:
        company = link(rows[0]["company_id"]) if rows else None
        if company is None:
            return self.session.tenant.policy.currency
        (row,) = self.session.read("res.company", [company], ["currency_id"])
        return self.currency(row["currency_id"])

    def lines(self, moves: Sequence[int], fields: Sequence[str], *, tab: bool = False) -> list[dict[str, Any]]:
        """`tab` asks older series which lines stand on an invoice's first tab."""
        extra = ["exclude_from_invoice_tab"] if tab and self.session.series.major < 16 else []
        return self.session.rows(MOVE_LINE, [("move_id", "in", list(moves))], [*fields, *extra])

    def read_back(self, what: str, read: Any) -> Any:
        """What the ERP states of a record it has just made or changed."""
        try:
            return read()
        except BusinessError as error:
            raise ErpMisbehaved(f"The ERP wrote {what}, but it cannot be read back: {error}") from error
