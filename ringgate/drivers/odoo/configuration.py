"""What a tenant's ERP is set to, flattened to (subject, key, value) in business words, the same in every series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.terms import TaxRounding
from ringgate.drivers.odoo.series import OdooSeries
from ringgate.drivers.odoo.values import exact, link, name, text
from ringgate.fingerprint.model import ErpSetting

Rows = Callable[..., list[dict[str, Any]]]
Codes = Mapping[int, str]
TERM: Final = "payment term "
SHIPPED: Final = (TERM,)
"""What subjects begin with of which a release may bring new ones."""
APPROVAL_RULE: Final = "approval rule purchases"
PAYMENT_STATES: Final = {"draft": "draft", "posted": "paid", "in_process": "paid", "paid": "paid",
                         "cancel": "cancelled", "canceled": "cancelled", "rejected": "rejected"}  # fmt: skip
_Found = Iterator[tuple[str, str, object]]


def extensions(rows: Rows) -> list[str]:
    """Modules that are installed."""
    found = rows("ir.module.module", ["name"], [("state", "in", ["installed", "to upgrade"])])
    return [text(row["name"]) for row in found]


def settings(rows: Rows, series: OdooSeries, codes: Codes) -> list[ErpSetting]:
    """All of them. `codes` are those of accounts by id."""
    found = [*_company(rows, series), *_taxes(rows, series, codes), *_terms(rows, series), *_journals(rows, codes),
             *_products(rows), *_rules(rows)]  # fmt: skip
    return [ErpSetting(subject, key, _text(value)) for subject, key, value in found]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _company(rows: Rows, series: OdooSeries) -> _Found:
    digits = {row["id"]: int(row["decimal_places"]) for row in rows("res.currency", ["decimal_places"])}
    fields = ["name", "currency_id", "tax_calculation_rounding_method", "po_double_validation",
              "po_double_validation_amount", "fiscalyear_lock_date"]  # fmt: skip
    for row in rows("res.company", fields):
        subject = f"company {text(row['name'])}"
        yield subject, "currency", name(row["currency_id"])
        yield subject, "closed until", text(row["fiscalyear_lock_date"])
        if rounding := _rounding(text(row["tax_calculation_rounding_method"]), series):
            yield "accounting", "tax rounding", rounding
        if text(row["po_double_validation"]) == "two_step":
            least = Decimal(1).scaleb(-digits.get(link(row["currency_id"]) or 0, 2))
            above = exact(row["po_double_validation_amount"]).quantize(least) - least
            yield APPROVAL_RULE, "approvals", 1
            yield APPROVAL_RULE, "condition", f"a total above {above}"


def _rounding(method: str, series: OdooSeries) -> str:
    """In our words; "" where it is not known what a series makes of it."""
    if method == "round_per_line":
        return TaxRounding.LINE_NET.value
    return series.rounds_globally


def _taxes(rows: Rows, series: OdooSeries, codes: Codes) -> _Found:
    """A tax of sales is called as it is; one of purchases may have the same name."""
    accounts: dict[int, list[str]] = defaultdict(list)
    tax_of = "tax_id" if series.major >= 17 else "invoice_tax_id"
    for row in rows("account.tax.repartition.line", [tax_of, "account_id", "repartition_type"]):
        if row["repartition_type"] == "tax" and (account := link(row["account_id"])):
            accounts[link(row[tax_of]) or 0].append(codes.get(account, ""))
    for row in rows("account.tax", ["name", "type_tax_use", "amount_type", "amount", "price_include", "active"]):
        use, of = text(row["type_tax_use"]), text(row["amount_type"])
        subject = f"tax {text(row['name'])}" + ("" if use == "sale" else f" ({use})")
        yield subject, "type", of
        yield subject, *(("rate", exact(row["amount"]) / 100) if of == "percent" else ("amount", exact(row["amount"])))
        yield subject, "in the price", bool(row["price_include"])
        yield subject, "active", bool(row["active"])
        yield subject, "accounts", ", ".join(sorted(set(accounts[row["id"]])))


def _terms(rows: Rows, series: OdooSeries) -> _Found:
    days = "nb_days" if series.major >= 17 else "days"
    lines: dict[int, list[tuple[str, Decimal, object]]] = defaultdict(list)
    for row in rows("account.payment.term.line", ["payment_id", "value", "value_amount", days]):
        lines[link(row["payment_id"]) or 0].append((text(row["value"]), exact(row["value_amount"]), row[days]))
    for row in rows("account.payment.term", ["name"]):
        yield f"{TERM}{text(row['name'])}", "lines", " then ".join(_instalments(lines[row["id"]]))


def _instalments(lines: Sequence[tuple[str, Decimal, object]]) -> Iterator[str]:
    """Older series call the last one the balance, later ones give its share."""
    shares = sum((amount for value, amount, _ in lines if value == "percent"), Decimal(0))
    for value, amount, days in lines:
        share = f"{100 - shares:f}%" if value == "balance" else f"{amount:f}%" if value == "percent" else f"{amount:f}"
        rest = value == "balance" and any(each == "fixed" for each, _, _ in lines)
        yield f"{'the rest' if rest else share} in {days} days"


def _journals(rows: Rows, codes: Codes) -> _Found:
    for row in rows("account.journal", ["code", "name", "type", "active", "default_account_id"]):
        subject = f"journal {text(row['code'])}"
        yield subject, "type", text(row["type"])
        yield subject, "active", bool(row["active"])
        yield subject, "account", codes.get(link(row["default_account_id"]) or 0, "")


def _products(rows: Rows) -> _Found:
    for row in rows("product.template", ["name", "list_price", "active", "invoice_policy", "sale_ok"]):
        if row["sale_ok"]:
            subject = f"product {text(row['name'])}"
            yield subject, "price", exact(row["list_price"])
            yield subject, "active", bool(row["active"])
            yield subject, "billed by", text(row["invoice_policy"])


def _rules(rows: Rows) -> _Found:
    """Record rules of the firm's own; those of modules are a release's own affair."""
    shipped = rows("ir.model.data", ["res_id"], [("model", "=", "ir.rule")])
    known = {int(row["res_id"]) for row in shipped}
    for row in rows("ir.rule", ["name", "domain_force", "active"]):
        if row["id"] not in known:
            yield f"record rule {text(row['name'])}", "condition", text(row["domain_force"])
            yield f"record rule {text(row['name'])}", "active", bool(row["active"])
