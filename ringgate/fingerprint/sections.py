"""The sections of a fingerprint: what each is called, how its records are paired and how people name one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ringgate.fingerprint import model as kinds
from ringgate.fingerprint.pairing import Key, all_but, by, each_but_one

WORDS = {
    "on": "date",
    "next": "next number",
    "account": "account",
    "unit_price": "unit price",
    "reversed_by": "credit note",
    "due": "due date",
    "period": "period",
    "name": "name",
}


@dataclass(frozen=True, slots=True)
class Section:
    """`attribute` of a fingerprint. `word` begins the signatures of its differences; `label` names a record."""

    attribute: str
    word: str
    keys: list[Key]
    label: Callable[[Any], str]
    numbered: str = ""  # the value that is a number or a name of the record, so that a change of it is a renaming
    line_keys: tuple[Key, ...] = ()
    unnumbered: bool = (
        False  # records have no name at all: what changed must be told from what all changes have in common
    )

    @property
    def readings(self) -> list[list[Key]]:
        """The orders in which the keys may be tried."""
        if not self.unnumbered:
            return [self.keys]
        return [[first, *(key for key in self.keys if key is not first)] for first in self.keys]


def entry_label(entry: kinds.LedgerEntry) -> str:
    name = f"posting {entry.number}" if entry.number else f"draft entry of {entry.on}"
    return f"{name} (of {entry.origin})" if entry.origin else name


def document_label(document: kinds.Document) -> str:
    if document.number:
        return f"{document.kind} {document.number}"
    named = f' "{document.description}"' if document.description else ""
    return f"{document.state} {document.kind}{named} of {document.party}"


def line_label(line: kinds.LedgerLine | kinds.DocumentLine) -> str:
    if isinstance(line, kinds.LedgerLine):
        side, amount = ("debit", line.debit) if line.debit else ("credit", line.credit)
        return f"{line.account} {side} {shown(amount)}" + (f" of {line.party}" if line.party else "")
    return f'"{line.description}" {shown(line.quantity)} x {shown(line.unit_price)}'


def hours_label(hours: kinds.Hours) -> str:
    return f"{shown(hours.hours)} h of {hours.employee} on {hours.work} of {hours.on}"


def setting_label(setting: kinds.ErpSetting) -> str:
    return f"{setting.subject}: {setting.key}"


def shown(value: object) -> str:  # noqa: PLR0911 - one for each kind of value
    """A value as people read it."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, kinds.TaxAmount):
        return f"{value.tax} {value.kind} {shown(value.amount)}"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    return str(value)


_LINE = (all_but(kinds.LedgerLine, "settled"), *each_but_one(kinds.LedgerLine), by("account", "party"), by("account"))
_BILLED = (*each_but_one(kinds.DocumentLine), by("description"), by("account"))

SECTIONS = (
    Section(
        "documents",
        "document",
        [
            all_but(kinds.Document, "number", "reversed_by"),
            by("number", "kind"),
            all_but(kinds.Document, "number", "reversed_by", "state"),
            *each_but_one(kinds.Document),
            by("number"),
            by("description", "kind", "party"),
            all_but(kinds.Document, "number", "on", "state", "reversed_by"),
        ],
        document_label,
        "number",
        _BILLED,
    ),
    Section(
        "entries",
        "posting",
        [
            all_but(kinds.LedgerEntry, "number"),
            by("number"),
            all_but(kinds.LedgerEntry, "number", "state"),
            *each_but_one(kinds.LedgerEntry),
            by("origin", "journal", "on"),
        ],
        entry_label,
        "number",
        _LINE,
    ),
    Section("works", "project", [by("name"), all_but(kinds.Work, "name")], lambda work: f"{work.kind} {work.name}",
            "name"),
    Section("hours", "hours", [*each_but_one(kinds.Hours), by("work", "employee", "description")], hours_label,
            unnumbered=True),
    Section("sequences", "sequence", [by("name", "prefix"), by("name")], lambda each: f"sequence {each.name}"),
    Section("parties", "party", [by("name"), by("code")], lambda party: f"party {party.name}", "name"),
    Section("accounts", "account", [by("account"), by("name")], lambda each: f"account {each.account}", "account"),
    Section("settings", "setting", [by("subject", "key")], setting_label),
    Section("users", "user", [by("login")], lambda user: f"user {user.login}"),
    Section("roles", "role", [by("role")], lambda role: f"role {role.name}"),
)  # fmt: skip
