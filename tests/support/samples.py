"""Sample tenants and policies for tests that need no ERP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from ringgate.domain.credentials import Account
from ringgate.domain.model import Accounts, Approval, Policy, TaxRule, Tenant
from ringgate.domain.money import Currency, RoundingMode
from ringgate.domain.payment_terms import PaymentTerm
from ringgate.domain.terms import Effect, InvoiceMethod, Role, TaxRounding
from ringgate.host.secrets import EnvSecret

GBP, JPY = Currency("GBP", 2), Currency("JPY", 0)


def policy(**changes: Any) -> Policy:
    """A policy with VAT 20 % by line, in pounds, with whatever is to differ."""
    usual = Policy(
        currency=GBP,
        taxes=(TaxRule("VAT 20%", Decimal("0.20"), "Consulting"),),
        tax_rounding=TaxRounding.LINE,
        rounding_mode=RoundingMode.HALF_EVEN,
        approval=Approval(1, Decimal("500.00")),
        invoice_method=InvoiceMethod.TIMESHEET,
        term=PaymentTerm.net("30 days", 30),
        accounts=Accounts(("1100",), ("4000",), ("2200",), ("1000",)),
        product="Consulting",
        customer="Synthetic Client",
        effects=Effect.REVERSIBLE,
    )
    return replace(usual, **changes)


def tenant(name: str = "aldgate", **changes: Any) -> Tenant:
    """A tenant of the `sample` ERP, with whatever is to differ."""
    usual = Tenant(
        id=name,
        name=f"{name.title()} Ltd",
        erp="sample",
        ring="canary",
        cohorts=("emea",),
        region="eu-west",
        residency="eu",
        timezone="Europe/London",
        language="en",
        sla="gold",
        api=f"http://127.0.0.1:9/{name}",
        web=f"http://127.0.0.1:9/#{name}",
        policy=policy(),
        users={role: Account(f"synthetic.{role}", EnvSecret(f"SAMPLE_{role.upper()}")) for role in Role},
    )
    return replace(usual, **changes)
