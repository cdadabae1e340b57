"""A tenant's master data: company, chart of accounts, years, taxes, services, journals, the invoice's form."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ringgate.estate.seed_spec import CITIES, CURRENCIES, SeedSpec
from ringgate.estate.tryton.seeding.rpc import SeedingClient

EXTENSIONS = ("account_payment", "sale")
"""Modules of the ERP whose menus a tenant sees only if its inventory lists them as extensions."""

KINDS = ("receivable", "payable", "revenue", "expense", "tax", "cash")
OTHER_CODES = {"payable": "2100", "expense": "5000"}
ACCOUNTS = {
    "de": {
        "receivable": "Forderungen",
        "payable": "Verbindlichkeiten",
        "revenue": "Erlöse",
        "expense": "Aufwendungen",
        "tax": "Umsatzsteuer",
        "cash": "Kasse",
    },
}
"""What a kind of account is called where the tenant does not work in English."""
OPEN_MONTHS = 9  # a month of the previous year that began longer ago than this is closed,
CLOSED_AT_MOST = 6  # but no more than these

# Rendering the ERP's own invoice document costs more than everything else in a posting together; this form shows the
# same facts as plain text, and is the tenant's configuration for good.
INVOICE_FORM = """\
${record.company.party.name}

${'Credit note' if record.untaxed_amount < 0 else 'Invoice'} ${record.number or ''}
${record.invoice_date or ''}
${record.party.name}
{% for line in record.lines %}\
${line.description or ''}  ${line.quantity} x ${line.unit_price}  ${line.amount}
{% end %}\
{% for tax in record.taxes %}\
${tax.description}  ${tax.amount}
{% end %}\
${record.currency.code} ${record.total_amount}
"""


@dataclass(frozen=True)
class MasterData:
    """Ids that what follows builds on. `accounts` is by kind, `products` in the order of `SeedSpec.products`."""

    company: int
    currency: int
    accounts: dict[str, int]
    payment_term: int
    payment_method: int
    products: tuple[int, ...]
    taxes: dict[str, int]
    hour: int


def create(client: SeedingClient, spec: SeedSpec) -> MasterData:
    """Makes all of it, as the administrator, in a database where nothing is set up."""
    _language(client, spec)
    currency = _currency(client, spec)
    company = _company(client, spec, currency)
    accounts = _chart(client, spec, company)
    _years(client, spec, company)
    taxes = _taxes(client, spec, accounts)
    hour = client.named("product.uom_hour")["product.uom_hour"]
    base = MasterData(
        company=company,
        currency=currency,
        accounts=accounts,
        payment_term=_payment_term(client, spec),
        payment_method=_payment_method(client, spec, company, accounts),
        products=_products(client, spec, accounts, taxes, hour),
        taxes=taxes,
        hour=hour,
    )
    _invoice_form(client)
    _extensions(client, spec)
    return base


def _language(client: SeedingClient, spec: SeedSpec) -> None:
    """The tenant's own, with its translations, beside English."""
    languages = client.ids("ir.lang", [("code", "=", spec.language), ("translatable", "=", False)])
    if languages:
        client.press("ir.lang", "load_translations", languages)


def _currency(client: SeedingClient, spec: SeedSpec) -> int:
    code, smallest = spec.policy.currency.code, spec.policy.currency.smallest
    name, symbol = CURRENCIES.get(code, (code, code))
    digits = spec.policy.currency.digits
    return client.one(
        "currency.currency", {"name": name, "code": code, "symbol": symbol, "digits": digits, "rounding": smallest}
    )


def _company(client: SeedingClient, spec: SeedSpec, currency: int) -> int:
    address = {"street": "1", "city": CITIES[spec.locale]}
    party = client.one("party.party", {"name": spec.name, "addresses": [("create", [address])]})
    company = client.one(
        "company.company",
        {"party": party, "currency": currency, "timezone": spec.timezone, "cancel_invoice_out": True},
    )
    session = client.rpc.session
    assert session is not None
    client.write("res.user", [session.user_id], {"companies": [("add", [company])], "company": company})
    client.refresh()
    return company


def _chart(client: SeedingClient, spec: SeedSpec, company: int) -> dict[str, int]:
    """The ERP's minimal chart, with the codes that the inventory names and names in the tenant's language."""
    names = {kind: f"account.account_template_{kind}_en" for kind in KINDS}
    root = "account.account_template_root_en"
    templates = client.named(root, *names.values())
    start = {"company": company, "account_template": templates[root]}
    # The accounts must exist before the wizard's second form can name them: so it is run in two goes.
    session = client.rpc.call("wizard.account.create_chart.create")[0]
    client.rpc.call("wizard.account.create_chart.execute", session, {"account": start}, "create_account")
    by_template = {
        row["template"]: int(row["id"]) for row in client.find("account.account", [], ["template"]) if row["template"]
    }
    accounts = {kind: by_template[templates[name]] for kind, name in names.items()}
    properties = {
        "company": company,
        "account_receivable": accounts["receivable"],
        "account_payable": accounts["payable"],
        "category_account_revenue": accounts["revenue"],
        "category_account_expense": accounts["expense"],
    }
    forms = {"account": start, "properties": properties}
    client.rpc.call("wizard.account.create_chart.execute", session, forms, "create_properties")
    client.rpc.call("wizard.account.create_chart.delete", session)
    stated = spec.policy.accounts
    codes = OTHER_CODES | {k: getattr(stated, k)[0] for k in ("receivable", "revenue", "tax", "cash")}
    pairs: list[object] = []
    called = ACCOUNTS.get(spec.language, {})
    for kind, code in codes.items():
        name = {"name": called[kind]} if kind in called else {}
        pairs += [[accounts[kind]], {"code": code, "template_override": True, **name}]
    client.write("account.account", *pairs)
    client.write("account.configuration", [1], {"tax_rounding": spec.policy.tax_rounding.value})
    return accounts


def _years(client: SeedingClient, spec: SeedSpec, company: int) -> None:
    """The previous year, this one and the next, by months, with gapless numbers for invoices and for credit notes.

    The next year, so that a tenant that was seeded in December can still be posted to in January.
    """
    types = client.named("account.sequence_type_account_move", "account_invoice.sequence_type_account_invoice")
    move_type, invoice_type = types.values()
    for year in range(spec.today.year - 1, spec.today.year + 2):
        common = {"company": company, "padding": 4}
        move = client.one(
            "ir.sequence",
            common | {"name": f"Postings {year}", "sequence_type": move_type, "prefix": f"{year}/", "padding": 5},
        )
        numbers = {
            "out_invoice_sequence": (f"Invoices {year}", f"{spec.short}{year}-"),
            "out_credit_note_sequence": (f"Credit notes {year}", f"{spec.short}{year}-C"),
            "in_invoice_sequence": (f"Supplier invoices {year}", f"{spec.short}{year}-S"),
            "in_credit_note_sequence": (f"Supplier credit notes {year}", f"{spec.short}{year}-T"),
        }
        made = client.create(
            "ir.sequence.strict",
            [common | {"name": n, "sequence_type": invoice_type, "prefix": p} for n, p in numbers.values()],
        )
        fiscal_year = client.one(
            "account.fiscalyear",
            {
                "name": str(year),
                "company": company,
                "start_date": date(year, 1, 1),
                "end_date": date(year, 12, 31),
                "post_move_sequence": move,
                "invoice_sequences": [("create", [dict(zip(numbers, made, strict=True)) | {"company": company}])],
            },
        )
        client.press("account.fiscalyear", "create_period", [fiscal_year])


def close_old_months(client: SeedingClient, spec: SeedSpec) -> date | None:
    """Closes the first months of the previous year; their last day, None if there is none that is old enough."""
    months_now = spec.today.year * 12 + spec.today.month - 1
    last_year = spec.today.year - 1
    old = [m for m in range(1, CLOSED_AT_MOST + 1) if months_now - (last_year * 12 + m - 1) > OPEN_MONTHS]
    if not old:
        return None
    end = date(last_year, old[-1], calendar.monthrange(last_year, old[-1])[1])
    periods = client.ids("account.period", [("end_date", "<=", end), ("start_date", ">=", date(last_year, 1, 1))])
    client.press("account.period", "close", periods)
    return end


def _taxes(client: SeedingClient, spec: SeedSpec, accounts: dict[str, int]) -> dict[str, int]:
    """One tax for each rate of the inventory, all on the account it names."""
    made = client.create(
        "account.tax",
        [
            {
                "name": tax.name,
                "description": tax.name,
                "type": "percentage",
                "rate": tax.rate,
                "invoice_account": accounts["tax"],
                "credit_note_account": accounts["tax"],
            }
            for tax in spec.policy.taxes
        ],
    )
    return dict(zip((tax.name for tax in spec.policy.taxes), made, strict=True))


def _products(
    client: SeedingClient, spec: SeedSpec, accounts: dict[str, int], taxes: dict[str, int], hour: int
) -> tuple[int, ...]:
    """A service sold by the hour for each rate; its tax and accounts come from its accounting category."""
    categories = client.create(
        "product.category",
        [
            {
                "name": name,
                "accounting": True,
                "account_revenue": accounts["revenue"],
                "account_expense": accounts["expense"],
                "customer_taxes": [("add", [taxes[tax]])] if tax else [],
            }
            for name, tax in spec.products
        ],
    )
    low = Decimal(spec.rates[0])
    templates = client.create(
        "product.template",
        [
            {
                "name": name,
                "type": "service",
                "default_uom": hour,
                "list_price": low,
                "account_category": category,
                "products": [("create", [{}])],
            }
            for (name, _), category in zip(spec.products, categories, strict=True)
        ],
    )
    return tuple(row["products"][0] for row in client.read("product.template", templates, ["products"]))


def _payment_term(client: SeedingClient, spec: SeedSpec) -> int:
    wait = {"days": spec.policy.payment_days}
    line = {"type": "remainder", "relativedeltas": [("create", [wait])]}
    return client.one("account.invoice.payment_term", {"name": spec.policy.payment_term, "lines": [("create", [line])]})


def _payment_method(client: SeedingClient, spec: SeedSpec, company: int, accounts: dict[str, int]) -> int:
    return client.one(
        "account.invoice.payment.method",
        {
            "name": "Kasse" if spec.language == "de" else "Cash",
            "company": company,
            "journal": client.named("account.journal_cash")["account.journal_cash"],
            "credit_account": accounts["cash"],
            "debit_account": accounts["cash"],
        },
    )


def _invoice_form(client: SeedingClient) -> None:
    report = client.only("ir.action.report", [("report_name", "=", "account.invoice")])
    form = {"template_extension": "txt", "extension": "", "report_content_custom": INVOICE_FORM.encode()}
    client.write("ir.action.report", [report], form)


def _extensions(client: SeedingClient, spec: SeedSpec) -> None:
    """Takes the menus of the extensions that the tenant has not got out of everybody's sight."""
    off = [module for module in EXTENSIONS if module not in spec.extensions]
    rows = client.find("ir.model.data", [("module", "in", off), ("model", "=", "ir.ui.menu")], ["db_id"])
    if rows:
        client.write("ir.ui.menu", [row["db_id"] for row in rows], {"active": False})
