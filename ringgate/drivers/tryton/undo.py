"""Undo, by the accounting way: drafts are deleted, what was posted is met by its counterpart and settled with it.

What each reversal does, and leaves. The net effect on every account is nil, and nothing stays open.

| verb             | undone by                                                                                 |
|------------------|-------------------------------------------------------------------------------------------|
| create_project   | deleting it with its tasks; closing it where the ERP keeps it                              |
| enter_time       | deleting it, once no open invoice bills it                                                |
| request_purchase | withdrawing what its approval set going, then deleting it                                 |
| draft_invoice    | deleting it while it is a draft; so is record_supplier_invoice                            |
| post_invoice     | a credit note that settles it; or settling it with the credit note it already has;        |
|                  | a supplier's is cancelled, by a counter-entry that settles it                             |
| credit_invoice   | deleting it while it is a draft; posted, it settles its invoice                            |
| pay_invoice      | taking the payment off the invoice, and a counter-entry that cancels it                    |
| post_entry       | a counter-entry that cancels it; deleting it while it is not posted                        |

Every reversal looks first and does only what is missing, so that it may be repeated, or run after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Role
from ringgate.drivers.reversals import ReversalRunner, carries
from ringgate.drivers.tryton.sessions import UserSession, refusals
from ringgate.drivers.tryton.wire import BusinessError

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
            "record_supplier_invoice": self._drafts,
            "pay_invoice": self._payments,
            "post_entry": self._entries,
        }
        super().__init__(session_of, refusals, reverse)

    # finding

    def _marked(self, session: UserSession, model: str, field: str, reversal: Reversal, fields: list[str]) -> Rows:
        """The records that the reversal means: by `ref`, or all that carry the marker where no `ref` was noted."""
        domain = [("id", "=", int(reversal.ref))] if reversal.ref else [(field, "ilike", f"%{reversal.marker}%")]
        rows = _search(session, model, domain, [field, *fields])
        return [row for row in rows if reversal.ref or carries(row[field] or "", reversal.marker)]

    # work

    def _projects(self, session: UserSession, reversal: Reversal) -> list[str]:
        fields = ["type", "invoice_line", "children.invoice_line"]
        rows = self._marked(session, "project.work", "name", reversal, fields)
        return [self._project(session, row) for row in rows if row["type"] == "project"]

    def _project(self, session: UserSession, row: dict[str, Any]) -> str:
        works = [row, *row["children."]]
        ids = [each["id"] for each in works]
        try:
            self._delete_billed(session, "project.work", works)
        except BusinessError:
            (done,) = session.call("model.project.work.status.search", [("progress", "=", 1.0)], 0, 1, None)
            session.call("model.project.work.write", ids, {"progress": 1.0, "status": done})
            return "project closed"
        return "project deleted"

    def _time(self, session: UserSession, reversal: Reversal) -> list[str]:
        rows = self._marked(session, "timesheet.line", "description", reversal, ["invoice_line"])
        if rows:
            self._delete_billed(session, "timesheet.line", rows)
        return ["time deleted"] * bool(rows)

    def _delete_billed(self, session: UserSession, model: str, rows: Rows) -> None:
        """Deletes work. Its link to an invoice line is cut first, if that invoice no longer asks for anything."""
        ids = [row["id"] for row in rows]
        if billed := [row["id"] for row in rows if row["invoice_line"]]:
            lines = sorted({row["invoice_line"] for row in rows if row["invoice_line"]})
            auditor = self._session_of(Role.AUDITOR)
            states = auditor.call("model.account.invoice.line.read", lines, ["invoice.state"])
            if any(line["invoice."]["state"] not in ("cancelled", "paid") for line in states):
                raise BusinessError("UserError", "An invoice that is still open bills this work.")
            session.call(f"model.{model}.write", billed, {"invoice_line": None})
        session.call(f"model.{model}.delete", ids)

    # purchases

    def _requests(self, session: UserSession, reversal: Reversal) -> list[str]:
        model = "purchase.requisition"
        rows = self._marked(session, model, "description", reversal, ["state", "lines"])
        for row in rows:
            record, state = [row["id"]], row["state"]
            if state in ("approved", "processing", "done"):
                self._withdraw_purchases(row["lines"])
            if state in ("waiting", "rejected", "approved"):
                session.confirmed(f"model.{model}.draft", record)
            elif state in ("processing", "done"):
                session.call(f"model.{model}.write", record, {"state": "cancelled"})
            session.confirmed(f"model.{model}.delete", record)
        return ["request deleted"] * bool(rows)

    def _withdraw_purchases(self, lines: Iterable[int]) -> None:
        """Deletes what an approved request set going, with the rights of who may approve."""
        approver = self._session_of(Role.APPROVER)
        origins = [f"purchase.requisition.line,{line}" for line in lines]
        found = approver.call("model.purchase.request.search", [("origin", "in", origins)], 0, None, None)
        if found:
            approver.confirmed("model.purchase.request.delete", found)

    # invoices

    def _drafts(self, session: UserSession, reversal: Reversal) -> list[str]:
        done: list[str] = []
        for row in self._marked(session, "account.invoice", "description", reversal, ["state", "move"]):
            if row["state"] in ("draft", "validated") or (row["state"] == "cancelled" and not row["move"]):
                session.confirmed("model.account.invoice.delete", [row["id"]])
                done.append("draft deleted")
        return done

    def _posted(self, session: UserSession, reversal: Reversal) -> list[str]:
        invoice = self._invoice(session, int(reversal.ref or reversal.target))
        if invoice is not None and invoice["state"] == "paid" and not self._credit_notes(session, invoice["id"]):
            raise BusinessError("UserError", "It is paid, and its payment must be taken back first.")
        if invoice is None or invoice["state"] != "posted":
            return []
        if self._settled(session, invoice):
            return ["settled with its credit note"]
        if invoice["type"] == "in":
            session.confirmed("model.account.invoice.cancel", [invoice["id"]])
            return ["cancelled"]
        # Today comes first: credit notes are numbered in the order of their dates, and others may be newer than the
        # invoice. Its own date is for where today has no period yet.
        today = datetime.now(ZoneInfo(session.tenant.timezone)).date()
        try:
            _credit(session, invoice["id"], today)
        except BusinessError:
            if invoice["invoice_date"] == today:
                raise
            _credit(session, invoice["id"], invoice["invoice_date"])
        return ["credited"]

    def _credits(self, session: UserSession, reversal: Reversal) -> list[str]:
        done: list[str] = []
        for note in self._credit_notes(session, int(reversal.target)):
            if note["state"] in ("draft", "validated"):
                session.confirmed("model.account.invoice.delete", [note["id"]])
                done.append("draft credit note deleted")
        invoice = self._invoice(session, int(reversal.target))
        if invoice is not None and invoice["state"] == "posted" and self._settled(session, invoice):
            done.append("settled with its invoice")
        return done

    def _invoice(self, session: UserSession, record: int) -> dict[str, Any] | None:
        fields = ["type", "state", "invoice_date", *_PAYABLE]
        rows = _search(session, "account.invoice", [("id", "=", record)], fields)
        return rows[0] if rows else None

    def _credit_notes(self, session: UserSession, invoice: int) -> Rows:
        domain = [("lines.origin.invoice.id", "=", invoice, "account.invoice.line")]
        return _search(session, "account.invoice", domain, ["state", *_PAYABLE])

    def _settled(self, session: UserSession, invoice: dict[str, Any]) -> bool:
        """Settles an invoice with its open credit notes, if they leave nothing to pay between them."""
        notes = [note for note in self._credit_notes(session, invoice["id"]) if note["state"] == "posted"]
        lines = [line for each in (invoice, *notes) for line in _open_lines(each)]
        if not notes or sum(line["debit"] - line["credit"] for line in lines):
            return False
        ids = [line["id"] for line in lines]
        session.wizard("account.move.reconcile_lines", "account.move.line", ids)
        return True

    # payments and entries

    def _payments(self, session: UserSession, reversal: Reversal) -> list[str]:
        invoice = int(reversal.target or reversal.ref)
        fields = ["description", "move", "cancel_move", "additional_moves"]
        found = _search(session, "account.invoice", [("id", "=", invoice)], fields)
        if not found:
            return []
        own = found[0]
        kept = {own["move"], own["cancel_move"], *own["additional_moves"]}
        of_this_run = reversal.marker in (own["description"] or "")
        domain = [("origin", "=", f"account.invoice,{invoice}"), ("state", "=", "posted")]
        moves = [
            move
            for move in _search(session, "account.move", domain, ["description", "lines.reconciliation"])
            if move["id"] not in kept
            and (of_this_run or (move["description"] and move["description"] in reversal.marker))
        ]
        return ["payment cancelled"] * len(self._cancel(session, moves))

    def _entries(self, session: UserSession, reversal: Reversal) -> list[str]:
        fields = ["state", "origin", "lines", *(f"lines.{field}" for field in _LINE)]
        moves = self._marked(session, "account.move", "description", reversal, fields)
        moves = [move for move in moves if not move["origin"]]  # a counter-entry copies the description
        drafts = [move for move in moves if move["state"] == "draft"]
        for move in drafts:
            self._drop_draft(session, move)
        posted = [move for move in moves if move["state"] == "posted"]
        cancelled = self._cancel(session, [m for m in posted if any(x["debit"] or x["credit"] for x in m["lines."])])
        return ["draft entry dropped"] * len(drafts) + ["entry cancelled"] * len(cancelled)

    def _drop_draft(self, session: UserSession, move: dict[str, Any]) -> None:
        """Deletes a draft entry; who may not do that, as most accountants, posts it with nothing on any account."""
        try:
            session.confirmed("model.account.move.delete", [move["id"]])
        except BusinessError:
            session.call("model.account.move.line.write", move["lines"], {"debit": Decimal(0), "credit": Decimal(0)})
            session.confirmed("model.account.move.post", [move["id"]])

    def _cancel(self, session: UserSession, moves: Rows) -> Rows:
        """Cancels posted entries that are not cancelled yet, each by a counter-entry it is settled with."""
        if not moves:
            return []
        origins = [f"account.move,{move['id']}" for move in moves]
        counters = _search(session, "account.move", [("origin", "in", origins)], ["origin"])
        met = {counter["origin"] for counter in counters}
        moves = [move for move, origin in zip(moves, origins, strict=True) if origin not in met]
        if settled := [line["id"] for move in moves for line in move["lines."] if line["reconciliation"]]:
            session.wizard("account.move.unreconcile_lines", "account.move.line", settled)
        if moves:
            answer = {"default": {"description": None, "reversal": True}}
            session.wizard("account.move.cancel", "account.move", [move["id"] for move in moves], ("cancel", answer))
        return moves


_LINE: Final = ("debit", "credit", "reconciliation")
_PAYABLE: Final = tuple(f"{name}.{field}" for name in ("lines_to_pay", "payment_lines") for field in _LINE)


def _open_lines(invoice: dict[str, Any]) -> Rows:
    lines = [*invoice["lines_to_pay."], *invoice["payment_lines."]]
    return [line for line in lines if not line["reconciliation"]]


def _credit(session: UserSession, invoice: int, on: date) -> None:
    """Credits an open invoice and settles it with its credit note."""
    answer = {"start": {"invoice_date": on, "with_refund": True, "with_refund_allowed": True}}
    session.wizard("account.invoice.credit", "account.invoice", [invoice], ("credit", answer))


def _search(session: UserSession, model: str, domain: list[Any], fields: list[str]) -> Rows:
    rows: Rows = session.call(f"model.{model}.search_read", domain, 0, None, None, fields)
    return rows
