"""Undo, by the accounting way: drafts are deleted, what was posted is met by its counterpart and settled with it.

What each reversal does, and leaves. The net effect on every account is nil, and nothing stays open.

| verb             | undone by                                                                                  |
|------------------|--------------------------------------------------------------------------------------------|
| create_project   | cancelling and deleting its order, deleting its tasks and itself; closing what is kept      |
| enter_time       | deleting it, once no open invoice bills it                                                 |
| request_purchase | cancelling the order, then deleting it                                                     |
| draft_invoice    | deleting it while it is a draft                                                            |
| post_invoice     | a credit note that settles it; or settling it with the credit note that it already has     |
| credit_invoice   | deleting it while it is a draft; posted, it settles its invoice                            |
| pay_invoice      | taking the payment off the invoice, and cancelling it                                      |
| post_entry       | a counter-entry that cancels it; deleting it while it is not posted                        |

Every reversal looks first and does only what is missing, so that it may be repeated, or run after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Role
from ringgate.drivers.odoo.records import MOVE, MOVE_LINE
from ringgate.drivers.odoo.refusals import refusals
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.values import day, exact, link, text
from ringgate.drivers.odoo.wire import BusinessError
from ringgate.drivers.reversals import ReversalRunner, carries

Rows = list[dict[str, Any]]


class Undo(ReversalRunner[UserSession]):
    """Takes reversals back. `session_of` gives the session of a role."""

    def __init__(self, session_of: Callable[[Role], UserSession]) -> None:
        reverse = {
            "create_project": self._projects,
            "enter_time": self._time,
            "request_purchase": self._requests,
            "draft_invoice": self._drafts,
            "post_invoice": self._posted,
            "credit_invoice": self._credits,
            "pay_invoice": self._payments,
            "post_entry": self._entries,
        }
        super().__init__(session_of, refusals, reverse)

    # finding

    def _marked(
        self, session: UserSession, model: str, field: str, reversal: Reversal, fields: Sequence[str], *more: Any
    ) -> Rows:
        """The records that the reversal means: by `ref`, or all that carry the marker where no `ref` was noted."""
        domain: list[Any] = [("id", "=", int(reversal.ref))] if reversal.ref else [(field, "like", reversal.marker)]
        rows = session.rows(model, [*domain, *more], [field, *fields])
        return [row for row in rows if reversal.ref or carries(text(row[field]), reversal.marker)]

    # work

    def _projects(self, session: UserSession, reversal: Reversal) -> list[str]:
        done = []
        for row in self._marked(session, "project.project", "name", reversal, ["task_ids"]):
            self._order(session, row["name"])
            tasks = session.call("project.task", "search", domain=[("project_id", "=", row["id"])])
            try:
                if tasks:
                    session.call("project.task", "unlink", ids=tasks)
                session.call("project.project", "unlink", ids=[row["id"]])
            except BusinessError:
                session.call("project.project", "write", ids=[row["id"]], vals={"active": False})
                done.append("project closed")
            else:
                done.append("project deleted")
        if not done:  # its order was made last; where the crash came before, there is only the project
            done = ["order deleted"] * self._order(session, "", reversal.marker)
        return done

    def _order(self, session: UserSession, name: str, marker: str = "") -> int:
        """Cancels and deletes the orders that bill a project; one that the ERP keeps stays cancelled."""
        domain = [("client_order_ref", "=", name)] if name else [("client_order_ref", "like", marker)]
        rows = session.rows("sale.order", domain, ["state", "client_order_ref"])
        rows = [row for row in rows if name or carries(text(row["client_order_ref"]), marker)]
        for row in rows:
            if row["state"] == "done":  # series up to 16.0 lock orders so
                session.call("sale.order", "action_unlock", ids=[row["id"]])
            if row["state"] != "cancel":
                context = {"disable_cancel_warning": True}
                session.call("sale.order", "action_cancel", ids=[row["id"]], context=context)
            with suppress(BusinessError):  # salespeople may not delete orders unless a tenant lets them
                session.call("sale.order", "unlink", ids=[row["id"]])
        return len(rows)

    def _time(self, session: UserSession, reversal: Reversal) -> list[str]:
        rows = self._marked(session, "account.analytic.line", "name", reversal, ["timesheet_invoice_id"])
        if rows:
            self._unbill([row for row in rows if row["timesheet_invoice_id"]])
            session.call("account.analytic.line", "unlink", ids=[row["id"] for row in rows])
        return ["time deleted"] * bool(rows)

    def _unbill(self, rows: Rows) -> None:
        """Cuts the link of time to an invoice that no longer asks for anything: older series keep it for good."""
        if not rows:
            return
        accountant = self._session_of(Role.ACCOUNTANT)
        invoices = sorted({link(row["timesheet_invoice_id"]) or 0 for row in rows})
        for invoice in accountant.read(MOVE, invoices, ["state", "payment_state"]):
            if invoice["state"] == "posted" and invoice["payment_state"] != "reversed":
                raise BusinessError("UserError", "An invoice that is still open bills this work.")
        values = {"timesheet_invoice_id": False}
        manager = self._session_of(Role.PROJECT_MANAGER)
        manager.call("account.analytic.line", "write", ids=[row["id"] for row in rows], vals=values)

    # purchases

    def _requests(self, session: UserSession, reversal: Reversal) -> list[str]:
        rows = self._marked(session, "purchase.order", "origin", reversal, ["state"])
        rows = rows or self._marked(session, "purchase.order", "partner_ref", reversal, ["state"])
        for row in rows:
            if row["state"] != "cancel":
                self._cancel_order(session, row["id"])
            session.call("purchase.order", "unlink", ids=[row["id"]])
        return ["request deleted"] * bool(rows)

    def _cancel_order(self, session: UserSession, order: int) -> None:
        """By whose it is; where a firm lets nobody withdraw what was put forward, by who approves."""
        try:
            session.call("purchase.order", "button_cancel", ids=[order])
        except BusinessError:
            self._session_of(Role.APPROVER).call("purchase.order", "button_cancel", ids=[order])

    # invoices

    def _drafts(self, session: UserSession, reversal: Reversal) -> list[str]:
        fields, kind = ["state", "name", "posted_before"], ("move_type", "=", "out_invoice")
        done = []
        for row in self._marked(session, MOVE, "ref", reversal, fields, kind):
            if row["state"] in ("draft", "cancel") and not row["posted_before"]:
                session.call(MOVE, "unlink", ids=[row["id"]])
                done.append("draft deleted")
        return done

    def _posted(self, session: UserSession, reversal: Reversal) -> list[str]:
        invoice = self._invoice(session, int(reversal.ref or reversal.target))
        if invoice is None or invoice["state"] != "posted":
            return []
        if not exact(invoice["amount_residual"]):
            if not self._credit_notes(session, invoice["id"]):
                raise BusinessError("UserError", "It is paid, and its payment must be taken back first.")
            return []
        if self._settled(session, invoice):
            return ["settled with its credit note"]
        if invoice["payment_state"] == "partial":
            raise BusinessError("UserError", "It is paid in part, and its payment must be taken back first.")
        today = datetime.now(ZoneInfo(session.tenant.timezone)).date()
        self._credit(session, invoice, max(today, day(invoice["invoice_date"]) or today), reversal.marker)
        return ["credited"]

    def _credit(self, session: UserSession, invoice: dict[str, Any], on: date, marker: str) -> None:
        """Credits an open invoice and settles it with its credit note."""
        series, record = session.series, invoice["id"]
        context = {"active_model": MOVE, "active_id": record, "active_ids": [record]}
        values: dict[str, Any] = {"date": on, "reason": marker, "journal_id": link(invoice["journal_id"])}
        values |= series.credit_values(settles=True)
        (wizard,) = session.call("account.move.reversal", "create", vals_list=[values], context=context)
        session.call("account.move.reversal", series.credit_button, ids=[wizard], context=context)
        drafts = [note["id"] for note in self._credit_notes(session, record) if note["state"] == "draft"]
        if drafts:
            session.call(MOVE, "action_post", ids=drafts)
        standing = self._invoice(session, record)
        if standing is not None and exact(standing["amount_residual"]) and not self._settled(session, standing):
            raise BusinessError("UserError", "Its credit note does not settle it.")

    def _credits(self, session: UserSession, reversal: Reversal) -> list[str]:
        done: list[str] = []
        for note in self._credit_notes(session, int(reversal.target)):
            if note["state"] == "draft" and not note["posted_before"]:
                session.call(MOVE, "unlink", ids=[note["id"]])
                done.append("draft credit note deleted")
        invoice = self._invoice(session, int(reversal.target))
        if invoice is not None and invoice["state"] == "posted" and self._settled(session, invoice):
            done.append("settled with its invoice")
        return done

    def _invoice(self, session: UserSession, record: int) -> dict[str, Any] | None:
        rows = session.rows(MOVE, [("id", "=", record)], _INVOICE)
        return rows[0] if rows else None

    def _credit_notes(self, session: UserSession, invoice: int) -> Rows:
        return session.rows(MOVE, [("reversed_entry_id", "=", invoice)], _INVOICE)

    def _settled(self, session: UserSession, invoice: dict[str, Any]) -> bool:
        """Settles an invoice with its open credit notes, if they leave nothing to pay between them."""
        notes = [each["id"] for each in self._credit_notes(session, invoice["id"]) if each["state"] == "posted"]
        if not notes or not exact(invoice["amount_residual"]):
            return False
        domain = [("move_id", "in", [invoice["id"], *notes]), ("reconciled", "=", False)]
        receivable = (f"account_id.{session.series.account_kind}", "=", session.series.receivable)
        lines = session.rows(MOVE_LINE, [*domain, receivable], ["amount_residual"])
        if sum(exact(line["amount_residual"]) for line in lines):
            return False
        session.call(MOVE_LINE, "reconcile", ids=[line["id"] for line in lines])
        return True

    # payments and entries

    def _payments(self, session: UserSession, reversal: Reversal) -> list[str]:
        """The payments of this run on the invoice: taken off it by being a draft again, and cancelled for good."""
        memo = session.series.payment_memo
        invoice = self._invoice(session, int(reversal.target or reversal.ref))
        rows = session.rows("account.payment", [(memo, "like", reversal.marker)], [memo, "state"])
        number = text(invoice["name"]) if invoice else ""
        mine = [row for row in rows if carries(text(row[memo]), reversal.marker) and text(row[memo]).startswith(number)]
        done = []
        for row in mine:
            if row["state"] in ("cancel", "canceled", "rejected"):
                continue
            if session.series.payment_reset and row["state"] != "draft":
                session.call("account.payment", "action_draft", ids=[row["id"]])
            session.call("account.payment", "action_cancel", ids=[row["id"]])
            done.append("payment cancelled")
        return done

    def _entries(self, session: UserSession, reversal: Reversal) -> list[str]:
        fields = ["state", "journal_id", "reversed_entry_id", "posted_before", "line_ids", "date"]
        rows = self._marked(session, MOVE, "ref", reversal, fields, ("move_type", "=", "entry"))
        done = []
        for row in rows:
            if row["reversed_entry_id"]:  # a counter-entry names what it cancels
                continue
            if row["state"] == "draft" and not row["posted_before"]:
                session.call(MOVE, "unlink", ids=[row["id"]])
                done.append("draft entry deleted")
            elif row["state"] == "posted" and not self._credit_notes(session, row["id"]):
                self._counter(session, row)
                done.append("entry cancelled")
        return done

    def _counter(self, session: UserSession, row: dict[str, Any]) -> None:
        """A counter-entry of the same day, settled with what it cancels."""
        record = row["id"]
        context = {"active_model": MOVE, "active_id": record, "active_ids": [record]}
        values: dict[str, Any] = {"date": day(row["date"]), "journal_id": link(row["journal_id"])}
        values |= session.series.credit_values(settles=True)
        (wizard,) = session.call("account.move.reversal", "create", vals_list=[values], context=context)
        session.call("account.move.reversal", session.series.credit_button, ids=[wizard], context=context)
        drafts = [each["id"] for each in self._credit_notes(session, record) if each["state"] == "draft"]
        if drafts:
            session.call(MOVE, "action_post", ids=drafts)


_INVOICE: Final = (
    "name", "state", "payment_state", "amount_residual", "invoice_date", "journal_id", "posted_before",
)  # fmt: skip
