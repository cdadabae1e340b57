"""What a tenant's ERP is set to, flattened to (subject, key, value) in business words, the same in every series."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ringgate.drivers.tryton import records
from ringgate.fingerprint.model import ErpSetting

if TYPE_CHECKING:
    from ringgate.drivers.tryton.reading import Reader

Names = Mapping[int | None, str]
TERM: Final = "payment term "
"""What subjects of payment terms begin with; a series may bring terms of its own."""
_SYSTEM: Final = frozenset({"ir", "res"})


def extensions(reader: Reader) -> list[str]:
    """Modules that are switched on."""
    rows = reader.rows("ir.module", ["name"], [("state", "in", ["activated", "to upgrade"])])
    return [row["name"] for row in rows if row["name"] not in _SYSTEM]


def settings(reader: Reader, accounts: Names, taxes: Names) -> list[ErpSetting]:
    """All of them. `accounts` and `taxes` are codes and names by id."""
    found = [*_company(reader), *_taxes(reader, accounts), *_tax_rules(reader, taxes), *_terms(reader),
             *_years(reader), *_journals(reader), *_methods(reader, accounts), *_products(reader, accounts, taxes),
             *_approvals(reader)]  # fmt: skip
    return [ErpSetting(subject, key, _text(value)) for subject, key, value in found]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


_Found = Iterator[tuple[str, str, object]]


def _company(reader: Reader) -> _Found:
    for row in reader.rows("company.company", ["currency.code", "timezone", "party.name"]):
        subject = f"company {row['party.']['name']}"
        yield subject, "currency", row["currency."]["code"]
        yield subject, "time zone", row["timezone"]
    for row in reader.rows("currency.currency", ["code", "digits", "rounding"]):
        yield f"currency {row['code']}", "digits", row["digits"]
        yield f"currency {row['code']}", "rounding", records.plain(row["rounding"])
    for row in reader.rows("account.configuration", ["tax_rounding"]):
        yield "accounting", "tax rounding", row["tax_rounding"]


def _taxes(reader: Reader, accounts: Names) -> _Found:
    fields = ["name", "type", "rate", "amount", "active", "invoice_account", "credit_note_account", "sequence"]
    for row in reader.rows("account.tax", fields):
        subject = f"tax {row['name']}"
        yield subject, "type", row["type"]
        yield subject, "rate", None if row["rate"] is None else records.plain(row["rate"])
        yield subject, "amount", None if row["amount"] is None else records.plain(row["amount"])
        yield subject, "active", row["active"]
        yield subject, "account", accounts.get(row["invoice_account"], "")
        yield subject, "account of credit notes", accounts.get(row["credit_note_account"], "")


def _tax_rules(reader: Reader, taxes: Names) -> _Found:
    rules = reader.names("account.tax.rule")
    lines: dict[int, list[str]] = defaultdict(list)
    for row in reader.rows("account.tax.rule.line", ["rule", "origin_tax", "tax", "keep_origin"]):
        kept = " (and the original)" if row["keep_origin"] else ""
        lines[row["rule"]].append(f"{taxes[row['origin_tax']] or 'any'} -> {taxes[row['tax']] or 'none'}{kept}")
    for rule, name in rules.items():
        if rule is not None:
            yield f"tax rule {name}", "lines", "; ".join(lines[rule])


def _terms(reader: Reader) -> _Found:
    fields = ["payment", "payment.name", "type", "ratio", "amount", "sequence", "relativedeltas.days",
              "relativedeltas.weeks", "relativedeltas.months", "relativedeltas.day"]  # fmt: skip
    # By id: a series may bring a term that is called like one of the tenant's own.
    terms: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in reader.rows("account.invoice.payment_term.line", fields):
        deltas = "; ".join(
            ", ".join(f"{delta[unit]} {unit}" for unit in ("months", "weeks", "days", "day") if delta[unit])
            for delta in row["relativedeltas."]
        )
        share = next((f" {records.plain(row[key])}" for key in ("ratio", "amount") if row[key] is not None), "")
        terms[row["payment"], row["payment."]["name"]].append(f"{row['type']}{share} in {deltas or '0 days'}")
    for (_, term), lines in terms.items():
        yield f"{TERM}{term}", "lines", " then ".join(lines)


def _years(reader: Reader) -> _Found:
    fields = ["name", "state", "start_date", "end_date"]
    for model, word in (("account.fiscalyear", "fiscal year"), ("account.period", "period")):
        for row in reader.rows(model, fields):
            yield f"{word} {row['name']}", "state", row["state"]
            yield f"{word} {row['name']}", "from", row["start_date"]
            yield f"{word} {row['name']}", "to", row["end_date"]


def _journals(reader: Reader) -> _Found:
    for row in reader.rows("account.journal", ["code", "name", "type", "active"]):
        subject = f"journal {row['code'] or row['name']}"
        yield subject, "type", row["type"]
        yield subject, "active", row["active"]


def _methods(reader: Reader, accounts: Names) -> _Found:
    fields = ["name", "journal.code", "credit_account", "debit_account"]
    for row in reader.rows("account.invoice.payment.method", fields):
        subject = f"payment method {row['name']}"
        yield subject, "journal", row["journal."]["code"]
        yield subject, "accounts", f"{accounts[row['debit_account']]} / {accounts[row['credit_account']]}"


def _products(reader: Reader, accounts: Names, taxes: Names) -> _Found:
    fields = ["name", "accounting", "account_revenue", "account_expense", "customer_taxes"]
    for row in reader.rows("product.category", fields):
        subject = f"product category {row['name']}"
        yield subject, "account of revenue", accounts.get(row["account_revenue"], "")
        yield subject, "account of expense", accounts.get(row["account_expense"], "")
        yield subject, "taxes", ", ".join(sorted(taxes[tax] for tax in row["customer_taxes"]))
    for row in reader.rows("product.template", ["name", "type", "list_price", "active", "account_category.name"]):
        subject = f"product {row['name']}"
        yield subject, "price", None if row["list_price"] is None else records.plain(row["list_price"])
        yield subject, "active", row["active"]
        yield subject, "category", row["account_category."]["name"] if row["account_category."] else ""


def _approvals(reader: Reader) -> _Found:
    fields = ["button.name", "group.name", "number_user", "condition", "description"]
    for row in reader.rows("ir.model.button.rule", fields):
        subject = f"approval rule {row['description'] or row['button.']['name']}"
        yield subject, "approvals", row["number_user"]
        yield subject, "role", row["group."]["name"] if row["group."] else ""
        yield subject, "condition", _condition(row["condition"])


def _condition(statement: str | None) -> str:
    """Written the same way whoever wrote it: spaces and the order of keys say nothing."""
    try:
        return json.dumps(json.loads(statement or "null"), sort_keys=True)
    except ValueError:
        return str(statement)
