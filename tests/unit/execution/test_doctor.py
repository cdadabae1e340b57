"""The doctor names every difference between an inventory entry and what the ERP says, each with its remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ringgate.domain.credentials import Account
from ringgate.domain.model import Approval, Feature, Tenant
from ringgate.domain.payment_terms import DueStep, DueUnit, Instalment, PaymentTerm
from ringgate.domain.terms import Role
from ringgate.execution.doctor import AUDITOR_READS, RIGHTS, compare_configuration
from ringgate.fingerprint.model import ErpSetting, Fingerprint, LedgerAccount, Party, User
from ringgate.host.secrets import EnvSecret
from ringgate.scenario.access_matrix import MAY
from tests.support.samples import policy
from tests.support.samples import tenant as sample

TODAY = date(2026, 11, 27)


def own_rights(role: Role) -> tuple[str, ...]:
    allowed = {RIGHTS[verb] for verb, roles in MAY.items() if role in roles and verb in RIGHTS}
    return tuple(sorted(allowed | set(AUDITOR_READS if role is Role.AUDITOR else ())))


def entry(**changes: object) -> Tenant:
    users = {role: Account(f"synthetic.{role.value}", EnvSecret("X")) for role in Role if role is not Role.INTEGRATION}
    rules = policy(approval=Approval(1, Decimal("500.00")))
    return sample("acme", timezone="Europe/London", policy=rules, users=users, **changes)


def erp_of(tenant: Tenant) -> Fingerprint:
    """What an ERP says that is set up as the entry states."""
    rules = tenant.policy
    settings = {
        ("company Acme Ltd", "currency"): rules.currency.code,
        ("company Acme Ltd", "time zone"): tenant.timezone,
        ("accounting", "tax rounding"): rules.tax_rounding.value,
        (f"payment term {rules.payment_term}", "lines"): f"remainder in {rules.payment_days} days",
        (f"product {rules.product}", "active"): "yes",
        (f"product {rules.product}", "category"): "services",
        ("product category services", "taxes"): ", ".join(tax.name for tax in rules.taxes),
        ("approval rule large", "approvals"): "1",
        ("approval rule large", "condition"): '[">", "500.00"]',
    }
    for tax in rules.taxes:
        settings |= {(f"tax {tax.name}", "rate"): str(tax.rate), (f"tax {tax.name}", "active"): "yes"}
        settings |= {(f"product {tax.product}", "active"): "yes"}
    accounts = [
        LedgerAccount(getattr(rules.accounts, purpose)[0], purpose, kind, True)
        for purpose, kind in (("receivable", "receivable"), ("revenue", "revenue"), ("tax", ""), ("cash", ""))
    ]
    users = [User(account.login, True, (), own_rights(role)) for role, account in tenant.users.items()]
    return Fingerprint(
        tenant.id, "7.0", datetime(2026, 11, 27, tzinfo=UTC), 1.0, TODAY, rules.currency.code,
        parties=(Party(rules.customer, "1", True),), accounts=tuple(accounts), users=tuple(users),
        settings=tuple(ErpSetting(subject, key, value) for (subject, key), value in settings.items()),
        extensions=("account", "sale"),
    )  # fmt: skip


def without(found: Fingerprint, subject: str) -> Fingerprint:
    return replace(found, settings=tuple(each for each in found.settings if each.subject != subject))


def with_value(found: Fingerprint, subject: str, key: str, value: str) -> Fingerprint:
    kept = [each for each in found.settings if (each.subject, each.key) != (subject, key)]
    return replace(found, settings=(*kept, ErpSetting(subject, key, value)))


def test_an_entry_that_is_right_has_no_difference() -> None:
    tenant = entry(extensions={"sale": "7.0"}, series="7.0")
    assert compare_configuration(tenant, erp_of(tenant), TODAY) == []


TENANT = entry()
ERP = erp_of(TENANT)
TAX = TENANT.policy.taxes[0]
ACCOUNTANT = next(each for each in ERP.users if each.login == "synthetic.accountant")
OTHERS = tuple(each for each in ERP.users if each is not ACCOUNTANT)
CUSTOMER = ERP.parties[0]
WRONG = {
    "currency": (TENANT, with_value(ERP, "company Acme Ltd", "currency", "USD"), "policy.currency", "the ERP USD"),
    "name": (replace(TENANT, name="Acme"), ERP, "name", "calls the company Acme Ltd"),
    "time zone": (TENANT, with_value(ERP, "company Acme Ltd", "time zone", "Asia/Tokyo"), "timezone", "Asia/Tokyo"),
    "rounding": (TENANT, with_value(ERP, "accounting", "tax rounding", "other"), "policy.tax_rounding", "by other"),
    "rate": (TENANT, with_value(ERP, f"tax {TAX.name}", "rate", "0.175"), f'policy.tax "{TAX.name}"', "rate 0.175"),
    "tax not charged": (
        TENANT, with_value(ERP, "product category services", "taxes", ""), "policy.tax", "charges nothing",
    ),
    "tax not stated": (
        replace(TENANT, policy=replace(TENANT.policy, taxes=())), ERP, "policy.tax", f"charges {TAX.name}",
    ),
    "tax off": (TENANT, with_value(ERP, f"tax {TAX.name}", "active", "no"), "policy.tax", "switched off"),
    "tax unknown": (TENANT, without(ERP, f"tax {TAX.name}"), "policy.tax", "knows no such tax, but nothing"),
    "term": (
        TENANT, with_value(ERP, f"payment term {TENANT.policy.payment_term}", "lines", "remainder in 14 days"),
        "policy.payment_term", "14 days",
    ),
    "term unknown": (
        TENANT, without(ERP, f"payment term {TENANT.policy.payment_term}"), "policy.payment_term", "no such term",
    ),
    "account": (TENANT, replace(ERP, accounts=ERP.accounts[1:]), "policy.accounts.receivable", "no such account"),
    "account closed": (
        TENANT, replace(ERP, accounts=(replace(ERP.accounts[0], active=False), *ERP.accounts[1:])),
        "policy.accounts.receivable", "closed",
    ),
    "account kind": (
        TENANT, replace(ERP, accounts=(replace(ERP.accounts[0], kind="payable"), *ERP.accounts[1:])),
        "policy.accounts.receivable", "of kind payable",
    ),
    "product": (TENANT, without(ERP, f"product {TENANT.policy.product}"), "policy.product", "no such service"),
    "customer": (TENANT, replace(ERP, parties=()), "policy.customer", "no such party"),
    "customer twice": (TENANT, replace(ERP, parties=(CUSTOMER, CUSTOMER)), "policy.customer", "2 parties"),
    "no rule": (TENANT, without(ERP, "approval rule large"), "policy.approval", "no rule for it"),
    "rule": (
        replace(TENANT, policy=replace(TENANT.policy, approval=Approval(0))), ERP, "policy.approval",
        "asks for approvals (large)",
    ),
    "steps": (TENANT, with_value(ERP, "approval rule large", "approvals", "2"), "policy.approval.steps", "asks for 2"),
    "threshold not stated": (
        replace(TENANT, policy=replace(TENANT.policy, approval=Approval(1))), ERP,
        "policy.approval.threshold", "500.00",
    ),
    "threshold": (
        TENANT, with_value(ERP, "approval rule large", "condition", '[">", "750"]'), "policy.approval.threshold", "750",
    ),
    "user": (TENANT, replace(ERP, users=OTHERS), "users.accountant", "no such user"),
    "user off": (
        TENANT, replace(ERP, users=(*OTHERS, replace(ACCOUNTANT, active=False))), "users.accountant", "switched off",
    ),
    "rights missing": (
        TENANT, replace(ERP, users=(*OTHERS, replace(ACCOUNTANT, rights=("invoices: create",)))), "users.accountant",
        "refuses invoices: post, postings: post",
    ),
    "rights too wide": (
        TENANT, replace(ERP, users=(*OTHERS, replace(ACCOUNTANT, rights=(*ACCOUNTANT.rights, "requests: approve")))),
        "users.accountant", "allows requests: approve",
    ),
    "extension": (replace(TENANT, extensions={"wip": "2.3"}), ERP, "extensions.wip", "no extension of this name"),
    "series": (replace(TENANT, series="8.0"), ERP, "series", "series 7.0"),
    "flag": (
        replace(TENANT, features={"grid": Feature(True, "projects", date(2026, 11, 1))}), ERP, "features.grid",
        "after that day",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_each_difference_is_named_once_with_its_remedy(case: str) -> None:
    tenant, erp, key, words = WRONG[case]
    (found,) = [each for each in compare_configuration(tenant, erp, TODAY) if each.key.startswith(key)]
    assert words in str(found)
    assert found.remedy.endswith(".")
    assert str(found).endswith(found.remedy)


def test_every_difference_is_named_at_once() -> None:
    erp = replace(with_value(ERP, "company Acme Ltd", "currency", "USD"), parties=(), accounts=())
    keys = {each.key for each in compare_configuration(TENANT, erp, TODAY)}
    assert {"policy.currency", "policy.customer", "policy.accounts.receivable", "policy.accounts.cash"} <= keys


def test_a_term_of_several_steps_is_looked_up_by_name_alone():
    rules = TENANT.policy
    steps = (DueStep(DueUnit.MONTHS, 1), DueStep(DueUnit.END_OF_MONTH))
    months = PaymentTerm(rules.payment_term, (Instalment(steps),))
    stated = replace(TENANT, policy=replace(rules, term=months))
    assert not [each for each in compare_configuration(stated, ERP, TODAY) if "payment_term" in each.key]
    elsewhere = replace(stated, policy=replace(rules, term=replace(months, name="EOM")))
    (found,) = [each for each in compare_configuration(elsewhere, ERP, TODAY) if "payment_term" in each.key]
    assert found.stated == "1 month, end of month"
