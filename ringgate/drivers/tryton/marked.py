"""What carries a run's marker and is still open, found without any journal: `ringgate recover --sweep`.

| record               | open                                                              | verbs to take back       |
|----------------------|-------------------------------------------------------------------|--------------------------|
| project.work         | while it is there and not done; done, while no invoice bills it   | create_project           |
| timesheet.line       | while it is there                                                 | enter_time               |
| purchase.requisition | while it is there and not cancelled                               | request_purchase         |
| account.invoice      | a draft; posted; paid, by a payment                               | draft, post, credit, pay |
| account.move         | a draft; posted, with amounts and no counter-entry                | post_entry               |

Reads only, as the auditor. What was made by nobody whom the inventory names is said to be so: it may be a copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from ringgate.domain.reversal import MarkedRecord, Reversal
from ringgate.drivers.reversals import KEEPERS
from ringgate.drivers.tryton.made import ROOTS
from ringgate.drivers.tryton.particulars import people
from ringgate.drivers.tryton.sessions import UserSession, refusals

MARKER: Final = re.compile(r"(?<!\w)RG-([2-9a-z]{12})-\d+(?!\w)")
AT_ONCE: Final = 500
"""Records in one call."""

OPEN: Final[dict[str, list[Any]]] = {
    "project.work": [
        ("type", "=", "project"),
        ["OR", ("status.progress", "!=", 1.0), ("status.progress", "=", None),
         [("invoice_line", "=", None), ("children.invoice_line", "=", None)]],
    ],
    "timesheet.line": [],
    "purchase.requisition": [("state", "!=", "cancelled")],
    "account.invoice": [
        ("type", "=", "out"),
        ["OR", ("state", "in", ["draft", "validated", "posted"]),
         [("state", "=", "paid"), ("payment_lines", "!=", None)]],
    ],
    "account.move": [("origin", "=", None)],
}  # fmt: skip
FIELDS: Final = {
    "account.invoice": ("state", "number", "total_amount"),
    "account.move": ("state", "number", "lines.debit", "lines.credit"),
    "purchase.requisition": ("state", "number"),
}
WORDS: Final = {
    "project.work": "project",
    "timesheet.line": "time",
    "purchase.requisition": "request",
    "account.invoice": "invoice",
    "account.move": "entry",
}
VERBS: Final = {
    "project.work": ("create_project",),
    "timesheet.line": ("enter_time",),
    "purchase.requisition": ("request_purchase",),
    "account.invoice": ("draft_invoice", "post_invoice", "credit_invoice", "pay_invoice"),
    "account.move": ("post_entry",),
}
OF_AN_INVOICE: Final = ("post_invoice", "credit_invoice", "pay_invoice")


def find(session: UserSession, before: datetime) -> tuple[MarkedRecord, ...]:
    """All of it that was made before that moment, oldest first."""
    found: list[MarkedRecord] = []
    with refusals("find what runs left", session):
        ours, _ = people(session)
        for model, name in ROOTS.items():
            for row in _rows(session, model, name, before):
                if (marked := _marked(model, row, str(row[name]), row["create_uid"] in ours)) is not None:
                    found.append(marked)
    return tuple(sorted(found, key=lambda each: each.made_at))


def _rows(session: UserSession, model: str, name: str, before: datetime) -> Iterator[dict[str, Any]]:
    moment = before.astimezone(UTC).replace(tzinfo=None)
    domain = [(name, "ilike", "%RG-%"), ("create_date", "<", moment), *OPEN[model]]
    fields = [name, "create_date", "create_uid", *FIELDS.get(model, ())]
    last = 0
    while True:
        rows: list[dict[str, Any]] = session.call(
            f"model.{model}.search_read", [*domain, ("id", ">", last)], 0, AT_ONCE, [("id", "ASC")], fields
        )
        yield from _not_cancelled(session, rows) if model == "account.move" else rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1]["id"]


def _not_cancelled(session: UserSession, moves: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Entries that still move an account, or will."""
    origins = [f"account.move,{each['id']}" for each in moves]
    counters = session.call("model.account.move.search_read", [("origin", "in", origins)], 0, None, None, ["origin"])
    met = {each["origin"] for each in counters}
    for move, origin in zip(moves, origins, strict=True):
        if move["state"] == "draft" or (origin not in met and any(x["debit"] or x["credit"] for x in move["lines."])):
            yield move


def _marked(model: str, row: dict[str, Any], text: str, ours: bool) -> MarkedRecord | None:
    """None for a text that only looks as if it carried a marker."""
    named = MARKER.search(text)
    if named is None:
        return None
    if row.get("total_amount", 0) < 0 and row["state"] != "draft":
        return None  # a credit note has its invoice's text; it is settled when its invoice is
    run_id, marker, number = named[1], named[0], str(row["id"])
    reversals = tuple(
        Reversal(verb, KEEPERS[verb].value, marker, number if verb in OF_AN_INVOICE else "", number)
        for verb in VERBS[model]
    )
    state = f", {row['state']}" if row.get("state") else ""
    return MarkedRecord(
        run_id=run_id,
        record=f"{WORDS[model]} {row.get('number') or number}{state}",
        marker=marker,
        made_at=row["create_date"].replace(tzinfo=UTC),
        ours=ours,
        reversals=reversals,
    )
