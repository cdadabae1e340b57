"""Compares what the inventory states of a tenant with what its ERP says, before anything is run on it.

    for each in compare_configuration(tenant, connection.books().fingerprint()):
        print(each)    # policy.tax "VAT 20%": the inventory says rate 0.20, the ERP rate 0.175. Change ...

Everything here reads. What the ERP says comes as a fingerprint, in the words that every driver uses for its settings
(`tax NAME`, `payment term NAME`, `product NAME`, `company NAME`, `approval rule NAME`) and rights (`invoices: post`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.payment_terms import PaymentTerm
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.protocol import Call, Driver
from ringgate.fingerprint.model import Fingerprint
from ringgate.scenario.access_matrix import matrix

RIGHTS: Final[Mapping[str, str]] = {
    "create_project": "projects: create",
    "enter_time": "time: create",
    "draft_invoice": "invoices: create",
    "post_invoice": "invoices: post",
    "post_entry": "postings: post",
    "request_purchase": "requests: create",
    "submit_request": "requests: write",
    "approve_request": "requests: approve",
    "reject_request": "requests: reject",
}
"""Verb of the access matrix -> the right of a fingerprint that it needs."""

AUDITOR_READS: Final = ("invoices: read", "postings: read", "projects: read", "requests: read", "time: read")


@dataclass(frozen=True, slots=True)
class SetUpDifference:
    """One thing that the inventory and the ERP do not agree on.

    `key` is the inventory's key, `stated` and `found` are words for people, `remedy` one sentence.
    """

    tenant: str
    key: str
    stated: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: the inventory says {self.stated}, the ERP {self.found}. {self.remedy}"


class Configuration:
    """A fingerprint's settings, looked up by subject and key."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._values = {(each.subject, each.key): each.value for each in fingerprint.settings}
        self._subjects = sorted({each.subject for each in fingerprint.settings})

    def value(self, subject: str, key: str) -> str | None:
        return self._values.get((subject, key))

    def names(self, kind: str) -> list[str]:
        """The names of all that there is of a kind, such as `tax`."""
        found = [each.removeprefix(f"{kind} ") for each in self._subjects if each.startswith(f"{kind} ")]
        longer = [f"{kind} rule", f"{kind} category"]
        return [each for each in found if not any(f"{kind} {each}".startswith(f"{other} ") for other in longer)]

    def taxes_of(self, product: str) -> set[str] | None:
        """The taxes that are charged on a product, its own or its category's; None where the ERP says neither."""
        own = self.value(f"product {product}", "taxes")
        if own is None:
            own = self.value(f"product category {self.value(f'product {product}', 'category')}", "taxes")
        return None if own is None else {each for each in own.split(", ") if each}

    def only(self, kind: str, key: str) -> set[str]:
        """Every value of a key over all that there is of a kind."""
        return {value for (subject, k), value in self._values.items() if k == key and subject.startswith(f"{kind} ")}


def compare_configuration(tenant: Tenant, fingerprint: Fingerprint, today: date) -> list[SetUpDifference]:
    """Every difference, in the order of the inventory's keys. `today` is the tenant's own day."""
    settings = Configuration(fingerprint)
    return [
        SetUpDifference(tenant.id, *found)
        for part in (
            _series(tenant, fingerprint),
            _company(tenant, settings),
            _taxes(tenant, settings),
            _taxes_of_products(tenant, settings),
            _terms(tenant, settings),
            _accounts(tenant, fingerprint),
            _products(tenant, settings),
            _parties(tenant, fingerprint),
            _approvals(tenant, settings),
            _users(tenant, fingerprint),
            _extensions(tenant, fingerprint),
            _features(tenant, today),
        )
        for found in part
    ]


_Found = Iterator[tuple[str, str, str, str]]


def _series(tenant: Tenant, fingerprint: Fingerprint) -> _Found:
    if tenant.series and tenant.series != fingerprint.series:
        remedy = "Change series, or leave it out to take what answers."
        yield "series", tenant.series, f"series {fingerprint.series}", remedy


def _company(tenant: Tenant, settings: Configuration) -> _Found:
    currencies, zones = settings.only("company", "currency"), settings.only("company", "time zone")
    code, companies = tenant.policy.currency.code, settings.names("company")
    if companies and tenant.name not in companies:
        yield "name", tenant.name, f"calls the company {_or_nothing(companies)}", "Give the company's name."
    if currencies and code not in currencies:
        yield "policy.currency", code, _or_nothing(currencies), "State the company's own currency."
    if zones - {""} and tenant.timezone not in zones:
        remedy = "State the company's time zone: it decides what today is."
        yield "timezone", tenant.timezone, _or_nothing(zones), remedy
    rounding = settings.value("accounting", "tax rounding")
    if rounding and tenant.policy.taxes and rounding != tenant.policy.tax_rounding.value:
        remedy = "Change policy.tax_rounding, or the ERP's accounting configuration."
        yield "policy.tax_rounding", f"by {tenant.policy.tax_rounding.value}", f"by {rounding}", remedy


def _taxes(tenant: Tenant, settings: Configuration) -> _Found:
    known = settings.names("tax")
    for tax in tenant.policy.taxes:
        key, stated = f'policy.tax "{tax.name}"', f"rate {tax.rate}"
        if tax.name not in known:
            yield key, stated, f"knows no such tax, but {_or_nothing(known)}", "Give the tax's name as the ERP has it."
            continue
        rate = settings.value(f"tax {tax.name}", "rate") or ""
        if _decimal(rate) != tax.rate:
            found = f"rate {rate}" if rate else "no rate"
            yield key, stated, found, "Change the rate here, or the tax in the ERP."
        if settings.value(f"tax {tax.name}", "active") == "no":
            yield key, "it is charged", "has it switched off", "Switch the tax on, or name the one that took its place."


def _taxes_of_products(tenant: Tenant, settings: Configuration) -> _Found:
    stated: dict[str, set[str]] = {tenant.policy.product: set()}
    for tax in tenant.policy.taxes:
        stated.setdefault(tax.product or tenant.policy.product, set()).add(tax.name)
    for product, names in stated.items():
        charged = settings.taxes_of(product)
        if charged is not None and charged != names and (names or product == tenant.policy.product):
            remedy = "State what is agreed, or change the product's taxes in the ERP."
            yield "policy.tax", f'{_or_nothing(names)} on "{product}"', f"charges {_or_nothing(charged)}", remedy


def _terms(tenant: Tenant, settings: Configuration) -> _Found:
    term, name, days = tenant.policy.term, tenant.policy.payment_term, tenant.policy.payment_days
    key, known = f'policy.payment_term "{name}"', settings.names("payment term")
    if name not in known:
        found = f"knows no such term, but {_or_nothing(known)}"
        yield key, str(term), found, "Give the payment term's name as the ERP has it."
        return
    if term != replace(PaymentTerm.net(name, days), discount=term.discount):
        return  # only plain days are worded alike by every driver
    lines = settings.value(f"payment term {name}", "lines") or ""
    told = re.findall(r"(\d+) days?\b", lines)
    if len(told) == 1 and " then " not in lines and int(told[0]) != days:
        yield key, f"{days} days", f"{told[0]} days", "Change days here, or the payment term in the ERP."


def _accounts(tenant: Tenant, fingerprint: Fingerprint) -> _Found:
    accounts, stated = {a.account: a for a in fingerprint.accounts} | {a.name: a for a in fingerprint.accounts}, {}
    for purpose in ("receivable", "revenue", "tax", "cash", "payable", "expense"):
        given = getattr(tenant.policy.accounts, purpose)
        stated[purpose] = (given,) if isinstance(given, str) else tuple(given)
    for purpose, names in stated.items():
        for name in names:
            key = f"policy.accounts.{purpose}"
            if name not in accounts:
                yield key, name, "has no such account", "Give the account's code, or its name where it has no code."
            elif not accounts[name].active:
                yield key, name, "has this account closed", "Name the account that took its place."
            elif purpose in ("receivable", "revenue", "payable", "expense") and accounts[name].kind not in (
                "",
                purpose,
            ):
                found = f"calls it an account of kind {accounts[name].kind}"
                yield key, name, found, f"Name an account of kind {purpose}."


def _products(tenant: Tenant, settings: Configuration) -> _Found:
    known = settings.names("product")
    names = {t.product: "policy.tax.product" for t in tenant.policy.taxes} | {tenant.policy.product: "policy.product"}
    for name, key in names.items():
        if not name:
            continue
        if name not in known:
            found = f"sells no such service, but {_or_nothing(known)}"
            yield key, name, found, "Give the product's name as the ERP has it, or create the product."
        elif settings.value(f"product {name}", "active") == "no":
            yield key, name, "has it switched off", "Switch the product on, or name another."


def _parties(tenant: Tenant, fingerprint: Fingerprint) -> _Found:
    for kind in ("customer", "supplier"):
        key, name = f"policy.{kind}", getattr(tenant.policy, kind)
        same = [each for each in fingerprint.parties if each.name == name]
        if not name:
            continue
        if not same:
            remedy = f"Create a {kind} that belongs to nobody, and give its name."
            yield key, name, "has no such party", remedy
        elif len(same) > 1:
            remedy = "Rename the others: a bill must reach one party alone."
            yield key, name, f"has {len(same)} parties of this name", remedy
        elif not same[0].active:
            yield key, name, "has this party switched off", "Switch it on, or name another."


def _approvals(tenant: Tenant, settings: Configuration) -> _Found:
    approval, known = tenant.policy.approval, settings.names("approval rule")
    stated = f"{approval.steps} above {approval.threshold}" if approval.steps else "none"
    if not approval.steps and known:
        yield "policy.approval", stated, f"asks for approvals ({_or_nothing(known)})", "State steps and threshold."
    elif approval.steps and approval.threshold and not known:  # without a threshold an ERP may need no rule
        yield "policy.approval", stated, "has no rule for it", "Set threshold = 0, or set up the rule in the ERP."
    if not approval.steps or not known:
        return
    counts = {settings.value(f"approval rule {name}", "approvals") or "" for name in known}
    if str(approval.steps) not in counts:
        found = f"asks for {_or_nothing(counts)}"
        yield "policy.approval.steps", str(approval.steps), found, "Change steps, or the rule in the ERP."
    conditions = " ".join(settings.value(f"approval rule {name}", "condition") or "" for name in known)
    amounts = {found for found in map(_decimal, re.findall(r"\d+(?:\.\d+)?", conditions)) if found is not None}
    if amounts and approval.threshold not in amounts:
        found = f"states {_or_nothing({str(each) for each in amounts})} in its rule"
        remedy = "Change threshold, or the rule in the ERP."
        yield "policy.approval.threshold", str(approval.threshold), found, remedy


def _users(tenant: Tenant, fingerprint: Fingerprint) -> _Found:
    known = {each.login: each for each in fingerprint.users}
    allowed: dict[Role, dict[str, bool]] = {}
    for cell in matrix(tenant.policy, tenant.users):
        if (right := RIGHTS.get(cell.verb)) and (cell.amount is None or cell.role is not Role.CONSULTANT):
            allowed.setdefault(cell.role, {})[right] = cell.allowed
    for role, account in tenant.users.items():
        key, stated = f"users.{role.value}", f'login "{account.login}"'
        user = known.get(account.login)
        if user is None:
            yield key, stated, "has no such user", "Create the user, or give the login as the ERP has it."
            continue
        if not user.active:
            yield key, stated, "has this user switched off", "Switch the user on."
        wanted = allowed.get(role, {}) | (dict.fromkeys(AUDITOR_READS, True) if role is Role.AUDITOR else {})
        missing = sorted(right for right, may in wanted.items() if may and right not in user.rights)
        too_much = sorted(right for right, may in wanted.items() if not may and right in user.rights)
        if missing:
            work = f"{stated} may do this role's work"
            yield key, work, f"refuses {', '.join(missing)}", "Give the user these rights."
        if too_much:
            remedy = "Take these rights from the user: each role does its own work and no more."
            yield key, f"{stated} does this role's work alone", f"allows {', '.join(too_much)}", remedy


def _extensions(tenant: Tenant, fingerprint: Fingerprint) -> _Found:
    for name, version in tenant.extensions.items():
        if name not in fingerprint.extensions:
            remedy = "Install it, or give its name as the ERP has it (`ringgate fingerprint take` lists them)."
            yield f"extensions.{name}", f"version {version}", "has no extension of this name", remedy


def _features(tenant: Tenant, today: date) -> _Found:
    for name, flag in tenant.features.items():
        if flag.expires < today:
            remedy = f"Ask {flag.owner}: remove the flag, or give it a later end."
            yield f"features.{name}", f"it ends {flag.expires}", "is asked about it after that day", remedy


def sign_in_differences(tenant: Tenant, driver: Driver, call: Call) -> list[SetUpDifference]:
    """Signs every role in over the driver's channel, and out again. Raises RinggateError where nobody gets through."""
    found, connection = [], driver.connect(tenant, call)
    try:
        for role, account in tenant.users.items():
            key, stated = f"users.{role.value}", f'"{account.login}" signs in over {_WORD[driver.channel]}'
            try:
                who = connection.sign_in(role, fresh=True).who_am_i()
            except RinggateError as error:
                remedy = f"Check the login, and {account.on(driver.channel).where}."
                found.append(SetUpDifference(tenant.id, key, stated, f"answers: {error}", remedy))
                continue
            if who.login != account.login:
                remedy = "Give each role a user of its own."
                found.append(SetUpDifference(tenant.id, key, stated, f'signs in "{who.login}"', remedy))
    finally:
        connection.close()
    return found


_WORD: Final = {Channel.API: "the API", Channel.BROWSER: "the browser"}


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _or_nothing(names: object) -> str:
    some = sorted(str(each) for each in names) if isinstance(names, list | set) else [str(names)]
    shown = ", ".join(each for each in some[:6] if each)
    return (f"{shown} and {len(some) - 6} more" if len(some) > 6 else shown) or "nothing"
