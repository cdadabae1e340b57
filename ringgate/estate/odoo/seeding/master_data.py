"""What a tenant stands on before anything happens: company, chart of accounts, taxes, services, terms, journals."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ringgate.domain.terms import TaxRounding
from ringgate.estate.odoo.seeding.rpc import SeedingClient
from ringgate.estate.seed_spec import SeedSpec

COUNTRIES: Final = {"USD": "us", "EUR": "de", "GBP": "uk"}
CHARTS: Final = {"USD": "generic_coa", "EUR": "de_skr03", "GBP": "generic_coa"}
OLD_CHARTS: Final = {
    "generic_coa": "l10n_generic_coa.configurable_chart_template",
    "de_skr03": "l10n_de_skr03.l10n_de_chart_template",
}
"""Charts of accounts as records of their own, as the series up to 16.0 keep them."""

LOCALES: Final = {"de": "de_DE", "en": "en_US"}
SILENT: Final = "http://127.0.0.1:9"
ELSEWHERE: Final = (
    "iap.endpoint", "iap.partner_autocomplete.endpoint", "sms.endpoint", "snailmail.endpoint",
    "odoo_web_editor.media_library_endpoint", "web_editor.media_library_endpoint",
)  # fmt: skip
"""Where the ERP would call its vendor. An estate calls nobody."""

CLOSED_MONTHS_AGO: Final = 9


@dataclass(frozen=True)
class MasterData:
    """Ids that what follows builds on. `accounts` is by code, `products` in the order of `SeedSpec.products`."""

    company: int
    accounts: dict[str, int]
    payment_term: int
    products: tuple[int, ...]
    cash_journal: int


def create(client: SeedingClient, spec: SeedSpec) -> MasterData:
    """Makes all of it, as the administrator, in a database where nothing is set up."""
    _stay_at_home(client)
    language(client, spec)
    company = _company(client, spec)
    _chart(client, spec, company)
    accounts = _accounts(client, spec)
    taxes = _taxes(client, spec, accounts)
    _stages(client, spec)
    return MasterData(
        company=company,
        accounts=accounts,
        payment_term=_payment_term(client, spec),
        products=_products(client, spec, accounts, taxes),
        cash_journal=_cash_journal(client, spec, accounts),
    )


def _stay_at_home(client: SeedingClient) -> None:
    known = {row["key"]: row["id"] for row in client.find("ir.config_parameter", [("key", "in", ELSEWHERE)], ["key"])}
    for key in ELSEWHERE:
        if key in known:
            client.write("ir.config_parameter", [known[key]], {"value": SILENT})
        else:
            client.one("ir.config_parameter", {"key": key, "value": SILENT})
    client.write("ir.cron", client.ids("ir.cron", []), {"active": False})


def locale(spec: SeedSpec) -> str:
    """The tenant's language as the ERP calls it."""
    return LOCALES.get(spec.language, spec.language)


def language(client: SeedingClient, spec: SeedSpec) -> None:
    """The tenant's own, with its translations, beside English."""
    code = locale(spec)
    known = client.ids("res.lang", [("code", "=", code)], active_test=False)
    if code == "en_US" or not known:
        return
    values: dict[str, Any] = {"lang": code} if client.series.major < 16 else {"lang_ids": [(6, 0, known)]}
    wizard = client.one("base.language.install", {**values, "overwrite": False})
    client.press("base.language.install", "lang_install", [wizard])


def _company(client: SeedingClient, spec: SeedSpec) -> int:
    (company,) = client.ids("res.company", [])
    currency = _currency(client, spec)
    client.write("res.currency", [currency], {"active": True})
    country = client.named(f"base.{COUNTRIES.get(spec.policy.currency.code, 'us')}").popitem()[1]
    approval = spec.policy.approval
    # The ERP holds an order back from its limit on; policy lets the requester pass what is not above its own.
    limit = approval.threshold + spec.policy.currency.smallest
    client.write(
        "res.company",
        [company],
        {
            "name": spec.name,
            "country_id": country,
            "currency_id": currency,
            "tax_calculation_rounding_method": _rounding(spec),
            "po_double_validation": "two_step" if approval.steps else "one_step",
            "po_double_validation_amount": limit,
        },
    )
    return company


def _chart(client: SeedingClient, spec: SeedSpec, company: int) -> None:
    chart = CHARTS.get(spec.policy.currency.code, "generic_coa")
    if client.series.major >= 17:
        there = client.read("res.company", [company], ["chart_template"])[0]["chart_template"]
        if there != chart:
            client.rpc.call("account.chart.template", "try_loading", ids=[], template_code=chart, company=company)
    else:
        template = client.named(OLD_CHARTS[chart]).popitem()[1]
        there = client.read("res.company", [company], ["chart_template_id"])[0]["chart_template_id"]
        if not there or there[0] != template:
            client.press("account.chart.template", "try_loading", [template])
    # A chart of accounts brings settings of its own, and price lists were made in the currency before.
    currency = _currency(client, spec)
    client.write(
        "res.company", [company], {"tax_calculation_rounding_method": _rounding(spec), "currency_id": currency}
    )
    lists = client.ids("product.pricelist", [], active_test=False)
    client.write("product.pricelist", lists, {"currency_id": currency})


def _rounding(spec: SeedSpec) -> str:
    return "round_per_line" if spec.policy.tax_rounding is TaxRounding.LINE_NET else "round_globally"


def _currency(client: SeedingClient, spec: SeedSpec) -> int:
    return client.only("res.currency", [("name", "=", spec.policy.currency.code)], active_test=False)


def _accounts(client: SeedingClient, spec: SeedSpec) -> dict[str, int]:
    """The accounts that the inventory names, by their code; one that the chart has not got is made."""
    stated = spec.policy.accounts
    old = client.series.major < 16
    types = {
        **dict.fromkeys(stated.receivable, "asset_receivable"),
        **dict.fromkeys(stated.revenue, "income"),
        **dict.fromkeys(stated.tax, "liability_current"),
        **dict.fromkeys(stated.cash, "asset_cash"),
    }
    found = {}
    for code, kind in types.items():
        there = client.ids("account.account", [("code", "=", code)])
        values: dict[str, Any] = {"code": code, "name": f"{kind.replace('_', ' ')} {code}"}
        if old:
            names = {"asset_cash": "data_account_type_liquidity", "income": "data_account_type_revenue"}
            names |= {"liability_current": "data_account_type_current_liabilities"}
            names |= {"asset_receivable": "data_account_type_receivable"}
            values["user_type_id"] = client.named(f"account.{names[kind]}").popitem()[1]
        else:
            values["account_type"] = kind
        if kind == "asset_receivable":
            values["reconcile"] = True
        found[code] = there[0] if there else client.one("account.account", values)
    return found


def _taxes(client: SeedingClient, spec: SeedSpec, accounts: dict[str, int]) -> dict[str, int]:
    """One tax for each rate of the inventory, all on the account that it names."""
    lines: list[tuple[int, int, dict[str, Any]]] = [
        (0, 0, {"repartition_type": "base"}),
        (0, 0, {"repartition_type": "tax", "account_id": accounts[spec.policy.accounts.tax[0]]}),
    ]
    if client.series.major < 17:
        lines = [(0, 0, {**values, "factor_percent": 100.0}) for _, _, values in lines]
    made = {}
    for tax in spec.policy.taxes:
        made[tax.name] = client.one(
            "account.tax",
            {
                "name": tax.name,
                "amount": tax.rate * 100,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "invoice_repartition_line_ids": lines,
                "refund_repartition_line_ids": lines,
            },
        )
    return made


def _products(
    client: SeedingClient, spec: SeedSpec, accounts: dict[str, int], taxes: dict[str, int]
) -> tuple[int, ...]:
    """A service sold by the hour for each rate, billed by the hours logged, or by those planned."""
    hour = client.named("uom.product_uom_hour").popitem()[1]
    found = []
    for name, tax in spec.products:
        values: dict[str, Any] = {
            "name": name,
            "type": "service",
            "uom_id": hour,
            "list_price": Decimal(spec.rates[0]),
            "service_policy": "delivered_manual" if spec.by_effort else "delivered_timesheet",
            "invoice_policy": "delivery",
            "service_tracking": "no",
            "taxes_id": [(6, 0, [taxes[tax]] if tax else [])],
            "supplier_taxes_id": [(6, 0, [])],
            "property_account_income_id": accounts[spec.policy.accounts.revenue[0]],
            "purchase_ok": True,
        }
        if client.series.major < 18:
            values["uom_po_id"] = hour
        found.append(client.one("product.product", values))
    return tuple(found)


def _stages(client: SeedingClient, spec: SeedSpec) -> None:
    """Where tasks say by their stage alone that they are done, there is one that says so."""
    series = client.series
    if not series.task_state:
        name = "Erledigt" if spec.language == "de" else "Done"
        client.one("project.task.type", {"name": name, "sequence": 99, "fold": True, series.stage_closes: True})


def _payment_term(client: SeedingClient, spec: SeedSpec) -> int:
    days = spec.policy.payment_days
    if client.series.major >= 17:
        line: dict[str, Any] = {"value": "percent", "value_amount": 100.0, "nb_days": days, "delay_type": "days_after"}
    else:
        line = {"value": "balance", "days": days, "option": "day_after_invoice_date"}
    # The ERP ships terms of the same name; the tenant's own is the one that its customers have.
    return client.one("account.payment.term", {"name": spec.policy.payment_term, "line_ids": [(0, 0, line)]})


def _cash_journal(client: SeedingClient, spec: SeedSpec, accounts: dict[str, int]) -> int:
    """Where payments arrive: what is paid is on the cash account at once, not on one of outstanding receipts."""
    cash = accounts[spec.policy.accounts.cash[0]]
    name = "Kasse" if spec.language == "de" else "Cash"
    there = client.ids("account.journal", [("default_account_id", "=", cash), ("type", "in", ["cash", "bank"])])
    journal = (
        there[0]
        if there
        else client.one("account.journal", {"name": name, "code": "RGCSH", "type": "cash", "default_account_id": cash})
    )
    if client.series.major < 15:
        values = {"payment_debit_account_id": cash, "payment_credit_account_id": cash}
        client.write("account.journal", [journal], values)
    else:
        lines = client.ids("account.payment.method.line", [("journal_id", "=", journal)])
        client.write("account.payment.method.line", lines, {"payment_account_id": cash})
    return journal


def lock_old_months(client: SeedingClient, spec: SeedSpec, company: int) -> date:
    """Closes what is older than some months; the last day that is closed."""
    month = spec.today.year * 12 + spec.today.month - 1 - CLOSED_MONTHS_AGO
    year, number = divmod(month, 12)
    end = date(year, number + 1, calendar.monthrange(year, number + 1)[1])
    client.write("res.company", [company], {"fiscalyear_lock_date": end})
    return end
