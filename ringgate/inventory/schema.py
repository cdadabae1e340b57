"""What may stand in an inventory file: each key with one sentence, its default and an example.

`ringgate tenants keys` prints this module. A key that is not here is refused. The same models check a whole tenant and
each file on its own, so nothing here may need two files at once; `inventory.py` does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from ringgate.domain.money import RoundingMode
from ringgate.domain.retention import Retention
from ringgate.domain.terms import Capability, InvoiceMethod, Role, TaxRounding
from ringgate.inventory.diagnostics import ErpLogTable, LinkTemplate
from ringgate.inventory.integrations import IntegrationTable
from ringgate.inventory.kinds import (
    CurrencyCode,
    Duration,
    EffectWord,
    Exact,
    Language,
    Name,
    Names,
    OptionalNames,
    Slug,
    StrictTable,
    Url,
    Zone,
    as_list,
)
from ringgate.inventory.payment_terms import PaymentTermTable
from ringgate.inventory.probes import ProbesTable
from ringgate.inventory.ring_rules import RingRuleTable, TraitsTable
from ringgate.inventory.secrets import SecretTable


class EndpointsTable(StrictTable):
    api: Url = Field(description="Where the ERP's API answers.", examples=["https://erp.example.com/acme"])
    web: Url | None = Field(
        None,
        description="Where the web client opens; without it the tenant has no browser channel.",
        examples=["https://erp.example.com/#acme"],
    )


class TaxTable(StrictTable):
    name: Name = Field(description="The rate's name in the ERP.", examples=["VAT 20%"])
    rate: Annotated[Exact, Field(ge=0, lt=1)] = Field(description="A fraction, as text.", examples=["0.20"])
    product: Name | None = Field(
        None, description="The service billed at this rate; default: policy.product.", examples=["Consulting 7%"]
    )
    rounding: TaxRounding | None = Field(
        None, description="Short for policy.tax_rounding, and wins over it.", examples=["line"]
    )


class ApprovalTable(StrictTable):
    steps: int = Field(0, ge=0, le=5, strict=True, description="How many others must approve.", examples=[1])
    threshold: Annotated[Exact, Field(ge=0)] = Field(
        Decimal(0), description="Requests of more than this need the steps, as text.", examples=["500.00"]
    )
    approvers: tuple[Role, ...] = Field(
        (), description="The role of each step, in order; required for more than one step. Default: the approver.",
        examples=[["project_manager", "approver"]],
    )  # fmt: skip


class AccountsTable(StrictTable):
    """Where several accounts serve a purpose, their sum counts; Ringgate's own entries go to the first."""

    receivable: Names = Field(description="Code or name of the account that customers owe on.", examples=["1200"])
    revenue: Names = Field(
        description="Code or name of the account that services are booked on, or a list of them.",
        examples=[["4000", "4010"]],
    )
    tax: Names = Field(description="Code or name of the account that tax is booked on, or a list.", examples=["2200"])
    cash: Names = Field(
        description="Code or name of the account that payments arrive on; with that of outstanding receipts, a list.",
        examples=["1000"],
    )
    payable: OptionalNames = Field(
        (), description="Code or name of the account that suppliers are owed on; without it none is paid.",
        examples=["2100"],
    )  # fmt: skip
    expense: OptionalNames = Field(
        (), description="Code or name of the account that what suppliers bill is booked on, or a list.",
        examples=["5000"],
    )  # fmt: skip


def _tax_adds_up(rates: tuple[TaxTable, ...]) -> tuple[TaxTable, ...]:
    if len({rate.name for rate in rates}) < len(rates):
        raise ValueError("two rates must not have the same name")
    if len({rate.rounding for rate in rates if rate.rounding}) > 1:
        raise ValueError("the rates' rounding must be the same; say it once, in policy.tax_rounding")
    return rates


class TenantPolicyTable(StrictTable):
    currency: CurrencyCode = Field(description="The company's currency, by ISO 4217 code.", examples=["GBP"])
    tax: Annotated[tuple[TaxTable, ...], BeforeValidator(as_list), AfterValidator(_tax_adds_up)] = Field(
        (),
        description="One table, or several as [[policy.tax]]; none for a tenant without tax.",
        examples=[{"name": "VAT 20%", "rate": "0.20"}],
    )
    tax_rounding: TaxRounding = Field(
        TaxRounding.DOCUMENT,
        description="What is rounded: line, document (exact products), line-net, net (rounded lines), total (once).",
        examples=["line"],
    )
    rounding_mode: RoundingMode = Field(RoundingMode.HALF_EVEN, description="Where a half goes.", examples=["half-up"])
    approval: ApprovalTable = Field(ApprovalTable(), description="Who must approve a purchase request.")
    invoice_method: InvoiceMethod = Field(
        InvoiceMethod.TIMESHEET, description="Whether hours logged or hours planned are billed.", examples=["effort"]
    )
    effects: EffectWord = Field(
        "reversible",
        description="The most that may be done to the tenant: read, reversible, permanent.",
        examples=["read"],
    )
    payment_term: PaymentTermTable = Field(description="When invoices fall due.")
    accounts: AccountsTable = Field(description="The accounts that postings must hit.")
    product: Name = Field(description="The service that time is billed as.", examples=["Consulting"])
    customer: Name = Field(description="The synthetic customer that is billed.", examples=["Synthetic Customer"])
    supplier: Name | None = Field(
        None, description="The synthetic supplier that bills; without it, none does.", examples=["Synthetic Supplier"]
    )

    @property
    def rounding(self) -> TaxRounding:
        return next((tax.rounding for tax in self.tax if tax.rounding), self.tax_rounding)


class FeatureTable(StrictTable):
    on: bool = Field(strict=True, description="Whether the flag is on for this tenant.", examples=[True])
    owner: Name = Field(description="Who answers for the flag.", examples=["projects-team"])
    expires: date = Field(description="When it must be gone; later it is reported.", examples=["2027-01-31"])


class ChannelUserTable(StrictTable):
    """What differs for one channel; what is left out is the user's."""

    login: Name | None = Field(None, description="Another login than the user's.", examples=["svc.accountant"])
    password: SecretTable | None = Field(None, description="Where another password is.")
    key: SecretTable | None = Field(None, description="Where an API key or token is; it stands for the password.")
    one_time_codes: SecretTable | None = Field(
        None, description="Where the seed of the user's one-time codes (TOTP, base32) is."
    )


class UserTable(StrictTable):
    login: Name = Field(description="The synthetic user's login in the ERP.", examples=["synthetic.accountant"])
    password: SecretTable | None = Field(
        None, description="Where the password is; for every channel that has none of its own."
    )
    api: ChannelUserTable = Field(ChannelUserTable(), description="What differs for programs.")
    browser: ChannelUserTable = Field(ChannelUserTable(), description="What differs for the browser.")


class TenantTable(StrictTable):
    """A whole tenant: defaults, cohorts and its own file together."""

    id: Slug = Field(description="The file's name; immutable, for it is pytest id and metric label.", examples=["acme"])
    name: Name | None = Field(None, description="What people call the tenant; default: its id.", examples=["Acme Ltd"])
    erp: Slug = Field(description="Which driver talks to it.", examples=["tryton"])
    series: str = Field("", description="The release series to insist on; default: what answers.", examples=["7.0"])
    ring: Slug = Field(
        description="Its place in the order of a rollout; without it ring_rules say it.", examples=["canary"]
    )
    traits: TraitsTable = Field(TraitsTable(), description="What ring_rules go by.")
    cohorts: tuple[Slug, ...] = Field(
        (), description="The cohorts it is in; later ones win over earlier ones.", examples=[["emea"]]
    )
    region: Slug = Field("default", description="Where it is hosted.", examples=["eu-west"])
    residency: Slug = Field(
        "any",
        description="Who probes for one residency leaves tenants of another alone; any: nobody does.",
        examples=["eu"],
    )
    timezone: Zone = Field("UTC", description="Decides what today is for the tenant.", examples=["Europe/London"])
    language: Language = Field("en", description="The language its users work in.", examples=["de"])
    sla: Slug = Field("standard", description="The service level it bought.", examples=["gold"])
    sessions: int = Field(4, ge=1, le=64, strict=True, description="How many runs may use it at once.", examples=[2])
    load_users: int = Field(
        0, ge=0, le=512, strict=True,
        description="How many users `ringgate load` may be on it at once; 0: none, as on a tenant of production.",
        examples=[16],
    )  # fmt: skip
    time_limit: Duration | None = Field(
        None,
        description="How long each of its answers may take; by default 30 s, or three times its slowest usual steps.",
        examples=["45 s"],
    )
    lacks: frozenset[Capability] = Field(
        frozenset(), description="What it cannot do although its ERP can.", examples=[["approvals"]]
    )
    paused_until: date | None = Field(
        None, description="It is left alone until this day; needs paused_reason.", examples=["2027-01-31"]
    )
    paused_reason: str = Field("", description="Why it is paused.", examples=["year-end close"])
    endpoints: EndpointsTable = Field(description="Its addresses; ${TENANT} stands for its id.")
    policy: TenantPolicyTable = Field(description="Its own rules, from which every expectation is computed.")
    users: dict[Role, UserTable] = Field(description="The synthetic user of each role.")
    probes: ProbesTable = Field(ProbesTable(), description="When it is probed.")
    integrations: dict[Slug, IntegrationTable] = Field(
        {}, description="What receives its documents; each has an owner and a deadline."
    )
    addresses: dict[Slug, Url] = Field(
        {}, description="Where operators look besides the ERP: identity provider, storage, reports; ${TENANT} stands "
        "for its id.", examples=[{"identity-provider": "https://login.example.com/acme"}],
    )  # fmt: skip
    links: dict[Slug, LinkTemplate] = Field(
        {}, description="Where people look for more of a run that did not pass, in their own tools: {trace_id}, "
        "{run_id}, {marker}, {tenant}, {ring}, {scenario}, {channel}, {since}, {until}, {since_ms}, {until_ms} are "
        "filled in.",
        examples=[{"traces": "https://traces.example.com/trace/{trace_id}"}],
    )  # fmt: skip
    erp_log: ErpLogTable = Field(
        ErpLogTable(), description="Where the ERP's own log is read for what it says of a run that did not pass."
    )
    features: dict[Slug, FeatureTable] = Field({}, description="Feature flags; each has an owner and an end.")
    extensions: dict[str, str] = Field(
        {}, description="Customisations and their versions.", examples=[{"custom-wip-report": "2.3"}]
    )


class SlaTable(StrictTable):
    recovery_point: Duration = Field(description="The most work that a loss may cost.", examples=["4 h"])
    recovery_time: Duration = Field(description="How soon a lost tenant is served again.", examples=["30 min"])
    probes: ProbesTable = Field(
        ProbesTable(),
        description="As [probes], for the tenants of this level; their cohorts and own files win over it.",
        examples=[{"api": "1 min"}],
    )


def _kept(least: int) -> Any:
    def check(value: timedelta) -> timedelta:
        if value < timedelta(days=least):
            raise ValueError(f"must be at least {least} d")
        return value

    return AfterValidator(check)


class KeepTable(StrictTable):
    """How long the store keeps what, by kind. Open bakes and what is held stay longer."""

    passed: Annotated[Duration, _kept(2)] = Field(
        timedelta(days=30), description="Runs that passed, one by one; their hours stay.", examples=["14 d"]
    )
    failures: Annotated[Duration, _kept(2)] = Field(
        timedelta(days=180), description="Runs that failed or broke, one by one; their hours stay.", examples=["90 d"]
    )
    hours: Annotated[Duration, _kept(14)] = Field(
        timedelta(days=400), description="All runs rolled up to hours, for baselines and figures.", examples=["800 d"]
    )
    samples: Annotated[Duration, _kept(2)] = Field(
        timedelta(days=30), description="Platform signals.", examples=["14 d"]
    )
    evidence: Annotated[Duration, _kept(1)] = Field(
        timedelta(days=30), description="Screenshots and traces of runs.", examples=["7 d"]
    )


class StoreTable(StrictTable):
    """What becomes of results."""

    keep: KeepTable = Field(KeepTable(), description="How long it is kept, by kind.")
    evidence_gigabytes: float = Field(
        5.0, gt=0, le=100_000, description="How much evidence is kept at most; the oldest goes first.", examples=[20]
    )


def retention_of(said: Any) -> Retention:
    """What `[store]` says; the built-in defaults where it says nothing, or is wrong and told about as such."""
    try:
        table = StoreTable.model_validate(said or {})
    except ValidationError:
        table = StoreTable()
    return Retention(**table.keep.model_dump(), evidence_bytes=round(table.evidence_gigabytes * 10**9))


class DefaultsTable(TenantTable):
    """`defaults.toml`: what holds for every tenant that does not say otherwise."""

    rings: tuple[Slug, ...] = Field(
        ("canary", "early", "broad"), min_length=1, description="All rings in the order of a rollout.",
        examples=[["canary", "broad"]],
    )  # fmt: skip
    sessions_in_all: int = Field(
        16, ge=1, le=1024, strict=True, description="How many probes may be under way at once over all tenants.",
        examples=[32],
    )  # fmt: skip
    ring_rules: tuple[RingRuleTable, ...] = Field(
        (),
        description="The first rule that fits a tenant says its ring, where none of its files does.",
        examples=[[{"ring": "canary", "because": "simple", "complexity": ["low"]}]],
    )
    slas: dict[Slug, SlaTable] = Field(
        {}, description="What each service level promises; if any is given, every tenant's must be."
    )
    store: StoreTable = Field(StoreTable(), description="What the store of results keeps, and for how long.")


class CohortTable(TenantTable):
    """`cohorts/<name>.toml`: what holds for the tenants of a cohort; may be empty."""

    description: str = Field("", description="What the tenants of this cohort have in common.", examples=["Europe"])


def documented_keys() -> Iterator[tuple[str, str, str, str]]:
    """Every key: dotted name, meaning, default, example (as TOML). Those of defaults.toml alone come last."""
    yield from keys_of(TenantTable)
    for key, meaning, default, example in keys_of(DefaultsTable, without=TenantTable):
        yield key, f"{meaning} In defaults.toml alone.", default, example


def keys_of(
    table: type[BaseModel], prefix: str = "", *, without: type[BaseModel] = StrictTable
) -> Iterator[tuple[str, str, str, str]]:
    """The keys of one table and of those below it: dotted name, meaning, default, example."""
    for name, field in table.model_fields.items():
        if name in without.model_fields:
            continue
        key = f"{prefix}{field.alias or name}"
        inner, placeholder = _table_in(field.annotation)
        if table is SlaTable and inner is ProbesTable:  # they are told once
            inner = None
        default = "required" if field.is_required() else _toml(field.default)
        default = "none" if isinstance(field.default, BaseModel) else default
        if inner is None or (name == "tax" and not prefix.count(".tax")):
            example = next(iter(field.examples or ()), None)
            yield key, field.description or "", default, "" if example is None else _toml(example)
        else:
            example = next(iter(field.examples or ()), None)
            shown = "" if example is None else _toml(example)
            yield key, field.description or "", default if field.is_required() else "", shown
        if inner is not None:
            yield from keys_of(inner, f"{key}{placeholder}.")


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
