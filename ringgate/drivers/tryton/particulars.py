"""What an invoice states beside its amounts: texts, units, addressee, who, and what settles or credits what."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.documents import InvoiceParticulars, LineParticulars, Ref, Settlement
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.tryton.sessions import UserSession, refusals

INVOICE: Final = "account.invoice"
LINE: Final = "account.invoice.line"
FIELDS: Final = (
    "invoice_address.party.name",
    "create_uid",
    "posted_by",
    "lines.type",
    "lines.description",
    "lines.unit.factor",
    "lines.origin",
    "reconciliation_lines.debit",
    "reconciliation_lines.credit",
    "reconciliation_lines.move.date",
    "reconciliation_lines.move.origin",
)
REMEMBERED: Final = "people"


def read(session: UserSession, invoice: Ref) -> InvoiceParticulars:
    with refusals("read the books", session):
        (row,) = session.call(f"model.{INVOICE}.read", [int(invoice.id)], list(FIELDS))
        users, employees = people(session)
        lines = [line for line in row["lines."] if line["type"] == "line"]
        taken_back = sorted({number for line in lines if (number := _id_of(LINE, line["origin"]))})
        credited = session.call(f"model.{LINE}.read", taken_back, ["invoice"]) if taken_back else []
    address = row["invoice_address."]
    return InvoiceParticulars(
        ref=invoice,
        addressee=str(address["party."]["name"]) if address and address["party."] else "",
        lines=tuple(LineParticulars(line["description"] or "", _hours(line)) for line in lines),
        entered_by=users.get(row["create_uid"]),
        posted_by=employees.get(row["posted_by"]),
        credits=tuple(sorted({str(each["invoice"]) for each in credited})),
        settlements=tuple(sorted(map(_settlement, row["reconciliation_lines."]))),
    )


def _hours(line: Mapping[str, Any]) -> Decimal | None:
    """Hours are what Tryton's units of time are counted in."""
    unit = line["unit."]
    return Decimal(str(unit["factor"])) if unit else None


def _settlement(line: Mapping[str, Any]) -> Settlement:
    move = line["move."]
    by = _id_of(INVOICE, move["origin"])
    return Settlement(move["date"], line["credit"] - line["debit"], str(by or ""))


def _id_of(model: str, reference: str | None) -> int:
    """The id in a reference to a record of the model; 0 for any other."""
    of, _, number = str(reference or "").partition(",")
    return int(number) if of == model and number.isdigit() else 0


def people(session: UserSession) -> tuple[Mapping[int, Role], Mapping[int, Role]]:
    """The inventory's roles by the ids of their users, and of their employees. Remembered while the session lives."""
    if REMEMBERED not in session.remembered:
        roles = {user.on(Channel.API).login: role for role, user in session.tenant.users.items()}
        wanted = [("login", "in", sorted(roles))]
        rows = session.call("model.res.user.search_read", wanted, 0, None, None, ["login", "employee"])
        session.remembered[REMEMBERED] = (
            {row["id"]: roles[row["login"]] for row in rows},
            {row["employee"]: roles[row["login"]] for row in rows if row["employee"]},
        )
    users, employees = session.remembered[REMEMBERED]
    return users, employees
