"""What may stand in an inventory file: each key with one sentence, its default and an example.

`ringgate tenants keys` prints this module. A key that is not here is refused. The same models check a whole tenant and
each file on its own, so nothing here may need two files at once; `inventory.py` does that.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ringgate.model import Capability, Effect, InvoiceMethod, Role, TaxRounding
from ringgate.money import Currency, RoundingMode

_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_NO_DIGITS = "CLP ISK JPY KRW PYG UGX VND XAF XOF XPF"
_TWO_DIGITS = """
AED ALL AMD ARS AUD AZN BAM BBD BDT BGN BMD BOB BRL BSD BWP CAD CHF CNY COP CRC CZK DKK DOP DZD EGP ETB EUR FJD GBP GEL
GHS GTQ HKD HNL HUF IDR ILS INR JMD KES KHR KZT LKR MAD MDL MKD MOP MUR MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
PHP PKR PLN QAR RON RSD RWF SAR SEK SGD THB TRY TTD TWD TZS UAH USD UYU UZS ZAR ZMW
"""
CURRENCIES = {
    code: Currency(code, digits)
    for codes, digits in ((_THREE_DIGITS, 3), (_NO_DIGITS, 0), (_TWO_DIGITS, 2))
    for code in codes.split()
}
"""ISO 4217 with the decimals that amounts are booked in."""

SLUG = r"[a-z0-9][a-z0-9_-]{0,62}"


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG, value):
        raise ValueError("must be lower-case letters, digits, - and _, at most 63, starting with a letter or digit")
    return value


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError(f'must be in quotes, as "{value}": without them it is a float, and not exact')
    if isinstance(value, bool):
        raise ValueError('must be a number as text, such as "120.00"')
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError("must be a currency by its ISO 4217 code, such as EUR")
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/London") from None
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or re.search(r"\s", value):
        raise ValueError("must be a URL with http or https and a host, such as https://erp.example.com/acme")
    if parts.username or parts.password:
        raise ValueError("must not carry a user or a password; those belong into [users]")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}([_-][A-Z][A-Za-z]+)?", value):
        raise ValueError("must be a language code, such as en or pt_BR")
    return value


def _effect(value: Any) -> Any:
    words = [effect.word for effect in Effect]
    if value not in words:
        raise ValueError(f"must be one of {', '.join(words)}")
    return value


_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"(\d+) ?(s|min|h|d)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time with its unit (s, min, h, d), such as "30 min"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Slug = Annotated[str, AfterValidator(_slug)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Exact = Annotated[Decimal, BeforeValidator(_exact)]
Url = Annotated[str, AfterValidator(_url)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Table(BaseModel):
    """A TOML table in which an unknown key is an error and `"4"` is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointsTable(Table):
    api: Url = Field(description="Where the ERP's API answers.", examples=["https://erp.example.com/acme"])
    web: Url | None = Field(
        None,
        description="Where the web client opens; without it the tenant has no browser channel.",
        examples=["https://erp.example.com/#acme"],
    )


class TaxTable(Table):
    name: Name = Field(description="The rate's name in the ERP.", examples=["VAT 20%"])
    rate: Annotated[Exact, Field(ge=0, lt=1)] = Field(description="A fraction, as text.", examples=["0.20"])
    product: Name | None = Field(
        None, description="The service billed at this rate; default: policy.product.", examples=["Consulting 7%"]
    )
    rounding: TaxRounding | None = Field(
        None, description="Short for policy.tax_rounding, and wins over it.", examples=["line"]
    )


class ApprovalTable(Table):
    steps: int = Field(0, ge=0, le=5, strict=True, description="How many others must approve.", examples=[1])
    threshold: Annotated[Exact, Field(ge=0)] = Field(
        Decimal(0), description="Requests of more than this need the steps, as text.", examples=["500.00"]
    )


class PaymentTermTable(Table):
    name: Name = Field(description="The payment term's name in the ERP.", examples=["30 days"])
    days: int = Field(ge=0, le=365, strict=True, description="Days from invoice date to due date.", examples=[30])


class AccountsTable(Table):
    receivable: Name = Field(description="Code or name of the account that customers owe on.", examples=["1200"])
    revenue: Name = Field(description="Code or name of the account that services are booked on.", examples=["4000"])
    tax: Name = Field(description="Code or name of the account that tax is booked on.", examples=["2200"])
    cash: Name = Field(description="Code or name of the account that payments arrive on.", examples=["1000"])


def _tax_adds_up(rates: tuple[TaxTable, ...]) -> tuple[TaxTable, ...]:
    if len({rate.name for rate in rates}) < len(rates):
        raise ValueError("two rates must not have the same name")
    if len({rate.rounding for rate in rates if rate.rounding}) > 1:
        raise ValueError("the rates' rounding must be the same; say it once, in policy.tax_rounding")
    return rates


class PolicyTable(Table):
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        description="The company's currency, by ISO 4217 code.", examples=["GBP"]
    )
    tax: Annotated[tuple[TaxTable, ...], BeforeValidator(_as_list), AfterValidator(_tax_adds_up)] = Field(
        (),
        description="One table, or several as [[policy.tax]]; none for a tenant without tax.",
        examples=[{"name": "VAT 20%", "rate": "0.20"}],
    )
    tax_rounding: TaxRounding = Field(
        TaxRounding.DOCUMENT, description="Whether tax is rounded by line or by document.", examples=["line"]
    )
    rounding_mode: RoundingMode = Field(RoundingMode.HALF_EVEN, description="Where a half goes.", examples=["half-up"])
    approval: ApprovalTable = Field(ApprovalTable(), description="Who must approve a purchase request.")
    invoice_method: InvoiceMethod = Field(
        InvoiceMethod.TIMESHEET, description="Whether hours logged or hours planned are billed.", examples=["effort"]
    )
    effects: Annotated[str, BeforeValidator(_effect)] = Field(
        "reversible",
        description="The most that may be done to the tenant: read, reversible, permanent.",
        examples=["read"],
    )
    payment_term: PaymentTermTable = Field(description="When invoices fall due.")
    accounts: AccountsTable = Field(description="The accounts that postings must hit.")
    product: Name = Field(description="The service that time is billed as.", examples=["Consulting"])
    customer: Name = Field(description="The synthetic customer that is billed.", examples=["Synthetic Customer"])

    @property
    def rounding(self) -> TaxRounding:
        return next((tax.rounding for tax in self.tax if tax.rounding), self.tax_rounding)


class FeatureTable(Table):
    on: bool = Field(strict=True, description="Whether the flag is on for this tenant.", examples=[True])
    owner: Name = Field(description="Who answers for the flag.", examples=["projects-team"])
    expires: date = Field(description="When it must be gone; later it is reported.", examples=["2027-01-31"])


class SecretTable(Table):
    """A reference, by exactly one of two ways. `${TENANT}` stands for the tenant's id."""

    env: str | None = Field(
        None, description="The environment variable that holds the password.", examples=["ACME_ACCOUNTANT_PASSWORD"]
    )
    file: str | None = Field(
        None, description="The file that holds it; ~ and ${RINGGATE_HOME} are expanded.", examples=["~/acme/accountant"]
    )

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError('must be a reference, { env = "NAME" } or { file = "PATH" }, never the secret itself')
        return value

    @model_validator(mode="after")
    def _one_way(self) -> SecretTable:
        if (self.env is None) == (self.file is None):
            raise ValueError("must have exactly one of env and file")
        if self.env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.env.replace("${TENANT}", "T")):
            raise ValueError("env must be the name of an environment variable: letters, digits and _")
        if self.file is not None and not self.file.strip():
            raise ValueError("file must be a path")
        return self


class UserTable(Table):
    login: Name = Field(description="The synthetic user's login in the ERP.", examples=["synthetic.accountant"])
    password: SecretTable = Field(description="Where the password is.")


class TenantTable(Table):
    """A whole tenant: defaults, cohorts and its own file together."""

    id: Slug = Field(description="The file's name; immutable, for it is pytest id and metric label.", examples=["acme"])
    name: Name | None = Field(None, description="What people call the tenant; default: its id.", examples=["Acme Ltd"])
    erp: Slug = Field(description="Which driver talks to it.", examples=["tryton"])
    series: str = Field("", description="The release series to insist on; default: what answers.", examples=["7.0"])
    ring: Slug = Field(description="Its place in the order of a rollout.", examples=["canary"])
    cohorts: tuple[Slug, ...] = Field(
        (), description="The cohorts it is in; later ones win over earlier ones.", examples=[["emea"]]
    )
    region: Slug = Field("default", description="Where it is hosted.", examples=["eu-west"])
    residency: Slug = Field(
        "any", description="Only workers that carry this residency probe it; any: all do.", examples=["eu"]
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="Decides what today is for the tenant.", examples=["Europe/London"]
    )
    language: Annotated[str, AfterValidator(_language)] = Field(
        "en", description="The language its users work in.", examples=["de"]
    )
    sla: Slug = Field("standard", description="The service level it bought.", examples=["gold"])
    sessions: int = Field(4, ge=1, le=64, strict=True, description="How many runs may use it at once.", examples=[2])
    lacks: frozenset[Capability] = Field(
        frozenset(), description="What it cannot do although its ERP can.", examples=[["approvals"]]
    )
    paused_until: date | None = Field(
        None, description="It is left alone until this day; needs paused_reason.", examples=["2027-01-31"]
    )
    paused_reason: str = Field("", description="Why it is paused.", examples=["year-end close"])
    endpoints: EndpointsTable = Field(description="Its addresses; ${TENANT} stands for its id.")
    policy: PolicyTable = Field(description="Its own rules, from which every expectation is computed.")
    users: dict[Role, UserTable] = Field(description="The synthetic user of each role.")
    features: dict[Slug, FeatureTable] = Field({}, description="Feature flags; each has an owner and an end.")
    extensions: dict[str, str] = Field(
        {}, description="Customisations and their versions.", examples=[{"custom-wip-report": "2.3"}]
    )


class SlaTable(Table):
    recovery_point: Duration = Field(description="The most work that a loss may cost.", examples=["4 h"])
    recovery_time: Duration = Field(description="How soon a lost tenant is served again.", examples=["30 min"])


class DefaultsTable(TenantTable):
    """`defaults.toml`: what holds for every tenant that does not say otherwise."""

    rings: tuple[Slug, ...] = Field(
        ("canary", "early", "broad"), min_length=1, description="All rings in the order of a rollout."
    )
    slas: dict[Slug, SlaTable] = Field(
        {}, description="What each service level promises; if any is given, every tenant's must be."
    )


class CohortTable(TenantTable):
    """`cohorts/<name>.toml`: what holds for the tenants of a cohort; may be empty."""

    description: str = Field("", description="What the tenants of this cohort have in common.", examples=["Europe"])


def documented_keys(table: type[BaseModel] = TenantTable, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Every key: dotted name, meaning, default, example (as TOML)."""
    for name, field in table.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner, placeholder = _table_in(field.annotation)
        default = "required" if field.is_required() else _toml(field.default)
        if inner is None or (name == "tax" and not prefix.count(".tax")):
            example = next(iter(field.examples or ()), None)
            yield key, field.description or "", default, "" if example is None else _toml(example)
        else:
            yield key, field.description or "", default if field.is_required() else "", ""
        if inner is not None:
            yield from documented_keys(inner, f"{key}{placeholder}.")


def _table_in(kind: Any) -> tuple[type[BaseModel] | None, str]:
    """The table that a field holds, and what stands for its key where the user chooses it."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, ""
    arguments = [each for each in get_args(kind) if isinstance(each, type) and issubclass(each, BaseModel)]
    if not arguments:
        return None, ""
    if get_origin(kind) is dict:
        return arguments[0], ".<role>" if Role in get_args(kind) else ".<name>"
    return arguments[0], "[]" if get_origin(kind) is tuple else ""


def _toml(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(
                f"{k if re.fullmatch('[A-Za-z0-9_-]+', k) else _toml(k)} = {_toml(v)}" for k, v in value.items()
            )
            + " }"
            if value
            else "none"
        )
    if isinstance(value, list | tuple | frozenset):
        return "[" + ", ".join(map(_toml, value)) + "]" if value else "none"
    if isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return str(value)
    return f'"{value}"'
